
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_bucket.h"


static uint64_t wag_bucket_used(wag_bucket_t *b, wag_bucket_rule_t *rule,
    uint64_t now);
static uint32_t wag_daily_day(wag_day_clock_t *clock, uint64_t at);
static uint64_t wag_daily_start(wag_day_clock_t *clock, uint32_t day);


uint64_t
wag_bucket_due(wag_bucket_t *b, wag_bucket_rule_t *rule, uint64_t at)
{
    uint64_t  ahead;

    ahead = (rule->size - 1) * rule->interval;

    return (b->full > at + ahead) ? b->full - ahead : at;
}


uint32_t
wag_bucket_spend(wag_bucket_t *b, wag_bucket_rule_t *rule, uint64_t at)
{
    b->full = ngx_max(b->full, at) + rule->interval;
    b->last = ngx_max(b->last, at);
    b->back <<= 1;
    b->owed <<= 1;

    return ++b->seq;
}


/*
 * Without the token it may be full an interval earlier; the n used since then
 * keep it from being full before n intervals after the last of them.  Where
 * they leave no room it is kept in mind: if all of them come back as well, it
 * is as if none had been used.
 */

void
wag_bucket_return(wag_bucket_t *b, wag_bucket_rule_t *rule, uint32_t seq)
{
    uint64_t  n, since;

    n = (uint32_t) (b->seq - seq);
    since = b->last + n * rule->interval;

    if (n && since < b->full) {
        b->full = ngx_max(b->full - ngx_min(rule->interval, b->full), since);
        b->back |= (n < WAG_BUCKET_BACK) ? 1 << n : 0;

    } else if (n < WAG_BUCKET_BACK) {
        b->back |= 1 << n;
        b->owed |= 1 << n;
    }

    while (b->back & 1) {

        if (b->owed & 1) {
            b->full -= ngx_min(rule->interval, b->full);
        }

        b->back >>= 1;
        b->owed >>= 1;
        b->seq--;
    }
}


ngx_uint_t
wag_bucket_left(wag_bucket_t *b, wag_bucket_rule_t *rule, uint64_t now)
{
    uint64_t  used;

    used = wag_bucket_used(b, rule, now);

    return (used < rule->size) ? rule->size - used : 0;
}


ngx_uint_t
wag_bucket_waiting(wag_bucket_t *b, wag_bucket_rule_t *rule, uint64_t now)
{
    uint64_t  used;

    used = wag_bucket_used(b, rule, now);

    return (used > rule->size) ? used - rule->size : 0;
}


static uint64_t
wag_bucket_used(wag_bucket_t *b, wag_bucket_rule_t *rule, uint64_t now)
{
    return (b->full > now)
           ? (b->full - now + rule->interval - 1) / rule->interval : 0;
}


/* the day moves first: who is killed in between has counted too many */

void
wag_daily_settle(wag_daily_t *d, wag_day_clock_t *clock)
{
    if (d->day < clock->day) {
        d->day = clock->day;
        d->n = 0;

    } else if (d->day > clock->day + 1) {
        d->day = clock->day;
    }
}


uint64_t
wag_daily_due(wag_daily_t *d, ngx_uint_t limit, wag_day_clock_t *clock,
    uint64_t at)
{
    uint32_t  day;

    day = wag_daily_day(clock, at);

    if (day < d->day) {

        /* the one before was left, which only one that is full is */

        at = wag_daily_start(clock, d->day);
        day = d->day;
    }

    return (day == d->day && d->n >= limit) ? wag_daily_start(clock, day + 1)
                                            : at;
}


uint32_t
wag_daily_spend(wag_daily_t *d, wag_day_clock_t *clock, uint64_t at)
{
    uint32_t  day;

    day = wag_daily_day(clock, at);

    if (day > d->day) {
        d->day = day;
        d->n = 0;
    }

    d->n++;

    return day;
}


void
wag_daily_return(wag_daily_t *d, uint32_t day)
{
    if (d->day == day && d->n) {
        d->n--;
    }
}


static uint32_t
wag_daily_day(wag_day_clock_t *clock, uint64_t at)
{
    return (at < clock->next)
           ? clock->day
           : clock->day + 1 + (at - clock->next) / WAG_BUCKET_DAY;
}


static uint64_t
wag_daily_start(wag_day_clock_t *clock, uint32_t day)
{
    return clock->next + (day - clock->day - 1) * WAG_BUCKET_DAY;
}
