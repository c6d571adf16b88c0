
#include <ngx_config.h>
#include <ngx_core.h>

#include <stdio.h>

#include "wag_latency.h"
#include "wag_unit.h"


/* times in ms, sorted, and how many of each */

typedef struct {
    const char          *name;
    ngx_msec_t           times[8];
    ngx_uint_t           counts[8];
} wag_unit_latency_t;


static ngx_msec_t wag_unit_latency_rank(wag_unit_latency_t *c,
    ngx_uint_t percent);
static ngx_uint_t wag_unit_latency_near(ngx_msec_int_t got, ngx_msec_t real);


static wag_unit_latency_t
    wag_unit_latencies[] =
{
    { "one", { 37 }, { 1 } },
    { "nought", { 0 }, { 5 } },
    { "1 ms", { 1 }, { 5 } },
    { "two of two", { 12, 480 }, { 1, 1 } },
    { "a hundred, one slow", { 20, 9000 }, { 99, 1 } },
    { "a hundred, two slow", { 20, 9000 }, { 98, 2 } },
    { "five of a hundred slow", { 3, 700 }, { 95, 5 } },
    { "six of a hundred slow", { 3, 700 }, { 94, 6 } },
    { "many", { 4, 15, 33, 101, 260, 999, 3000, 59000 },
      { 100000, 300000, 70000, 9000, 4000, 900, 90, 10 } },
    { "at the bounds", { 5, 10, 25, 50, 100, 250, 500, 1000 },
      { 1, 1, 1, 1, 1, 1, 1, 1 } },
    { NULL, { 0 }, { 0 } }
};


static ngx_msec_t
wag_unit_latency_rank(wag_unit_latency_t *c, ngx_uint_t percent)
{
    ngx_uint_t  i, n, rank;

    n = 0;

    for (i = 0; i < 8; i++) {
        n += c->counts[i];
    }

    rank = (n * percent + 99) / 100;
    n = 0;

    for (i = 0; i < 8; i++) {
        n += c->counts[i];

        if (n >= rank) {
            return c->times[i];
        }
    }

    return 0;
}


/* within 5 %, and half a ms of rounding */

static ngx_uint_t
wag_unit_latency_near(ngx_msec_int_t got, ngx_msec_t real)
{
    double  off;

    off = (double) got - (double) real;

    if (off < 0) {
        off = -off;
    }

    return off <= 0.05 * real + 0.5;
}


void
wag_unit_latency(wag_unit_t *u)
{
    char                 name[128];
    uint64_t             counts[WAG_LATENCY_BOUNDS];
    ngx_uint_t           i, j, k, n, bad, worst;
    ngx_msec_t           msec;
    wag_latency_t        b[WAG_LATENCY_BUCKETS];
    ngx_msec_int_t       got;
    wag_unit_latency_t  *c;
    static ngx_uint_t    percents[] = { 1, 50, 95, 99, 100 };

    ngx_memzero(b, sizeof(b));

    wag_unit_ok(u, wag_latency_percentile(b, 50) == -1
                     && wag_latency_count(b) == 0, "nothing yet");

    /* every ms up to two minutes */

    bad = 0;
    worst = 0;
    n = 0;

    for (msec = 0; msec <= 120000; msec++) {
        i = wag_latency_bucket(msec);

        if (i != n && i != n + 1) {
            bad++;
        }

        n = i;

        ngx_memzero(b, sizeof(b));
        b[i] = 1;

        got = wag_latency_percentile(b, 50);

        if (!wag_unit_latency_near(got, msec)) {
            worst++;
        }
    }

    wag_unit_ok(u, bad == 0, "buckets without a gap");
    wag_unit_ok(u, worst == 0, "each ms is within 5 %");

    i = wag_latency_bucket(120001);

    wag_unit_ok(u, i == WAG_LATENCY_BUCKETS - 1
              && i == wag_latency_bucket((ngx_msec_t) -1),
                "the last one is for what took longer");

    ngx_memzero(b, sizeof(b));
    b[i] = 1;

    wag_unit_ok(u, wag_latency_percentile(b, 50) == 120000,
                "which is two minutes at least");

    for (c = wag_unit_latencies; c->name != NULL; c++) {
        ngx_memzero(b, sizeof(b));
        n = 0;

        for (i = 0; i < 8; i++) {
            b[wag_latency_bucket(c->times[i])] += c->counts[i];
            n += c->counts[i];
        }

        bad = 0;

        for (i = 0; i < sizeof(percents) / sizeof(ngx_uint_t); i++) {
            msec = wag_unit_latency_rank(c, percents[i]);
            got = wag_latency_percentile(b, percents[i]);

            if (!wag_unit_latency_near(got, msec)) {
                bad++;
            }
        }

        snprintf(name, sizeof(name), "percentiles: %s", c->name);
        wag_unit_ok(u, bad == 0, name);

        wag_latency_cumulate(b, counts);
        bad = (wag_latency_count(b) != n);

        for (j = 0; j < WAG_LATENCY_BOUNDS; j++) {
            n = 0;

            for (k = 0; k < 8; k++) {
                if (c->times[k] <= wag_latency_bounds[j]) {
                    n += c->counts[k];
                }
            }

            if (counts[j] != n) {
                bad++;
            }
        }

        snprintf(name, sizeof(name), "cumulated, exact at the bounds: %s",
                 c->name);
        wag_unit_ok(u, bad == 0, name);
    }

    /* 32 bits each, but not their sum */

    for (i = 0; i < WAG_LATENCY_BUCKETS; i++) {
        b[i] = (uint32_t) -1;
    }

    wag_unit_ok(u, wag_latency_count(b)
              == (uint64_t) (uint32_t) -1 * WAG_LATENCY_BUCKETS
              && wag_latency_percentile(b, 99) > 100000, "full buckets");
}
