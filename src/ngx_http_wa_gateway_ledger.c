
/*
 * Copyright (C) the wa_gateway authors
 */


#include "ngx_http_wa_gateway_module.h"
#include "ngx_http_wa_gateway_ledger.h"


static ngx_uint_t ngx_http_wa_gateway_ledger_workers(
    ngx_http_wa_gateway_zone_t *zone);
static void ngx_http_wa_gateway_ledger_close(
    ngx_http_wa_gateway_ledger_t *ledger, ngx_uint_t worker);
static ngx_uint_t ngx_http_wa_gateway_ledger_alive(ngx_pid_t pid);
static ngx_uint_t ngx_http_wa_gateway_ledger_awaited(
    ngx_http_wa_gateway_zone_t *zone);
static ngx_uint_t ngx_http_wa_gateway_ledger_entered(
    ngx_http_wa_gateway_zone_t *zone, ngx_pid_t pid);
static ngx_uint_t ngx_http_wa_gateway_ledger_kept(
    ngx_http_wa_gateway_ledger_t *ledger, ngx_uint_t awaited);


size_t
ngx_http_wa_gateway_ledger_size(ngx_http_wa_gateway_zone_t *zone)
{
    ngx_uint_t  n;

    n = ngx_http_wa_gateway_ledger_workers(zone);

    return sizeof(ngx_http_wa_gateway_ledger_t)
           + zone->npeers * sizeof(ngx_http_wa_gateway_instance_t *)
           + n * sizeof(ngx_pid_t)
           + n * zone->npeers * sizeof(uint32_t)
           + sizeof(uint64_t);
}


static ngx_uint_t
ngx_http_wa_gateway_ledger_workers(ngx_http_wa_gateway_zone_t *zone)
{
    ngx_core_conf_t  *ccf;

    ccf = (ngx_core_conf_t *) ngx_get_conf(zone->cycle->conf_ctx,
                                           ngx_core_module);

    return (ccf->master && ccf->worker_processes > 0)
           ? (ngx_uint_t) ccf->worker_processes : 1;
}


ngx_int_t
ngx_http_wa_gateway_ledger_open(ngx_http_wa_gateway_zone_t *zone)
{
    u_char                           *p;
    ngx_uint_t                        i, j, n;
    ngx_http_wa_gateway_ledger_t     *ledger;
    ngx_http_wa_gateway_upstream_t  **usp;

    p = ngx_slab_calloc_locked(zone->shpool,
                               ngx_http_wa_gateway_ledger_size(zone));
    if (p == NULL) {
        return NGX_ERROR;
    }

    ledger = (ngx_http_wa_gateway_ledger_t *) p;
    p += sizeof(ngx_http_wa_gateway_ledger_t);

    ledger->nworkers = ngx_http_wa_gateway_ledger_workers(zone);
    ledger->ninstances = zone->npeers;

    ledger->instances = (ngx_http_wa_gateway_instance_t **) p;
    p += zone->npeers * sizeof(ngx_http_wa_gateway_instance_t *);

    ledger->pids = (ngx_pid_t *) p;
    p += ngx_align(ledger->nworkers * sizeof(ngx_pid_t), sizeof(uint64_t));

    ledger->counts = (uint32_t *) p;

    for (i = 0; i < ledger->nworkers; i++) {
        ledger->pids[i] = NGX_INVALID_PID;
    }

    usp = zone->upstreams.elts;
    n = 0;

    for (i = 0; i < zone->upstreams.nelts; i++) {
        for (j = 0; j < usp[i]->npeers; j++) {
            ledger->instances[n++] = usp[i]->peers[j].instance;
        }
    }

    ngx_queue_insert_tail(&zone->root->ledgers, &ledger->queue);

    zone->ledger = ledger;

    return NGX_OK;
}


void
ngx_http_wa_gateway_ledger_enter(ngx_http_wa_gateway_zone_t *zone)
{
    uint32_t                         *held;
    ngx_uint_t                        i, j, worker;
    ngx_http_wa_gateway_upstream_t  **usp;

    worker = (ngx_process == NGX_PROCESS_SINGLE) ? 0 : ngx_worker;

    ngx_http_wa_gateway_ledger_close(zone->ledger, worker);

    zone->ledger->pids[worker] = ngx_pid;

    held = &zone->ledger->counts[worker * zone->ledger->ninstances];
    usp = zone->upstreams.elts;

    for (i = 0; i < zone->upstreams.nelts; i++) {
        for (j = 0; j < usp[i]->npeers; j++) {
            usp[i]->peers[j].held = held++;
        }
    }
}


void
ngx_http_wa_gateway_ledger_leave(ngx_http_wa_gateway_zone_t *zone)
{
    ngx_uint_t  worker;

    worker = (ngx_process == NGX_PROCESS_SINGLE) ? 0 : ngx_worker;

    ngx_http_wa_gateway_ledger_close(zone->ledger, worker);
}


