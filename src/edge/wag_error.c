
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_check.h"
#include "wag_conf.h"
#include "wag_ctx.h"
#include "wag_error.h"
#include "wag_error_table.h"
#include "wag_generic.h"
#include "wag_idempotency.h"
#include "wag_json_response.h"
#include "wag_json_text.h"
#include "wag_pacing.h"


#define WAG_RETRY_AFTER      5    /* s, at most, with checks */
#define WAG_IN_FLIGHT_AFTER  1    /* s, most sends have ended then */
#define WAG_FULL_AFTER       60   /* s, until marks may have expired */


static ngx_uint_t wag_error_builtin(ngx_http_request_t *r);
static void wag_error_status(ngx_http_request_t *r, wag_ctx_t *ctx);
static ngx_int_t wag_error_make(ngx_http_request_t *r, wag_ctx_t *ctx);
static ngx_int_t wag_error_headers(ngx_http_request_t *r, wag_ctx_t *ctx,
    wag_error_t *error);
static ngx_uint_t wag_error_is_passing(wag_ctx_t *ctx, wag_error_t *error);
static wag_error_t *wag_error_find(wag_ctx_t *ctx, ngx_uint_t status);
static wag_error_t *wag_error_details(wag_ctx_t *ctx, ngx_uint_t status);
static ngx_uint_t wag_error_unavailable(wag_ctx_t *ctx, ngx_uint_t status);
static ngx_msec_t wag_error_pause(wag_ctx_t *ctx);
static ngx_int_t wag_error_retry_after(ngx_http_request_t *r, wag_ctx_t *ctx);


