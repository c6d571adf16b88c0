
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_store_url.h"


static const char *wag_store_url_login(ngx_str_t *login,
    wag_store_url_t *url);
static ngx_int_t wag_store_url_decode(ngx_str_t *text);
static const char *wag_store_url_database(u_char *p, u_char *last,
    wag_store_url_t *url);


const char *
wag_store_url(ngx_str_t *text, wag_store_url_t *url)
{
    u_char            *p, *last, *at, *slash;
    ngx_str_t          login;
    const char        *error;
    static ngx_str_t   scheme = ngx_string("redis://");

    ngx_memzero(url, sizeof(wag_store_url_t));

    if (text->len <= scheme.len
        || ngx_strncasecmp(text->data, scheme.data, scheme.len) != 0)
    {
        return "it begins with redis://";
    }

    p = text->data + scheme.len;
    last = text->data + text->len;

    for (at = last; at > p && at[-1] != '@'; at--) { /* void */ }

    if (at > p) {
        login.data = p;
        login.len = at - 1 - p;

        error = wag_store_url_login(&login, url);
        if (error) {
            return error;
        }

        p = at;
    }

    slash = ngx_strlchr(p, last, '/');

    url->host.data = p;
    url->host.len = (slash ? slash : last) - p;

    if (url->host.len == 0) {
        return "it has no host";
    }

    for (p = url->host.data; p < url->host.data + url->host.len; p++) {
        if (*p <= ' ' || *p > '~') {
            return "its host is no name and no address";
        }
    }

    return slash ? wag_store_url_database(slash + 1, last, url) : NULL;
}


static const char *
wag_store_url_login(ngx_str_t *login, wag_store_url_t *url)
{
    u_char  *colon, *last;

    last = login->data + login->len;
    colon = ngx_strlchr(login->data, last, ':');

    if (colon == NULL) {
        return "a password has a colon before it";
    }

    url->user.data = login->data;
    url->user.len = colon - login->data;

    url->password.data = colon + 1;
    url->password.len = last - (colon + 1);

    if (url->password.len == 0) {
        return "its password is empty";
    }

    return (wag_store_url_decode(&url->user) == NGX_OK
            && wag_store_url_decode(&url->password) == NGX_OK)
           ? NULL : "a \"%\" has two hexadecimal digits behind it";
}


static ngx_int_t
wag_store_url_decode(ngx_str_t *text)
{
    u_char     *from, *to, *last;
    ngx_int_t   n;

    to = text->data;
    last = text->data + text->len;

    for (from = text->data; from < last; /* void */) {

        if (*from != '%') {
            *to++ = *from++;
            continue;
        }

        n = (last - from > 2) ? ngx_hextoi(from + 1, 2) : NGX_ERROR;

        if (n == NGX_ERROR) {
            return NGX_ERROR;
        }

        *to++ = (u_char) n;
        from += 3;
    }

    text->len = to - text->data;

    return NGX_OK;
}


static const char *
wag_store_url_database(u_char *p, u_char *last, wag_store_url_t *url)
{
    ngx_int_t  n;

    if (p == last) {
        return NULL;
    }

    n = ngx_atoi(p, last - p);

    if (n == NGX_ERROR || n >= WAG_STORE_DATABASES) {
        return "its database is a number";
    }

    url->database = n;

    return NULL;
}
