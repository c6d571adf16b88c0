
/*
 * Copyright (C) the wa_gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_probe.h"


static ngx_int_t wag_request_write(ngx_pool_t *pool, wag_request_t *r,
    ngx_str_t *request);
static const char *wag_request_check(wag_request_t *r, ngx_str_t **bad);
static const char *wag_request_check_headers(ngx_array_t *headers,
    ngx_str_t **bad);
static ngx_uint_t wag_request_is_token(ngx_str_t *s);
static ngx_uint_t wag_request_is_value(ngx_str_t *s);
static ngx_uint_t wag_request_has_header(ngx_array_t *headers,
    const char *name);
static u_char *wag_request_add_header(u_char *p, ngx_array_t *headers,
    const char *name, ngx_str_t *value);


ngx_int_t
wag_request_make(ngx_pool_t *pool, wag_request_t *r, ngx_str_t *request,
    ngx_str_t *err)
{
    ngx_str_t   *bad;
    const char  *what;

    what = wag_request_check(r, &bad);

    if (what == NULL) {
        return wag_request_write(pool, r, request);
    }

    err->len = ngx_strlen(what) + sizeof(" \"\"") - 1 + bad->len;

    err->data = ngx_pnalloc(pool, err->len);
    if (err->data == NULL) {
        return NGX_ERROR;
    }

    ngx_sprintf(err->data, "%s \"%V\"", what, bad);

    return NGX_DECLINED;
}


static ngx_int_t
wag_request_write(ngx_pool_t *pool, wag_request_t *r, ngx_str_t *request)
{
    u_char        *p;
    size_t         len;
    ngx_str_t     *connection;
    ngx_uint_t     i, n;
    ngx_keyval_t  *kv;

    static ngx_str_t  accept = ngx_string("*/*");
    static ngx_str_t  keepalive = ngx_string("keep-alive");
    static ngx_str_t  close = ngx_string("close");

    connection = r->keepalive ? &keepalive : &close;

    kv = r->headers ? r->headers->elts : NULL;
    n = r->headers ? r->headers->nelts : 0;

    len = sizeof("  HTTP/1.1" CRLF "Host: " CRLF "User-Agent: " CRLF
                 "Accept: " CRLF "Connection: " CRLF
                 "Content-Type: application/json" CRLF
                 "Content-Length: " CRLF CRLF)
          + NGX_SIZE_T_LEN + r->body.len
          + r->method.len + r->uri.len + r->host.len + r->user_agent.len
          + accept.len + connection->len;

    for (i = 0; i < n; i++) {
        len += kv[i].key.len + sizeof(": " CRLF) - 1 + kv[i].value.len;
    }

    request->data = ngx_pnalloc(pool, len);
    if (request->data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_sprintf(request->data, "%V %V HTTP/1.1" CRLF, &r->method, &r->uri);

    p = wag_request_add_header(p, r->headers, "Host", &r->host);
    p = wag_request_add_header(p, r->headers, "User-Agent", &r->user_agent);
    p = wag_request_add_header(p, r->headers, "Accept", &accept);
    p = wag_request_add_header(p, NULL, "Connection", connection);

    /* RFC 9110, 8.6: some servers wait for a body that they expect */

    if (r->method.len == 4 && ngx_memcmp(r->method.data, "POST", 4) == 0) {
        p = ngx_sprintf(p, "%sContent-Length: %uz" CRLF,
                        r->body.len ? "Content-Type: application/json" CRLF
                                    : "",
                        r->body.len);
    }

    for (i = 0; i < n; i++) {
        p = ngx_sprintf(p, "%V: %V" CRLF, &kv[i].key, &kv[i].value);
    }

    p = ngx_cpymem(p, CRLF, sizeof(CRLF) - 1);

    if (r->body.len) {
        p = ngx_cpymem(p, r->body.data, r->body.len);
    }

    request->len = p - request->data;

    return NGX_OK;
}


