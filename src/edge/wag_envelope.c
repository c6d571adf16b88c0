
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_conf.h"
#include "wag_ctx.h"
#include "wag_envelope.h"
#include "wag_json_response.h"
#include "wag_json_text.h"


#define WAG_ENVELOPE_PIECE  4096


static ngx_uint_t wag_envelope_answered(ngx_http_request_t *r);
static ngx_uint_t wag_envelope_cached(ngx_http_request_t *r);
static ngx_uint_t wag_envelope_unasked(ngx_http_request_t *r);
static ngx_uint_t wag_envelope_json(ngx_http_request_t *r);
static void wag_envelope_clear_digests(ngx_http_request_t *r);
static ngx_int_t wag_envelope_begin(ngx_http_request_t *r, ngx_chain_t *in);
static ngx_int_t wag_envelope_skip(wag_ctx_t *ctx, ngx_buf_t *b);
static u_char *wag_envelope_blank(wag_ctx_t *ctx, u_char *p, u_char *last);
static ngx_int_t wag_envelope_tail(ngx_http_request_t *r, ngx_str_t *tail);
static ngx_int_t wag_envelope_add(ngx_http_request_t *r, ngx_str_t *text,
    ngx_uint_t last, ngx_chain_t ***ll);


static ngx_str_t  wag_envelope_head =
    ngx_string("{\"success\":true,\"data\":");

static ngx_str_t  wag_envelope_null = ngx_string("null");

static ngx_str_t  wag_envelope_bom = ngx_string("\xEF\xBB\xBF");

static ngx_str_t  wag_envelope_digests[] = {
    ngx_string("Content-Digest"),
    ngx_string("Repr-Digest"),
    ngx_string("Digest"),
    ngx_string("Content-MD5"),
    ngx_null_string
};


ngx_int_t
wag_envelope_header(ngx_http_request_t *r)
{
    wag_ctx_t  *ctx;

    if (!wag_envelope_answered(r)
        || r->headers_out.status < NGX_HTTP_OK
        || r->headers_out.status >= NGX_HTTP_SPECIAL_RESPONSE
        || r->headers_out.status == NGX_HTTP_NO_CONTENT
        || r->headers_out.status == 205
        || r->headers_out.status == NGX_HTTP_PARTIAL_CONTENT
        || (r->headers_out.content_encoding
            && r->headers_out.content_encoding->value.len)
        || !wag_envelope_json(r))
    {
        return NGX_OK;
    }

    ctx = wag_ctx_get(r);
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    /* a vendor's own answers pass as they are */

    if (ctx->peer && ctx->server->vendor) {
        return NGX_OK;
    }

    ctx->wrap = 1;
    ctx->unasked = wag_envelope_unasked(r);

    ngx_http_clear_content_length(r);
    ngx_http_clear_accept_ranges(r);
    ngx_http_clear_last_modified(r);
    ngx_http_clear_etag(r);
    wag_envelope_clear_digests(r);

    return NGX_OK;
}


/* by an instance, now or into the cache; a redirect clears the contexts */

static ngx_uint_t
wag_envelope_answered(ngx_http_request_t *r)
{
    wag_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_wa_gateway_module);

    return (ctx && ctx->peer) || wag_envelope_cached(r);
}


/* balancers are not asked before what the cache has is sent */

static ngx_uint_t
wag_envelope_cached(ngx_http_request_t *r)
{
#if (NGX_HTTP_CACHE)

    ngx_str_t            *host;
    ngx_uint_t            i;
    ngx_module_t         *module;
    wag_upstream_t      **us;
    wag_main_conf_t      *wmcf;
    ngx_http_upstream_t  *u;

    u = r->upstream;

    if (!r->cached || u == NULL) {
        return 0;
    }

    /* the tag is the module that has the request in hand */

    module = (ngx_module_t *) u->output.tag;

    if (module == NULL || r->ctx[module->ctx_index] == NULL) {
        return 0;
    }

    wmcf = ngx_http_get_module_main_conf(r, ngx_http_wa_gateway_module);

    host = u->resolved ? &u->resolved->host : NULL;
    us = wmcf->upstreams.elts;

    for (i = 0; i < wmcf->upstreams.nelts; i++) {

        if (us[i]->uscf == u->conf->upstream
            || (host
                && us[i]->uscf->host.len == host->len
                && ngx_strncasecmp(us[i]->uscf->host.data, host->data,
                                   host->len)
                   == 0))
        {
            return 1;
        }
    }

#endif

    return 0;
}


