
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_conf.h"
#include "wag_lock.h"
#include "wag_pace.h"

#include <ngx_md5.h>


/*
 * An entry lies in one of two sets, by two hashes: so no set is full while the
 * table is half empty, and nothing is chained that a killed worker could leave
 * half linked.
 */

#define WAG_PACE_WAYS   8

/* tokens of an entry before its numbers meet those of the one after it */

#define WAG_PACE_SEQS   65536

/* of a number below 2^56 */

#define WAG_PACE_DIGITS 16


static ngx_int_t wag_pace_zone_init(ngx_shm_zone_t *shm_zone, void *data);
static ngx_int_t wag_pace_create(wag_pace_zone_t *zone);
static void wag_pace_inherit(wag_pace_zone_t *zone);
static uint64_t wag_pace_mix(uint64_t n);
static void wag_pace_view(wag_pace_t *pace, wag_day_clock_t *clock,
    wag_pace_entry_t *number, wag_pace_entry_t *to, wag_pace_view_t *view);
static void wag_pace_clock(wag_pace_t *pace, wag_day_clock_t *clock);
static wag_pace_entry_t *wag_pace_set(wag_pace_table_t *table,
    uint64_t number, u_char *to, ngx_uint_t second);
static wag_pace_entry_t *wag_pace_find(wag_pace_table_t *table,
    uint64_t number, u_char *to);
static wag_pace_entry_t *wag_pace_get(wag_pace_table_t *table,
    uint64_t number, u_char *to, wag_day_clock_t *clock,
    wag_pace_entry_t *keep, uint64_t *free);
static ngx_uint_t wag_pace_counts(wag_pace_entry_t *e, wag_day_clock_t *clock,
    uint64_t *until);
static ngx_int_t wag_pace_due(wag_pace_t *pace, wag_pace_claim_t *claim,
    wag_day_clock_t *clock, wag_pace_entry_t **number, wag_pace_entry_t **to,
    uint64_t *due, ngx_uint_t *reason);
static ngx_msec_t wag_pace_msec(uint64_t usec);


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

    shm_zone->init = wag_pace_zone_init;
    shm_zone->data = zone;

    return zone;
}


static ngx_int_t
wag_pace_zone_init(ngx_shm_zone_t *shm_zone, void *data)
{
    wag_pace_zone_t  *zone;

    zone = shm_zone->data;
    zone->shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    if (data || shm_zone->shm.exists) {
        zone->table = zone->shpool->data;
        return NGX_OK;
    }

    if (wag_pace_create(zone) != NGX_OK) {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "zone \"%V\" of %uzk is too small",
                      &shm_zone->shm.name, shm_zone->shm.size / 1024);
        return NGX_ERROR;
    }

    wag_pace_inherit(zone);

    return NGX_OK;
}


/* of all pages in a row that there are */

static ngx_int_t
wag_pace_create(wag_pace_zone_t *zone)
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
wag_pace_inherit(wag_pace_zone_t *zone)
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

                e = wag_pace_get(zone->table, from->number, from->to, &clock,
                                 NULL, &until);

                if (e) {
                    *e = *from;
                }
            }

            zone->table->seq = old->table->seq;

            wag_unlock(old->shpool);
        }
    }
}


uint64_t
wag_pace_number(ngx_str_t *instance, ngx_str_t *session)
{
    u_char     hash[16];
    uint64_t   number;
    ngx_md5_t  md5;

    ngx_md5_init(&md5);
    ngx_md5_update(&md5, instance->data, instance->len);
    ngx_md5_update(&md5, "\0", 1);
    ngx_md5_update(&md5, session->data, session->len);
    ngx_md5_final(hash, &md5);

    ngx_memcpy(&number, hash, sizeof(uint64_t));

    /* a real one has 15 digits at most */

    return number | ((uint64_t) 1 << 63);
}


/* most ids are digits that a word has room for */

void
wag_pace_to(wag_pace_claim_t *claim, wag_recipient_t *to)
{
    size_t     i;
    u_char     type;
    uint64_t   id[2], n, kind;
    ngx_md5_t  md5;

    claim->has_to = 1;

    n = 0;

    for (i = 0; i < to->id.len && i < WAG_PACE_DIGITS; i++) {

        if (to->id.data[i] < '0' || to->id.data[i] > '9') {
            break;
        }

        n = n * 10 + (to->id.data[i] - '0');
    }

    if (i == to->id.len) {
        kind = to->type << 8 | to->id.len;

        id[0] = wag_pace_mix(n + kind * 0x9e3779b97f4a7c15ULL);
        id[1] = wag_pace_mix(id[0] ^ n << 8 ^ kind);

        ngx_memcpy(claim->to, id, sizeof(id));

        return;
    }

    type = to->type;

    ngx_md5_init(&md5);
    ngx_md5_update(&md5, &type, 1);
    ngx_md5_update(&md5, to->id.data, to->id.len);
    ngx_md5_final(claim->to, &md5);
}