static void
ngx_http_wa_gateway_ledger_close(ngx_http_wa_gateway_ledger_t *ledger,
    ngx_uint_t worker)
{
    uint32_t    *counts;
    ngx_int_t    n;
    ngx_uint_t   i;

    counts = &ledger->counts[worker * ledger->ninstances];

    for (i = 0; i < ledger->ninstances; i++) {

        n = counts[i];

        if (n) {
            counts[i] = 0;
            (void) ngx_atomic_fetch_add(&ledger->instances[i]->in_flight, -n);
        }
    }

    ledger->pids[worker] = 0;
}


void
ngx_http_wa_gateway_ledger_bury(ngx_http_wa_gateway_zone_t *zone)
{
    ngx_uint_t                     i;
    ngx_queue_t                   *q;
    ngx_http_wa_gateway_ledger_t  *ledger;

    for (q = ngx_queue_head(&zone->root->ledgers);
         q != ngx_queue_sentinel(&zone->root->ledgers);
         q = ngx_queue_next(q))
    {
        ledger = ngx_queue_data(q, ngx_http_wa_gateway_ledger_t, queue);

        for (i = 0; i < ledger->nworkers; i++) {

            if (!ngx_http_wa_gateway_ledger_alive(ledger->pids[i])) {
                ngx_http_wa_gateway_ledger_close(ledger, i);
            }
        }
    }
}


static ngx_uint_t
ngx_http_wa_gateway_ledger_alive(ngx_pid_t pid)
{
    if (pid == 0 || pid == NGX_INVALID_PID) {
        return 1;
    }

    return kill(pid, 0) == 0 || ngx_errno != ESRCH;
}


ngx_uint_t
ngx_http_wa_gateway_ledger_sweep(ngx_http_wa_gateway_zone_t *zone)
{
    ngx_uint_t                     oldest, awaited;
    ngx_queue_t                   *q, *next;
    ngx_http_wa_gateway_ledger_t  *ledger;

    oldest = zone->root->generation;
    awaited = ngx_http_wa_gateway_ledger_awaited(zone);

    for (q = ngx_queue_head(&zone->root->ledgers);
         q != ngx_queue_sentinel(&zone->root->ledgers);
         q = next)
    {
        next = ngx_queue_next(q);
        ledger = ngx_queue_data(q, ngx_http_wa_gateway_ledger_t, queue);

        if (ledger->generation != zone->root->generation
            && !ngx_http_wa_gateway_ledger_kept(ledger, awaited))
        {
            ngx_queue_remove(q);
            ngx_slab_free_locked(zone->shpool, ledger);
            continue;
        }

        oldest = ngx_min(oldest, ledger->generation);
    }

    return oldest;
}


/*
 * Tells if a ledger is still needed.  A single process never leaves one: it
 * is done with an old one as soon as nothing is in flight from there.
 */

static ngx_uint_t
ngx_http_wa_gateway_ledger_kept(ngx_http_wa_gateway_ledger_t *ledger,
    ngx_uint_t awaited)
{
    ngx_uint_t  i;

    for (i = 0; i < ledger->nworkers; i++) {

        if (ledger->pids[i] == NGX_INVALID_PID) {
            if (awaited && ledger->generation) {
                return 1;
            }

        } else if (ledger->pids[i] && ngx_process != NGX_PROCESS_SINGLE) {
            return 1;
        }
    }

    for (i = 0; i < ledger->nworkers * ledger->ninstances; i++) {
        if (ledger->counts[i]) {
            return 1;
        }
    }

    return 0;
}


/*
 * Tells if a worker was spawned that did not enter its ledger yet: nothing it
 * will use may be freed.  The master alone knows its workers.
 */

static ngx_uint_t
ngx_http_wa_gateway_ledger_awaited(ngx_http_wa_gateway_zone_t *zone)
{
    ngx_int_t  i;

    if (ngx_process != NGX_PROCESS_MASTER) {
        return 0;
    }

    for (i = 0; i < ngx_last_process; i++) {

        if (ngx_processes[i].pid != NGX_INVALID_PID
            && !ngx_processes[i].exited
            && ngx_strcmp(ngx_processes[i].name, "worker process") == 0
            && !ngx_http_wa_gateway_ledger_entered(zone, ngx_processes[i].pid))
        {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
ngx_http_wa_gateway_ledger_entered(ngx_http_wa_gateway_zone_t *zone,
    ngx_pid_t pid)
{
    ngx_uint_t                     i;
    ngx_queue_t                   *q;
    ngx_http_wa_gateway_ledger_t  *ledger;

    for (q = ngx_queue_head(&zone->root->ledgers);
         q != ngx_queue_sentinel(&zone->root->ledgers);
         q = ngx_queue_next(q))
    {
        ledger = ngx_queue_data(q, ngx_http_wa_gateway_ledger_t, queue);

        for (i = 0; i < ledger->nworkers; i++) {
            if (ledger->pids[i] == pid) {
                return 1;
            }
        }
    }

    return 0;
}