/* no instance said now what is sent; to revalidate one is asked */

static ngx_uint_t
wag_envelope_unasked(ngx_http_request_t *r)
{
#if (NGX_HTTP_CACHE)

    return r->cached
           && r->upstream->cache_status != NGX_HTTP_CACHE_REVALIDATED;

#else

    return 0;

#endif
}


/* RFC 8259 and the +json suffix of RFC 6839 */

static ngx_uint_t
wag_envelope_json(ngx_http_request_t *r)
{
    size_t      len;
    ngx_str_t  *type;

    type = &r->headers_out.content_type;
    len = r->headers_out.content_type_len;

    while (len && type->data[len - 1] == ' ') {
        len--;
    }

    if (len == sizeof("application/json") - 1
        && ngx_strncasecmp(type->data, (u_char *) "application/json", len)
           == 0)
    {
        return 1;
    }

    return len > sizeof("+json") - 1
           && ngx_strncasecmp(type->data + len - (sizeof("+json") - 1),
                              (u_char *) "+json", sizeof("+json") - 1)
              == 0;
}


/* RFC 9530, RFC 3230, RFC 1864: they are of what was inside */

static void
wag_envelope_clear_digests(ngx_http_request_t *r)
{
    ngx_str_t        *name;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *header;

    for (part = &r->headers_out.headers.part; part; part = part->next) {
        header = part->elts;

        for (i = 0; i < part->nelts; i++) {
            for (name = wag_envelope_digests; name->len; name++) {
                if (header[i].key.len == name->len
                    && ngx_strncasecmp(header[i].key.data, name->data,
                                       name->len)
                       == 0)
                {
                    header[i].hash = 0;
                }
            }
        }
    }
}


