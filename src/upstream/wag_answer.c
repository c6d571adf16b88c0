
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_answer.h"
#include "wag_compat.h"


/* how long a throttled number rests, in s, if it is not told, and at most */

#define WAG_ANSWER_PAUSE      60
#define WAG_ANSWER_MAX_PAUSE  86400


static ngx_int_t wag_answer_begin(wag_ctx_t *ctx);
static ngx_int_t wag_answer_bytes(wag_ctx_t *ctx);
static ngx_int_t wag_answer_chunks(wag_ctx_t *ctx);
static ngx_int_t wag_answer_judge(wag_ctx_t *ctx);
static ngx_int_t wag_answer_room(wag_ctx_t *ctx, size_t n);
static ngx_uint_t wag_answer_pause(ngx_http_upstream_t *u);


ngx_int_t
wag_answer_header(wag_ctx_t *ctx)
{
    ngx_int_t             rc;
    wag_generic_t        *generic;
    ngx_http_upstream_t  *u;

    u = ctx->request->upstream;
    generic = ctx->generic;

    generic->status = u->headers_in.status_n;

    rc = wag_proof_needs_body(ctx->server->vendor, generic->status);

    if (rc == NGX_DECLINED) {
        return NGX_OK;
    }

    if (rc == NGX_OK) {
        return (wag_answer_begin(ctx) == NGX_OK) ? wag_answer_judge(ctx)
                                                 : NGX_ERROR;
    }

    generic->held = 1;

    return wag_answer_held(ctx);
}


/*
 * The body is small, and nginx reads on as long as this is no header.  Of what
 * is not whole when there is no more room, or has no end but that of the
 * connection, a beginning that no JSON object has tells that it is none.
 */

