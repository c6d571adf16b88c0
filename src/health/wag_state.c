
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_health.h"
#include "wag_state.h"


static ngx_uint_t wag_state_up(wag_health_t *h, wag_policy_t *policy,
    ngx_msec_t now);
static ngx_uint_t wag_state_down(wag_health_t *h, wag_policy_t *policy,
    ngx_msec_t now);
static ngx_uint_t wag_state_tick(wag_health_t *h, wag_policy_t *policy,
    ngx_msec_t now);


ngx_str_t  wag_states[WAG_STATES + 1] = {
    ngx_string("up"),
    ngx_string("slow_start"),
    ngx_string("checking"),
    ngx_string("down"),
    ngx_string("draining"),
    ngx_null_string
};


void
wag_state_init(wag_health_t *h, wag_policy_t *policy)
{
    ngx_memzero(h, sizeof(wag_health_t));

    h->state = (policy->checked && policy->mandatory) ? WAG_CHECKING : WAG_UP;
}


ngx_uint_t
wag_state_event(wag_health_t *h, wag_policy_t *policy, ngx_uint_t event,
    ngx_uint_t last, ngx_msec_t now)
{
    ngx_uint_t  up;

    up = (h->state <= WAG_SLOW_START);

    switch (event) {

    case WAG_PASS:
        h->fails = 0;
        h->passes++;

        if (!up && h->passes >= policy->passes) {
            return wag_state_up(h, policy, now);
        }

        return 0;

    case WAG_FAIL:
        h->passes = 0;
        h->fails++;

        if (h->state == WAG_CHECKING || (up && h->fails >= policy->fails)) {
            return wag_state_down(h, policy, now);
        }

        return 0;

    case WAG_OK:
        h->errors = 0;
        h->statuses = 0;
        return 0;

    case WAG_STATUS:
        h->errors = 0;
        h->statuses++;

        if (up && !last && policy->status_fails
            && h->statuses >= policy->status_fails)
        {
            return wag_state_down(h, policy, now);
        }

        return 0;

    case WAG_ERROR:
        h->errors++;

        if (up && policy->error_fails && h->errors >= policy->error_fails) {
            return wag_state_down(h, policy, now);
        }

        return 0;

    case WAG_MOVED:
        h->fails = 0;
        h->errors = 0;
        h->statuses = 0;

        /* with checks, only one that passes brings it back, and soon */

        return (up || policy->checked) ? 0 : wag_state_up(h, policy, now);

    default: /* WAG_TICK */
        return wag_state_tick(h, policy, now);
    }
}


static ngx_uint_t
wag_state_up(wag_health_t *h, wag_policy_t *policy, ngx_msec_t now)
{
    h->fails = 0;
    h->errors = 0;
    h->statuses = 0;

    if (policy->slow_start) {
        h->state = WAG_SLOW_START;
        h->until = now + policy->slow_start;

    } else {
        h->state = WAG_UP;
    }

    return 1;
}


static ngx_uint_t
wag_state_down(wag_health_t *h, wag_policy_t *policy, ngx_msec_t now)
{
    h->passes = 0;
    h->until = now + policy->eject;
    h->state = WAG_DOWN;

    return 1;
}


static ngx_uint_t
wag_state_tick(wag_health_t *h, wag_policy_t *policy, ngx_msec_t now)
{
    ngx_uint_t  over;

    over = wag_state_is_over(h, policy, now);

    switch (h->state) {

    case WAG_SLOW_START:

        if (over) {
            h->state = WAG_UP;
            return 1;
        }

        return 0;

    case WAG_CHECKING:
    case WAG_DOWN:

        /* with checks, only a check that passes brings an instance back */

        if (!policy->checked && (over || h->state == WAG_CHECKING)) {
            return wag_state_up(h, policy, now);
        }

        return 0;

    default:
        return 0;
    }
}


ngx_uint_t
wag_state_is_over(wag_health_t *h, wag_policy_t *policy, ngx_msec_t now)
{
    /* a reload may have taken the slow start away */

    if (h->state == WAG_SLOW_START && policy->slow_start == 0)
    {
        return 1;
    }

    return (ngx_msec_int_t) (now - h->until) >= 0;
}


ngx_uint_t
wag_state_share(wag_health_t *h, wag_policy_t *policy, ngx_msec_t now)
{
    ngx_msec_int_t  left;

    if (h->state != WAG_SLOW_START) {
        return 10;
    }

    left = (ngx_msec_int_t) (h->until - now);

    if (left <= 0 || policy->slow_start == 0) {
        return 10;
    }

    if ((ngx_msec_t) left >= policy->slow_start) {
        return 1;
    }

    return 1 + 9 * (policy->slow_start - left) / policy->slow_start;
}
