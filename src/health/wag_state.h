
/*
 * Copyright (C) the wa_gateway authors
 */


#ifndef _WAG_STATE_H_INCLUDED_
#define _WAG_STATE_H_INCLUDED_


#include "wag_health.h"


#define WAG_PASS    0    /* a check passed */
#define WAG_FAIL    1    /* a check failed */
#define WAG_OK      2    /* traffic was answered */
#define WAG_STATUS  3    /* with a status that counts */
#define WAG_ERROR   4    /* traffic met a transport failure */
#define WAG_TICK    5    /* time went by */
#define WAG_MOVED   6    /* it is found at other addresses */


/*
 * The state of an instance that was not known before.
 */
void wag_state_init(wag_health_t *h, wag_policy_t *policy);

/*
 * Takes one event at the time now, in monotonic ms, and moves h.  "last" says
 * that no other instance is up: then no status takes this one out.  Returns 1
 * if the state changed, 0 otherwise.
 */
ngx_uint_t wag_state_event(wag_health_t *h, wag_policy_t *policy,
    ngx_uint_t event, ngx_uint_t last, ngx_msec_t now);

/*
 * Tells if at the time now, in monotonic ms, an ejection or a slow start has
 * ended: TICK may move h then, and not before.
 */
ngx_uint_t wag_state_is_over(wag_health_t *h, wag_policy_t *policy,
    ngx_msec_t now);

/*
 * The share of its weight that an instance takes at the time now, in tenths:
 * 10, and from 1 to 10 during a slow start.
 */
ngx_uint_t wag_state_share(wag_health_t *h, wag_policy_t *policy,
    ngx_msec_t now);


extern ngx_str_t  wag_states[WAG_STATES + 1];


#endif /* _WAG_STATE_H_INCLUDED_ */
