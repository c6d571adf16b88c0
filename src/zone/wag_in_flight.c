
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_in_flight.h"
#include "wag_upstream.h"


static ngx_uint_t wag_in_flight_workers(wag_zone_t *zone);
static void wag_in_flight_close(wag_in_flight_t *table, ngx_uint_t worker);
static ngx_uint_t wag_in_flight_alive(ngx_pid_t pid);
static ngx_uint_t wag_in_flight_awaited(wag_zone_t *zone);
static ngx_uint_t wag_in_flight_entered(wag_zone_t *zone, ngx_pid_t pid);
static ngx_uint_t wag_in_flight_kept(wag_in_flight_t *table,
    ngx_uint_t awaited);


size_t
wag_in_flight_size(wag_zone_t *zone)
{
    ngx_uint_t  n;

    n = wag_in_flight_workers(zone);

    return sizeof(wag_in_flight_t)
           + zone->nservers * sizeof(wag_instance_t *)
           + n * sizeof(ngx_pid_t)
           + n * zone->nservers * sizeof(uint32_t)
           + sizeof(uint64_t);
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
    ngx_uint_t        i, j, n;
    wag_upstream_t  **usp;
    wag_in_flight_t  *table;

    p = ngx_slab_calloc_locked(zone->shpool, wag_in_flight_size(zone));
    if (p == NULL) {
        return NGX_ERROR;
    }

    table = (wag_in_flight_t *) p;
    p += sizeof(wag_in_flight_t);

    table->nworkers = wag_in_flight_workers(zone);
    table->ninstances = zone->nservers;

    table->instances = (wag_instance_t **) p;
    p += zone->nservers * sizeof(wag_instance_t *);

    table->pids = (ngx_pid_t *) p;
    p += ngx_align(table->nworkers * sizeof(ngx_pid_t), sizeof(uint64_t));

    table->counts = (uint32_t *) p;

    for (i = 0; i < table->nworkers; i++) {
        table->pids[i] = NGX_INVALID_PID;
    }

    usp = zone->upstreams.elts;
    n = 0;

    for (i = 0; i < zone->upstreams.nelts; i++) {
        for (j = 0; j < usp[i]->nservers; j++) {
            table->instances[n++] = usp[i]->servers[j].instance;
        }
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

    worker = (ngx_process == NGX_PROCESS_SINGLE) ? 0 : ngx_worker;

    wag_in_flight_close(zone->in_flight, worker);

    zone->in_flight->pids[worker] = ngx_pid;

    held = &zone->in_flight->counts[worker * zone->in_flight->ninstances];
    usp = zone->upstreams.elts;

    for (i = 0; i < zone->upstreams.nelts; i++) {
        for (j = 0; j < usp[i]->nservers; j++) {
            usp[i]->servers[j].held = held++;
        }
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
    uint32_t   *counts;
    ngx_int_t   n;
    ngx_uint_t  i;

    counts = &table->counts[worker * table->ninstances];

    for (i = 0; i < table->ninstances; i++) {

        n = counts[i];

        if (n) {
            counts[i] = 0;
            (void) ngx_atomic_fetch_add(&table->instances[i]->in_flight, -n);
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

    for (i = 0; i < table->nworkers * table->ninstances; i++) {
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
