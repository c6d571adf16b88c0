
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_conf.h"
#include "wag_ctx.h"
#include "wag_json_response.h"
#include "wag_json_text.h"
#include "wag_pacing.h"
#include "wag_rate_limit.h"


#define WAG_RATE_LIMIT_LEN  256

#define wag_rate_limit_text(p, text)  ngx_cpymem(p, text, sizeof(text) - 1)


static u_char *wag_rate_limit_left(u_char *p, ngx_uint_t left,
    ngx_msec_t msec);


ngx_int_t
wag_rate_limit_add(ngx_http_request_t *r)
{
    u_char            *p;
    ngx_str_t          left, *policy;
    wag_ctx_t         *ctx;
    wag_pace_t        *pace;
    ngx_uint_t         to;
    wag_pace_view_t    view;
    static ngx_str_t   policy_name = ngx_string("RateLimit-Policy");
    static ngx_str_t   left_name = ngx_string("RateLimit");

    ctx = ngx_http_get_module_ctx(r, ngx_http_wa_gateway_module);

    if (ctx == NULL || ctx->pacing == NULL) {
        return NGX_OK;
    }

    pace = ctx->upstream->pace;

    if (!wag_pacing_look(ctx, &view)) {
        return NGX_OK;
    }

    to = (pace->recipient.interval && ctx->pacing->claim.has_to);

    left.data = ngx_pnalloc(r->pool, WAG_RATE_LIMIT_LEN);
    if (left.data == NULL) {
        return NGX_ERROR;
    }

    p = left.data;
    policy = to ? &pace->to_policy : &pace->policy;

    if (pace->number.interval) {
        p = wag_rate_limit_text(p, "\"number\";r=");
        p = wag_rate_limit_left(p, view.left, view.full);
    }

    if (to) {
        p = wag_rate_limit_text(p, "\"recipient\";r=");
        p = wag_rate_limit_left(p, view.to_left, view.to_full);
    }

    if (pace->day) {
        p = wag_rate_limit_text(p, "\"day\";r=");
        p = wag_rate_limit_left(p, view.day_left, view.day_next);
    }

    if (p == left.data) {
        return NGX_OK;
    }

    /* without the ", " at the end */

    left.len = p - left.data - 2;

    return (wag_json_response_header(r, &policy_name, policy) == NGX_OK)
           ? wag_json_response_header(r, &left_name, &left) : NGX_ERROR;
}


static u_char *
wag_rate_limit_left(u_char *p, ngx_uint_t left, ngx_msec_t msec)
{
    p = wag_json_text_write_number(p, left);
    *p++ = ';'; *p++ = 't'; *p++ = '=';
    p = wag_json_text_write_number(p, (msec + 999) / 1000);
    *p++ = ','; *p++ = ' ';

    return p;
}
