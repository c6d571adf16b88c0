
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_json_text.h"
#include "wag_remake.h"
#include "wag_write.h"


static void wag_write_message(wag_ctx_t *ctx, wag_send_message_t *m);
static ngx_int_t wag_write_head(wag_ctx_t *ctx, wag_peer_t *peer,
    wag_send_filled_t *filled);
static ngx_int_t wag_write_headers(wag_ctx_t *ctx, wag_peer_t *peer,
    wag_send_filled_t *filled, wag_head_edit_t *edit);
static ngx_int_t wag_write_add(wag_head_edit_t *edit, const char *name,
    ngx_str_t *value);
static ngx_int_t wag_write_body(wag_ctx_t *ctx, wag_send_filled_t *filled);
static ngx_chain_t **wag_write_text(ngx_pool_t *pool, ngx_chain_t **last,
    ngx_str_t *text);
static ngx_chain_t **wag_write_splice(wag_ctx_t *ctx, ngx_chain_t **last);


uint32_t
wag_write_unable(wag_ctx_t *ctx)
{
    uint32_t              unable;
    ngx_uint_t            i;
    wag_vendor_t        **vendor;
    wag_send_message_t   *m;

    m = &ctx->generic->send;

    wag_write_message(ctx, m);

    unable = 0;
    vendor = ctx->upstream->kinds.elts;

    for (i = 0; i < ctx->upstream->kinds.nelts; i++) {
        if (wag_send_find(vendor[i], m) == NULL
            || !wag_send_can_write(vendor[i], m->to_type))
        {
            unable |= (uint32_t) 1 << i;
        }
    }

    return unable;
}


ngx_str_t *
wag_write_member(wag_ctx_t *ctx)
{
    ngx_uint_t            i;
    wag_vendor_t        **vendor;
    wag_send_message_t   *m;
    static ngx_str_t      data = ngx_string("data");
    static ngx_str_t      url = ngx_string("url");
    static ngx_str_t      to = ngx_string("chatId");
    static ngx_str_t      text = ngx_string("message");

    m = &ctx->generic->send;

    vendor = ctx->upstream->kinds.elts;

    for (i = 0; i < ctx->upstream->kinds.nelts; i++) {
        if (wag_send_find(vendor[i], m) == NULL) {
            return !m->media ? &text : m->has_data ? &data : &url;
        }
    }

    return &to;
}


static void
wag_write_message(wag_ctx_t *ctx, wag_send_message_t *m)
{
    wag_message_t  *message;

    message = ctx->generic->message;

    m->media = (message->kind == WAG_MESSAGE_MEDIA);
    m->has_data = (message->data_end != 0);
    m->to_type = message->to.type;
    m->to_id = message->to.id;
    m->text = message->text;
    m->url = message->url;
    m->mimetype = message->mimetype;
    m->filename = message->filename;
    m->caption = message->caption;
}


