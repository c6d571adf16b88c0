
/*
 * Copyright (C) the wa_gateway authors
 *
 * A histogram of times, from 0 ms to 2 minutes, in steps of at most a tenth:
 * the middle of a bucket is within 5 % of whatever fell into it.
 */


#ifndef _WAG_LATENCY_H_INCLUDED_
#define _WAG_LATENCY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* the last one is for what took longer */

#define WAG_LATENCY_BUCKETS  118

/* of Prometheus, without +Inf; each is the upper bound of a bucket */

#define WAG_LATENCY_BOUNDS   13


typedef uint32_t  wag_latency_t;


/*
 * The bucket of a time in ms.
 */
ngx_uint_t wag_latency_bucket(ngx_msec_t msec);

/*
 * The time in ms that this share of all, in percent, did not exceed; -1 if
 * there is nothing yet.
 */
ngx_msec_int_t wag_latency_percentile(wag_latency_t *buckets,
    ngx_uint_t percent);

/*
 * How many there are.
 */
uint64_t wag_latency_count(wag_latency_t *buckets);

/*
 * How many took no longer than each of the bounds.
 */
void wag_latency_cumulate(wag_latency_t *buckets, uint64_t *counts);


extern ngx_msec_t  wag_latency_bounds[WAG_LATENCY_BOUNDS];


#endif /* _WAG_LATENCY_H_INCLUDED_ */
