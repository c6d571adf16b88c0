
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_addresses.h"
#include "wag_slots.h"


typedef struct {
    ngx_str_node_t       node;
    ngx_uint_t           slot;
} wag_slots_node_t;


static void wag_slots_destroy(ngx_slab_pool_t *shpool, wag_slots_t *slots);


/* the allocator gives whole pages to what is above half of one */

size_t
wag_slots_size(ngx_uint_t n)
{
    return ngx_align(offsetof(wag_slots_t, slots) + n * sizeof(wag_instance_t),
                     ngx_pagesize);
}


ngx_uint_t
wag_slots_fit(size_t size)
{
    return (size - offsetof(wag_slots_t, slots)) / sizeof(wag_instance_t);
}


ngx_int_t
wag_slots_grow(ngx_slab_pool_t *shpool, wag_group_t *group, ngx_uint_t n)
{
    size_t         size;
    wag_slots_t   *slots, **last;

    size = wag_slots_size(n);

    slots = ngx_slab_calloc_locked(shpool, size);
    if (slots == NULL) {
        return NGX_ERROR;
    }

    slots->n = wag_slots_fit(size);

    for (last = &group->slots; *last; last = &(*last)->next) { /* void */ }

    *last = slots;

    group->nslots += slots->n;

    return NGX_OK;
}


void
wag_slots_shrink(ngx_slab_pool_t *shpool, wag_group_t *group,
    ngx_uint_t nslots)
{
    ngx_uint_t     i, n;
    wag_slots_t   *slots, **keep, **next;

    n = 0;
    keep = &group->slots;

    /* up to and with the last that is needed */

    for (next = &group->slots; *next; next = &slots->next) {
        slots = *next;

        for (i = 0; i < slots->n && !wag_used(&slots->slots[i]); i++) {
            /* void */
        }

        n += slots->n;

        if (i < slots->n || n - slots->n < nslots) {
            keep = &slots->next;
            group->nslots = n;
        }
    }

    if (keep == &group->slots) {
        group->nslots = 0;
    }

    while ((slots = *keep)) {
        *keep = slots->next;
        wag_slots_destroy(shpool, slots);
    }
}


static void
wag_slots_destroy(ngx_slab_pool_t *shpool, wag_slots_t *slots)
{
    ngx_uint_t       i;
    wag_identity_t  *identity;

    for (i = 0; i < slots->n; i++) {
        identity = &slots->slots[i].identity;

        if (identity->room) {
            ngx_slab_free_locked(shpool, identity->name.data);
        }

        if (identity->key_room) {
            ngx_slab_free_locked(shpool, identity->key);
        }

        if (identity->addresses.room) {
            ngx_slab_free_locked(shpool, identity->addresses.sets[0]);
        }
    }

    ngx_slab_free_locked(shpool, slots);
}


wag_instance_t *
wag_slots_get(wag_group_t *group, ngx_uint_t slot)
{
    wag_slots_t  *slots;

    for (slots = group->slots; slot >= slots->n; slots = slots->next) {
        slot -= slots->n;
    }

    return &slots->slots[slot];
}


ngx_uint_t
wag_slots_find(wag_group_t *group, ngx_str_t *name)
{
    uint32_t         hash;
    ngx_uint_t       i, first;
    wag_slots_t     *slots;
    wag_identity_t  *identity;

    hash = ngx_crc32_short(name->data, name->len);
    first = 0;

    for (slots = group->slots; slots; slots = slots->next) {

        for (i = 0; i < slots->n; i++) {
            identity = &slots->slots[i].identity;

            if (identity->hash == hash
                && wag_used(&slots->slots[i])
                && identity->name.len == name->len
                && ngx_memcmp(identity->name.data, name->data, name->len) == 0)
            {
                return first + i;
            }
        }

        first += slots->n;
    }

    return WAG_NO_SLOT;
}


ngx_int_t
wag_slots_room(ngx_slab_pool_t *shpool, wag_instance_t *instance, size_t name,
    size_t addresses)
{
    u_char           *p;
    wag_identity_t   *identity;
    wag_addresses_t  *old;

    identity = &instance->identity;
    old = &identity->addresses;

    if (identity->room < name) {

        p = ngx_slab_alloc_locked(shpool, name);
        if (p == NULL) {
            return NGX_ERROR;
        }

        if (identity->room) {
            ngx_memcpy(p, identity->name.data, identity->name.len);
            ngx_slab_free_locked(shpool, identity->name.data);
        }

        identity->name.data = p;
        identity->room = name;
    }

    if (old->room < addresses) {

        p = ngx_slab_calloc_locked(shpool, 2 * addresses);
        if (p == NULL) {
            return NGX_ERROR;
        }

        if (old->room) {
            ngx_memcpy(p, old->sets[0], old->room);
            ngx_memcpy(p + addresses, old->sets[1], old->room);
            ngx_slab_free_locked(shpool, old->sets[0]);
        }

        old->sets[0] = p;
        old->sets[1] = p + addresses;
        old->room = addresses;
    }

    return NGX_OK;
}


