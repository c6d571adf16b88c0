
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_in_flight.h"
#include "wag_slots.h"


static ngx_uint_t wag_in_flight_workers(wag_zone_t *zone);
static size_t wag_in_flight_bytes(ngx_uint_t nworkers, ngx_uint_t nparts,
    ngx_uint_t nslots);
static void wag_in_flight_tell(wag_in_flight_t *table);
static ngx_uint_t wag_in_flight_held(wag_in_flight_t *table, ngx_uint_t at);
static void wag_in_flight_close(wag_in_flight_t *table, ngx_uint_t worker);
static ngx_uint_t wag_in_flight_alive(ngx_pid_t pid);
static ngx_uint_t wag_in_flight_awaited(wag_zone_t *zone);
static ngx_uint_t wag_in_flight_entered(wag_zone_t *zone, ngx_pid_t pid);
static ngx_uint_t wag_in_flight_kept(wag_in_flight_t *table,
    ngx_uint_t awaited);


size_t
wag_in_flight_size(wag_zone_t *zone)
{
    ngx_uint_t        i, nslots;
    wag_upstream_t  **usp;

    usp = zone->upstreams.elts;
    nslots = 0;

    for (i = 0; i < zone->upstreams.nelts; i++) {
        nslots += wag_slots_fit(wag_slots_size(usp[i]->nservers
                                               + usp[i]->capacity));
    }

    return wag_in_flight_bytes(wag_in_flight_workers(zone),
                               zone->upstreams.nelts, nslots);
}


static size_t
wag_in_flight_bytes(ngx_uint_t nworkers, ngx_uint_t nparts, ngx_uint_t nslots)
{
    return sizeof(wag_in_flight_t)
           + nparts * sizeof(wag_in_flight_part_t)
           + ngx_align(nworkers * sizeof(ngx_pid_t), sizeof(uint64_t))
           + nworkers * nslots * sizeof(uint32_t);
}


static ngx_uint_t
wag_in_flight_workers(wag_zone_t *zone)
{
    ngx_core_conf_t  *ccf;

    ccf = (ngx_core_conf_t *) ngx_get_conf(zone->cycle->conf_ctx,
                                           ngx_core_module);

    return (ccf->master && ccf->worker_processes > 0)
           ? (ngx_uint_t) ccf->worker_processes : 1;
}


ngx_int_t
wag_in_flight_open(wag_zone_t *zone)
{
    u_char           *p;
    ngx_uint_t        i, nworkers, nslots;
    wag_upstream_t  **usp;
    wag_in_flight_t  *table;

    usp = zone->upstreams.elts;
    nworkers = wag_in_flight_workers(zone);
    nslots = 0;

    for (i = 0; i < zone->upstreams.nelts; i++) {
        nslots += usp[i]->group->nslots;
    }

    p = ngx_slab_calloc_locked(zone->shpool,
                               wag_in_flight_bytes(nworkers,
                                              zone->upstreams.nelts, nslots));
    if (p == NULL) {
        return NGX_ERROR;
    }

    table = (wag_in_flight_t *) p;
    p += sizeof(wag_in_flight_t);

    table->nworkers = nworkers;
    table->nparts = zone->upstreams.nelts;
    table->nslots = nslots;

    table->parts = (wag_in_flight_part_t *) p;
    p += table->nparts * sizeof(wag_in_flight_part_t);

    table->pids = (ngx_pid_t *) p;
    p += ngx_align(nworkers * sizeof(ngx_pid_t), sizeof(uint64_t));

    table->counts = (uint32_t *) p;

    for (i = 0; i < nworkers; i++) {
        table->pids[i] = NGX_INVALID_PID;
    }

    for (i = 0; i < table->nparts; i++) {
        table->parts[i].group = usp[i]->group;
        table->parts[i].nslots = usp[i]->group->nslots;
    }

    ngx_queue_insert_tail(&zone->root->in_flight_tables, &table->queue);

    zone->in_flight = table;

    return NGX_OK;
}


void
wag_in_flight_enter(wag_zone_t *zone)
{
    uint32_t         *held;
    ngx_uint_t        i, j, worker;
    wag_upstream_t  **usp;
    wag_in_flight_t  *table;

    table = zone->in_flight;
    worker = (ngx_process == NGX_PROCESS_SINGLE) ? 0 : ngx_worker;

    wag_in_flight_close(table, worker);
    wag_in_flight_tell(table);

    table->pids[worker] = ngx_pid;

    held = &table->counts[worker * table->nslots];
    usp = zone->upstreams.elts;

    for (i = 0; i < zone->upstreams.nelts; i++) {
        for (j = 0; j < usp[i]->nslots; j++) {
            usp[i]->slots[j].held = held++;
        }
    }
}


