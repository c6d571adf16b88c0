
/*
 * Copyright (C) the wa_gateway authors
 *
 * How fast may be sent: a token bucket, kept as the time at which it is full
 * again (the generic cell rate algorithm of ITU-T I.371), and a count by day.
 * Times are in microseconds of a clock that is never set.  Pure.
 */


#ifndef _WAG_BUCKET_H_INCLUDED_
#define _WAG_BUCKET_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define WAG_BUCKET_DAY  ((uint64_t) 86400 * 1000000)

#define WAG_BUCKET_BACK  16   /* bits */


typedef struct {
    uint64_t             interval;   /* from token to token; 0: no limit */
    ngx_uint_t           size;       /* tokens at most */
} wag_bucket_rule_t;


typedef struct {
    uint64_t             full;       /* when it is */
    uint64_t             last;       /* when the last token is used */
    uint32_t             seq;        /* of that token */
    uint16_t             back;       /* those that came back, a bit for each
                                        from the last one on */
    uint16_t             owed;       /* of these: "full" is as it was */
} wag_bucket_t;


typedef struct {
    uint32_t             day;        /* that is counted */
    uint32_t             n;
} wag_daily_t;


/* now, the number of this day, and when the next one begins */

typedef struct {
    uint64_t             now;
    uint64_t             next;
    uint32_t             day;
} wag_day_clock_t;


/*
 * When a token may be used, at the earliest, not before "at".
 */
uint64_t wag_bucket_due(wag_bucket_t *b, wag_bucket_rule_t *rule, uint64_t at);

/*
 * Uses a token at "at", which is due.  Returns its number.
 */
uint32_t wag_bucket_spend(wag_bucket_t *b, wag_bucket_rule_t *rule,
    uint64_t at);

/*
 * Gives a token back, as far as that cannot make those used since too many.
 */
void wag_bucket_return(wag_bucket_t *b, wag_bucket_rule_t *rule, uint32_t seq);

/*
 * How many tokens there are, how many are promised, of which none was there.
 */
ngx_uint_t wag_bucket_left(wag_bucket_t *b, wag_bucket_rule_t *rule,
    uint64_t now);
ngx_uint_t wag_bucket_waiting(wag_bucket_t *b, wag_bucket_rule_t *rule,
    uint64_t now);

/*
 * Brings a count to this day.  A day that is more than one ahead is there
 * since the clock was set back: it is counted as this one.
 */
void wag_daily_settle(wag_daily_t *d, wag_day_clock_t *clock);

/*
 * As those of a bucket, for a count that is settled.  spend() returns the day.
 */
uint64_t wag_daily_due(wag_daily_t *d, ngx_uint_t limit,
    wag_day_clock_t *clock, uint64_t at);
uint32_t wag_daily_spend(wag_daily_t *d, wag_day_clock_t *clock, uint64_t at);
void wag_daily_return(wag_daily_t *d, uint32_t day);


#endif /* _WAG_BUCKET_H_INCLUDED_ */