ngx_int_t
wag_envelope_body(ngx_http_request_t *r, ngx_chain_t *in, ngx_chain_t **out)
{
    off_t         size;
    ngx_str_t     mark, tail;
    wag_ctx_t    *ctx;
    ngx_uint_t    last;
    ngx_chain_t  *cl, *copy, **ll;

    ctx = ngx_http_get_module_ctx(r, ngx_http_wa_gateway_module);

    if (!ctx->wrapped && wag_envelope_begin(r, in) != NGX_OK) {
        return NGX_ERROR;
    }

    size = 0;
    last = 0;

    for (cl = in; cl; cl = cl->next) {
        size += ngx_buf_size(cl->buf);
        last |= cl->buf->last_buf;
    }

    if (!last && ctx->wrapped) {
        *out = in;
        return NGX_OK;
    }

    ll = out;

    if (!ctx->wrapped && (last || size)) {

        if (wag_envelope_add(r, &wag_envelope_head, 0, &ll) != NGX_OK) {
            return NGX_ERROR;
        }

        /* what began as a mark and was none */

        if (ctx->bom && ctx->bom < wag_envelope_bom.len) {
            mark.data = wag_envelope_bom.data;
            mark.len = ctx->bom;
            size += mark.len;

            if (wag_envelope_add(r, &mark, 0, &ll) != NGX_OK) {
                return NGX_ERROR;
            }
        }
    }

    for (cl = in; cl; cl = cl->next) {

        cl->buf->last_buf = 0;
        cl->buf->last_in_chain = 0;

        if (ngx_buf_size(cl->buf) == 0 && !ngx_buf_special(cl->buf)) {
            continue;
        }

        copy = ngx_alloc_chain_link(r->pool);
        if (copy == NULL) {
            return NGX_ERROR;
        }

        copy->buf = cl->buf;
        *ll = copy;
        ll = &copy->next;
    }

    if (last) {

        if (!ctx->wrapped && size == 0
            && wag_envelope_add(r, &wag_envelope_null, 0, &ll) != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (wag_envelope_tail(r, &tail) != NGX_OK
            || wag_envelope_add(r, &tail, 1, &ll) != NGX_OK)
        {
            return NGX_ERROR;
        }

        ctx->wrap = 0;
    }

    *ll = NULL;
    ctx->wrapped = (last || size);

    return NGX_OK;
}


/*
 * Blanks before the value, and a byte order mark before these (RFC 8259, 8.1),
 * are left out, so that a body of nothing else is an empty one.
 */

static ngx_int_t
wag_envelope_begin(ngx_http_request_t *r, ngx_chain_t *in)
{
    wag_ctx_t    *ctx;
    ngx_chain_t  *cl;

    ctx = ngx_http_get_module_ctx(r, ngx_http_wa_gateway_module);

    for (cl = in; cl; cl = cl->next) {

        if (ngx_buf_size(cl->buf) == 0) {
            continue;
        }

        if (wag_envelope_skip(ctx, cl->buf) != NGX_OK) {
            return NGX_ERROR;
        }

        if (ngx_buf_size(cl->buf)) {
            break;
        }
    }

    return NGX_OK;
}


static ngx_int_t
wag_envelope_skip(wag_ctx_t *ctx, ngx_buf_t *b)
{
    u_char      buf[WAG_ENVELOPE_PIECE];
    u_char     *p;
    size_t      size;
    ssize_t     n;
    ngx_file_t  file;

    if (ngx_buf_in_memory(b)) {
        p = wag_envelope_blank(ctx, b->pos, b->last);

        if (b->in_file) {
            b->file_pos += p - b->pos;
        }

        b->pos = p;

        return NGX_OK;
    }

    /* of a cache or too long for memory: as a rule one piece tells */

    file = *b->file;

    while (b->file_pos < b->file_last) {

        size = (size_t) ngx_min(b->file_last - b->file_pos,
                                (off_t) sizeof(buf));

        n = ngx_read_file(&file, buf, size, b->file_pos);

        if (n <= 0) {
            return NGX_ERROR;
        }

        p = wag_envelope_blank(ctx, buf, buf + n);

        b->file_pos += p - buf;

        if (p < buf + n) {
            break;
        }
    }

    return NGX_OK;
}


/* where the value begins; a mark may come in several pieces */

static u_char *
wag_envelope_blank(wag_ctx_t *ctx, u_char *p, u_char *last)
{
    ngx_str_t  *mark;

    mark = &wag_envelope_bom;

    while (p < last && !ctx->blank && ctx->bom < mark->len) {

        if (*p != mark->data[ctx->bom]) {

            if (ctx->bom) {
                return p;
            }

            break;
        }

        ctx->bom++;
        p++;
    }

    if (p < last) {
        ctx->blank = 1;
    }

    while (p < last && (*p == ' ' || *p == '\t' || *p == CR || *p == LF)) {
        p++;
    }

    return p;
}


/* the rest of the object, in place of its opening brace a comma */

static ngx_int_t
wag_envelope_tail(ngx_http_request_t *r, ngx_str_t *tail)
{
    cJSON      *root, *item;
    ngx_int_t   rc;
    wag_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_wa_gateway_module);

    root = cJSON_CreateObject();

    if (ctx->unasked) {
        item = cJSON_AddNullToObject(root, "instance");

    } else {
        item = wag_json_text_string(root, "instance", ctx->server->name.data,
                                    ctx->server->name.len);
    }

    if (item == NULL
        || wag_json_text_time(root, "timestamp", wag_time()) == NULL)
    {
        cJSON_Delete(root);
        return NGX_ERROR;
    }

    rc = wag_json_text_print(r->pool, root, tail);

    cJSON_Delete(root);

    if (rc == NGX_OK) {
        tail->data[0] = ',';
    }

    return rc;
}


static ngx_int_t
wag_envelope_add(ngx_http_request_t *r, ngx_str_t *text, ngx_uint_t last,
    ngx_chain_t ***ll)
{
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    b = ngx_calloc_buf(r->pool);
    cl = ngx_alloc_chain_link(r->pool);

    if (b == NULL || cl == NULL) {
        return NGX_ERROR;
    }

    b->pos = text->data;
    b->last = text->data + text->len;
    b->memory = 1;
    b->last_buf = last;
    b->last_in_chain = last;

    cl->buf = b;
    **ll = cl;
    *ll = &cl->next;

    return NGX_OK;
}
