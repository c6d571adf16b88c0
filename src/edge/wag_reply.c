
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_answer.h"
#include "wag_conf.h"
#include "wag_error.h"
#include "wag_idempotency.h"
#include "wag_json_text.h"
#include "wag_reply.h"
#include "wag_stored.h"


static ngx_int_t wag_reply_make(ngx_http_request_t *r, wag_ctx_t *ctx,
    ngx_chain_t **out);
static ngx_int_t wag_reply_text_of(ngx_http_request_t *r, wag_ctx_t *ctx,
    ngx_uint_t status, ngx_str_t *text);
static ngx_int_t wag_reply_short(ngx_http_request_t *r, wag_ctx_t *ctx,
    ngx_uint_t status);
static ngx_uint_t wag_reply_status(wag_ctx_t *ctx);
static ngx_int_t wag_reply_success(wag_ctx_t *ctx, ngx_str_t *text);
static u_char *wag_reply_number(u_char *p, uint64_t number);
static u_char *wag_reply_time(u_char *p, wag_upstream_t *us);
static ngx_int_t wag_reply_failure(ngx_http_request_t *r, wag_ctx_t *ctx,
    ngx_uint_t status, ngx_str_t *text);
static ngx_str_t *wag_reply_data(wag_generic_t *generic);
static ngx_int_t wag_reply_header(ngx_http_request_t *r, ngx_uint_t status,
    size_t len);


#define wag_reply_text(p, text)  ngx_cpymem(p, text, sizeof(text) - 1)


ngx_uint_t
wag_reply_takes(ngx_http_request_t *r)
{
    wag_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_wa_gateway_module);

    if (ctx == NULL
        || ctx->generic == NULL
        || ctx->generic->told
        || r->upstream == NULL
        || r->upstream->peer.sockaddr == NULL)
    {
        return 0;
    }

    ctx->generic->taken = 1;
    r->filter_need_in_memory = 1;

    return 1;
}


/*
 * ngx_http_upstream_finalize_request() sends what is last, or a flush where
 * the answer broke off, after it has freed the peer: what came of it is known
 * then.
 */

ngx_int_t
wag_reply_body(ngx_http_request_t *r, ngx_chain_t *in, ngx_chain_t **out)
{
    ngx_buf_t    *b;
    wag_ctx_t    *ctx;
    ngx_uint_t    end;
    ngx_chain_t  *cl;

    ctx = ngx_http_get_module_ctx(r, ngx_http_wa_gateway_module);

    end = 0;

    for (cl = in; cl; cl = cl->next) {
        b = cl->buf;

        if (ngx_buf_in_memory(b) && b->pos < b->last) {

            if (wag_answer_take(ctx, b->pos, b->last) != NGX_OK) {
                return NGX_ERROR;
            }

            b->pos = b->last;
        }

        end |= b->last_buf | b->flush;
    }

    if (!end || ctx->generic->told || r->upstream->peer.sockaddr) {
        return NGX_OK;
    }

    ctx->generic->told = 1;

    return (wag_reply_make(r, ctx, out) == NGX_OK) ? NGX_DONE : NGX_ERROR;
}


static ngx_int_t
wag_reply_make(ngx_http_request_t *r, wag_ctx_t *ctx, ngx_chain_t **out)
{
    ngx_buf_t    *b;
    ngx_int_t     rc;
    ngx_str_t     text;
    ngx_uint_t    status;
    ngx_chain_t  *cl;

    ngx_http_clean_header(r);

    status = wag_reply_status(ctx);

    rc = wag_reply_text_of(r, ctx, status, &text);

    if (rc == NGX_OK && wag_idempotency_is_open(ctx)
        && text.len > WAG_STORED_BODY_LEN)
    {
        rc = wag_reply_short(r, ctx, status);
    }

    b = ngx_calloc_buf(r->pool);
    cl = ngx_alloc_chain_link(r->pool);

    if (rc != NGX_OK || b == NULL || cl == NULL) {
        return NGX_ERROR;
    }

    b->pos = text.data;
    b->last = text.data + text.len;
    b->memory = 1;
    b->last_buf = 1;
    b->last_in_chain = 1;

    cl->buf = b;
    cl->next = NULL;

    *out = cl;

    return wag_reply_header(r, status, text.len);
}


static ngx_int_t
wag_reply_text_of(ngx_http_request_t *r, wag_ctx_t *ctx, ngx_uint_t status,
    ngx_str_t *text)
{
    return (ctx->generic->result == WAG_PROOF_SENT)
           ? wag_reply_success(ctx, text)
           : wag_reply_failure(r, ctx, status, text);
}


/* what a repeat gets, if all of it is too long to be kept */

