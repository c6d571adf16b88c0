
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_capture.h"
#include "wag_generic.h"
#include "wag_idempotency.h"
#include "wag_stored.h"


static ngx_int_t wag_capture_begin(ngx_http_request_t *r, wag_ctx_t *ctx);
static ngx_int_t wag_capture_room(ngx_http_request_t *r,
    wag_idempotent_t *im);
static void wag_capture_headers(ngx_http_request_t *r, wag_stored_t *stored);
static ngx_int_t wag_capture_proof(ngx_http_request_t *r, wag_ctx_t *ctx);
static void wag_capture_take(wag_idempotent_t *im, u_char *pos, u_char *last);


ngx_int_t
wag_capture_header(ngx_http_request_t *r)
{
    wag_ctx_t  *ctx;

    ctx = wag_ctx_find(r);

    if (ctx == NULL || !wag_idempotency_is_open(ctx)) {
        return NGX_OK;
    }

    return wag_capture_begin(r, ctx);
}


static ngx_int_t
wag_capture_begin(ngx_http_request_t *r, wag_ctx_t *ctx)
{
    wag_idempotent_t  *im;

    im = ctx->idempotent;

    im->begun = 1;
    im->status = r->headers_out.status;

    if (r->upstream && r->upstream->peer.sockaddr && ctx->generic == NULL) {

        r->filter_need_in_memory = 1;

        if (wag_capture_proof(r, ctx) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return wag_capture_room(r, im);
}


static ngx_int_t
wag_capture_room(ngx_http_request_t *r, wag_idempotent_t *im)
{
    off_t         length;
    size_t        size;
    wag_stored_t  stored;

    length = im->instead.len ? (off_t) im->instead.len
                             : r->headers_out.content_length_n;

    if (length > WAG_STORED_BODY_LEN) {
        im->cut = 1;
        return NGX_OK;
    }

    size = (length < 0) ? WAG_STORED_BODY_LEN : (size_t) length;

    im->buf = ngx_pnalloc(r->pool, WAG_STORED_HEAD_LEN + size);
    if (im->buf == NULL) {
        return NGX_ERROR;
    }

    stored.type = r->headers_out.content_type;
    stored.type.len = r->headers_out.content_type_len
                      ? r->headers_out.content_type_len
                      : r->headers_out.content_type.len;
    stored.charset = r->headers_out.charset;

    wag_capture_headers(r, &stored);

    im->last = wag_stored_write(im->buf, &stored);

    if (im->last == NULL) {
        im->cut = 1;
        return NGX_OK;
    }

    im->end = im->last + size;

    if (im->instead.len) {
        im->last = ngx_cpymem(im->last, im->instead.data, im->instead.len);
    }

    return NGX_OK;
}


static void
wag_capture_headers(ngx_http_request_t *r, wag_stored_t *stored)
{
    ngx_uint_t        i;
    ngx_keyval_t     *kv;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    stored->nheaders = 0;

    for (part = &r->headers_out.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (h[i].hash == 0
                || stored->nheaders == WAG_STORED_HEADERS
                || !wag_stored_matters(&h[i].key))
            {
                continue;
            }

            kv = &stored->headers[stored->nheaders++];

            kv->key = h[i].key;
            kv->value = h[i].value;
        }
    }
}


/* what a vendor answers to a native send may prove that nothing was sent */

static ngx_int_t
wag_capture_proof(ngx_http_request_t *r, wag_ctx_t *ctx)
{
    wag_vendor_t  *vendor;

    vendor = ctx->server->vendor;

    if (vendor == NULL
        || wag_proof_needs_body(vendor, r->upstream->headers_in.status_n)
           == NGX_DECLINED)
    {
        return NGX_OK;
    }

    ctx->idempotent->proof = ngx_palloc(r->pool, sizeof(wag_proof_t));
    if (ctx->idempotent->proof == NULL) {
        return NGX_ERROR;
    }

    return wag_proof_init(ctx->idempotent->proof, r->pool, vendor,
                          r->upstream->headers_in.status_n);
}


void
wag_capture_body(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_buf_t         *b;
    wag_ctx_t         *ctx;
    ngx_uint_t         last;
    wag_idempotent_t  *im;

    ctx = wag_ctx_find(r);

    if (ctx == NULL || !wag_idempotency_is_open(ctx)
        || !ctx->idempotent->begun)
    {
        return;
    }

    im = ctx->idempotent;
    last = 0;

    for ( /* void */ ; in; in = in->next) {
        b = in->buf;

        if (im->instead.len) {

            /* it is there */

        } else if (ngx_buf_in_memory(b)) {
            wag_capture_take(im, b->pos, b->last);

        } else if (b->in_file) {
            im->cut = 1;
        }

        last |= b->last_buf;
    }

    if (last) {
        wag_idempotency_end(ctx, 1);
    }
}


static void
wag_capture_take(wag_idempotent_t *im, u_char *pos, u_char *last)
{
    if (pos == last) {
        return;
    }

    if (im->proof) {
        wag_proof_parse(im->proof, pos, last);
    }

    if (im->cut || last - pos > im->end - im->last) {
        im->cut = 1;
        return;
    }

    im->last = ngx_cpymem(im->last, pos, last - pos);
}