ngx_int_t
wag_error_header(ngx_http_request_t *r)
{
    wag_ctx_t  *ctx;

    if (r->err_status < NGX_HTTP_BAD_REQUEST || !wag_error_builtin(r)) {
        return NGX_OK;
    }

    ctx = wag_ctx_get(r);
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    wag_ctx_others(ctx);
    wag_error_status(r, ctx);

    if (wag_error_make(r, ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    r->headers_out.content_type_len = sizeof("application/json") - 1;
    ngx_str_set(&r->headers_out.content_type, "application/json");
    r->headers_out.content_type_lowcase = NULL;
    ngx_str_set(&r->headers_out.charset, "utf-8");

    ngx_http_clear_content_length(r);
    r->headers_out.content_length_n = ctx->body.len;

    return NGX_OK;
}


/*
 * Whether the answer is a page of ngx_http_special_response_handler(), and
 * not that of an instance, which is asked until the answer is sent, nor that
 * of a location "error_page" led to.  r->error_page alone does not tell: it
 * is set where none of the configured pages matches, too.  A redirect clears
 * the contexts, so one that is there was made in this very location.
 */

static ngx_uint_t
wag_error_builtin(ngx_http_request_t *r)
{
    if (r->upstream && r->upstream->peer.sockaddr) {
        return 0;
    }

    return !r->error_page
           || !r->internal
           || ngx_http_get_module_ctx(r, ngx_http_wa_gateway_module);
}


/*
 * nginx has but 500 for a request that a balancer refuses, and 502 for one
 * that has no peer: with none to ask it is 503, and after attempts it is what
 * came of the last.
 */

static void
wag_error_status(ngx_http_request_t *r, wag_ctx_t *ctx)
{
    if (ctx->refusal) {
        r->err_status = wag_error_of_refusal(ctx->refusal)->status;
        r->keepalive |= ctx->keepalive;

    } else if ((!ctx->refused && !ctx->barred)
               || r->err_status != NGX_HTTP_BAD_GATEWAY)
    {
        return;

    } else if (ctx->refused && ctx->attempts == 0) {
        r->err_status = NGX_HTTP_SERVICE_UNAVAILABLE;

    } else if (ctx->outcome == WAG_FAILED && ctx->failure == WAG_TIMEOUT) {
        r->err_status = NGX_HTTP_GATEWAY_TIME_OUT;
    }

    r->headers_out.status = r->err_status;
    r->headers_out.status_line.len = 0;
}


static ngx_int_t
wag_error_make(ngx_http_request_t *r, wag_ctx_t *ctx)
{
    cJSON      *root;
    ngx_int_t   rc;

    root = wag_error_object(r, ctx, r->err_status);
    if (root == NULL) {
        return NGX_ERROR;
    }

    rc = wag_json_text_print(r->pool, root, &ctx->body);

    cJSON_Delete(root);

    return rc;
}


cJSON *
wag_error_object(ngx_http_request_t *r, wag_ctx_t *ctx, ngx_uint_t status)
{
    cJSON           *root;
    ngx_uint_t       ar;
    wag_error_t     *error, *details;
    wag_loc_conf_t  *wlcf;

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wa_gateway_module);

    ar = (wlcf->errors == WAG_LANG_AR);

    error = wag_error_find(ctx, status);
    details = wag_error_details(ctx, status);

    if (wag_error_headers(r, ctx, error) != NGX_OK) {
        return NULL;
    }

    root = cJSON_CreateObject();

    if (cJSON_AddFalseToObject(root, "success") == NULL
        || cJSON_AddStringToObject(root, "error", ar ? error->ar : error->en)
           == NULL
        || cJSON_AddStringToObject(root, "code", error->code) == NULL
        || cJSON_AddStringToObject(root, "details",
                                   ar ? details->ar : details->en) == NULL
        || cJSON_AddStringToObject(root, "sent",
                                   ctx->sent == WAG_SENT_NO ? "no"
                                                         : "unknown") == NULL
        || (ctx->refusal == WAG_REFUSED_BAD
            && (wag_json_text_string(root, "member", ctx->member.data,
                                     ctx->member.len)
                == NULL
                || (ctx->generic && ctx->generic->message->error
                    && cJSON_AddStringToObject(root, "reason",
                                               ctx->generic->message->error)
                       == NULL))))
    {
        cJSON_Delete(root);
        return NULL;
    }

    return root;
}


static ngx_int_t
wag_error_headers(ngx_http_request_t *r, wag_ctx_t *ctx, wag_error_t *error)
{
    static ngx_str_t  allow = ngx_string("Allow");
    static ngx_str_t  post = ngx_string("POST");

    if (wag_error_is_passing(ctx, error)) {
        return wag_error_retry_after(r, ctx);
    }

    if (ctx->refusal == WAG_REFUSED_METHOD) {
        return wag_json_response_header(r, &allow, &post);
    }

    return NGX_OK;
}


/* over after a while */

static ngx_uint_t
wag_error_is_passing(wag_ctx_t *ctx, wag_error_t *error)
{
    return error == &wag_no_instances
           || ctx->refusal == WAG_REFUSED_IN_FLIGHT
           || (ctx->refusal
               && (error->status == NGX_HTTP_SERVICE_UNAVAILABLE
                   || error->status == NGX_HTTP_TOO_MANY_REQUESTS));
}


static wag_error_t *
wag_error_find(wag_ctx_t *ctx, ngx_uint_t status)
{
    if (ctx->refusal) {
        return wag_error_of_refusal(ctx->refusal);
    }

    return wag_error_unavailable(ctx, status) ? &wag_no_instances
                                              : wag_error_of_status(status);
}


static wag_error_t *
wag_error_details(wag_ctx_t *ctx, ngx_uint_t status)
{
    ngx_uint_t  n;

    if (ctx->refusal == WAG_REFUSED_IN_FLIGHT) {
        n = WAG_DETAILS_IN_FLIGHT;

    } else if (ctx->idempotent && ctx->idempotent->known
               && ctx->idempotent->status == 0)
    {
        n = WAG_DETAILS_LOST;

    } else if (ctx->sent != WAG_SENT_NO) {
        n = (status == NGX_HTTP_GATEWAY_TIME_OUT) ? WAG_DETAILS_TIMEOUT
            : (ctx->refusal == WAG_REFUSED_UNCONFIRMED)
              ? WAG_DETAILS_UNCONFIRMED
            : ctx->barred ? WAG_DETAILS_BARRED : WAG_DETAILS_BROKEN;

    } else if (ctx->refusal) {
        n = WAG_DETAILS_NOT_SENT;

    } else if (wag_error_unavailable(ctx, status)) {
        n = WAG_DETAILS_NO_INSTANCE;

    } else {
        n = ctx->attempts ? WAG_DETAILS_NO_CONNECT : WAG_DETAILS_NOT_SENT;
    }

    return &wag_details[n];
}


static ngx_uint_t
wag_error_unavailable(wag_ctx_t *ctx, ngx_uint_t status)
{
    return status == NGX_HTTP_SERVICE_UNAVAILABLE
           && ctx->refused && ctx->attempts == 0;
}


static ngx_int_t
wag_error_retry_after(ngx_http_request_t *r, wag_ctx_t *ctx)
{
    ngx_str_t         value;
    ngx_msec_int_t    msec;
    wag_upstream_t   *us;
    static ngx_str_t  name = ngx_string("Retry-After");

    us = ctx->upstream;
    msec = 0;

    if (ctx->refusal == WAG_REFUSED_PACED) {
        msec = wag_error_pause(ctx);

    } else if (ctx->refusal == WAG_REFUSED_IN_FLIGHT) {
        msec = WAG_IN_FLIGHT_AFTER * 1000;

    } else if (ctx->refusal == WAG_REFUSED_STORE_FULL) {
        msec = WAG_FULL_AFTER * 1000;

    } else if (us->check) {
        msec = ngx_min(us->check->interval, WAG_RETRY_AFTER * 1000);

    } else if (us->ticks) {
        msec = (ngx_msec_int_t) (us->tick_due - ngx_current_msec);
    }

    value.data = ngx_pnalloc(r->pool, NGX_INT_T_LEN);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    value.len = ngx_sprintf(value.data, "%i",
                            (ngx_int_t) ngx_max((msec + 999) / 1000, 1))
                - value.data;

    return wag_json_response_header(r, &name, &value);
}


/* of a throttled number, as its server said or as is left of that */

static ngx_msec_t
wag_error_pause(wag_ctx_t *ctx)
{
    if (ctx->pacing && ctx->pacing->refused) {
        return ctx->pacing->wait;
    }

    return (ctx->generic && ctx->generic->pause)
           ? ctx->generic->pause * 1000
           : ctx->routing->judgement.choice.wait;
}


ngx_int_t
wag_error_body(ngx_http_request_t *r, ngx_chain_t *in, ngx_chain_t **out)
{
    ngx_buf_t    *b;
    wag_ctx_t    *ctx;
    ngx_chain_t  *cl;

    ctx = ngx_http_get_module_ctx(r, ngx_http_wa_gateway_module);

    for (cl = in; cl; cl = cl->next) {
        cl->buf->pos = cl->buf->last;
    }

    b = ngx_calloc_buf(r->pool);
    *out = ngx_alloc_chain_link(r->pool);

    if (b == NULL || *out == NULL) {
        return NGX_ERROR;
    }

    b->pos = ctx->body.data;
    b->last = ctx->body.data + ctx->body.len;
    b->memory = 1;
    b->last_buf = 1;
    b->last_in_chain = 1;

    (*out)->buf = b;
    (*out)->next = NULL;

    /* nginx gives an error page in one piece */

    ctx->body.len = 0;

    return NGX_OK;
}
