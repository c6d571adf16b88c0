
/*
 * Copyright (C) the wa_gateway authors
 *
 * When an instance is checked.  Pure: the clock and chance are the caller's.
 * All times are in ms; moments are those of a clock that may wrap, as
 * ngx_current_msec does.  "random" is any number, as ngx_random() gives it.
 */


#ifndef _WAG_SCHEDULE_H_INCLUDED_
#define _WAG_SCHEDULE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * How long the n-th of "total" first checks waits: few are made at once, many
 * are spread over a second.
 */
ngx_msec_t wag_schedule_spread(ngx_uint_t n, ngx_uint_t total);

/*
 * The turn after a first check that passed: that of many lies anywhere within
 * the interval after this one, so that they never come in a herd again.
 */
ngx_msec_t wag_schedule_scatter(ngx_msec_t turn, ngx_msec_t interval,
    ngx_uint_t total, ngx_uint_t random);

/*
 * The turn of an instance whose schedule another worker kept before: "next",
 * but no later than an interval from now, nor earlier than now and "spread".
 */
ngx_msec_t wag_schedule_resume(ngx_msec_t next, ngx_msec_t interval,
    ngx_msec_t now, ngx_msec_t spread);

/*
 * The turn of an instance that traffic took out at the time now, when its
 * next one was due at "next".
 */
ngx_msec_t wag_schedule_soon(ngx_msec_t next, ngx_msec_t interval,
    ngx_msec_t now, ngx_uint_t random);

/*
 * The turn after a check that could not be made, for a local error.
 */
ngx_msec_t wag_schedule_fault(ngx_msec_t now, ngx_msec_t interval);

/*
 * The turn of an instance that is out, after "failures" checks in a row that
 * failed, the last of which began at "begun": the pause doubles with each, up
 * to the interval.
 */
ngx_msec_t wag_schedule_recheck(ngx_msec_t begun, ngx_msec_t interval,
    ngx_uint_t failures);

/*
 * By how much a check comes after its turn, at most "percent" of the interval.
 */
ngx_msec_t wag_schedule_jitter(ngx_msec_t interval, ngx_uint_t percent,
    ngx_uint_t random);


#endif /* _WAG_SCHEDULE_H_INCLUDED_ */
