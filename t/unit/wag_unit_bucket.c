
#include <ngx_config.h>
#include <ngx_core.h>

#include <stdio.h>

#include "wag_bucket.h"
#include "wag_unit.h"


#define WAG_UNIT_ROUNDS  400
#define WAG_UNIT_STEPS   250


/* a reference: every token that was used, and in which order */

typedef struct {
    uint64_t             at[WAG_UNIT_STEPS];
    uint32_t             seq[WAG_UNIT_STEPS];
    ngx_uint_t           n;
} wag_unit_used_t;


static void wag_unit_bucket_random(wag_unit_t *u, ngx_uint_t returns);
static uint64_t wag_unit_bucket_earliest(wag_unit_used_t *used,
    wag_bucket_rule_t *rule, uint64_t at);
static ngx_uint_t wag_unit_bucket_is_over(wag_unit_used_t *used,
    wag_bucket_rule_t *rule);
static void wag_unit_bucket_known(wag_unit_t *u);
static void wag_unit_bucket_days(wag_unit_t *u);
static void wag_unit_bucket_random_days(wag_unit_t *u);
static ngx_uint_t wag_unit_bucket_below(ngx_uint_t n);


static uint64_t  wag_unit_bucket_seed;


static ngx_uint_t
wag_unit_bucket_below(ngx_uint_t n)
{
    wag_unit_bucket_seed = wag_unit_bucket_seed * 6364136223846793005ULL
                           + 1442695040888963407ULL;

    return (wag_unit_bucket_seed >> 33) % n;
}


/*
 * The earliest time for one more: among any k of them the last is k - size
 * intervals after the first.
 */

static uint64_t
wag_unit_bucket_earliest(wag_unit_used_t *used, wag_bucket_rule_t *rule,
    uint64_t at)
{
    ngx_uint_t  i, k;

    for (i = 0; i < used->n; i++) {
        k = used->n - i + 1;

        if (k > rule->size) {
            at = ngx_max(at, used->at[i] + (k - rule->size) * rule->interval);
        }
    }

    return at;
}


static ngx_uint_t
wag_unit_bucket_is_over(wag_unit_used_t *used, wag_bucket_rule_t *rule)
{
    ngx_uint_t  i, j, k;

    for (i = 0; i < used->n; i++) {
        for (j = i + 1; j < used->n; j++) {
            k = j - i + 1;

            if (k > rule->size
                && used->at[j] - used->at[i]
                   < (k - rule->size) * rule->interval)
            {
                return 1;
            }
        }
    }

    return 0;
}


static void
wag_unit_bucket_random(wag_unit_t *u, ngx_uint_t returns)
{
    uint64_t            now, due, want;
    ngx_uint_t          i, k, round, over, inexact, less;
    wag_bucket_t        b;
    wag_unit_used_t     used;
    wag_bucket_rule_t   rule;

    over = 0;
    less = 0;
    inexact = 0;

    for (round = 0; round < WAG_UNIT_ROUNDS; round++) {
        rule.size = 1 + wag_unit_bucket_below(6);
        rule.interval = 1 + wag_unit_bucket_below(1000);

        ngx_memzero(&b, sizeof(wag_bucket_t));
        b.seq = (uint32_t) -20;
        used.n = 0;
        now = 1000000;

        for (i = 0; i < WAG_UNIT_STEPS; i++) {
            now += wag_unit_bucket_below(4)
                   ? wag_unit_bucket_below(rule.interval)
                   : wag_unit_bucket_below(rule.interval * 8);

            if (returns && used.n && wag_unit_bucket_below(3) == 0) {

                /* one of the last, or of those that still wait */

                k = used.n - 1 - wag_unit_bucket_below(ngx_min(used.n, 5));

                wag_bucket_return(&b, &rule, used.seq[k]);

                for (used.n--; k < used.n; k++) {
                    used.at[k] = used.at[k + 1];
                    used.seq[k] = used.seq[k + 1];
                }

                continue;
            }

            due = wag_bucket_due(&b, &rule, now);
            want = wag_unit_bucket_earliest(&used, &rule, now);

            inexact += (due != want);
            less += (due < want);

            if ((due == now) != (wag_bucket_left(&b, &rule, now) > 0)) {
                inexact++;
            }

            if (due > now + 5 * rule.interval) {
                continue;
            }

            used.at[used.n] = due;
            used.seq[used.n++] = wag_bucket_spend(&b, &rule, due);
        }

        over += wag_unit_bucket_is_over(&used, &rule);
    }

    if (returns) {
        wag_unit_ok(u, over == 0, "given back, it is never one over");
        wag_unit_ok(u, less == 0, "nor is one due too early");

    } else {
        wag_unit_ok(u, over == 0, "never one over");
        wag_unit_ok(u, inexact == 0, "and never later than it must be");
    }
}


