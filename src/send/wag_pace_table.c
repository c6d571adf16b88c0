
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_conf.h"
#include "wag_lock.h"
#include "wag_pace_table.h"


/*
 * An entry lies in one of two sets, by two hashes: so no set is full while the
 * table is half empty, and nothing is chained that a killed worker could leave
 * half linked.
 */

#define WAG_PACE_WAYS   8

/* tokens of an entry before its numbers meet those of the one after it */

#define WAG_PACE_SEQS   65536


static ngx_int_t wag_pace_table_init(ngx_shm_zone_t *shm_zone, void *data);
static ngx_int_t wag_pace_table_create(wag_pace_zone_t *zone);
static void wag_pace_table_inherit(wag_pace_zone_t *zone);
static wag_pace_entry_t *wag_pace_table_set(wag_pace_table_t *table,
    uint64_t number, u_char *to, ngx_uint_t second);
static ngx_uint_t wag_pace_table_counts(wag_pace_entry_t *e,
    wag_day_clock_t *clock, uint64_t *until);


static u_char  wag_pace_none[WAG_PACE_TO_LEN];


wag_pace_zone_t *
wag_pace_zone(ngx_conf_t *cf, ngx_str_t *name, ssize_t size)
{
    ngx_shm_zone_t   *shm_zone;
    wag_pace_zone_t  *zone;

    shm_zone = ngx_shared_memory_add(cf, name, size, &wag_pace_none);
    if (shm_zone == NULL) {
        return NULL;
    }

    if (shm_zone->data) {
        return shm_zone->data;
    }

    zone = ngx_pcalloc(cf->pool, sizeof(wag_pace_zone_t));
    if (zone == NULL) {
        return NULL;
    }

    zone->shm_zone = shm_zone;
    zone->cycle = cf->cycle;

    shm_zone->init = wag_pace_table_init;
    shm_zone->data = zone;

    return zone;
}


static ngx_int_t
wag_pace_table_init(ngx_shm_zone_t *shm_zone, void *data)
{
    wag_pace_zone_t  *zone;

    zone = shm_zone->data;
    zone->shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    if (data || shm_zone->shm.exists) {
        zone->table = zone->shpool->data;
        return NGX_OK;
    }

    if (wag_pace_table_create(zone) != NGX_OK) {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "zone \"%V\" of %uzk is too small",
                      &shm_zone->shm.name, shm_zone->shm.size / 1024);
        return NGX_ERROR;
    }

    wag_pace_table_inherit(zone);

    return NGX_OK;
}


/* of all pages in a row that there are */

static ngx_int_t
wag_pace_table_create(wag_pace_zone_t *zone)
{
    size_t             size;
    ngx_uint_t         pages;
    wag_pace_table_t  *table;

    zone->shpool->log_nomem = 0;

    table = NULL;

    for (pages = zone->shpool->pfree; table == NULL && pages; pages--) {
        table = ngx_slab_calloc(zone->shpool, pages * ngx_pagesize);
    }

    if (table == NULL) {
        return NGX_ERROR;
    }

    size = (pages + 1) * ngx_pagesize - offsetof(wag_pace_table_t, entries);

    table->nsets = size / (WAG_PACE_WAYS * sizeof(wag_pace_entry_t));

    zone->table = table;
    zone->shpool->data = table;

    return table->nsets ? NGX_OK : NGX_ERROR;
}


/* a zone of another size begins with what the one before has counted */

static void
wag_pace_table_inherit(wag_pace_zone_t *zone)
{
    uint64_t           until;
    ngx_uint_t         i, n;
    ngx_shm_zone_t    *shm_zone;
    ngx_list_part_t   *part;
    wag_pace_zone_t   *old;
    wag_day_clock_t    clock;
    wag_pace_entry_t  *e, *from;

    if (zone->cycle->old_cycle == NULL) {
        return;
    }

    ngx_memzero(&clock, sizeof(wag_day_clock_t));
    clock.now = (uint64_t) ngx_current_msec * 1000;

    for (part = &zone->cycle->old_cycle->shared_memory.part;
         part;
         part = part->next)
    {
        shm_zone = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (shm_zone[i].tag != &wag_pace_none
                || shm_zone[i].shm.name.len != zone->shm_zone->shm.name.len
                || ngx_memcmp(shm_zone[i].shm.name.data,
                              zone->shm_zone->shm.name.data,
                              shm_zone[i].shm.name.len)
                   != 0)
            {
                continue;
            }

            old = shm_zone[i].data;

            wag_lock(old->shpool);

            for (n = 0; n < old->table->nsets * WAG_PACE_WAYS; n++) {
                from = &old->table->entries[n];

                if (from->number == 0) {
                    continue;
                }

                e = wag_pace_table_get(zone->table, from->number, from->to,
                                       &clock, NULL, &until);

                if (e) {
                    *e = *from;
                }
            }

            zone->table->seq = old->table->seq;

            wag_unlock(old->shpool);
        }
    }
}