ngx_int_t
wag_write(wag_ctx_t *ctx, wag_peer_t *peer)
{
    wag_known_t         *known;
    wag_vendor_t        *vendor;
    wag_send_filled_t    filled;
    wag_send_message_t  *m;

    vendor = peer->server->vendor;
    known = ctx->routing->known;

    m = &ctx->generic->send;
    m->key = peer->server->key;
    m->id = ctx->own_id;

    wag_known_name(known, &m->session);
    wag_known_token(known, &m->token);

    if (wag_send_fill(ctx->request->pool, vendor, wag_send_find(vendor, m),
                      m, &filled)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return (wag_write_head(ctx, peer, &filled) == NGX_OK)
           ? wag_write_body(ctx, &filled) : NGX_ERROR;
}


static ngx_int_t
wag_write_head(wag_ctx_t *ctx, wag_peer_t *peer, wag_send_filled_t *filled)
{
    wag_head_edit_t  edit;

    wag_remake_begin(ctx, &edit);

    if (wag_write_headers(ctx, peer, filled, &edit) != NGX_OK
        || wag_remake_key(ctx, &edit, peer) != NGX_OK)
    {
        return NGX_ERROR;
    }

    edit.drop = &peer->server->vendor->drops_message;
    edit.method = filled->method;
    edit.target = filled->uri;
    edit.bare = 1;

    return wag_head_put(ctx->request, &ctx->routing->head, &edit);
}


static ngx_int_t
wag_write_headers(wag_ctx_t *ctx, wag_peer_t *peer, wag_send_filled_t *filled,
    wag_head_edit_t *edit)
{
    ngx_str_t       value;
    wag_message_t  *message;

    message = ctx->generic->message;

    ngx_str_set(&value, "application/json");

    if (wag_write_add(edit, "Content-Type", &value) != NGX_OK) {
        return NGX_ERROR;
    }

    value.data = ctx->generic->length;
    value.len = wag_json_text_write_number(value.data,
                            (off_t) (filled->before.len + filled->after.len)
                            + (filled->spliced
                               ? message->data_end - message->data_start : 0))
                - value.data;

    if (wag_write_add(edit, "Content-Length", &value) != NGX_OK) {
        return NGX_ERROR;
    }

    return wag_remake_headers(ctx, edit, peer,
                              &peer->server->vendor->send_headers);
}


static ngx_int_t
wag_write_add(wag_head_edit_t *edit, const char *name, ngx_str_t *value)
{
    ngx_keyval_t  *kv;

    kv = ngx_array_push(&edit->add);
    if (kv == NULL) {
        return NGX_ERROR;
    }

    kv->key.data = (u_char *) name;
    kv->key.len = ngx_strlen(name);
    kv->value = *value;

    return NGX_OK;
}


static ngx_int_t
wag_write_body(wag_ctx_t *ctx, wag_send_filled_t *filled)
{
    ngx_pool_t    *pool;
    ngx_chain_t  **last;

    pool = ctx->request->pool;

    /* the link of the head is another one than that of the client's body */

    last = wag_write_text(pool, &ctx->request->upstream->request_bufs->next,
                          &filled->before);

    if (last && filled->spliced) {
        last = wag_write_splice(ctx, last);
    }

    if (last && filled->after.len) {
        last = wag_write_text(pool, last, &filled->after);
    }

    if (last == NULL) {
        return NGX_ERROR;
    }

    *last = NULL;

    return NGX_OK;
}


static ngx_chain_t **
wag_write_text(ngx_pool_t *pool, ngx_chain_t **last, ngx_str_t *text)
{
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    b = ngx_calloc_buf(pool);
    cl = ngx_alloc_chain_link(pool);

    if (b == NULL || cl == NULL) {
        return NULL;
    }

    b->start = text->data;
    b->pos = text->data;
    b->last = text->data + text->len;
    b->end = b->last;
    b->memory = 1;

    cl->buf = b;
    *last = cl;

    return &cl->next;
}


/* the parts of the client's body that the base64 is in */

static ngx_chain_t **
wag_write_splice(wag_ctx_t *ctx, ngx_chain_t **last)
{
    off_t           at, size, from, to;
    ngx_buf_t      *b;
    ngx_chain_t    *cl, *in;
    wag_message_t  *message;

    message = ctx->generic->message;
    at = 0;

    for (in = ctx->generic->body; in; in = in->next, at += size) {

        size = ngx_buf_size(in->buf);

        from = ngx_max(message->data_start - at, 0);
        to = ngx_min(message->data_end - at, size);

        if (from >= to) {
            continue;
        }

        b = ngx_calloc_buf(ctx->request->pool);
        cl = ngx_alloc_chain_link(ctx->request->pool);

        if (b == NULL || cl == NULL) {
            return NULL;
        }

        if (ngx_buf_in_memory(in->buf)) {
            b->start = in->buf->pos + from;
            b->pos = b->start;
            b->last = in->buf->pos + to;
            b->end = b->last;
            b->memory = 1;

        } else {
            b->in_file = 1;
            b->file = in->buf->file;
            b->file_pos = in->buf->file_pos + from;
            b->file_last = in->buf->file_pos + to;
        }

        cl->buf = b;
        *last = cl;
        last = &cl->next;
    }

    return last;
}


ngx_int_t
wag_write_reinit(wag_ctx_t *ctx)
{
    ngx_http_request_t   *r;
    ngx_http_upstream_t  *u;

    r = ctx->request;
    u = r->upstream;

    if (u->reinit_request(r) != NGX_OK) {
        return NGX_ERROR;
    }

    u->keepalive = 0;
    u->upgrade = 0;
    u->error = 0;

    ngx_memzero(&u->headers_in, sizeof(ngx_http_upstream_headers_in_t));

    u->headers_in.content_length_n = -1;
    u->headers_in.last_modified_time = -1;

    if (ngx_list_init(&u->headers_in.headers, r->pool, 8,
                      sizeof(ngx_table_elt_t))
        != NGX_OK
        || ngx_list_init(&u->headers_in.trailers, r->pool, 2,
                         sizeof(ngx_table_elt_t))
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    u->output.buf = NULL;
    u->output.in = NULL;
    u->output.busy = NULL;

    u->buffer.pos = u->buffer.start;
    u->buffer.last = u->buffer.pos;

    return NGX_OK;
}
