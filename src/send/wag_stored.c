
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_stored.h"


/* a text has two bytes of length before it */

#define WAG_STORED_MAX_LEN  65535


static u_char *wag_stored_put(u_char *p, u_char *last, ngx_str_t *text);
static ngx_int_t wag_stored_get(ngx_str_t *from, ngx_str_t *text);


/* how the body is to be read, and what a client does next */

static ngx_str_t  wag_stored_names[] = {
    ngx_string("Content-Encoding"),
    ngx_string("Content-Language"),
    ngx_string("Content-Location"),
    ngx_string("Location"),
    ngx_string("Retry-After"),
    ngx_null_string
};


ngx_uint_t
wag_stored_matters(ngx_str_t *name)
{
    ngx_str_t  *known;

    for (known = wag_stored_names; known->len; known++) {
        if (known->len == name->len
            && ngx_strncasecmp(known->data, name->data, name->len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


u_char *
wag_stored_write(u_char *p, wag_stored_t *stored)
{
    u_char      *last;
    ngx_uint_t   i;

    last = p + WAG_STORED_HEAD_LEN;

    *p++ = (u_char) stored->nheaders;

    p = wag_stored_put(p, last, &stored->type);
    p = wag_stored_put(p, last, &stored->charset);

    for (i = 0; i < stored->nheaders; i++) {
        p = wag_stored_put(p, last, &stored->headers[i].key);
        p = wag_stored_put(p, last, &stored->headers[i].value);
    }

    return p;
}


static u_char *
wag_stored_put(u_char *p, u_char *last, ngx_str_t *text)
{
    if (p == NULL
        || text->len > WAG_STORED_MAX_LEN
        || (size_t) (last - p) < text->len + 2)
    {
        return NULL;
    }

    *p++ = (u_char) (text->len >> 8);
    *p++ = (u_char) text->len;

    return text->len ? ngx_cpymem(p, text->data, text->len) : p;
}


ngx_int_t
wag_stored_read(ngx_str_t *text, wag_stored_t *stored)
{
    ngx_str_t   from;
    ngx_uint_t  i;

    from = *text;

    if (from.len == 0 || from.data[0] > WAG_STORED_HEADERS) {
        return NGX_ERROR;
    }

    stored->nheaders = from.data[0];

    from.data++;
    from.len--;

    if (wag_stored_get(&from, &stored->type) != NGX_OK
        || wag_stored_get(&from, &stored->charset) != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < stored->nheaders; i++) {
        if (wag_stored_get(&from, &stored->headers[i].key) != NGX_OK
            || wag_stored_get(&from, &stored->headers[i].value) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    stored->body = from;

    return NGX_OK;
}


static ngx_int_t
wag_stored_get(ngx_str_t *from, ngx_str_t *text)
{
    size_t  len;

    if (from->len < 2) {
        return NGX_ERROR;
    }

    len = (size_t) from->data[0] << 8 | from->data[1];

    from->data += 2;
    from->len -= 2;

    if (from->len < len) {
        return NGX_ERROR;
    }

    text->data = from->data;
    text->len = len;

    from->data += len;
    from->len -= len;

    return NGX_OK;
}
