
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_conf.h"
#include "wag_log.h"
#include "wag_vendor.h"


static u_char *wag_log_path(ngx_http_request_t *r, ngx_http_request_t *sr,
    u_char *buf, size_t len);
static u_char *wag_log_method(ngx_http_request_t *r, ngx_http_request_t *sr,
    u_char *buf, size_t len);
static u_char *wag_log_rest(ngx_http_request_t *r, ngx_http_request_t *sr,
    u_char *buf, size_t len);


void
wag_log_hide(wag_ctx_t *ctx)
{
    ngx_uint_t      i;
    wag_vendor_t  **vendor;

    ctx->request->main->log_handler = wag_log_path;

    vendor = ctx->upstream->kinds.elts;

    for (i = 0; i < ctx->upstream->kinds.nelts; i++) {
        if (vendor[i]->routes.secret) {
            ctx->request->main->log_handler = wag_log_method;
        }
    }
}


/* these stand in for ngx_http_log_error_handler() */

static u_char *
wag_log_path(ngx_http_request_t *r, ngx_http_request_t *sr, u_char *buf,
    size_t len)
{
    u_char     *p, *end;
    ngx_str_t   path;

    path = r->unparsed_uri;

    end = ngx_strlchr(path.data, path.data + path.len, '?');
    if (end) {
        path.len = end - path.data;
    }

    p = ngx_snprintf(buf, len, ", request: \"%V %V\"", &r->method_name, &path);

    return wag_log_rest(r, sr, p, len - (p - buf));
}


static u_char *
wag_log_method(ngx_http_request_t *r, ngx_http_request_t *sr, u_char *buf,
    size_t len)
{
    u_char  *p;

    p = ngx_snprintf(buf, len, ", request: \"%V\"", &r->method_name);

    return wag_log_rest(r, sr, p, len - (p - buf));
}


static u_char *
wag_log_rest(ngx_http_request_t *r, ngx_http_request_t *sr, u_char *buf,
    size_t len)
{
    u_char               *p;
    ngx_http_upstream_t  *u;

    p = buf;
    u = sr->upstream;

    if (u && u->peer.name) {
        p = ngx_snprintf(p, len, ", upstream: \"%V%V\"", &u->schema,
                         u->peer.name);
        len -= p - buf;
    }

    if (r->headers_in.host) {
        p = ngx_snprintf(p, len, ", host: \"%V\"", &r->headers_in.host->value);
    }

    return p;
}
