
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_latency.h"


/* up to here each ms has a bucket, of its number */

#define WAG_LATENCY_EACH  10


/*
 * Upper bounds in ms, both ends of a bucket included; above those, geometric
 * steps of 1.1 or less between the bounds that Prometheus is told.
 */

static ngx_msec_t  wag_latency_tops[WAG_LATENCY_BUCKETS - 1] = {
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 21, 23, 25,
    27, 30, 32, 35, 39, 42, 46, 50, 55, 59, 65, 71, 77, 84, 92, 100, 110,
    120, 132, 144, 158, 173, 190, 208, 228, 250, 273, 297, 324, 354, 386,
    420, 459, 500, 545, 595, 648, 707, 771, 841, 917, 1000, 1096, 1201, 1316,
    1443, 1581, 1733, 1899, 2081, 2281, 2500, 2726, 2973, 3242, 3536, 3856,
    4204, 4585, 5000, 5453, 5946, 6484, 7071, 7711, 8409, 9170, 10000, 10959,
    12009, 13161, 14422, 15805, 17321, 18981, 20801, 22795, 24980, 27375,
    30000, 32715, 35676, 38905, 42426, 46266, 50454, 55020, 60000, 65430,
    71352, 77810, 84853, 92533, 100908, 110040, 120000
};


ngx_msec_t  wag_latency_bounds[WAG_LATENCY_BOUNDS] =
{
    5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000
};


ngx_uint_t
wag_latency_bucket(ngx_msec_t msec)
{
    ngx_uint_t  low, high, middle;

    if (msec <= WAG_LATENCY_EACH) {
        return msec;
    }

    low = 0;
    high = WAG_LATENCY_BUCKETS - 1;

    while (low < high) {
        middle = (low + high) / 2;

        if (wag_latency_tops[middle] < msec) {
            low = middle + 1;

        } else {
            high = middle;
        }
    }

    return low;
}


ngx_msec_int_t
wag_latency_percentile(wag_latency_t *buckets, ngx_uint_t percent)
{
    uint64_t     count, rank, seen;
    ngx_uint_t   i;
    ngx_msec_t  *tops;

    count = wag_latency_count(buckets);

    if (count == 0) {
        return -1;
    }

    tops = wag_latency_tops;
    rank = (count * percent + 99) / 100;
    seen = 0;

    for (i = 0; i < WAG_LATENCY_BUCKETS - 1; i++) {
        seen += buckets[i];

        if (seen >= rank) {
            return i ? (tops[i - 1] + 1 + tops[i]) / 2 : 0;
        }
    }

    return tops[WAG_LATENCY_BUCKETS - 2];
}


uint64_t
wag_latency_count(wag_latency_t *buckets)
{
    uint64_t    count;
    ngx_uint_t  i;

    count = 0;

    for (i = 0; i < WAG_LATENCY_BUCKETS; i++) {
        count += buckets[i];
    }

    return count;
}


void
wag_latency_cumulate(wag_latency_t *buckets, uint64_t *counts)
{
    uint64_t    count;
    ngx_uint_t  i, n;

    count = 0;
    n = 0;

    for (i = 0; n < WAG_LATENCY_BOUNDS; i++) {
        count += buckets[i];

        if (wag_latency_tops[i] == wag_latency_bounds[n]) {
            counts[n++] = count;
        }
    }
}