/* one to one, so that two never become the same, and what is near goes far */

static uint64_t
wag_pace_mix(uint64_t n)
{
    n = (n ^ (n >> 30)) * 0xbf58476d1ce4e5b9ULL;
    n = (n ^ (n >> 27)) * 0x94d049bb133111ebULL;

    return n ^ (n >> 31);
}


ngx_int_t
wag_pace_claim(wag_pace_t *pace, wag_pace_claim_t *claim, ngx_msec_t max,
    ngx_msec_t *wait, ngx_uint_t *reason, wag_pace_view_t *view)
{
    uint64_t           due;
    ngx_int_t          rc;
    wag_day_clock_t    clock;
    wag_pace_entry_t  *number, *to, left, to_left;

    /* a worker that was busy for long would reckon with a time that is over */

    ngx_time_update();

    wag_pace_clock(pace, &clock);

    wag_lock(pace->zone->shpool);

    rc = wag_pace_due(pace, claim, &clock, &number, &to, &due, reason);

    if (rc == NGX_OK && due > clock.now + (uint64_t) max * 1000) {
        rc = NGX_BUSY;
    }

    if (rc == NGX_OK) {

        /* those behind it are as much later: never one over, and in order */

        if (due > clock.now && pace->jitter) {
            due += (uint64_t) (ngx_random() % (pace->jitter + 1)) * 1000;

            if (pace->day) {
                due = wag_daily_due(&number->daily, pace->day, &clock, due);
            }
        }

        if (pace->number.interval) {
            claim->seq = wag_bucket_spend(&number->bucket, &pace->number, due);
        }

        if (pace->day) {
            claim->day = wag_daily_spend(&number->daily, &clock, due);
        }

        if (to) {
            claim->to_seq = wag_bucket_spend(&to->bucket, &pace->recipient,
                                             due);
            to_left = *to;
        }

        left = *number;
    }

    wag_unlock(pace->zone->shpool);

    if (rc == NGX_OK) {
        wag_pace_view(pace, &clock, &left, to ? &to_left : NULL, view);
    }

    *wait = wag_pace_msec(due - clock.now);

    return rc;
}


/* the lock is held */

static ngx_int_t
wag_pace_due(wag_pace_t *pace, wag_pace_claim_t *claim, wag_day_clock_t *clock,
    wag_pace_entry_t **number, wag_pace_entry_t **to, uint64_t *due,
    ngx_uint_t *reason)
{
    uint64_t  at, free;

    *to = NULL;
    *due = clock->now;
    *reason = WAG_PACED_NUMBER;

    *number = wag_pace_get(pace->zone->table, claim->number, wag_pace_none,
                           clock, NULL, &free);

    if (*number && pace->recipient.interval && claim->has_to) {
        *to = wag_pace_get(pace->zone->table, claim->number, claim->to, clock,
                           *number, &free);
    }

    if (*number == NULL
        || (*to == NULL && pace->recipient.interval && claim->has_to))
    {
        *due = free;
        *reason = WAG_PACED_FULL;

        return NGX_BUSY;
    }

    at = *due;

    if (pace->number.interval) {
        at = wag_bucket_due(&(*number)->bucket, &pace->number, at);
    }

    if (*to) {
        *due = wag_bucket_due(&(*to)->bucket, &pace->recipient, at);

        if (*due > at) {
            at = *due;
            *reason = WAG_PACED_RECIPIENT;
        }
    }

    *due = at;

    if (pace->day) {
        wag_daily_settle(&(*number)->daily, clock);

        *due = wag_daily_due(&(*number)->daily, pace->day, clock, at);

        if (*due > at) {
            *reason = WAG_PACED_DAY;
        }
    }

    return NGX_OK;
}


void
wag_pace_return(wag_pace_t *pace, wag_pace_claim_t *claim)
{
    wag_pace_entry_t  *number, *to;

    wag_lock(pace->zone->shpool);

    number = wag_pace_find(pace->zone->table, claim->number, wag_pace_none);

    to = (pace->recipient.interval && claim->has_to)
         ? wag_pace_find(pace->zone->table, claim->number, claim->to) : NULL;

    if (number && pace->number.interval) {
        wag_bucket_return(&number->bucket, &pace->number, claim->seq);
    }

    if (number && pace->day) {
        wag_daily_return(&number->daily, claim->day);
    }

    if (to) {
        wag_bucket_return(&to->bucket, &pace->recipient, claim->to_seq);
    }

    wag_unlock(pace->zone->shpool);
}


