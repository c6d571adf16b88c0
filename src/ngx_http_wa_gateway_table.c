
/*
 * Copyright (C) the wa_gateway authors
 */


#include "ngx_http_wa_gateway_module.h"
#include "ngx_http_wa_gateway_health.h"
#include "ngx_http_wa_gateway_table.h"


static ngx_uint_t ngx_http_wa_gateway_table_workers(
    ngx_http_wa_gateway_zone_t *zone);
static size_t ngx_http_wa_gateway_table_ledger_size(
    ngx_http_wa_gateway_zone_t *zone);
static ngx_http_wa_gateway_group_t *ngx_http_wa_gateway_table_group(
    ngx_http_wa_gateway_zone_t *zone, ngx_str_t *name);
static ngx_http_wa_gateway_instance_t *ngx_http_wa_gateway_table_instance(
    ngx_http_wa_gateway_zone_t *zone, ngx_http_wa_gateway_upstream_t *us,
    ngx_str_t *name);
static void ngx_http_wa_gateway_table_close(
    ngx_http_wa_gateway_ledger_t *ledger, ngx_uint_t worker);
static ngx_uint_t ngx_http_wa_gateway_table_alive(ngx_pid_t pid);
static ngx_uint_t ngx_http_wa_gateway_table_awaited(
    ngx_http_wa_gateway_zone_t *zone);
static ngx_uint_t ngx_http_wa_gateway_table_entered(
    ngx_http_wa_gateway_zone_t *zone, ngx_pid_t pid);
static ngx_uint_t ngx_http_wa_gateway_table_kept(
    ngx_http_wa_gateway_ledger_t *ledger, ngx_uint_t awaited);
static ngx_uint_t ngx_http_wa_gateway_table_oldest(
    ngx_http_wa_gateway_zone_t *zone);
static void ngx_http_wa_gateway_table_sweep_group(
    ngx_http_wa_gateway_zone_t *zone, ngx_http_wa_gateway_group_t *group,
    ngx_uint_t oldest);


size_t
ngx_http_wa_gateway_table_size(ngx_http_wa_gateway_zone_t *zone)
{
    size_t                            size;
    ngx_uint_t                        i, j, pages, each;
    ngx_http_wa_gateway_upstream_t  **usp;

    /* the slab allocator rounds up to powers of 2, and to pages above half */

    each = 8;

    while (each < sizeof(ngx_http_wa_gateway_instance_t)) {
        each <<= 1;
    }

    size = 2 * (ngx_http_wa_gateway_table_ledger_size(zone) + ngx_pagesize);
    size += zone->npeers * each;

    usp = zone->upstreams.elts;

    for (i = 0; i < zone->upstreams.nelts; i++) {
        size += sizeof(ngx_http_wa_gateway_group_t) + ngx_pagesize;

        for (j = 0; j < usp[i]->npeers; j++) {
            size += 2 * ngx_max(usp[i]->peers[j].name.len, 16);
        }
    }

    /* a page begun for each size of slot, and the allocator's own tables */

    pages = size / ngx_pagesize + 12;

    size = pages * (ngx_pagesize + sizeof(ngx_slab_page_t));

    return ngx_align(size, ngx_pagesize);
}


static ngx_uint_t
ngx_http_wa_gateway_table_workers(ngx_http_wa_gateway_zone_t *zone)
{
    ngx_core_conf_t  *ccf;

    ccf = (ngx_core_conf_t *) ngx_get_conf(zone->cycle->conf_ctx,
                                           ngx_core_module);

    return (ccf->master && ccf->worker_processes > 0)
           ? (ngx_uint_t) ccf->worker_processes : 1;
}


static size_t
ngx_http_wa_gateway_table_ledger_size(ngx_http_wa_gateway_zone_t *zone)
{
    ngx_uint_t  n;

    n = ngx_http_wa_gateway_table_workers(zone);

    return sizeof(ngx_http_wa_gateway_ledger_t)
           + zone->npeers * sizeof(ngx_http_wa_gateway_instance_t *)
           + n * sizeof(ngx_pid_t)
           + n * zone->npeers * sizeof(uint32_t)
           + sizeof(uint64_t);
}


ngx_int_t
ngx_http_wa_gateway_table_add(ngx_http_wa_gateway_zone_t *zone,
    ngx_http_wa_gateway_upstream_t *us)
{
    ngx_uint_t                       i;
    ngx_http_wa_gateway_peer_t      *peer;
    ngx_http_wa_gateway_instance_t  *instance;

    us->group = ngx_http_wa_gateway_table_group(zone, &us->uscf->host);

    if (us->group == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < us->npeers; i++) {
        peer = &us->peers[i];

        instance = ngx_http_wa_gateway_table_instance(zone, us, &peer->name);
        if (instance == NULL) {
            return NGX_ERROR;
        }

        peer->instance = instance;
    }

    return NGX_OK;
}