ngx_int_t
wag_slots_key_room(ngx_slab_pool_t *shpool, wag_instance_t *instance,
    size_t key)
{
    u_char          *p;
    wag_identity_t  *identity;

    identity = &instance->identity;

    if (identity->key_room >= key) {
        return NGX_OK;
    }

    p = ngx_slab_alloc_locked(shpool, key);
    if (p == NULL) {
        return NGX_ERROR;
    }

    if (identity->key_room) {
        ngx_memcpy(p, identity->key, identity->key_len);
        ngx_slab_free_locked(shpool, identity->key);
    }

    identity->key = p;
    identity->key_room = key;

    return NGX_OK;
}


ngx_int_t
wag_slots_use(wag_instance_t *instance, wag_newcomer_t *newcomer)
{
    wag_identity_t   *identity;
    wag_addresses_t   addresses;

    identity = &instance->identity;
    addresses = identity->addresses;

    if (newcomer->name.len > identity->room
        || newcomer->key.len > identity->key_room
        || wag_addresses_size(newcomer->addrs, newcomer->naddrs)
           > addresses.room)
    {
        return NGX_DECLINED;
    }

    /* what was there before is gone, but for the room and the versions */

    ngx_memzero(&instance->counters, sizeof(wag_counters_t));
    ngx_memzero(&instance->checks, sizeof(wag_checks_t));

    ngx_memcpy(identity->name.data, newcomer->name.data, newcomer->name.len);
    identity->name.len = newcomer->name.len;
    identity->hash = ngx_crc32_short(newcomer->name.data, newcomer->name.len);

    if (newcomer->key.len) {
        ngx_memcpy(identity->key, newcomer->key.data, newcomer->key.len);
    }

    identity->key_len = newcomer->key.len;

    (void) wag_addresses_set(&identity->addresses, newcomer->addrs,
                             newcomer->naddrs);

    instance->admin = newcomer->admin;
    instance->config_gen = newcomer->config_gen;
    instance->added = newcomer->added;
    instance->vendor = newcomer->vendor;
    instance->listed = 0;
    instance->ask = 0;
    instance->placed = 0;
    instance->placed_known = 0;
    instance->named = newcomer->named ? WAG_NAMED : 0;

    instance->health = newcomer->health;

    /* nobody can be asked until its name was found */

    if (newcomer->naddrs == 0) {
        instance->health.state = WAG_CHECKING;
    }

    instance->state = instance->health.state;
    instance->since = wag_time();
    instance->moved = ngx_current_msec;
    instance->reason_len = 0;

    instance->checks.response_time = -1;

    (void) ngx_atomic_fetch_add(&instance->incarnation, 1);

    return NGX_OK;
}


void
wag_slots_free(wag_instance_t *instance)
{
    (void) ngx_atomic_fetch_add(&instance->incarnation, 1);

    if (instance->identity.key_len) {
        ngx_explicit_memzero(instance->identity.key,
                             instance->identity.key_len);
        instance->identity.key_len = 0;
    }
}


void
wag_slots_newcomer(wag_newcomer_t *newcomer)
{
    ngx_memzero(newcomer, sizeof(wag_newcomer_t));

    newcomer->admin.state = WAG_ADMIN_CONFIGURED;
    newcomer->admin.weight = WAG_CONFIGURED;
    newcomer->admin.max_conns = WAG_CONFIGURED;
}


ngx_int_t
wag_slots_index(wag_slots_index_t *index, wag_group_t *group, ngx_log_t *log)
{
    ngx_uint_t         i, first;
    wag_slots_t       *slots;
    wag_slots_node_t  *node;

    ngx_rbtree_init(&index->rbtree, &index->sentinel,
                    ngx_str_rbtree_insert_value);

    index->pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE, log);
    if (index->pool == NULL) {
        return NGX_ERROR;
    }

    first = 0;

    for (slots = group->slots; slots; slots = slots->next) {

        for (i = 0; i < slots->n; i++) {

            if (!wag_used(&slots->slots[i])) {
                continue;
            }

            node = ngx_palloc(index->pool, sizeof(wag_slots_node_t));
            if (node == NULL) {
                wag_slots_index_destroy(index);
                return NGX_ERROR;
            }

            node->node.str = slots->slots[i].identity.name;
            node->node.node.key = slots->slots[i].identity.hash;
            node->slot = first + i;

            ngx_rbtree_insert(&index->rbtree, &node->node.node);
        }

        first += slots->n;
    }

    return NGX_OK;
}


ngx_uint_t
wag_slots_lookup(wag_slots_index_t *index, ngx_str_t *name)
{
    uint32_t           hash;
    wag_slots_node_t  *node;

    hash = ngx_crc32_short(name->data, name->len);

    node = (wag_slots_node_t *) ngx_str_rbtree_lookup(&index->rbtree, name,
                                                      hash);

    return node ? node->slot : WAG_NO_SLOT;
}


void
wag_slots_index_destroy(wag_slots_index_t *index)
{
    ngx_destroy_pool(index->pool);
}
