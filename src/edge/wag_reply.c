
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
static ngx_int_t wag_reply_short(ngx_http_request_t *r, wag_ctx_t *ctx,
    cJSON *root);
static ngx_uint_t wag_reply_status(wag_ctx_t *ctx);
static cJSON *wag_reply_object(ngx_http_request_t *r, wag_ctx_t *ctx,
    ngx_uint_t status);
static cJSON *wag_reply_success(wag_ctx_t *ctx);
static cJSON *wag_reply_number(cJSON *root, uint64_t number);
static cJSON *wag_reply_data(cJSON *root, wag_generic_t *generic);
static ngx_int_t wag_reply_header(ngx_http_request_t *r, ngx_uint_t status,
    size_t len);


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
    cJSON        *root;
    ngx_buf_t    *b;
    ngx_int_t     rc;
    ngx_str_t     text;
    ngx_uint_t    status;
    ngx_chain_t  *cl;

    ngx_http_clean_header(r);

    status = wag_reply_status(ctx);

    root = wag_reply_object(r, ctx, status);
    if (root == NULL) {
        return NGX_ERROR;
    }

    rc = wag_json_text_print(r->pool, root, &text);

    if (rc == NGX_OK && wag_idempotency_is_open(ctx)
        && text.len > WAG_STORED_BODY_LEN)
    {
        rc = wag_reply_short(r, ctx, root);
    }

    cJSON_Delete(root);

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


/* what a repeat gets, if all of it is too long to be kept */

static ngx_int_t
wag_reply_short(ngx_http_request_t *r, wag_ctx_t *ctx, cJSON *root)
{
    cJSON  *null;

    null = cJSON_CreateNull();

    if (!cJSON_ReplaceItemInObjectCaseSensitive(root, "data", null)) {
        cJSON_Delete(null);
        return NGX_ERROR;
    }

    if (cJSON_AddFalseToObject(root, "dataKept") == NULL) {
        return NGX_ERROR;
    }

    return wag_json_text_print(r->pool, root, &ctx->idempotent->instead);
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


/*
 * What a vendor says of its own fault may have the message in it, or a stack:
 * only what it refused or took for a success is passed on.
 */

static cJSON *
wag_reply_object(ngx_http_request_t *r, wag_ctx_t *ctx, ngx_uint_t status)
{
    cJSON          *root;
    wag_generic_t  *generic;

    generic = ctx->generic;

    if (generic->result == WAG_PROOF_SENT) {
        return wag_reply_success(ctx);
    }

    if (generic->result == WAG_PROOF_NONE) {
        ctx->sent = WAG_SENT_UNKNOWN;
    }

    root = wag_error_object(r, ctx, status);

    if (root
        && (generic->result == WAG_PROOF_MESSAGE
            || (ctx->refusal == WAG_REFUSED_UNCONFIRMED
                && generic->status < NGX_HTTP_SPECIAL_RESPONSE))
        && wag_reply_data(root, generic) == NULL)
    {
        cJSON_Delete(root);
        return NULL;
    }

    return root;
}


static cJSON *
wag_reply_success(wag_ctx_t *ctx)
{
    cJSON          *root;
    wag_generic_t  *generic;

    generic = ctx->generic;

    root = cJSON_CreateObject();

    if (cJSON_AddTrueToObject(root, "success") == NULL
        || wag_reply_data(root, generic) == NULL
        || wag_json_text_string(root, "messageId", ctx->message_id.data,
                                ctx->message_id.len)
           == NULL
        || wag_json_text_string(root, "session", ctx->asked.shown.data,
                                ctx->asked.shown.len)
           == NULL
        || wag_reply_number(root, ctx->asked.number) == NULL
        || wag_json_text_string(root, "instance", ctx->peer->name.data,
                                ctx->peer->name.len)
           == NULL
        || wag_json_text_time(root, "timestamp", wag_time()) == NULL)
    {
        cJSON_Delete(root);
        return NULL;
    }

    return root;
}


static cJSON *
wag_reply_number(cJSON *root, uint64_t number)
{
    u_char     buf[NGX_INT64_LEN];
    ngx_str_t  text;

    text.data = buf;
    text.len = number ? ngx_sprintf(buf, "%uL", number) - buf : 0;

    return wag_json_text_or_null(root, "number", &text);
}


/* as the vendor wrote it, if that is whole, JSON and not too long */

static cJSON *
wag_reply_data(cJSON *root, wag_generic_t *generic)
{
    if (generic->cut || generic->len == 0 || !generic->proof.json) {
        return cJSON_AddNullToObject(root, "data");
    }

    generic->data[generic->len] = '\0';

    return cJSON_AddRawToObject(root, "data", (char *) generic->data);
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
