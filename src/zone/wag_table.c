
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_addresses.h"
#include "wag_in_flight.h"
#include "wag_sessions.h"
#include "wag_sessions_memory.h"
#include "wag_slots.h"
#include "wag_table.h"
#include "wag_workers.h"


/* that a zone whose size was not given has room for */

#define WAG_TABLE_WORKERS  64


static size_t wag_table_strings(void);
static size_t wag_table_allocated(size_t size);
static wag_group_t *wag_table_group(wag_zone_t *zone, ngx_str_t *name);
static ngx_uint_t wag_table_known(wag_slots_index_t *index,
    wag_upstream_t *us);
static ngx_int_t wag_table_room(wag_zone_t *zone, wag_upstream_t *us,
    ngx_uint_t missing);
static ngx_int_t wag_table_spare(wag_zone_t *zone, wag_upstream_t *us);
static ngx_int_t wag_table_instance(wag_zone_t *zone, wag_upstream_t *us,
    wag_server_t *server, ngx_uint_t *from);
static ngx_uint_t wag_table_free_slot(wag_root_t *root, wag_group_t *group,
    ngx_uint_t from);
static void wag_table_sweep_group(wag_group_t *group, ngx_uint_t oldest);


size_t
wag_table_size(wag_zone_t *zone)
{
    size_t            size;
    ngx_uint_t        i, j, pages;
    wag_server_t     *server;
    wag_upstream_t  **usp;

    size = 2 * (wag_in_flight_size(zone) + ngx_pagesize);

    usp = zone->upstreams.elts;

    for (i = 0; i < zone->upstreams.nelts; i++) {
        size += sizeof(wag_group_t) + ngx_pagesize;
        size += wag_slots_size(usp[i]->nservers + usp[i]->capacity);
        size += usp[i]->capacity * wag_table_strings();
        size += wag_sessions_memory_size(usp[i]->max_sessions);

        for (j = 0; j < usp[i]->nservers; j++) {
            server = &usp[i]->servers[j];

            size += wag_table_allocated(server->name.len);
            size += wag_table_allocated(2 * wag_addresses_room(server->addrs,
                                                          server->naddrs));
        }
    }

    /* a page begun for each size of slot, and the allocator's own tables */

    pages = size / ngx_pagesize + 12;

    size = pages * (ngx_pagesize + sizeof(ngx_slab_page_t));

    return ngx_align(size, ngx_pagesize);
}


/* of a slot for one that is added */

static size_t
wag_table_strings(void)
{
    return wag_table_allocated(WAG_NAME_LEN)
           + wag_table_allocated(WAG_KEY_ROOM)
           + wag_table_allocated(2 * WAG_ADDRESSES_ROOM);
}


/* twice the in-flight tables: those of a configuration that ends as well */

size_t
wag_table_spare_size(ngx_uint_t n)
{
    return n ? wag_slots_size(n) + n * wag_table_strings()
               + 2 * n * WAG_TABLE_WORKERS * sizeof(uint32_t)
             : 0;
}


/* the slab allocator rounds up to powers of 2, and to pages above half */

static size_t
wag_table_allocated(size_t size)
{
    size_t  n;

    if (size > ngx_pagesize / 2) {
        return ngx_align(size, ngx_pagesize);
    }

    for (n = 8; n < size; n <<= 1) { /* void */ }

    return n;
}