static wag_pace_entry_t *
wag_pace_table_set(wag_pace_table_t *table, uint64_t number, u_char *to,
    ngx_uint_t second)
{
    uint64_t  hash, n;

    ngx_memcpy(&n, to + (second ? 8 : 0), sizeof(uint64_t));

    hash = (number ^ n ^ (second ? 0xa0761d6478bd642fULL : 0))
           * 0x9e3779b97f4a7c15ULL;
    hash = (hash ^ (hash >> 32)) * 0xd6e8feb86659fd93ULL;
    hash ^= hash >> 32;

    return &table->entries[hash % table->nsets * WAG_PACE_WAYS];
}


wag_pace_entry_t *
wag_pace_table_find(wag_pace_table_t *table, uint64_t number, u_char *to)
{
    ngx_uint_t         i, second;
    wag_pace_entry_t  *set;

    if (to == NULL) {
        to = wag_pace_none;
    }

    for (second = 0; second < 2; second++) {
        set = wag_pace_table_set(table, number, to, second);

        for (i = 0; i < WAG_PACE_WAYS; i++) {
            if (set[i].number == number
                && ngx_memcmp(set[i].to, to, WAG_PACE_TO_LEN) == 0)
            {
                return &set[i];
            }
        }
    }

    return NULL;
}


wag_pace_entry_t *
wag_pace_table_get(wag_pace_table_t *table, uint64_t number, u_char *to,
    wag_day_clock_t *clock, wag_pace_entry_t *keep, uint64_t *free)
{
    uint64_t           until;
    ngx_uint_t         i, n, least, second;
    wag_pace_entry_t  *set, *e, *found;

    if (to == NULL) {
        to = wag_pace_none;
    }

    e = wag_pace_table_find(table, number, to);
    if (e) {
        return e;
    }

    found = NULL;
    least = WAG_PACE_WAYS;
    *free = (uint64_t) -1;

    for (second = 0; second < 2; second++) {
        set = wag_pace_table_set(table, number, to, second);
        e = NULL;

        for (i = 0, n = 0; i < WAG_PACE_WAYS; i++) {

            if (set[i].number == 0) {
                e = &set[i];

            } else {
                n++;
            }
        }

        /* in the one with more room */

        if (e && n < least) {
            found = e;
            least = n;
        }
    }

    for (second = 0; found == NULL && second < 2; second++) {
        set = wag_pace_table_set(table, number, to, second);

        for (i = 0, e = NULL; i < WAG_PACE_WAYS; i++) {

            if (&set[i] == keep) {
                continue;
            }

            if (wag_pace_table_counts(&set[i], clock, &until)) {
                *free = ngx_min(*free, until);
                continue;
            }

            if (e == NULL || set[i].bucket.last < e->bucket.last) {
                e = &set[i];
            }
        }

        found = e;
    }

    if (found == NULL) {
        return NULL;
    }

    found->number = 0;

    ngx_memory_barrier();

    ngx_memcpy(found->to, to, WAG_PACE_TO_LEN);
    ngx_memzero(&found->bucket, sizeof(wag_bucket_t));
    ngx_memzero(&found->daily, sizeof(wag_daily_t));

    table->seq += WAG_PACE_SEQS;
    found->bucket.seq = table->seq;

    ngx_memory_barrier();

    found->number = number;

    return found;
}


static ngx_uint_t
wag_pace_table_counts(wag_pace_entry_t *e, wag_day_clock_t *clock,
    uint64_t *until)
{
    *until = e->bucket.full;

    if (e->daily.n && e->daily.day >= clock->day) {
        *until = ngx_max(*until, clock->next);
    }

    return *until > clock->now;
}