void
wag_pace_look(wag_pace_t *pace, wag_pace_claim_t *claim, wag_pace_view_t *view)
{
    wag_day_clock_t    clock;
    wag_pace_entry_t  *e, number, to;

    wag_pace_clock(pace, &clock);

    ngx_memzero(&number, sizeof(wag_pace_entry_t));
    ngx_memzero(&to, sizeof(wag_pace_entry_t));

    wag_lock(pace->zone->shpool);

    e = wag_pace_find(pace->zone->table, claim->number, wag_pace_none);

    if (e) {
        number = *e;
    }

    e = claim->has_to
        ? wag_pace_find(pace->zone->table, claim->number, claim->to) : NULL;

    if (e) {
        to = *e;
    }

    wag_unlock(pace->zone->shpool);

    wag_pace_view(pace, &clock, &number, &to, view);
}


/* "to" is NULL if none has a limit */

static void
wag_pace_view(wag_pace_t *pace, wag_day_clock_t *clock,
    wag_pace_entry_t *number, wag_pace_entry_t *to, wag_pace_view_t *view)
{
    ngx_memzero(view, sizeof(wag_pace_view_t));

    if (pace->number.interval) {
        view->left = wag_bucket_left(&number->bucket, &pace->number,
                                     clock->now);
        view->waiting = wag_bucket_waiting(&number->bucket, &pace->number,
                                           clock->now);
        view->full = (number->bucket.full > clock->now)
                     ? wag_pace_msec(number->bucket.full - clock->now) : 0;
    }

    if (pace->recipient.interval && to) {
        view->to_left = wag_bucket_left(&to->bucket, &pace->recipient,
                                        clock->now);
        view->to_full = (to->bucket.full > clock->now)
                        ? wag_pace_msec(to->bucket.full - clock->now) : 0;
    }

    if (pace->day) {
        wag_daily_settle(&number->daily, clock);

        view->day_left = (number->daily.day == clock->day)
                         ? pace->day - ngx_min(number->daily.n, pace->day) : 0;
        view->day_next = wag_pace_msec(clock->next - clock->now);
    }
}


static void
wag_pace_clock(wag_pace_t *pace, wag_day_clock_t *clock)
{
    uint64_t     seconds;
    ngx_time_t  *tp;

    clock->now = (uint64_t) ngx_current_msec * 1000;

    tp = ngx_timeofday();

    seconds = tp->sec + tp->gmtoff * 60 - pace->day_start;

    clock->day = seconds / 86400;
    clock->next = clock->now
                  + (86400 - seconds % 86400) * (uint64_t) 1000000
                  - tp->msec * 1000;
}


static wag_pace_entry_t *
wag_pace_set(wag_pace_table_t *table, uint64_t number, u_char *to,
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


static wag_pace_entry_t *
wag_pace_find(wag_pace_table_t *table, uint64_t number, u_char *to)
{
    ngx_uint_t         i, second;
    wag_pace_entry_t  *set;

    for (second = 0; second < 2; second++) {
        set = wag_pace_set(table, number, to, second);

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


/*
 * The entry, or a free one made it, or the one that is idle longest.  NULL:
 * all of them still count, the first until "free".  "keep" stays there.
 */

static wag_pace_entry_t *
wag_pace_get(wag_pace_table_t *table, uint64_t number, u_char *to,
    wag_day_clock_t *clock, wag_pace_entry_t *keep, uint64_t *free)
{
    uint64_t           until;
    ngx_uint_t         i, n, least, second;
    wag_pace_entry_t  *set, *e, *found;

    e = wag_pace_find(table, number, to);
    if (e) {
        return e;
    }

    found = NULL;
    least = WAG_PACE_WAYS;
    *free = (uint64_t) -1;

    for (second = 0; second < 2; second++) {
        set = wag_pace_set(table, number, to, second);
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
        set = wag_pace_set(table, number, to, second);

        for (i = 0, e = NULL; i < WAG_PACE_WAYS; i++) {

            if (&set[i] == keep) {
                continue;
            }

            if (wag_pace_counts(&set[i], clock, &until)) {
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
wag_pace_counts(wag_pace_entry_t *e, wag_day_clock_t *clock, uint64_t *until)
{
    *until = e->bucket.full;

    if (e->daily.n && e->daily.day >= clock->day) {
        *until = ngx_max(*until, clock->next);
    }

    return *until > clock->now;
}


/* rounded up: who comes then is not too early */

static ngx_msec_t
wag_pace_msec(uint64_t usec)
{
    return (usec + 999) / 1000;
}