static void
wag_unit_bucket_known(wag_unit_t *u)
{
    uint32_t           first, second, seq[5];
    uint64_t           full;
    ngx_uint_t         i, k, given;
    wag_bucket_t       b;
    wag_bucket_rule_t  rule;

    given = 0;

    rule.interval = 3000;
    rule.size = 2;

    ngx_memzero(&b, sizeof(wag_bucket_t));

    wag_unit_ok(u, wag_bucket_left(&b, &rule, 50000) == 2, "it is full");

    first = wag_bucket_spend(&b, &rule, 50000);
    second = wag_bucket_spend(&b, &rule, 50000);

    wag_unit_ok(u, wag_bucket_left(&b, &rule, 50000) == 0, "it is empty");
    wag_unit_ok(u, wag_bucket_due(&b, &rule, 50000) == 53000,
                "until the next token");
    wag_unit_ok(u, wag_bucket_left(&b, &rule, 52999) == 0, "not before");
    wag_unit_ok(u, wag_bucket_left(&b, &rule, 53000) == 1,
                "then there is one");

    (void) wag_bucket_spend(&b, &rule, 53000);

    wag_unit_ok(u, wag_bucket_waiting(&b, &rule, 50000) == 1, "one waits");
    wag_unit_ok(u, wag_bucket_waiting(&b, &rule, 53000) == 0, "it went");

    ngx_memzero(&b, sizeof(wag_bucket_t));

    first = wag_bucket_spend(&b, &rule, 50000);
    second = wag_bucket_spend(&b, &rule, 50001);

    wag_bucket_return(&b, &rule, second);
    wag_unit_ok(u, wag_bucket_left(&b, &rule, 50001) == 1,
                "the last one, given back, is there");

    wag_bucket_return(&b, &rule, first);
    wag_unit_ok(u, b.full <= 53000, "it is no debt");

    /* five wait, and all of them leave, the oldest one first, or others do */

    for (k = 0; k < 5; k++) {
        ngx_memzero(&b, sizeof(wag_bucket_t));

        (void) wag_bucket_spend(&b, &rule, 50000);
        full = b.full;

        for (i = 0; i < 5; i++) {
            seq[i] = wag_bucket_spend(&b, &rule,
                                      wag_bucket_due(&b, &rule, 50000));
        }

        for (i = 0; i < 5; i++) {
            wag_bucket_return(&b, &rule, seq[(i * 2 + k) % 5]);
        }

        given += (b.full == full);

        for (i = 0; i < 5; i++) {
            seq[i] = wag_bucket_spend(&b, &rule,
                                      wag_bucket_due(&b, &rule, 50000));
        }

        for (i = 0; i < 5; i++) {
            wag_bucket_return(&b, &rule, seq[(i + k) % 5]);
        }

        given += (b.full == full);
    }

    wag_unit_ok(u, given == 10, "all of those that waited are given back");

    ngx_memzero(&b, sizeof(wag_bucket_t));

    first = wag_bucket_spend(&b, &rule, 50000);
    (void) wag_bucket_spend(&b, &rule, 90000);
    (void) wag_bucket_spend(&b, &rule, 90000);

    wag_bucket_return(&b, &rule, first);
    wag_unit_ok(u, wag_bucket_left(&b, &rule, 90001) == 0,
                "one given back that was refilled long since is none");
}


