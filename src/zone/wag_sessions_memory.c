
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_sessions_memory.h"


static ngx_uint_t wag_sessions_memory_buckets(ngx_uint_t n);
static size_t wag_sessions_memory_extent(ngx_uint_t n);
static ngx_int_t wag_sessions_memory_create(ngx_slab_pool_t *shpool,
    wag_sessions_t *table, ngx_uint_t n);
static ngx_int_t wag_sessions_memory_add(ngx_slab_pool_t *shpool,
    wag_sessions_t *table, ngx_uint_t n);


size_t
wag_sessions_memory_size(ngx_uint_t n)
{
    if (n == 0) {
        return 0;
    }

    return ngx_align(wag_sessions_memory_extent(n), ngx_pagesize)
           + ngx_align(wag_sessions_memory_buckets(n) * sizeof(uint32_t),
                       ngx_pagesize)
           + ngx_align(WAG_SESSION_CHANGES * sizeof(uint32_t), ngx_pagesize)
           + ngx_align(WAG_TURNS * sizeof(wag_turn_t), ngx_pagesize)
           + ngx_align(sizeof(wag_session_events_t), ngx_pagesize);
}


static ngx_uint_t
wag_sessions_memory_buckets(ngx_uint_t n)
{
    ngx_uint_t  nbuckets;

    for (nbuckets = 16; nbuckets < n; nbuckets <<= 1) { /* void */ }

    return nbuckets;
}


static size_t
wag_sessions_memory_extent(ngx_uint_t n)
{
    return offsetof(wag_session_extent_t, sessions)
           + n * (sizeof(wag_session_t) + WAG_SESSION_TEXT_LEN);
}


ngx_int_t
wag_sessions_memory_grow(ngx_slab_pool_t *shpool, wag_group_t *group,
    ngx_uint_t n)
{
    wag_sessions_t  *table;

    table = &group->sessions;

    if (n && table->buckets == NULL
        && wag_sessions_memory_create(shpool, table, n) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (n > table->capacity
        && wag_sessions_memory_add(shpool, table, n - table->capacity)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (table->limit == 0) {
        table->limit = n;
    }

    return NGX_OK;
}


static ngx_int_t
wag_sessions_memory_create(ngx_slab_pool_t *shpool, wag_sessions_t *table,
    ngx_uint_t n)
{
    uint32_t    *buckets;
    ngx_uint_t   nbuckets;

    if (table->events == NULL) {
        table->events = ngx_slab_calloc_locked(shpool,
                                               sizeof(wag_session_events_t));
        if (table->events == NULL) {
            return NGX_ERROR;
        }
    }

    if (table->changes == NULL) {
        table->changes = ngx_slab_calloc_locked(shpool,
                                                WAG_SESSION_CHANGES
                                                * sizeof(uint32_t));
        if (table->changes == NULL) {
            return NGX_ERROR;
        }
    }

    if (table->turns == NULL) {
        table->turns = ngx_slab_calloc_locked(shpool,
                                              WAG_TURNS * sizeof(wag_turn_t));
        if (table->turns == NULL) {
            return NGX_ERROR;
        }
    }

    nbuckets = wag_sessions_memory_buckets(n);

    buckets = ngx_slab_calloc_locked(shpool, nbuckets * sizeof(uint32_t));
    if (buckets == NULL) {
        return NGX_ERROR;
    }

    table->mask = nbuckets - 1;
    table->buckets = buckets;

    return NGX_OK;
}


static ngx_int_t
wag_sessions_memory_add(ngx_slab_pool_t *shpool, wag_sessions_t *table,
    ngx_uint_t n)
{
    u_char                 *text;
    ngx_uint_t              i;
    wag_session_extent_t   *extent, **last;

    extent = ngx_slab_calloc_locked(shpool, wag_sessions_memory_extent(n));
    if (extent == NULL) {
        return NGX_ERROR;
    }

    extent->n = n;

    text = (u_char *) &extent->sessions[n];

    for (i = 0; i < n; i++) {
        extent->sessions[i].slot = WAG_SESSION_NO_SLOT;
        extent->sessions[i].text = text;
        text += WAG_SESSION_TEXT_LEN;
    }

    for (last = &table->extents; *last; last = &(*last)->next) { /* void */ }

    *last = extent;

    table->capacity += n;

    return NGX_OK;
}


void
wag_sessions_memory_free(ngx_slab_pool_t *shpool, wag_group_t *group)
{
    wag_sessions_t        *table;
    wag_session_extent_t  *extent;

    table = &group->sessions;

    while ((extent = table->extents)) {
        table->extents = extent->next;
        ngx_slab_free_locked(shpool, extent);
    }

    if (table->buckets) {
        ngx_slab_free_locked(shpool, table->buckets);
    }

    if (table->changes) {
        ngx_slab_free_locked(shpool, table->changes);
    }

    if (table->turns) {
        ngx_slab_free_locked(shpool, table->turns);
    }

    if (table->events) {
        ngx_slab_free_locked(shpool, table->events);
    }

    ngx_memzero(table, sizeof(wag_sessions_t));
}
