
/*
 * Copyright (C) the wa_gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_url.h"


#define WAG_URL_NAME_LEN   253
#define WAG_URL_LABEL_LEN  63


#define wag_url_parts(ch)                                                     \
    ((ch) == ',' || (ch) == ' ' || (ch) == '\t')


static ngx_str_t  wag_url_schemes[] = {
    ngx_string("http://"),
    ngx_string("https://"),
    ngx_null_string
};


ngx_uint_t
wag_url_next(ngx_str_t *text, ngx_str_t *url)
{
    u_char  *p, *last;

    p = text->data;
    last = p + text->len;

    while (p < last && wag_url_parts(*p)) {
        p++;
    }

    url->data = p;

    while (p < last && !wag_url_parts(*p)) {
        p++;
    }

    url->len = p - url->data;

    text->data = p;
    text->len = last - p;

    return url->len != 0;
}


ngx_int_t
wag_url_scheme(ngx_str_t *url, ngx_str_t *scheme)
{
    ngx_str_t  *s;

    for (s = wag_url_schemes; s->len; s++) {

        if (url->len > s->len
            && ngx_strncasecmp(url->data, s->data, s->len) == 0)
        {
            *scheme = *s;
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


const char *
wag_url_host(ngx_str_t *url, ngx_str_t *scheme, ngx_str_t *host)
{
    size_t  i;

    if (url->len > scheme->len && url->data[url->len - 1] == '/') {
        url->len--;
    }

    host->data = url->data + scheme->len;
    host->len = url->len - scheme->len;

    for (i = 0; i < host->len; i++) {

        switch (host->data[i]) {

        case '/':
        case '?':
        case '#':
            return "a path is not allowed";

        case '@':
            return "user information is not allowed";
        }
    }

    return NULL;
}


void
wag_url_domain(ngx_str_t *url, ngx_str_t *domain, in_port_t *port)
{
    u_char     *p, *last;
    ngx_str_t   scheme, whole;

    whole = *url;

    ngx_str_null(domain);
    *port = 0;

    if (wag_url_scheme(&whole, &scheme) != NGX_OK
        || wag_url_host(&whole, &scheme, domain) != NULL)
    {
        return;
    }

    last = domain->data + domain->len;
    p = ngx_strlchr(domain->data, last, ':');

    if (p) {
        *port = (in_port_t) ngx_atoi(p + 1, last - p - 1);
        domain->len = p - domain->data;

    } else {
        *port = (scheme.len == sizeof("https://") - 1) ? 443 : 80;
    }
}


const char *
wag_url_name(ngx_str_t *name)
{
    size_t      i, len, label;
    u_char      c;
    ngx_uint_t  digits;

    len = name->len;

    if (len && name->data[len - 1] == '.') {
        len--;
    }

    if (len == 0 || len > WAG_URL_NAME_LEN) {
        return "invalid host";
    }

    label = 0;
    digits = 1;

    for (i = 0; i < len; i++) {
        c = name->data[i];

        if (c == '.') {

            if (label == 0) {
                return "invalid host";
            }

            label = 0;
            digits = 1;
            continue;
        }

        if (++label > WAG_URL_LABEL_LEN) {
            return "invalid host";
        }

        if (c >= '0' && c <= '9') {
            continue;
        }

        digits = 0;
        c |= 0x20;

        /* those above are of names that are no ASCII */

        if (!(c >= 'a' && c <= 'z')
            && name->data[i] != '-'
            && name->data[i] != '_'
            && name->data[i] < 0x80)
        {
            return "invalid host";
        }
    }

    return (label == 0 || digits) ? "invalid host" : NULL;
}