static void
wag_unit_bucket_days(wag_unit_t *u)
{
    uint32_t         day;
    uint64_t         next;
    wag_daily_t      d;
    wag_day_clock_t  clock;

    ngx_memzero(&d, sizeof(wag_daily_t));

    clock.now = 5000;
    clock.next = 9000;
    clock.day = 20000;

    next = clock.next;

    wag_daily_settle(&d, &clock);
    wag_unit_ok(u, d.day == 20000 && d.n == 0, "a day begins with none");

    (void) wag_daily_spend(&d, &clock, 5000);
    day = wag_daily_spend(&d, &clock, 8999);

    wag_unit_ok(u, wag_daily_due(&d, 3, &clock, 8999) == 8999, "two of three");
    wag_unit_ok(u, wag_daily_due(&d, 2, &clock, 8999) == next, "two of two");
    wag_unit_ok(u, wag_daily_due(&d, 2, &clock, 9000) == 9000,
                "the next day begins");

    wag_daily_return(&d, day);
    wag_unit_ok(u, wag_daily_due(&d, 2, &clock, 8999) == 8999, "given back");

    (void) wag_daily_spend(&d, &clock, 9000);
    wag_daily_return(&d, day);

    wag_unit_ok(u, d.day == 20001 && d.n == 1,
                "what is given back of the day before is not of this one");
    wag_unit_ok(u, wag_daily_due(&d, 2, &clock, 8000) == next,
                "one that was left is not gone back to");

    wag_unit_ok(u, wag_daily_due(&d, 1, &clock, 8000) == next + WAG_BUCKET_DAY,
                "and the next one may be full as well");

    clock.day = 19000;
    wag_daily_settle(&d, &clock);
    wag_unit_ok(u, d.day == 19000 && d.n == 1,
                "a clock that is set back keeps the count");
}


static void
wag_unit_bucket_random_days(wag_unit_t *u)
{
    uint32_t         day, limit, of[64];
    uint64_t         at;
    ngx_uint_t       i, k, round, over;
    wag_daily_t      d;
    wag_day_clock_t  clock;

    over = 0;

    for (round = 0; round < WAG_UNIT_ROUNDS; round++) {
        ngx_memzero(&d, sizeof(wag_daily_t));
        ngx_memzero(of, sizeof(of));

        limit = 1 + wag_unit_bucket_below(5);

        clock.now = 0;
        clock.next = WAG_BUCKET_DAY;
        clock.day = 100;

        for (i = 0; i < WAG_UNIT_STEPS; i++) {
            clock.now += wag_unit_bucket_below(WAG_BUCKET_DAY / 16);

            while (clock.now >= clock.next) {
                clock.next += WAG_BUCKET_DAY;
                clock.day++;
            }

            wag_daily_settle(&d, &clock);

            at = clock.now + (wag_unit_bucket_below(3)
                              ? 0 : wag_unit_bucket_below(WAG_BUCKET_DAY / 8));
            at = wag_daily_due(&d, limit, &clock, at);

            if (at - clock.now > WAG_BUCKET_DAY / 4) {
                continue;
            }

            day = wag_daily_spend(&d, &clock, at);

            if (wag_unit_bucket_below(6) == 0) {
                wag_daily_return(&d, day);
                continue;
            }

            k = at / WAG_BUCKET_DAY;
            over += (++of[k] > limit || day != 100 + k);
        }
    }

    wag_unit_ok(u, over == 0, "no day has more than its limit");
}


void
wag_unit_bucket(wag_unit_t *u)
{
    wag_unit_bucket_seed = 18;

    wag_unit_bucket_known(u);
    wag_unit_bucket_random(u, 0);
    wag_unit_bucket_random(u, 1);
    wag_unit_bucket_days(u);
    wag_unit_bucket_random_days(u);
}
