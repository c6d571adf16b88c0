
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_in_flight.h"
#include "wag_slots.h"


/* counts in a cache line: no two workers write to the same one */

#define WAG_IN_FLIGHT_LINE  (64 / sizeof(ngx_atomic_t))


static ngx_uint_t wag_in_flight_workers(wag_zone_t *zone);
static size_t wag_in_flight_bytes(ngx_uint_t nworkers, ngx_uint_t nparts,
    ngx_uint_t nslots);
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
    return ngx_align(sizeof(wag_in_flight_t)
                     + nparts * sizeof(wag_in_flight_part_t)
                     + nworkers * sizeof(ngx_pid_t),
                     WAG_IN_FLIGHT_LINE * sizeof(ngx_atomic_t))
           + nworkers * ngx_align(nslots, WAG_IN_FLIGHT_LINE)
             * sizeof(ngx_atomic_t);
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
    table->row = ngx_align(nslots, WAG_IN_FLIGHT_LINE);

    table->parts = (wag_in_flight_part_t *) p;
    p += table->nparts * sizeof(wag_in_flight_part_t);

    table->pids = (ngx_pid_t *) p;
    p += nworkers * sizeof(ngx_pid_t);

    /* memory of this size begins at a line */

    table->counts = (ngx_atomic_t *)
                    ngx_align_ptr(p, WAG_IN_FLIGHT_LINE
                                     * sizeof(ngx_atomic_t));

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


ngx_uint_t
wag_in_flight_any(wag_root_t *root, wag_group_t *group, ngx_uint_t slot)
{
    wag_in_flight_sum_t  sum;

    wag_in_flight_sum(root, group, slot, &sum);

    return sum.n != 0;
}


void
wag_in_flight_sum(wag_root_t *root, wag_group_t *group, ngx_uint_t slot,
    wag_in_flight_sum_t *sum)
{
    ngx_uint_t          i, j, at;
    ngx_queue_t        *q;
    wag_in_flight_t    *table;
    ngx_atomic_uint_t   held;

    ngx_memzero(sum, sizeof(wag_in_flight_sum_t));

    for (q = ngx_queue_head(&root->in_flight_tables);
         q != ngx_queue_sentinel(&root->in_flight_tables);
         q = ngx_queue_next(q))
    {
        table = ngx_queue_data(q, wag_in_flight_t, queue);

        for (i = 0, at = slot; i < table->nparts; i++) {

            for (j = 0;
                 table->parts[i].group == group
                 && slot < table->parts[i].nslots
                 && j < table->nworkers;
                 j++)
            {
                held = wag_in_flight_row(table, j)[at];

                sum->n += wag_in_flight_count(held);
                sum->moves |= wag_in_flight_moves(held);
                sum->steps += held >> WAG_IN_FLIGHT_BITS;
            }

            at += table->parts[i].nslots;
        }
    }
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

    for (i = 0; i < table->nworkers * table->row; i++) {
        if (wag_in_flight_count(table->counts[i])) {
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


/*
 * A worker's own count is changed in the step that begins and, on the way
 * back, in the one that ends: were it killed in between, it counts as held.
 */

ngx_int_t
wag_in_flight_hold(wag_peer_t *peer)
{
    ngx_atomic_t      *in_flight;
    ngx_atomic_uint_t  n;

    in_flight = &peer->instance->in_flight;

    *peer->held += WAG_IN_FLIGHT_STEP + 1;

    if (peer->max_conns == 0) {
        (void) ngx_atomic_fetch_add(in_flight, 1);

    } else {

        do {
            n = *in_flight;

            if ((ngx_atomic_int_t) n >= (ngx_atomic_int_t) peer->max_conns) {
                *peer->held += WAG_IN_FLIGHT_STEP - 1;
                return NGX_BUSY;
            }

        } while (!ngx_atomic_cmp_set(in_flight, n, n + 1));
    }

    *peer->held += WAG_IN_FLIGHT_STEP;

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
    *peer->held += WAG_IN_FLIGHT_STEP;

    (void) ngx_atomic_fetch_add(&peer->instance->in_flight, -1);

    *peer->held += WAG_IN_FLIGHT_STEP - 1;
}