static const char *
wag_request_check(wag_request_t *r, ngx_str_t **bad)
{
    size_t  i;

    *bad = &r->method;

    if (!wag_request_is_token(&r->method)) {
        return "invalid method";
    }

    *bad = &r->uri;

    if (r->uri.len == 0 || r->uri.data[0] != '/') {
        return "invalid uri";
    }

    for (i = 0; i < r->uri.len; i++) {
        if (r->uri.data[i] <= ' ' || r->uri.data[i] == 0x7f
            || r->uri.data[i] == '#')
        {
            return "invalid uri";
        }
    }

    *bad = &r->host;

    for (i = 0; i < r->host.len; i++) {
        if (r->host.data[i] <= ' ' || r->host.data[i] == 0x7f) {
            return "invalid host";
        }
    }

    *bad = &r->user_agent;

    if (!wag_request_is_value(&r->user_agent)) {
        return "invalid user agent";
    }

    return wag_request_check_headers(r->headers, bad);
}


static const char *
wag_request_check_headers(ngx_array_t *headers, ngx_str_t **bad)
{
    ngx_uint_t     i, n;
    ngx_keyval_t  *kv;

    /* they decide where a message ends and what becomes of the connection */

    static const char  *refused[] = {
        "Connection", "Content-Length", "Expect", "Keep-Alive", "TE",
        "Trailer", "Transfer-Encoding", "Upgrade"
    };

    if (headers == NULL) {
        return NULL;
    }

    kv = headers->elts;

    for (i = 0; i < headers->nelts; i++) {
        *bad = &kv[i].key;

        if (!wag_request_is_token(&kv[i].key)) {
            return "invalid header name";
        }

        for (n = 0; n < sizeof(refused) / sizeof(refused[0]); n++) {
            if (ngx_strlen(refused[n]) == kv[i].key.len
                && ngx_strncasecmp((u_char *) refused[n], kv[i].key.data,
                                   kv[i].key.len)
                   == 0)
            {
                return "header is not allowed";
            }
        }

        if (!wag_request_is_value(&kv[i].value)) {
            return "invalid value of header";
        }
    }

    return NULL;
}


/* RFC 9110, 5.6.2 */

static ngx_uint_t
wag_request_is_token(ngx_str_t *s)
{
    u_char  ch;
    size_t  i;

    for (i = 0; i < s->len; i++) {
        ch = s->data[i];

        if ((ch >= '0' && ch <= '9')
            || ((ch | 0x20) >= 'a' && (ch | 0x20) <= 'z'))
        {
            continue;
        }

        if (ch == '\0' || ngx_strchr("!#$%&'*+-.^_`|~", ch) == NULL) {
            return 0;
        }
    }

    return s->len != 0;
}


/* a CR or LF here would begin another header, or another request */

static ngx_uint_t
wag_request_is_value(ngx_str_t *s)
{
    size_t  i;

    for (i = 0; i < s->len; i++) {
        if ((s->data[i] < ' ' && s->data[i] != '\t') || s->data[i] == 0x7f) {
            return 0;
        }
    }

    return 1;
}


static ngx_uint_t
wag_request_has_header(ngx_array_t *headers, const char *name)
{
    ngx_uint_t     i;
    ngx_keyval_t  *kv;

    if (headers == NULL) {
        return 0;
    }

    kv = headers->elts;

    for (i = 0; i < headers->nelts; i++) {
        if (kv[i].key.len == ngx_strlen(name)
            && ngx_strncasecmp(kv[i].key.data, (u_char *) name, kv[i].key.len)
               == 0)
        {
            return 1;
        }
    }

    return 0;
}


static u_char *
wag_request_add_header(u_char *p, ngx_array_t *headers, const char *name,
    ngx_str_t *value)
{
    if (wag_request_has_header(headers, name)) {
        return p;
    }

    return ngx_sprintf(p, "%s: %V" CRLF, name, value);
}
