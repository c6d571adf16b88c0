
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_in_flight.h"
#include "wag_table.h"
#include "wag_upstream.h"


static wag_group_t *wag_table_group(wag_zone_t *zone, ngx_str_t *name);
static wag_instance_t *wag_table_instance(wag_zone_t *zone, wag_upstream_t *us,
    ngx_str_t *name);
static void wag_table_sweep_group(wag_zone_t *zone, wag_group_t *group,
    ngx_uint_t oldest);


size_t
wag_table_size(wag_zone_t *zone)
{
    size_t            size;
    ngx_uint_t        i, j, pages, each;
    wag_upstream_t  **usp;

    /* the slab allocator rounds up to powers of 2, and to pages above half */

    each = 8;

    while (each < sizeof(wag_instance_t)) {
        each <<= 1;
    }

    size = 2 * (wag_in_flight_size(zone) + ngx_pagesize);
    size += zone->nservers * each;

    usp = zone->upstreams.elts;

    for (i = 0; i < zone->upstreams.nelts; i++) {
        size += sizeof(wag_group_t) + ngx_pagesize;

        for (j = 0; j < usp[i]->nservers; j++) {
            size += 2 * ngx_max(usp[i]->servers[j].name.len, 16);
        }
    }

    /* a page begun for each size of slot, and the allocator's own tables */

    pages = size / ngx_pagesize + 12;

    size = pages * (ngx_pagesize + sizeof(ngx_slab_page_t));

    return ngx_align(size, ngx_pagesize);
}


ngx_int_t
wag_table_add(wag_zone_t *zone, wag_upstream_t *us)
{
    ngx_uint_t       i;
    wag_server_t    *server;
    wag_instance_t  *instance;

    us->group = wag_table_find(zone->root, &us->uscf->host);

    if (us->group == NULL) {
        us->group = wag_table_group(zone, &us->uscf->host);
        if (us->group == NULL) {
            return NGX_ERROR;
        }
    }

    for (i = 0; i < us->nservers; i++) {
        server = &us->servers[i];

        instance = wag_table_instance(zone, us, &server->name);
        if (instance == NULL) {
            return NGX_ERROR;
        }

        server->instance = instance;
    }

    return NGX_OK;
}


wag_group_t *
wag_table_find(wag_root_t *root, ngx_str_t *name)
{
    ngx_queue_t  *q;
    wag_group_t  *group;

    for (q = ngx_queue_head(&root->groups);
         q != ngx_queue_sentinel(&root->groups);
         q = ngx_queue_next(q))
    {
        group = ngx_queue_data(q, wag_group_t, queue);

        if (group->name.len == name->len
            && ngx_memcmp(group->name.data, name->data, name->len) == 0)
        {
            return group;
        }
    }

    return NULL;
}


static wag_group_t *
wag_table_group(wag_zone_t *zone, ngx_str_t *name)
{
    wag_group_t  *group;

    group = ngx_slab_calloc_locked(zone->shpool, sizeof(wag_group_t));
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

    group->state_epoch = 1;

    ngx_queue_init(&group->instances);
    ngx_rbtree_init(&group->rbtree, &group->sentinel,
                    ngx_str_rbtree_insert_value);

    ngx_queue_insert_tail(&zone->root->groups, &group->queue);

    return group;
}


static wag_instance_t *
wag_table_instance(wag_zone_t *zone, wag_upstream_t *us, ngx_str_t *name)
{
    uint32_t         hash;
    ngx_str_node_t  *node;
    wag_instance_t  *instance;

    hash = ngx_crc32_short(name->data, name->len);

    node = ngx_str_rbtree_lookup(&us->group->rbtree, name, hash);

    if (node) {
        return (wag_instance_t *) node;
    }

    instance = ngx_slab_calloc_locked(zone->shpool, sizeof(wag_instance_t));
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

    instance->health = us->initial;

    instance->state = instance->health.state;
    instance->since = wag_time();
    instance->moved = ngx_current_msec;
    instance->checks.response_time = -1;

    ngx_rbtree_insert(&us->group->rbtree, &instance->node.node);
    ngx_queue_insert_tail(&us->group->instances, &instance->queue);

    return instance;
}


void
wag_table_sweep(wag_zone_t *zone)
{
    ngx_uint_t    oldest;
    ngx_queue_t  *q, *next;
    wag_group_t  *group;

    wag_in_flight_reclaim_dead_workers(zone);

    oldest = wag_in_flight_sweep(zone);

    for (q = ngx_queue_head(&zone->root->groups);
         q != ngx_queue_sentinel(&zone->root->groups);
         q = next)
    {
        next = ngx_queue_next(q);
        group = ngx_queue_data(q, wag_group_t, queue);

        wag_table_sweep_group(zone, group, oldest);

        if (group->config_gen < oldest) {
            ngx_queue_remove(q);
            ngx_slab_free_locked(zone->shpool, group->name.data);
            ngx_slab_free_locked(zone->shpool, group);
        }
    }
}


static void
wag_table_sweep_group(wag_zone_t *zone, wag_group_t *group, ngx_uint_t oldest)
{
    ngx_queue_t     *q, *next;
    wag_instance_t  *instance;

    for (q = ngx_queue_head(&group->instances);
         q != ngx_queue_sentinel(&group->instances);
         q = next)
    {
        next = ngx_queue_next(q);
        instance = ngx_queue_data(q, wag_instance_t, queue);

        if (instance->config_gen >= oldest) {
            continue;
        }

        ngx_queue_remove(q);
        ngx_rbtree_delete(&group->rbtree, &instance->node.node);
        ngx_slab_free_locked(zone->shpool, instance->node.str.data);
        ngx_slab_free_locked(zone->shpool, instance);
    }
}
