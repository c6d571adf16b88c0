
/*
 * Copyright (C) the wa_gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_url.h"


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
