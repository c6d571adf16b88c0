
/*
 * Copyright (C) the wa_gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_http.h"


static ngx_int_t wag_http_content_length(wag_http_t *h, ngx_str_t *value);
static ngx_int_t wag_http_transfer_encoding(wag_http_t *h, ngx_str_t *value);
static void wag_http_connection(wag_http_t *h, ngx_str_t *value,
    ngx_uint_t *keepalive);
static ngx_int_t wag_http_is(ngx_str_t *s, const char *token);
static size_t wag_http_data(wag_http_t *h, u_char *pos, u_char *last);
static ngx_int_t wag_http_chunk_size(wag_http_t *h, u_char ch);
static ngx_int_t wag_http_chunk_line(wag_http_t *h, u_char ch);
static ngx_int_t wag_http_chunk_ext(wag_http_t *h, u_char ch);
static ngx_int_t wag_http_trailer(wag_http_t *h, u_char ch);


ngx_int_t
wag_http_framing(wag_http_t *h)
{
    ngx_int_t           rc;
    ngx_uint_t          i, keepalive;
    wag_http_header_t  *hdr;

    rc = NGX_OK;
    keepalive = (h->minor > 0);

    for (i = 0; i < h->nheaders && rc == NGX_OK; i++) {
        hdr = &h->headers[i];

        if (wag_http_is(&hdr->name, "content-length")) {
            rc = wag_http_content_length(h, &hdr->value);

        } else if (wag_http_is(&hdr->name, "transfer-encoding"))
        {
            rc = wag_http_transfer_encoding(h, &hdr->value);

        } else if (wag_http_is(&hdr->name, "connection")) {
            wag_http_connection(h, &hdr->value, &keepalive);
        }
    }

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    if (h->chunked && h->length != -1) {
        h->error = "both Content-Length and Transfer-Encoding";
        return NGX_ERROR;
    }

    /* RFC 9112, 6.1: the framing of chunked HTTP/1.0 is not trusted */

    h->keepalive = (keepalive && !h->close && !(h->chunked && h->minor == 0));

    return NGX_OK;
}


static ngx_int_t
wag_http_content_length(wag_http_t *h, ngx_str_t *value)
{
    off_t  n;

    /* fails on an empty value, a sign, a list and an overflow */

    n = ngx_atoof(value->data, value->len);

    if (n == NGX_ERROR) {
        h->error = "invalid Content-Length";
        return NGX_ERROR;
    }

    if (h->length != -1 && h->length != n) {
        h->error = "different Content-Lengths";
        return NGX_ERROR;
    }

    h->length = n;

    return NGX_OK;
}


static ngx_int_t
wag_http_transfer_encoding(wag_http_t *h, ngx_str_t *value)
{
    if (!wag_http_is(value, "chunked")) {
        h->error = "unsupported Transfer-Encoding";
        return NGX_ERROR;
    }

    if (h->chunked) {
        h->error = "repeated Transfer-Encoding";
        return NGX_ERROR;
    }

    h->chunked = 1;

    return NGX_OK;
}


static void
wag_http_connection(wag_http_t *h, ngx_str_t *value, ngx_uint_t *keepalive)
{
    u_char    *p, *last;
    ngx_str_t  token;

    p = value->data;
    last = p + value->len;

    while (p < last) {

        if (*p == ' ' || *p == '\t' || *p == ',') {
            p++;
            continue;
        }

        token.data = p;

        while (p < last && *p != ' ' && *p != '\t' && *p != ',') {
            p++;
        }

        token.len = p - token.data;

        if (wag_http_is(&token, "close")) {
            h->close = 1;

        } else if (wag_http_is(&token, "keep-alive")) {
            *keepalive = 1;
        }
    }
}


static ngx_int_t
wag_http_is(ngx_str_t *s, const char *token)
{
    return s->len == ngx_strlen(token)
           && ngx_strncasecmp(s->data, (u_char *) token, s->len) == 0;
}


ngx_int_t
wag_http_parse_body(wag_http_t *h, u_char **pos, u_char *last)
{
    ngx_int_t  rc;

    if (h->drained >= h->drain_max) {
        h->truncated = 1;
        h->keepalive = 0;
        h->state = wag_http_done_st;

        return NGX_OK;
    }

    switch (h->state) {

    case wag_http_length_st:
    case wag_http_close_st:
    case wag_http_chunk_data_st:

        *pos += wag_http_data(h, *pos, last);

        return NGX_OK;

    case wag_http_chunk_start_st:
    case wag_http_chunk_size_st:

        rc = wag_http_chunk_size(h, **pos);
        break;

    case wag_http_trailer_start_st:
    case wag_http_trailer_end_lf_st:
    case wag_http_trailer_st:
    case wag_http_trailer_lf_st:

        rc = wag_http_trailer(h, **pos);
        break;

    default:

        rc = wag_http_chunk_line(h, **pos);
        break;
    }

    (*pos)++;
    h->drained++;

    return rc;
}