static ngx_int_t
wag_reply_short(ngx_http_request_t *r, wag_ctx_t *ctx, ngx_uint_t status)
{
    u_char            *p;
    ngx_str_t          text;
    static ngx_str_t   end = ngx_string(",\"dataKept\":false}");

    ctx->generic->cut = 1;

    if (wag_reply_text_of(r, ctx, status, &text) != NGX_OK) {
        return NGX_ERROR;
    }

    p = ngx_pnalloc(r->pool, text.len + end.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ctx->idempotent->instead.data = p;

    /* in place of the brace at its end */

    p = ngx_cpymem(p, text.data, text.len - 1);
    p = ngx_cpymem(p, end.data, end.len);

    ctx->idempotent->instead.len = p - ctx->idempotent->instead.data;

    return NGX_OK;
}


/* the status of the answer; why it is no success is in ctx->refusal */

static ngx_uint_t
wag_reply_status(wag_ctx_t *ctx)
{
    switch (wag_answer_result(ctx)) {

    case WAG_PROOF_SENT:
        return NGX_HTTP_OK;

    case WAG_PROOF_SESSION:
        ctx->refusal = WAG_REFUSED_DOWN;
        return NGX_HTTP_SERVICE_UNAVAILABLE;

    case WAG_PROOF_MESSAGE:
        ctx->refusal = WAG_REFUSED_REJECTED;
        return 422;

    case WAG_PROOF_PACED:
        ctx->refusal = WAG_REFUSED_PACED;
        return NGX_HTTP_TOO_MANY_REQUESTS;

    default: /* WAG_PROOF_NONE */

        if (ctx->outcome == WAG_FAILED) {
            return (ctx->failure == WAG_TIMEOUT) ? NGX_HTTP_GATEWAY_TIME_OUT
                                                 : NGX_HTTP_BAD_GATEWAY;
        }

        ctx->refusal = WAG_REFUSED_UNCONFIRMED;
        return NGX_HTTP_BAD_GATEWAY;
    }
}


/* written at once: each message that was sent has it */

static ngx_int_t
wag_reply_success(wag_ctx_t *ctx, ngx_str_t *text)
{
    u_char     *p;
    size_t      size;
    ngx_str_t  *data, *shown, *name, *id;

    data = wag_reply_data(ctx->generic);
    id = &ctx->message_id;
    shown = &ctx->asked.shown;
    name = &ctx->server->name;

    size = sizeof("{'success':true,'data':,'messageId':'','session':'',"
                  "'number':'','instance':'','timestamp':''}")
           + data->len + 6 * (id->len + shown->len + name->len)
           + NGX_INT64_LEN + WAG_JSON_TIME_LEN;

    p = ngx_pnalloc(ctx->request->pool, size);
    if (p == NULL) {
        return NGX_ERROR;
    }

    text->data = p;

    p = wag_reply_text(p, "{\"success\":true,\"data\":");
    p = ngx_cpymem(p, data->data, data->len);
    p = wag_reply_text(p, ",\"messageId\":");
    p = wag_json_text_write(p, id);
    p = wag_reply_text(p, ",\"session\":");
    p = wag_json_text_write(p, shown);
    p = wag_reply_text(p, ",\"number\":");
    p = wag_reply_number(p, ctx->asked.number);
    p = wag_reply_text(p, ",\"instance\":");
    p = wag_json_text_write(p, name);
    p = wag_reply_text(p, ",\"timestamp\":");
    p = wag_reply_time(p, ctx->upstream);
    *p++ = '}';

    text->len = p - text->data;

    return NGX_OK;
}


static u_char *
wag_reply_number(u_char *p, uint64_t number)
{
    if (number == 0) {
        return wag_reply_text(p, "null");
    }

    *p++ = '"';
    p = wag_json_text_write_number(p, number);
    *p++ = '"';

    return p;
}


/* within a second only the milliseconds are others */

static u_char *
wag_reply_time(u_char *p, wag_upstream_t *us)
{
    uint64_t  now;

    now = wag_time();

    if (us->second != now / 1000) {
        us->second = now / 1000;
        us->moment_len = wag_json_text_write_time(us->moment, now)
                         - us->moment;
    }

    p = ngx_cpymem(p, us->moment, us->moment_len);

    p[-5] = (u_char) ('0' + now % 1000 / 100);
    p[-4] = (u_char) ('0' + now % 100 / 10);
    p[-3] = (u_char) ('0' + now % 10);

    return p;
}


/*
 * What a vendor says of its own fault may have the message in it, or a stack:
 * only what it refused or took for a success is passed on.
 */

static ngx_int_t
wag_reply_failure(ngx_http_request_t *r, wag_ctx_t *ctx, ngx_uint_t status,
    ngx_str_t *text)
{
    cJSON          *root;
    ngx_int_t       rc;
    wag_generic_t  *generic;

    generic = ctx->generic;

    if (generic->result == WAG_PROOF_NONE) {
        ctx->sent = WAG_SENT_UNKNOWN;
    }

    root = wag_error_object(r, ctx, status);
    rc = root ? NGX_OK : NGX_ERROR;

    if (root
        && (generic->result == WAG_PROOF_MESSAGE
            || (ctx->refusal == WAG_REFUSED_UNCONFIRMED
                && generic->status < NGX_HTTP_SPECIAL_RESPONSE))
        && cJSON_AddRawToObject(root, "data",
                                (char *) wag_reply_data(generic)->data)
           == NULL)
    {
        rc = NGX_ERROR;
    }

    if (rc == NGX_OK) {
        rc = wag_json_text_print(r->pool, root, text);
    }

    cJSON_Delete(root);

    return rc;
}


/*
 * As the vendor wrote it, if that is whole, JSON and not too long; with a NUL
 * behind.
 */

static ngx_str_t *
wag_reply_data(wag_generic_t *generic)
{
    static ngx_str_t  null = ngx_string("null");

    if (generic->cut || generic->data.len == 0 || !generic->proof.json) {
        return &null;
    }

    generic->data.data[generic->data.len] = '\0';

    return &generic->data;
}


static ngx_int_t
wag_reply_header(ngx_http_request_t *r, ngx_uint_t status, size_t len)
{
    r->headers_out.status = status;
    r->headers_out.status_line.len = 0;

    r->headers_out.content_type_len = sizeof("application/json") - 1;
    ngx_str_set(&r->headers_out.content_type, "application/json");
    r->headers_out.content_type_lowcase = NULL;
    ngx_str_set(&r->headers_out.charset, "utf-8");

    r->headers_out.content_length_n = len;

    return NGX_OK;
}
