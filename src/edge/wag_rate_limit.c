
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_conf.h"
#include "wag_ctx.h"
#include "wag_json_response.h"
#include "wag_pacing.h"
#include "wag_rate_limit.h"


#define WAG_RATE_LIMIT_LEN  256


static u_char *wag_rate_limit_policy(u_char *p, const char *name,
    ngx_uint_t count, uint64_t period);
static u_char *wag_rate_limit_left(u_char *p, const char *name,
    ngx_uint_t left, ngx_msec_t msec);


ngx_int_t
wag_rate_limit_add(ngx_http_request_t *r)
{
    u_char            *p, *q;
    ngx_str_t          policy, left;
    wag_ctx_t         *ctx;
    wag_pace_t        *pace;
    wag_pacing_t      *pacing;
    wag_pace_view_t    view;
    wag_pace_claim_t   claim;
    static ngx_str_t   policy_name = ngx_string("RateLimit-Policy");
    static ngx_str_t   left_name = ngx_string("RateLimit");

    ctx = ngx_http_get_module_ctx(r, ngx_http_wa_gateway_module);

    if (ctx == NULL || ctx->pacing == NULL) {
        return NGX_OK;
    }

    pacing = ctx->pacing;
    pace = ctx->upstream->pace;

    claim = pacing->claim;

    if (pacing->refused) {
        claim.number = pacing->next;
    }

    if (claim.number == 0) {
        return NGX_OK;
    }

    wag_pacing_look(ctx, &claim, &view);

    policy.data = ngx_pnalloc(r->pool, 2 * WAG_RATE_LIMIT_LEN);
    if (policy.data == NULL) {
        return NGX_ERROR;
    }

    left.data = policy.data + WAG_RATE_LIMIT_LEN;

    p = policy.data;
    q = left.data;

    if (pace->number.interval) {
        p = wag_rate_limit_policy(p, "number", pace->count, pace->period);
        q = wag_rate_limit_left(q, "number", view.left, view.full);
    }

    if (pace->recipient.interval && claim.has_to) {
        p = wag_rate_limit_policy(p, "recipient", pace->to_count,
                                  pace->to_period);
        q = wag_rate_limit_left(q, "recipient", view.to_left, view.to_full);
    }

    if (pace->day) {
        p = wag_rate_limit_policy(p, "day", pace->day, WAG_BUCKET_DAY);
        q = wag_rate_limit_left(q, "day", view.day_left, view.day_next);
    }

    /* without the ", " at the end */

    policy.len = p - policy.data;
    left.len = q - left.data;

    if (policy.len == 0) {
        return NGX_OK;
    }

    policy.len -= 2;
    left.len -= 2;

    return (wag_json_response_header(r, &policy_name, &policy) == NGX_OK)
           ? wag_json_response_header(r, &left_name, &left) : NGX_ERROR;
}


static u_char *
wag_rate_limit_policy(u_char *p, const char *name, ngx_uint_t count,
    uint64_t period)
{
    return ngx_sprintf(p, "\"%s\";q=%ui;w=%uL, ", name, count,
                       period / 1000000);
}


static u_char *
wag_rate_limit_left(u_char *p, const char *name, ngx_uint_t left,
    ngx_msec_t msec)
{
    return ngx_sprintf(p, "\"%s\";r=%ui;t=%M, ", name, left,
                       (msec + 999) / 1000);
}
