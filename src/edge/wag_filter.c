
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_capture.h"
#include "wag_conf.h"
#include "wag_ctx.h"
#include "wag_envelope.h"
#include "wag_error.h"
#include "wag_filter.h"
#include "wag_generic.h"
#include "wag_rate_limit.h"
#include "wag_replay.h"
#include "wag_reply.h"


static ngx_int_t wag_filter_header(ngx_http_request_t *r);
static ngx_uint_t wag_filter_refused(ngx_http_request_t *r);
static ngx_int_t wag_filter_reply(ngx_http_request_t *r, ngx_chain_t *in);
static ngx_int_t wag_filter_body(ngx_http_request_t *r, ngx_chain_t *in);
static ngx_int_t wag_filter_captured(ngx_http_request_t *r, ngx_chain_t *in);
static ngx_int_t wag_filter_remade(ngx_http_request_t *r, ngx_chain_t *in,
    wag_ctx_t *ctx);


/*
 * Whether "error_page" may have led here from a send: then this is the answer
 * to that.
 */

#define wag_filter_led(r)  ((r)->internal || (r)->filter_finalize)


/* the chain of filters is the same for all of a process, as in nginx */

static ngx_http_output_header_filter_pt  ngx_http_next_header_filter;
static ngx_http_output_body_filter_pt    ngx_http_next_body_filter;


void
wag_filter_init(void)
{
    ngx_http_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = wag_filter_header;

    ngx_http_next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = wag_filter_body;
}


static ngx_int_t
wag_filter_header(ngx_http_request_t *r)
{
    ngx_int_t        rc;
    wag_ctx_t       *ctx;
    wag_loc_conf_t  *wlcf;

    if (r != r->main) {
        return ngx_http_next_header_filter(r);
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_wa_gateway_module);
    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wa_gateway_module);

    if (r->err_status) {

        rc = (ctx && ctx->idempotent) ? wag_replay_header(r) : NGX_DECLINED;

        if (rc == NGX_DECLINED && (wlcf->errors || wag_filter_refused(r))) {
            rc = wag_error_header(r);
        }

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }

    } else if (ctx && ctx->generic && wag_reply_takes(r)) {
        return NGX_OK;

    } else if (wlcf->envelope && wag_envelope_header(r) != NGX_OK) {
        return NGX_ERROR;
    }

    /* an error may have made a context, which has no pacing */

    if (ctx && ctx->pacing && wag_rate_limit_add(r) != NGX_OK) {
        return NGX_ERROR;
    }

    if ((ctx ? ctx->idempotent != NULL : wag_filter_led(r))
        && wag_capture_header(r) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_next_header_filter(r);
}


/* the gateway's own refusals are told as what they are in any case */

static ngx_uint_t
wag_filter_refused(ngx_http_request_t *r)
{
    wag_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_wa_gateway_module);

    return ctx && ctx->refusal != WAG_REFUSED_NOT;
}


/* a header that was held back goes before the body */

static ngx_int_t
wag_filter_reply(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_int_t     rc;
    wag_ctx_t    *ctx;
    ngx_chain_t  *out;

    ctx = ngx_http_get_module_ctx(r, ngx_http_wa_gateway_module);

    rc = wag_reply_body(r, in, &out);

    if (rc != NGX_DONE) {
        return rc;
    }

    if (wag_rate_limit_add(r) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ctx->idempotent) {

        if (wag_capture_header(r) != NGX_OK) {
            return NGX_ERROR;
        }

        wag_capture_body(r, out);
    }

    rc = ngx_http_next_header_filter(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    return ngx_http_next_body_filter(r, out);
}


static ngx_int_t
wag_filter_body(ngx_http_request_t *r, ngx_chain_t *in)
{
    wag_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_wa_gateway_module);

    if (ctx == NULL || in == NULL) {
        return (in && r == r->main && wag_filter_led(r))
               ? wag_filter_captured(r, in)
               : ngx_http_next_body_filter(r, in);
    }

    if (ctx->generic && ctx->generic->taken) {
        return wag_filter_reply(r, in);
    }

    if (ctx->body.len || ctx->wrap) {
        return wag_filter_remade(r, in, ctx);
    }

    return ctx->idempotent ? wag_filter_captured(r, in)
                           : ngx_http_next_body_filter(r, in);
}


static ngx_int_t
wag_filter_captured(ngx_http_request_t *r, ngx_chain_t *in)
{
    wag_capture_body(r, in);

    return ngx_http_next_body_filter(r, in);
}


static ngx_int_t
wag_filter_remade(ngx_http_request_t *r, ngx_chain_t *in, wag_ctx_t *ctx)
{
    ngx_int_t     rc;
    ngx_chain_t  *out;

    rc = ctx->body.len ? wag_error_body(r, in, &out)
                       : wag_envelope_body(r, in, &out);

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    if (out == NULL) {
        return NGX_OK;
    }

    return ctx->idempotent ? wag_filter_captured(r, out)
                           : ngx_http_next_body_filter(r, out);
}
