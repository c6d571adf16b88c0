
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_conf.h"
#include "wag_lock.h"
#include "wag_pace.h"

#include <ngx_md5.h>


/* of a number below 2^56 */

#define WAG_PACE_DIGITS  16


static uint64_t wag_pace_mix(uint64_t n);
static void wag_pace_view(wag_pace_t *pace, wag_day_clock_t *clock,
    wag_pace_entry_t *number, wag_pace_entry_t *to, wag_pace_view_t *view);
static void wag_pace_clock(wag_pace_t *pace, wag_day_clock_t *clock);
static ngx_int_t wag_pace_due(wag_pace_t *pace, wag_pace_claim_t *claim,
    wag_day_clock_t *clock, wag_pace_entry_t **number, wag_pace_entry_t **to,
    uint64_t *due, ngx_uint_t *reason);
static ngx_msec_t wag_pace_msec(uint64_t usec);


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
    u_char     *p, *last;
    uint64_t    id[2], n;
    ngx_md5_t   md5;
    ngx_uint_t  digits;

    claim->has_to = 1;

    last = to->id.data + to->id.len;

    n = 0;
    digits = 0;

    for (p = to->id.data; p < last && digits <= WAG_PACE_DIGITS; p++) {

        if (*p == '-') {
            continue;
        }

        if (*p < '0' || *p > '9') {
            break;
        }

        n = n * 10 + (*p - '0');
        digits++;
    }

    if (p == last && digits <= WAG_PACE_DIGITS) {
        id[0] = wag_pace_mix(n + digits * 0x9e3779b97f4a7c15ULL);
        id[1] = wag_pace_mix(id[0] ^ n << 8 ^ digits);

        ngx_memcpy(claim->to, id, sizeof(id));

        return;
    }

    ngx_md5_init(&md5);

    last = to->id.data + to->id.len;

    for (p = to->id.data; p < last; p++) {
        if (*p != '-') {
            ngx_md5_update(&md5, p, 1);
        }
    }

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

    *number = wag_pace_table_get(pace->zone->table, claim->number, NULL,
                           clock, NULL, &free);

    if (*number && pace->recipient.interval && claim->has_to) {
        *to = wag_pace_table_get(pace->zone->table, claim->number, claim->to,
                                 clock, *number, &free);
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

    number = wag_pace_table_find(pace->zone->table, claim->number, NULL);

    to = (pace->recipient.interval && claim->has_to)
         ? wag_pace_table_find(pace->zone->table, claim->number, claim->to)
         : NULL;

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

    e = wag_pace_table_find(pace->zone->table, claim->number, NULL);

    if (e) {
        number = *e;
    }

    e = claim->has_to
        ? wag_pace_table_find(pace->zone->table, claim->number, claim->to)
        : NULL;

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


/* rounded up: who comes then is not too early */

static ngx_msec_t
wag_pace_msec(uint64_t usec)
{
    return (usec + 999) / 1000;
}
