
/*
 * Copyright (C) the wa_gateway authors
 */


#include "ngx_http_wa_gateway_module.h"
#include "ngx_http_wa_gateway_health.h"


static ngx_uint_t ngx_http_wa_gateway_health_up(
    ngx_http_wa_gateway_health_t *h, ngx_http_wa_gateway_policy_t *policy,
    ngx_msec_t now);
static ngx_uint_t ngx_http_wa_gateway_health_down(
    ngx_http_wa_gateway_health_t *h, ngx_http_wa_gateway_policy_t *policy,
    ngx_msec_t now);
static ngx_uint_t ngx_http_wa_gateway_health_tick(
    ngx_http_wa_gateway_health_t *h, ngx_http_wa_gateway_policy_t *policy,
    ngx_msec_t now);


ngx_str_t  ngx_http_wa_gateway_states[NGX_HTTP_WA_GATEWAY_STATES] = {
    ngx_string("up"),
    ngx_string("slow_start"),
    ngx_string("checking"),
    ngx_string("down"),
    ngx_string("draining")
};


void
ngx_http_wa_gateway_health_init(ngx_http_wa_gateway_health_t *h,
    ngx_http_wa_gateway_policy_t *policy)
{
    ngx_memzero(h, sizeof(ngx_http_wa_gateway_health_t));

    h->state = (policy->checked && policy->mandatory)
               ? NGX_HTTP_WA_GATEWAY_CHECKING : NGX_HTTP_WA_GATEWAY_UP;
}


ngx_uint_t
ngx_http_wa_gateway_health_event(ngx_http_wa_gateway_health_t *h,
    ngx_http_wa_gateway_policy_t *policy, ngx_uint_t event, ngx_uint_t last,
    ngx_msec_t now)
{
    ngx_uint_t  up;

    up = (h->state <= NGX_HTTP_WA_GATEWAY_SLOW_START);

    switch (event) {

    case NGX_HTTP_WA_GATEWAY_PASS:
        h->fails = 0;
        h->passes++;

        if (!up && h->passes >= policy->passes) {
            return ngx_http_wa_gateway_health_up(h, policy, now);
        }

        return 0;

    case NGX_HTTP_WA_GATEWAY_FAIL:
        h->passes = 0;
        h->fails++;

        if (h->state == NGX_HTTP_WA_GATEWAY_CHECKING
            || (up && h->fails >= policy->fails))
        {
            return ngx_http_wa_gateway_health_down(h, policy, now);
        }

        return 0;

    case NGX_HTTP_WA_GATEWAY_OK:
        h->errors = 0;
        h->statuses = 0;
        return 0;

    case NGX_HTTP_WA_GATEWAY_STATUS:
        h->errors = 0;
        h->statuses++;

        if (up && !last && policy->status_fails
            && h->statuses >= policy->status_fails)
        {
            return ngx_http_wa_gateway_health_down(h, policy, now);
        }

        return 0;

    case NGX_HTTP_WA_GATEWAY_ERROR:
        h->errors++;

        if (up && policy->error_fails && h->errors >= policy->error_fails) {
            return ngx_http_wa_gateway_health_down(h, policy, now);
        }

        return 0;

    default: /* NGX_HTTP_WA_GATEWAY_TICK */
        return ngx_http_wa_gateway_health_tick(h, policy, now);
    }
}


static ngx_uint_t
ngx_http_wa_gateway_health_up(ngx_http_wa_gateway_health_t *h,
    ngx_http_wa_gateway_policy_t *policy, ngx_msec_t now)
{
    h->fails = 0;
    h->errors = 0;
    h->statuses = 0;

    if (policy->slow_start) {
        h->state = NGX_HTTP_WA_GATEWAY_SLOW_START;
        h->until = now + policy->slow_start;

    } else {
        h->state = NGX_HTTP_WA_GATEWAY_UP;
    }

    return 1;
}


static ngx_uint_t
ngx_http_wa_gateway_health_down(ngx_http_wa_gateway_health_t *h,
    ngx_http_wa_gateway_policy_t *policy, ngx_msec_t now)
{
    h->passes = 0;
    h->until = now + policy->eject;
    h->state = NGX_HTTP_WA_GATEWAY_DOWN;

    return 1;
}


static ngx_uint_t
ngx_http_wa_gateway_health_tick(ngx_http_wa_gateway_health_t *h,
    ngx_http_wa_gateway_policy_t *policy, ngx_msec_t now)
{
    ngx_uint_t  over;

    over = ngx_http_wa_gateway_health_over(h, policy, now);

    switch (h->state) {

    case NGX_HTTP_WA_GATEWAY_SLOW_START:

        if (over) {
            h->state = NGX_HTTP_WA_GATEWAY_UP;
            return 1;
        }

        return 0;

    case NGX_HTTP_WA_GATEWAY_CHECKING:
    case NGX_HTTP_WA_GATEWAY_DOWN:

        /* with checks, only a check that passes brings an instance back */

        if (!policy->checked
            && (over || h->state == NGX_HTTP_WA_GATEWAY_CHECKING))
        {
            return ngx_http_wa_gateway_health_up(h, policy, now);
        }

        return 0;

    default:
        return 0;
    }
}


ngx_uint_t
ngx_http_wa_gateway_health_over(ngx_http_wa_gateway_health_t *h,
    ngx_http_wa_gateway_policy_t *policy, ngx_msec_t now)
{
    /* a reload may have taken the slow start away */

    if (h->state == NGX_HTTP_WA_GATEWAY_SLOW_START && policy->slow_start == 0)
    {
        return 1;
    }

    return (ngx_msec_int_t) (now - h->until) >= 0;
}


ngx_uint_t
ngx_http_wa_gateway_health_share(ngx_http_wa_gateway_health_t *h,
    ngx_http_wa_gateway_policy_t *policy, ngx_msec_t now)
{
    ngx_msec_int_t  left;

    if (h->state != NGX_HTTP_WA_GATEWAY_SLOW_START) {
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
