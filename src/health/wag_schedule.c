
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_schedule.h"


#define WAG_SCHEDULE_QUICK   500   /* after a failure */
#define WAG_SCHEDULE_FAULT   1000  /* after a local error */
#define WAG_SCHEDULE_SPREAD  1000  /* of many first checks */
#define WAG_SCHEDULE_MANY    64    /* checks of a worker */


ngx_msec_t
wag_schedule_spread(ngx_uint_t n, ngx_uint_t total)
{
    if (total <= WAG_SCHEDULE_MANY) {
        return 0;
    }

    return n * WAG_SCHEDULE_SPREAD / total;
}


ngx_msec_t
wag_schedule_scatter(ngx_msec_t turn, ngx_msec_t interval, ngx_uint_t total,
    ngx_uint_t random)
{
    if (total <= WAG_SCHEDULE_MANY) {
        return turn + interval;
    }

    return turn + random % interval;
}


ngx_msec_t
wag_schedule_resume(ngx_msec_t next, ngx_msec_t interval, ngx_msec_t now,
    ngx_msec_t spread)
{
    ngx_msec_int_t  left;

    left = (ngx_msec_int_t) (next - now);

    if (left <= 0) {
        return now + spread;
    }

    return now + ngx_min((ngx_msec_t) left, interval);
}


ngx_msec_t
wag_schedule_soon(ngx_msec_t next, ngx_msec_t interval, ngx_msec_t now,
    ngx_uint_t random)
{
    ngx_msec_t      half, pause;
    ngx_msec_int_t  left;

    half = WAG_SCHEDULE_QUICK / 2;
    pause = ngx_min(half + random % half, interval);

    left = (ngx_msec_int_t) (next - now);

    /* a turn that has passed may still wait for its jitter to end */

    if (left > 0 && (ngx_msec_t) left < pause) {
        return next;
    }

    return now + pause;
}


ngx_msec_t
wag_schedule_fault(ngx_msec_t now, ngx_msec_t interval)
{
    return now + ngx_min(interval, WAG_SCHEDULE_FAULT);
}


ngx_msec_t
wag_schedule_recheck(ngx_msec_t begun, ngx_msec_t interval,
    ngx_uint_t failures)
{
    ngx_msec_t  pause;

    pause = WAG_SCHEDULE_QUICK;

    while (failures > 1 && pause < interval) {
        pause *= 2;
        failures--;
    }

    return begun + ngx_min(pause, interval);
}


ngx_msec_t
wag_schedule_jitter(ngx_msec_t interval, ngx_uint_t percent, ngx_uint_t random)
{
    return random % (interval * percent / 100 + 1);
}
