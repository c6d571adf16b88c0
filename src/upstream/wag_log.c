
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_conf.h"
#include "wag_log.h"
#include "wag_vendor.h"


static ngx_int_t wag_log_get_path(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static void wag_log_hide_keys(wag_main_conf_t *wmcf, wag_vendor_t *vendor,
    ngx_str_t *path);
static ngx_uint_t wag_log_has_key(wag_upstream_t *us, wag_vendor_t *vendor,
    u_char *text, size_t len);
static void wag_log_without_query(ngx_str_t *uri, ngx_str_t *path);
static u_char *wag_log_path(ngx_http_request_t *r, ngx_http_request_t *sr,
    u_char *buf, size_t len);
static u_char *wag_log_method(ngx_http_request_t *r, ngx_http_request_t *sr,
    u_char *buf, size_t len);
static u_char *wag_log_rest(ngx_http_request_t *r, ngx_http_request_t *sr,
    u_char *buf, size_t len);


static ngx_http_variable_t  wag_log_path_variable =
    { ngx_string("wa_gateway_path"), NULL,
      wag_log_get_path, 0, NGX_HTTP_VAR_NOCACHEABLE, 0 };


ngx_int_t
wag_log_variable(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var;

    var = ngx_http_add_variable(cf, &wag_log_path_variable.name,
                                wag_log_path_variable.flags);
    if (var == NULL) {
        return NGX_ERROR;
    }

    var->get_handler = wag_log_path_variable.get_handler;

    return NGX_OK;
}


/* any vendor may be meant: that of a request that was refused is not known */

static ngx_int_t
wag_log_get_path(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    ngx_str_t          path, copy;
    ngx_uint_t         i;
    wag_vendor_t     **vendor;
    wag_main_conf_t   *wmcf;

    wag_log_without_query(&r->main->unparsed_uri, &path);

    wmcf = ngx_http_get_module_main_conf(r, ngx_http_wa_gateway_module);
    vendor = wmcf->vendors.elts;

    for (i = 0; i < wmcf->vendors.nelts; i++) {

        if (!vendor[i]->routes.secret) {
            continue;
        }

        copy.len = path.len;
        copy.data = ngx_pstrdup(r->pool, &path);
        if (copy.data == NULL) {
            return NGX_ERROR;
        }

        wag_routes_hide(&vendor[i]->routes, r->pool, &copy);
        wag_log_hide_keys(wmcf, vendor[i], &copy);

        path = copy;
    }

    v->data = path.data;
    v->len = path.len;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}


/* a key in a place where none should be */

static void
wag_log_hide_keys(wag_main_conf_t *wmcf, wag_vendor_t *vendor,
    ngx_str_t *path)
{
    u_char           *p, *end, *last;
    ngx_uint_t        i;
    wag_upstream_t  **us;

    us = wmcf->upstreams.elts;
    last = path->data + path->len;

    for (p = path->data; p < last; p = end + 1) {

        end = ngx_strlchr(p, last, '/');
        if (end == NULL) {
            end = last;
        }

        for (i = 0; i < wmcf->upstreams.nelts && p < end; i++) {
            if (wag_log_has_key(us[i], vendor, p, end - p)) {
                ngx_memset(p, '*', end - p);
            }
        }
    }
}


static ngx_uint_t
wag_log_has_key(wag_upstream_t *us, wag_vendor_t *vendor, u_char *text,
    size_t len)
{
    ngx_uint_t     i;
    wag_server_t  *server;

    for (i = 0; i < us->npeers; i++) {
        server = us->peers[i]->server;

        if (server->vendor == vendor
            && server->key.len == len
            && ngx_memcmp(server->key.data, text, len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


static void
wag_log_without_query(ngx_str_t *uri, ngx_str_t *path)
{
    u_char  *end;

    *path = *uri;

    end = ngx_strlchr(uri->data, uri->data + uri->len, '?');
    if (end) {
        path->len = end - uri->data;
    }
}


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
    u_char     *p;
    ngx_str_t   path;

    wag_log_without_query(&r->unparsed_uri, &path);

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