ngx_int_t
wag_answer_held(wag_ctx_t *ctx)
{
    ngx_int_t             rc;
    wag_generic_t        *generic;
    ngx_http_upstream_t  *u;

    u = ctx->request->upstream;
    generic = ctx->generic;

    if (wag_answer_begin(ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    rc = u->headers_in.chunked ? wag_answer_chunks(ctx)
                               : wag_answer_bytes(ctx);

    if (rc == NGX_AGAIN && u->buffer.last < u->buffer.end) {
        return NGX_AGAIN;
    }

    generic->held = 0;

    if (rc == NGX_DONE || (rc == NGX_AGAIN && generic->proof.begun)) {
        return wag_answer_judge(ctx);
    }

    generic->begun = 0;

    return NGX_OK;
}


/*
 * Looks at what came since it was called last.  NGX_DONE: the body is whole;
 * NGX_AGAIN: it is not; NGX_DECLINED: it is none.
 */

static ngx_int_t
wag_answer_bytes(wag_ctx_t *ctx)
{
    ngx_buf_t            *b;
    wag_generic_t        *generic;
    ngx_http_upstream_t  *u;

    u = ctx->request->upstream;
    generic = ctx->generic;
    b = &u->buffer;

    wag_proof_parse(&generic->proof, b->pos + generic->looked, b->last);

    generic->looked = b->last - b->pos;

    if (u->headers_in.content_length_n < 0) {
        return generic->proof.begun ? NGX_DONE : NGX_DECLINED;
    }

    return ((off_t) generic->looked >= u->headers_in.content_length_n)
           ? NGX_DONE : NGX_AGAIN;
}


/* with nginx's own parser, which reads the same again for the client */

static ngx_int_t
wag_answer_chunks(wag_ctx_t *ctx)
{
    off_t                 n;
    ngx_buf_t             b;
    ngx_int_t             rc;
    wag_generic_t        *generic;
    ngx_http_upstream_t  *u;

    u = ctx->request->upstream;
    generic = ctx->generic;

    b = u->buffer;
    b.pos += generic->looked;

    for ( ;; ) {

        rc = wag_parse_chunked(ctx->request, &b, &generic->chunked);

        if (rc != NGX_OK) {
            break;
        }

        n = ngx_min(generic->chunked.size, b.last - b.pos);

        wag_proof_parse(&generic->proof, b.pos, b.pos + n);

        b.pos += n;
        generic->chunked.size -= n;
    }

    generic->looked = b.pos - u->buffer.pos;

    /* bytes behind the end: whose answer they belong to, nobody can tell */

    return (rc == NGX_ERROR || (rc == NGX_DONE && b.pos < b.last))
           ? NGX_DECLINED : rc;
}


static ngx_int_t
wag_answer_judge(wag_ctx_t *ctx)
{
    wag_generic_t  *generic;

    generic = ctx->generic;
    generic->result = wag_proof_end(&generic->proof);

    if (generic->result == WAG_PROOF_SESSION) {
        generic->judged = 1;

        return NGX_HTTP_UPSTREAM_INVALID_HEADER;
    }

    /* it is judged once more with all of its body, which the client gets */

    generic->begun = 0;

    return NGX_OK;
}


static ngx_int_t
wag_answer_begin(wag_ctx_t *ctx)
{
    wag_generic_t  *generic;

    generic = ctx->generic;

    if (generic->begun) {
        return NGX_OK;
    }

    if (wag_proof_init(&generic->proof, ctx->request->pool,
                       ctx->server->vendor, generic->status)
        != NGX_OK)
    {
        /* what cannot be looked at proves nothing */

        generic->judged = 1;
        generic->result = WAG_PROOF_NONE;

        return NGX_ERROR;
    }

    generic->begun = 1;

    return NGX_OK;
}


ngx_int_t
wag_answer_take(wag_ctx_t *ctx, u_char *pos, u_char *last)
{
    size_t          n;
    wag_generic_t  *generic;

    generic = ctx->generic;

    if (wag_answer_begin(ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    wag_proof_parse(&generic->proof, pos, last);

    n = ngx_min((size_t) (last - pos), WAG_GENERIC_DATA - generic->data.len);

    if (wag_answer_room(ctx, n) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_memcpy(generic->data.data + generic->data.len, pos, n);
    generic->data.len += n;

    generic->cut |= (n < (size_t) (last - pos));

    return NGX_OK;
}


/* most answers are small and come at once: for those just what they take */

static ngx_int_t
wag_answer_room(wag_ctx_t *ctx, size_t n)
{
    u_char         *p;
    size_t          size;
    wag_generic_t  *generic;

    generic = ctx->generic;
    size = generic->data.len + n;

    if (size <= generic->room) {
        return NGX_OK;
    }

    size = ngx_max(size, 2 * generic->room);

    p = ngx_pnalloc(ctx->request->pool, size + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    if (generic->data.len) {
        ngx_memcpy(p, generic->data.data, generic->data.len);
    }

    generic->data.data = p;
    generic->room = size;

    return NGX_OK;
}


ngx_uint_t
wag_answer_result(wag_ctx_t *ctx)
{
    wag_generic_t  *generic;

    generic = ctx->generic;

    if (generic->judged) {
        return generic->result;
    }

    generic->judged = 1;
    generic->result = WAG_PROOF_NONE;

    if (ctx->outcome == WAG_ANSWERED && wag_answer_begin(ctx) == NGX_OK) {
        generic->result = wag_proof_end(&generic->proof);
    }

    if (generic->result == WAG_PROOF_PACED) {
        generic->pause = wag_answer_pause(ctx->request->upstream);
    }

    return generic->result;
}


/* Retry-After in seconds, RFC 9110, 10.2.3; a date is not looked at */

static ngx_uint_t
wag_answer_pause(ngx_http_upstream_t *u)
{
    ngx_int_t          n;
    ngx_uint_t         i;
    ngx_list_part_t   *part;
    ngx_table_elt_t   *h;
    static ngx_str_t   name = ngx_string("Retry-After");

    for (part = &u->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (h[i].key.len != name.len
                || ngx_strncasecmp(h[i].key.data, name.data, name.len) != 0)
            {
                continue;
            }

            n = ngx_atoi(h[i].value.data, h[i].value.len);

            if (n > 0) {
                return ngx_min(n, WAG_ANSWER_MAX_PAUSE);
            }
        }
    }

    return WAG_ANSWER_PAUSE;
}


ngx_uint_t
wag_answer_is_unsent(wag_ctx_t *ctx)
{
    return ctx->generic
           && ctx->generic->judged
           && ctx->generic->result != WAG_PROOF_NONE
           && ctx->generic->result != WAG_PROOF_SENT;
}


void
wag_answer_reset(wag_ctx_t *ctx)
{
    wag_generic_t  *generic;

    generic = ctx->generic;

    ngx_memzero(&generic->chunked, sizeof(ngx_http_chunked_t));

    generic->looked = 0;
    generic->held = 0;
    generic->begun = 0;
    generic->judged = 0;
    generic->cut = 0;
    generic->data.len = 0;
    generic->status = 0;
    generic->result = WAG_PROOF_NONE;
}