static size_t
wag_http_data(wag_http_t *h, u_char *pos, u_char *last)
{
    size_t  n, size;

    n = last - pos;
    n = (size_t) ngx_min((off_t) n, h->drain_max - h->drained);

    if (h->length != -1) {
        n = (size_t) ngx_min((off_t) n, h->length);
        h->length -= n;
    }

    h->drained += n;

    if (h->sink) {
        h->sink(h->data, pos, n);
        goto end;
    }

    size = ngx_min(n, h->body_max - h->body.len);

    if (size < n) {
        h->truncated = 1;
    }

    ngx_memcpy(h->body.data + h->body.len, pos, size);

    h->body.len += size;
    h->body.data[h->body.len] = '\0';

end:

    if (h->length == 0) {
        h->state = (h->state == wag_http_chunk_data_st)
                   ? wag_http_chunk_end_st
                   : wag_http_done_st;
    }

    return n;
}


static ngx_int_t
wag_http_chunk_size(wag_http_t *h, u_char ch)
{
    u_char      c;
    ngx_uint_t  digit;

    c = (u_char) (ch | 0x20);

    if (ch >= '0' && ch <= '9') {
        digit = ch - '0';

    } else if (c >= 'a' && c <= 'f') {
        digit = c - 'a' + 10;

    } else if (h->state == wag_http_chunk_size_st) {
        h->state = wag_http_chunk_ws_st;

        return wag_http_chunk_line(h, ch);

    } else {
        h->error = "invalid chunk size";
        return NGX_ERROR;
    }

    if (h->state == wag_http_chunk_start_st) {
        h->state = wag_http_chunk_size_st;
        h->length = 0;
    }

    if (h->length > NGX_MAX_OFF_T_VALUE / 16) {
        h->error = "chunk is too large";
        return NGX_ERROR;
    }

    h->length = h->length * 16 + digit;

    return NGX_OK;
}


/* what stands between the size of a chunk, its data and the next size */

static ngx_int_t
wag_http_chunk_line(wag_http_t *h, u_char ch)
{
    switch (h->state) {

    case wag_http_chunk_ws_st:
    case wag_http_chunk_ext_st:

        if (ch == CR) {
            h->state = wag_http_chunk_size_lf_st;
            return NGX_OK;
        }

        if (ch != LF) {
            return wag_http_chunk_ext(h, ch);
        }

        /* fall through */

    case wag_http_chunk_size_lf_st:

        if (ch == LF) {
            h->state = h->length ? wag_http_chunk_data_st
                                 : wag_http_trailer_start_st;
            return NGX_OK;
        }

        h->error = "invalid chunk size";
        return NGX_ERROR;

    default: /* chunk_end_st, chunk_end_lf_st */

        if (ch == LF) {
            h->state = wag_http_chunk_start_st;
            return NGX_OK;
        }

        if (ch == CR && h->state == wag_http_chunk_end_st) {
            h->state = wag_http_chunk_end_lf_st;
            return NGX_OK;
        }

        h->error = "invalid chunk end";
        return NGX_ERROR;
    }
}


static ngx_int_t
wag_http_chunk_ext(wag_http_t *h, u_char ch)
{
    if (h->size++ == h->max) {
        h->error = "chunk extension is too large";
        return NGX_ERROR;
    }

    if (ch == ';') {
        h->state = wag_http_chunk_ext_st;
        return NGX_OK;
    }

    if (h->state == wag_http_chunk_ext_st) {

        if (ch != '\0') {
            return NGX_OK;
        }

    } else if (ch == ' ' || ch == '\t') {
        return NGX_OK;
    }

    h->error = "invalid chunk size";

    return NGX_ERROR;
}


/* trailers are only skipped, RFC 9112, 7.1.2 */

static ngx_int_t
wag_http_trailer(wag_http_t *h, u_char ch)
{
    if (h->size++ == h->max) {
        h->error = "trailer is too large";
        return NGX_ERROR;
    }

    if (ch == LF) {
        h->state = (h->state == wag_http_trailer_start_st
                    || h->state == wag_http_trailer_end_lf_st)
                   ? wag_http_done_st
                   : wag_http_trailer_start_st;
        return NGX_OK;
    }

    if (h->state == wag_http_trailer_end_lf_st
        || h->state == wag_http_trailer_lf_st
        || ch == '\0')
    {
        h->error = "invalid trailer";
        return NGX_ERROR;
    }

    if (ch == CR) {
        h->state = (h->state == wag_http_trailer_start_st)
                   ? wag_http_trailer_end_lf_st
                   : wag_http_trailer_lf_st;

    } else {
        h->state = wag_http_trailer_st;
    }

    return NGX_OK;
}