static ngx_http_wa_gateway_group_t *
ngx_http_wa_gateway_table_group(ngx_http_wa_gateway_zone_t *zone,
    ngx_str_t *name)
{
    ngx_queue_t                  *q;
    ngx_http_wa_gateway_group_t  *group;

    for (q = ngx_queue_head(&zone->root->groups);
         q != ngx_queue_sentinel(&zone->root->groups);
         q = ngx_queue_next(q))
    {
        group = ngx_queue_data(q, ngx_http_wa_gateway_group_t, queue);

        if (group->name.len == name->len
            && ngx_memcmp(group->name.data, name->data, name->len) == 0)
        {
            return group;
        }
    }

    group = ngx_slab_calloc_locked(zone->shpool,
                                   sizeof(ngx_http_wa_gateway_group_t));
    if (group == NULL) {
        return NULL;
    }

    group->name.data = ngx_slab_alloc_locked(zone->shpool, name->len);
    if (group->name.data == NULL) {
        ngx_slab_free_locked(zone->shpool, group);
        return NULL;
    }

    ngx_memcpy(group->name.data, name->data, name->len);
    group->name.len = name->len;

    group->generation = 1;

    ngx_queue_init(&group->instances);
    ngx_rbtree_init(&group->rbtree, &group->sentinel,
                    ngx_str_rbtree_insert_value);

    ngx_queue_insert_tail(&zone->root->groups, &group->queue);

    return group;
}


static ngx_http_wa_gateway_instance_t *
ngx_http_wa_gateway_table_instance(ngx_http_wa_gateway_zone_t *zone,
    ngx_http_wa_gateway_upstream_t *us, ngx_str_t *name)
{
    uint32_t                         hash;
    ngx_str_node_t                  *node;
    ngx_http_wa_gateway_instance_t  *instance;

    hash = ngx_crc32_short(name->data, name->len);

    node = ngx_str_rbtree_lookup(&us->group->rbtree, name, hash);

    if (node) {
        return (ngx_http_wa_gateway_instance_t *) node;
    }

    instance = ngx_slab_calloc_locked(zone->shpool,
                                      sizeof(ngx_http_wa_gateway_instance_t));
    if (instance == NULL) {
        return NULL;
    }

    instance->node.str.data = ngx_slab_alloc_locked(zone->shpool, name->len);
    if (instance->node.str.data == NULL) {
        ngx_slab_free_locked(zone->shpool, instance);
        return NULL;
    }

    ngx_memcpy(instance->node.str.data, name->data, name->len);
    instance->node.str.len = name->len;
    instance->node.node.key = hash;

    ngx_http_wa_gateway_health_init(&instance->health, &us->policy);

    instance->state = instance->health.state;
    instance->since = ngx_http_wa_gateway_time();
    instance->response_time = -1;

    ngx_rbtree_insert(&us->group->rbtree, &instance->node.node);
    ngx_queue_insert_tail(&us->group->instances, &instance->queue);

    return instance;
}


ngx_int_t
ngx_http_wa_gateway_table_open(ngx_http_wa_gateway_zone_t *zone)
{
    u_char                           *p;
    ngx_uint_t                        i, j, n;
    ngx_http_wa_gateway_ledger_t     *ledger;
    ngx_http_wa_gateway_upstream_t  **usp;

    p = ngx_slab_calloc_locked(zone->shpool,
                               ngx_http_wa_gateway_table_ledger_size(zone));
    if (p == NULL) {
        return NGX_ERROR;
    }

    ledger = (ngx_http_wa_gateway_ledger_t *) p;
    p += sizeof(ngx_http_wa_gateway_ledger_t);

    ledger->nworkers = ngx_http_wa_gateway_table_workers(zone);
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
ngx_http_wa_gateway_table_enter(ngx_http_wa_gateway_zone_t *zone)
{
    uint32_t                         *held;
    ngx_uint_t                        i, j, worker;
    ngx_http_wa_gateway_upstream_t  **usp;

    worker = (ngx_process == NGX_PROCESS_SINGLE) ? 0 : ngx_worker;

    ngx_http_wa_gateway_table_close(zone->ledger, worker);

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
ngx_http_wa_gateway_table_leave(ngx_http_wa_gateway_zone_t *zone)
{
    ngx_uint_t  worker;

    worker = (ngx_process == NGX_PROCESS_SINGLE) ? 0 : ngx_worker;

    ngx_http_wa_gateway_table_close(zone->ledger, worker);
}


static void
ngx_http_wa_gateway_table_close(ngx_http_wa_gateway_ledger_t *ledger,
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
ngx_http_wa_gateway_table_bury(ngx_http_wa_gateway_zone_t *zone)
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

            if (!ngx_http_wa_gateway_table_alive(ledger->pids[i]))
            {
                ngx_http_wa_gateway_table_close(ledger, i);
            }
        }
    }
}