ngx_int_t
wag_table_add(wag_zone_t *zone, wag_upstream_t *us)
{
    ngx_int_t           rc;
    ngx_uint_t          i, from, missing;
    wag_slots_index_t   index;

    us->group = wag_table_find(zone->root, &us->uscf->host);

    if (us->group == NULL) {
        us->group = wag_table_group(zone, &us->uscf->host);
        if (us->group == NULL) {
            return NGX_ERROR;
        }
    }

    if (wag_sessions_memory_grow(zone->shpool, us->group, us->max_sessions)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    rc = wag_slots_index(&index, us->group, zone->shm_zone->shm.log);
    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    missing = wag_table_known(&index, us);

    wag_slots_index_destroy(&index);

    if (wag_table_room(zone, us, missing) != NGX_OK) {
        return NGX_ERROR;
    }

    from = 0;

    for (i = 0; i < us->nservers; i++) {
        if (wag_table_instance(zone, us, &us->servers[i], &from) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return us->capacity ? wag_table_spare(zone, us) : NGX_OK;
}


/*
 * Slots for those that are added at run time, besides those that have one.  A
 * slot that has room stays so, hence a reload grows what is too little.
 */

static ngx_int_t
wag_table_spare(wag_zone_t *zone, wag_upstream_t *us)
{
    ngx_uint_t       i, slot, missing;
    wag_instance_t  *instance;

    missing = us->capacity - ngx_min(us->capacity,
                                     wag_table_added(us->group));

    if (wag_table_room(zone, us, missing) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0, slot = 0; i < missing; i++, slot++) {

        slot = wag_table_free_slot(zone->root, us->group, slot);
        instance = wag_slots_get(us->group, slot);

        if (wag_slots_room(zone->shpool, instance, WAG_NAME_LEN,
                           WAG_ADDRESSES_ROOM)
            != NGX_OK
            || wag_slots_key_room(zone->shpool, instance, WAG_KEY_ROOM)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


ngx_uint_t
wag_table_added(wag_group_t *group)
{
    ngx_uint_t       i, n;
    wag_instance_t  *instance;

    for (i = 0, n = 0; i < group->nslots; i++) {
        instance = wag_slots_get(group, i);
        n += (wag_used(instance) && instance->added);
    }

    return n;
}


/* sets the slots of those that have one, returns how many have none */

static ngx_uint_t
wag_table_known(wag_slots_index_t *index, wag_upstream_t *us)
{
    ngx_uint_t     i, missing;
    wag_server_t  *server;

    missing = 0;

    for (i = 0; i < us->nservers; i++) {
        server = &us->servers[i];

        server->slot = wag_slots_lookup(index, &server->name);

        if (server->slot == WAG_NO_SLOT) {
            missing++;
        }
    }

    return missing;
}


static ngx_int_t
wag_table_room(wag_zone_t *zone, wag_upstream_t *us, ngx_uint_t missing)
{
    ngx_uint_t  slot;

    slot = 0;

    while (missing) {

        slot = wag_table_free_slot(zone->root, us->group, slot);

        if (slot == WAG_NO_SLOT) {
            return wag_slots_grow(zone->shpool, us->group, missing);
        }

        slot++;
        missing--;
    }

    return NGX_OK;
}


/* a slot for a server that has none, from this one on */

static ngx_int_t
wag_table_instance(wag_zone_t *zone, wag_upstream_t *us, wag_server_t *server,
    ngx_uint_t *from)
{
    ngx_uint_t       slot;
    wag_instance_t  *instance;
    wag_newcomer_t   newcomer;

    slot = server->slot;

    if (slot == WAG_NO_SLOT) {
        slot = wag_table_free_slot(zone->root, us->group, *from);
        *from = slot + 1;
    }

    instance = wag_slots_get(us->group, slot);

    if (wag_slots_room(zone->shpool, instance, server->name.len,
                       wag_addresses_room(server->addrs, server->naddrs))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (server->slot == WAG_NO_SLOT) {
        wag_slots_newcomer(&newcomer);

        newcomer.name = server->name;
        newcomer.addrs = server->addrs;
        newcomer.naddrs = server->naddrs;
        newcomer.named = (server->naddrs == 0);
        newcomer.health = us->initial;

        server->slot = slot;

        return wag_slots_use(instance, &newcomer);
    }

    /* nobody takes it for one that no configuration has any more */

    instance->config_gen = ngx_max(instance->config_gen,
                                   zone->root->config_gen);

    return NGX_OK;
}


ngx_uint_t
wag_table_put(wag_root_t *root, wag_group_t *group, wag_newcomer_t *newcomer)
{
    ngx_uint_t  slot;

    slot = wag_table_free_slot(root, group, 0);

    while (slot != WAG_NO_SLOT) {

        if (wag_slots_use(wag_slots_get(group, slot), newcomer) == NGX_OK) {
            (void) ngx_atomic_fetch_add(&group->state_epoch, 1);
            return slot;
        }

        slot = wag_table_free_slot(root, group, slot + 1);
    }

    return WAG_NO_SLOT;
}


/*
 * One that a request still has, though it was freed meanwhile, is not free:
 * see wag_in_flight_hold().
 */

static ngx_uint_t
wag_table_free_slot(wag_root_t *root, wag_group_t *group, ngx_uint_t from)
{
    ngx_uint_t  slot;

    for (slot = from; slot < group->nslots; slot++) {
        if (!wag_used(wag_slots_get(group, slot))
            && !wag_in_flight_any(root, group, slot))
        {
            return slot;
        }
    }

    return WAG_NO_SLOT;
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

    ngx_queue_insert_tail(&zone->root->groups, &group->queue);

    return group;
}


void
wag_table_sweep(wag_zone_t *zone)
{
    ngx_uint_t    oldest;
    ngx_queue_t  *q, *next;
    wag_group_t  *group;

    wag_workers_reclaim(zone);

    oldest = wag_in_flight_sweep(zone);

    for (q = ngx_queue_head(&zone->root->groups);
         q != ngx_queue_sentinel(&zone->root->groups);
         q = next)
    {
        next = ngx_queue_next(q);
        group = ngx_queue_data(q, wag_group_t, queue);

        wag_table_sweep_group(group, oldest);

        if (group->config_gen >= oldest) {
            wag_slots_shrink(zone->shpool, group,
                             wag_in_flight_slots(zone->root, group));

        } else {
            wag_sessions_memory_free(zone->shpool, group);
            wag_slots_shrink(zone->shpool, group, 0);

            ngx_queue_remove(q);
            ngx_slab_free_locked(zone->shpool, group->name.data);
            ngx_slab_free_locked(zone->shpool, group);
        }
    }
}


static void
wag_table_sweep_group(wag_group_t *group, ngx_uint_t oldest)
{
    ngx_uint_t       i;
    wag_instance_t  *instance;

    for (i = 0; i < group->nslots; i++) {
        instance = wag_slots_get(group, i);

        if (wag_used(instance) && instance->config_gen < oldest) {
            wag_sessions_free_slot(group, i);
            wag_slots_free(instance);
        }
    }
}
