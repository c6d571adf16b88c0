
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_ctx.h"
#include "wag_interim.h"


static ngx_uint_t wag_interim_allowed(wag_ctx_t *ctx);


ngx_uint_t
wag_interim_seen(ngx_http_request_t *r)
{
    ngx_http_upstream_t  *u;

    u = r->upstream;

    return u->headers_in.status_n < NGX_HTTP_OK && !u->upgrade;
}


ngx_int_t
wag_interim_drop(wag_ctx_t *ctx)
{
    u_char               *p;
    ngx_http_request_t   *r;
    ngx_http_upstream_t  *u;

    r = ctx->request;
    u = r->upstream;

    if (!wag_interim_allowed(ctx)) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "upstream sent unexpected status %ui",
                      u->headers_in.status_n);
        return NGX_HTTP_UPSTREAM_INVALID_HEADER;
    }

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "wa_gateway interim answer: %ui", u->headers_in.status_n);

    /* as ngx_http_upstream_reinit(), but the request was sent */

    if (ctx->reinit_request(r) != NGX_OK) {
        return NGX_ERROR;
    }

    u->keepalive = 0;
    u->state->status = 0;

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

    /* what is before the header in a cache file is counted from the start */

    p = u->buffer.pos;

    u->buffer.pos = u->buffer.start;

#if (NGX_HTTP_CACHE)

    if (r->cache) {
        u->buffer.pos += r->cache->header_start;
    }

#endif

    u->buffer.last = ngx_movemem(u->buffer.pos, p, u->buffer.last - p);

    return NGX_OK;
}


/*
 * Those of HTTP/1 alone: only the parser of ngx_http_proxy_module can begin
 * anew between two headers.  A 101 that nobody asked for is no interim answer
 * and no final one.
 */

static ngx_uint_t
wag_interim_allowed(wag_ctx_t *ctx)
{
    ngx_str_t            *module;
    ngx_http_upstream_t  *u;

    u = ctx->request->upstream;
    module = &u->conf->module;

    return module->len == sizeof("proxy") - 1
           && ngx_strncmp(module->data, "proxy", module->len) == 0
           && u->headers_in.status_n >= NGX_HTTP_CONTINUE
           && u->headers_in.status_n != NGX_HTTP_SWITCHING_PROTOCOLS
           && ctx->interims++ < WAG_INTERIM_MAX;
}