/* a worker that was killed may have changed what it told nobody of */

static void
wag_in_flight_tell(wag_in_flight_t *table)
{
    ngx_uint_t    i;
    wag_group_t  *group;

    for (i = 0; i < table->nparts; i++) {
        group = table->parts[i].group;

        (void) ngx_atomic_fetch_add(&group->members, 1);
        (void) ngx_atomic_fetch_add(&group->state_epoch, 1);

        /* more than can be told one by one: any session may have changed */

        (void) ngx_atomic_fetch_add(&group->sessions.epoch,
                                    WAG_SESSION_CHANGES + 1);
    }
}


void
wag_in_flight_leave(wag_zone_t *zone)
{
    ngx_uint_t  worker;

    worker = (ngx_process == NGX_PROCESS_SINGLE) ? 0 : ngx_worker;

    wag_in_flight_close(zone->in_flight, worker);
}


static void
wag_in_flight_close(wag_in_flight_t *table, ngx_uint_t worker)
{
    uint32_t        *count;
    ngx_int_t        n;
    ngx_uint_t       i, slot;
    wag_instance_t  *instance;

    count = &table->counts[worker * table->nslots];

    for (i = 0; i < table->nparts; i++) {

        for (slot = 0; slot < table->parts[i].nslots; slot++, count++) {

            n = *count;

            if (n == 0) {
                continue;
            }

            instance = wag_slots_get(table->parts[i].group, slot);

            *count = 0;
            (void) ngx_atomic_fetch_add(&instance->in_flight, -n);
        }
    }

    table->pids[worker] = 0;
}


void
wag_in_flight_reclaim_dead_workers(wag_zone_t *zone)
{
    ngx_uint_t        i;
    ngx_queue_t      *q;
    wag_in_flight_t  *table;

    for (q = ngx_queue_head(&zone->root->in_flight_tables);
         q != ngx_queue_sentinel(&zone->root->in_flight_tables);
         q = ngx_queue_next(q))
    {
        table = ngx_queue_data(q, wag_in_flight_t, queue);

        for (i = 0; i < table->nworkers; i++) {

            if (!wag_in_flight_alive(table->pids[i])) {
                wag_in_flight_close(table, i);
                wag_in_flight_tell(table);
            }
        }
    }
}


static ngx_uint_t
wag_in_flight_alive(ngx_pid_t pid)
{
    if (pid == 0 || pid == NGX_INVALID_PID) {
        return 1;
    }

    return kill(pid, 0) == 0 || ngx_errno != ESRCH;
}


ngx_uint_t
wag_in_flight_any(wag_root_t *root, wag_group_t *group, ngx_uint_t slot)
{
    ngx_uint_t        i, at;
    ngx_queue_t      *q;
    wag_in_flight_t  *table;

    for (q = ngx_queue_head(&root->in_flight_tables);
         q != ngx_queue_sentinel(&root->in_flight_tables);
         q = ngx_queue_next(q))
    {
        table = ngx_queue_data(q, wag_in_flight_t, queue);

        for (i = 0, at = 0; i < table->nparts; i++) {

            if (table->parts[i].group == group
                && slot < table->parts[i].nslots
                && wag_in_flight_held(table, at + slot))
            {
                return 1;
            }

            at += table->parts[i].nslots;
        }
    }

    return 0;
}


static ngx_uint_t
wag_in_flight_held(wag_in_flight_t *table, ngx_uint_t at)
{
    ngx_uint_t  i;

    for (i = 0; i < table->nworkers; i++) {
        if (table->counts[i * table->nslots + at]) {
            return 1;
        }
    }

    return 0;
}


ngx_uint_t
wag_in_flight_slots(wag_root_t *root, wag_group_t *group)
{
    ngx_uint_t        i, nslots;
    ngx_queue_t      *q;
    wag_in_flight_t  *table;

    nslots = 0;

    for (q = ngx_queue_head(&root->in_flight_tables);
         q != ngx_queue_sentinel(&root->in_flight_tables);
         q = ngx_queue_next(q))
    {
        table = ngx_queue_data(q, wag_in_flight_t, queue);

        for (i = 0; i < table->nparts; i++) {
            if (table->parts[i].group == group) {
                nslots = ngx_max(nslots, table->parts[i].nslots);
            }
        }
    }

    return nslots;
}