static ngx_uint_t
ngx_http_wa_gateway_table_alive(ngx_pid_t pid)
{
    if (pid == 0 || pid == NGX_INVALID_PID) {
        return 1;
    }

    return kill(pid, 0) == 0 || ngx_errno != ESRCH;
}


/*
 * Tells if a worker was spawned that did not enter its ledger yet: nothing it
 * will use may be freed.  The master alone knows its workers.
 */

static ngx_uint_t
ngx_http_wa_gateway_table_awaited(ngx_http_wa_gateway_zone_t *zone)
{
    ngx_int_t  i;

    if (ngx_process != NGX_PROCESS_MASTER) {
        return 0;
    }

    for (i = 0; i < ngx_last_process; i++) {

        if (ngx_processes[i].pid != NGX_INVALID_PID
            && !ngx_processes[i].exited
            && ngx_strcmp(ngx_processes[i].name, "worker process") == 0
            && !ngx_http_wa_gateway_table_entered(zone, ngx_processes[i].pid))
        {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
ngx_http_wa_gateway_table_entered(ngx_http_wa_gateway_zone_t *zone,
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


/*
 * Tells if a ledger is still needed.  A single process never leaves one: it
 * is done with an old one as soon as nothing is in flight from there.
 */

static ngx_uint_t
ngx_http_wa_gateway_table_kept(ngx_http_wa_gateway_ledger_t *ledger,
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


void
ngx_http_wa_gateway_table_sweep(ngx_http_wa_gateway_zone_t *zone)
{
    ngx_uint_t                    oldest;
    ngx_queue_t                  *q, *next;
    ngx_http_wa_gateway_group_t  *group;

    ngx_http_wa_gateway_table_bury(zone);

    oldest = ngx_http_wa_gateway_table_oldest(zone);

    for (q = ngx_queue_head(&zone->root->groups);
         q != ngx_queue_sentinel(&zone->root->groups);
         q = next)
    {
        next = ngx_queue_next(q);
        group = ngx_queue_data(q, ngx_http_wa_gateway_group_t, queue);

        ngx_http_wa_gateway_table_sweep_group(zone, group, oldest);

        if (group->used < oldest) {
            ngx_queue_remove(q);
            ngx_slab_free_locked(zone->shpool, group->name.data);
            ngx_slab_free_locked(zone->shpool, group);
        }
    }
}


/*
 * The oldest generation a worker still runs; on the way, ledgers that nobody
 * keeps are freed.
 */

static ngx_uint_t
ngx_http_wa_gateway_table_oldest(ngx_http_wa_gateway_zone_t *zone)
{
    ngx_uint_t                     oldest, awaited;
    ngx_queue_t                   *q, *next;
    ngx_http_wa_gateway_ledger_t  *ledger;

    oldest = zone->root->generation;
    awaited = ngx_http_wa_gateway_table_awaited(zone);

    for (q = ngx_queue_head(&zone->root->ledgers);
         q != ngx_queue_sentinel(&zone->root->ledgers);
         q = next)
    {
        next = ngx_queue_next(q);
        ledger = ngx_queue_data(q, ngx_http_wa_gateway_ledger_t, queue);

        if (ledger != zone->ledger
            && !ngx_http_wa_gateway_table_kept(ledger, awaited))
        {
            ngx_queue_remove(q);
            ngx_slab_free_locked(zone->shpool, ledger);
            continue;
        }

        oldest = ngx_min(oldest, ledger->generation);
    }

    return oldest;
}


static void
ngx_http_wa_gateway_table_sweep_group(ngx_http_wa_gateway_zone_t *zone,
    ngx_http_wa_gateway_group_t *group, ngx_uint_t oldest)
{
    ngx_queue_t                     *q, *next;
    ngx_http_wa_gateway_instance_t  *instance;

    for (q = ngx_queue_head(&group->instances);
         q != ngx_queue_sentinel(&group->instances);
         q = next)
    {
        next = ngx_queue_next(q);
        instance = ngx_queue_data(q, ngx_http_wa_gateway_instance_t, queue);

        if (instance->generation >= oldest) {
            continue;
        }

        ngx_queue_remove(q);
        ngx_rbtree_delete(&group->rbtree, &instance->node.node);
        ngx_slab_free_locked(zone->shpool, instance->node.str.data);
        ngx_slab_free_locked(zone->shpool, instance);
    }
}
