
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_arrival.h"
#include "wag_body_chain.h"
#include "wag_body_names.h"


#if (WAG_BODY_VALUE_LEN != WAG_SESSION_NAME_LEN)
#error "a session's name has other lengths in a body"
#endif


static wag_body_t *wag_body_names_scan(wag_ctx_t *ctx, wag_head_t *head,
    wag_body_names_t *names);
static ngx_int_t wag_body_names_chain(wag_ctx_t *ctx, wag_head_t *head,
    wag_body_t *body);
static ngx_int_t wag_body_names_piece(void *data, u_char *pos, u_char *last);
static void wag_body_names_found(wag_ctx_t *ctx, wag_body_t *body,
    wag_body_names_t *names);
static void wag_body_names_bad(wag_ctx_t *ctx, wag_body_names_t *names,
    ngx_str_t *member, const char *error, off_t offset);


ngx_int_t
wag_body_names_read(wag_ctx_t *ctx, wag_head_t *head, wag_body_names_t *names)
{
    wag_body_t          *body;
    ngx_http_request_t  *r;

    r = ctx->request;

    ngx_str_null(&names->session);
    ngx_str_null(&names->recipient);
    names->refusal = WAG_REFUSED_NOT;

    if (r->request_body_no_buffering) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "wa_gateway: \"proxy_request_buffering off\" where the "
                      "body names the session or the recipient");
        names->refusal = WAG_REFUSED_CONFIGURED;
        return NGX_OK;
    }

    if (!wag_head_is_json(head)) {
        names->refusal = WAG_REFUSED_TYPE;
        return NGX_OK;
    }

    body = wag_body_names_scan(ctx, head, names);
    if (body == NULL) {
        return NGX_ERROR;
    }

    wag_body_names_found(ctx, body, names);

    return NGX_OK;
}


static wag_body_t *
wag_body_names_scan(wag_ctx_t *ctx, wag_head_t *head, wag_body_names_t *names)
{
    wag_body_t     *body;
    ngx_pool_t     *pool;
    wag_body_to_t  *to;

    /* what is behind the head did not come from the client */

    body = (head->body == head->buf->last)
           ? wag_arrival_body(ctx, &names->member, names->to) : NULL;

    if (body) {
        return body;
    }

    pool = ctx->request->pool;

    body = ngx_palloc(pool, sizeof(wag_body_t));
    if (body == NULL) {
        return NULL;
    }

    wag_body_init(body, &names->member);

    if (names->to) {
        to = ngx_palloc(pool, sizeof(wag_body_to_t));
        if (to == NULL) {
            return NULL;
        }

        wag_body_init_to(body, to, &names->to->member);
        to->list = names->to->list;
    }

    return (wag_body_names_chain(ctx, head, body) == NGX_OK) ? body : NULL;
}


static ngx_int_t
wag_body_names_chain(wag_ctx_t *ctx, wag_head_t *head, wag_body_t *body)
{
    ngx_int_t     rc;
    ngx_buf_t     rest;
    ngx_chain_t   in;

    /* "proxy_set_body" is behind the head */

    ngx_memzero(&rest, sizeof(ngx_buf_t));

    rest.pos = head->body;
    rest.last = head->buf->last;
    rest.memory = 1;

    in.buf = &rest;
    in.next = ctx->request->upstream->request_bufs->next;

    rc = wag_body_chain(&in, WAG_BODY_CHAIN_PIECE,
                        ctx->request->connection->log, wag_body_names_piece,
                        body);

    return (rc == NGX_ERROR) ? NGX_ERROR : NGX_OK;
}


/* what is wrong in it wag_body_end() tells */

static ngx_int_t
wag_body_names_piece(void *data, u_char *pos, u_char *last)
{
    return (wag_body_parse(data, pos, last) == NGX_ERROR) ? NGX_DECLINED
                                                          : NGX_AGAIN;
}


static void
wag_body_names_found(wag_ctx_t *ctx, wag_body_t *body, wag_body_names_t *names)
{
    ngx_int_t  rc;

    rc = wag_body_end(body);

    if (rc != NGX_OK) {
        wag_body_names_bad(ctx, names,
                           names->member.len ? &names->member
                                             : &names->to->member,
                           body->error, body->offset);

        if (rc == NGX_ERROR) {
            names->refusal = WAG_REFUSED_TYPE;
        }

        return;
    }

    names->session = body->value;

    if (names->to == NULL) {
        return;
    }

    if (body->to->error) {
        wag_body_names_bad(ctx, names, &names->to->member, body->to->error,
                           body->to->offset);
        return;
    }

    names->recipient = body->to->value;
}


static void
wag_body_names_bad(wag_ctx_t *ctx, wag_body_names_t *names, ngx_str_t *member,
    const char *error, off_t offset)
{
    ngx_log_error(NGX_LOG_INFO, ctx->request->connection->log, 0,
                  "wa_gateway: body cannot be judged: %s at %O", error,
                  offset);

    names->refusal = WAG_REFUSED_BAD;
    names->member = *member;
}