ngx_uint_t
wag_in_flight_sweep(wag_zone_t *zone)
{
    ngx_uint_t        oldest, awaited;
    ngx_queue_t      *q, *next;
    wag_in_flight_t  *table;

    oldest = zone->root->config_gen;
    awaited = wag_in_flight_awaited(zone);

    for (q = ngx_queue_head(&zone->root->in_flight_tables);
         q != ngx_queue_sentinel(&zone->root->in_flight_tables);
         q = next)
    {
        next = ngx_queue_next(q);
        table = ngx_queue_data(q, wag_in_flight_t, queue);

        if (table->config_gen != zone->root->config_gen
            && !wag_in_flight_kept(table, awaited))
        {
            ngx_queue_remove(q);
            ngx_slab_free_locked(zone->shpool, table);
            continue;
        }

        oldest = ngx_min(oldest, table->config_gen);
    }

    return oldest;
}


/*
 * Tells if an in-flight table is still needed.  A single process never leaves
 * one: it is done with an old one as soon as nothing is in flight from there.
 */

static ngx_uint_t
wag_in_flight_kept(wag_in_flight_t *table, ngx_uint_t awaited)
{
    ngx_uint_t  i;

    for (i = 0; i < table->nworkers; i++) {

        if (table->pids[i] == NGX_INVALID_PID) {
            if (awaited && table->config_gen) {
                return 1;
            }

        } else if (table->pids[i] && ngx_process != NGX_PROCESS_SINGLE) {
            return 1;
        }
    }

    for (i = 0; i < table->nworkers * table->nslots; i++) {
        if (table->counts[i]) {
            return 1;
        }
    }

    return 0;
}


/*
 * Tells if a worker was spawned that did not enter its in-flight table yet:
 * nothing it will use may be freed.  The master alone knows its workers.
 */

static ngx_uint_t
wag_in_flight_awaited(wag_zone_t *zone)
{
    ngx_int_t  i;

    if (ngx_process != NGX_PROCESS_MASTER) {
        return 0;
    }

    for (i = 0; i < ngx_last_process; i++) {

        if (ngx_processes[i].pid != NGX_INVALID_PID
            && !ngx_processes[i].exited
            && ngx_strcmp(ngx_processes[i].name, "worker process") == 0
            && !wag_in_flight_entered(zone, ngx_processes[i].pid))
        {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
wag_in_flight_entered(wag_zone_t *zone, ngx_pid_t pid)
{
    ngx_uint_t        i;
    ngx_queue_t      *q;
    wag_in_flight_t  *table;

    for (q = ngx_queue_head(&zone->root->in_flight_tables);
         q != ngx_queue_sentinel(&zone->root->in_flight_tables);
         q = ngx_queue_next(q))
    {
        table = ngx_queue_data(q, wag_in_flight_t, queue);

        for (i = 0; i < table->nworkers; i++) {
            if (table->pids[i] == pid) {
                return 1;
            }
        }
    }

    return 0;
}


ngx_int_t
wag_in_flight_hold(wag_peer_t *peer)
{
    ngx_atomic_t      *in_flight;
    ngx_atomic_uint_t  n;

    in_flight = &peer->instance->in_flight;

    /*
     * The worker's own count goes first: were it killed between the two, its
     * successor gives one back too many rather than one too few, for ever.
     */

    (*peer->held)++;

    if (peer->max_conns == 0) {
        (void) ngx_atomic_fetch_add(in_flight, 1);

    } else {

        do {
            n = *in_flight;

            if ((ngx_atomic_int_t) n >= (ngx_atomic_int_t) peer->max_conns) {
                (*peer->held)--;
                return NGX_BUSY;
            }

        } while (!ngx_atomic_cmp_set(in_flight, n, n + 1));
    }

    /*
     * Counted, then looked at; who frees the slot does it the other way
     * round: the slot is not used again as long as it is held here.
     */

    if (peer->incarnation != peer->instance->incarnation) {
        wag_in_flight_release(peer);
        return NGX_BUSY;
    }

    return NGX_OK;
}


void
wag_in_flight_release(wag_peer_t *peer)
{
    (void) ngx_atomic_fetch_add(&peer->instance->in_flight, -1);

    (*peer->held)--;
}
