
/*
 * Copyright (C) the wa_gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_http.h"


static ngx_int_t wag_http_parse_line(wag_http_t *h, u_char **pos,
    u_char *last);
static ngx_int_t wag_http_line(wag_http_t *h);
static ngx_int_t wag_http_status_line(wag_http_t *h, ngx_str_t *line);
static ngx_int_t wag_http_header_line(wag_http_t *h, ngx_str_t *line);
static void wag_http_fold(wag_http_t *h, ngx_str_t *line);
static void wag_http_trim(ngx_str_t *s);
static ngx_int_t wag_http_header_done(wag_http_t *h);


static u_char  wag_http_magic[] = "HTTP/1.";


void
wag_http_init(wag_http_t *h, ngx_str_t *header, ngx_str_t *body, off_t drain,
    ngx_uint_t head)
{
    ngx_memzero(h, sizeof(wag_http_t));

    h->start = header->data;
    h->line = header->data;
    h->last = header->data;
    h->max = header->len;

    h->body.data = body->data;
    h->body.data[0] = '\0';
    h->body_max = body->len - 1;

    h->head = head ? 1 : 0;
    h->length = -1;
    h->drain_max = drain;
}


ngx_int_t
wag_http_parse(wag_http_t *h, u_char *pos, u_char *last)
{
    ngx_int_t  rc;

    if (h->error != NULL) {
        return NGX_ERROR;
    }

    if (pos < last) {
        h->started = 1;
    }

    while (pos < last && h->state != wag_http_done_st) {

        if (h->state <= wag_http_header_st) {
            rc = wag_http_parse_line(h, &pos, last);

        } else {
            rc = wag_http_parse_body(h, &pos, last);
        }

        if (rc != NGX_OK) {
            h->keepalive = 0;
            return NGX_ERROR;
        }
    }

    if (h->state != wag_http_done_st) {
        return NGX_AGAIN;
    }

    if (pos < last) {
        h->extra += last - pos;
        h->keepalive = 0;
    }

    return NGX_OK;
}


ngx_int_t
wag_http_eof(wag_http_t *h)
{
    h->keepalive = 0;

    if (h->error != NULL) {
        return NGX_ERROR;
    }

    if (h->state == wag_http_done_st) {
        return NGX_OK;
    }

    if (h->state == wag_http_close_st) {
        h->state = wag_http_done_st;
        return NGX_OK;
    }

    if (!h->started) {
        h->error = "closed before answer";

    } else if (h->state <= wag_http_header_st) {
        h->error = "closed in header";

    } else {
        h->error = "closed in body";
    }

    return NGX_ERROR;
}


wag_http_header_t *
wag_http_find(wag_http_t *h, ngx_str_t *name, wag_http_header_t *prev)
{
    ngx_uint_t          i;
    wag_http_header_t  *hdr;

    i = (prev == NULL) ? 0 : (ngx_uint_t) (prev - h->headers) + 1;

    for ( /* void */ ; i < h->nheaders; i++) {
        hdr = &h->headers[i];

        if (hdr->name.len == name->len
            && ngx_strncasecmp(hdr->name.data, name->data, name->len) == 0)
        {
            return hdr;
        }
    }

    return NULL;
}


/*
 * Lines are gathered in the caller's buffer, where the headers stay; every
 * byte is judged alone, so the verdict does not depend on packet borders.
 */

static ngx_int_t
wag_http_parse_line(wag_http_t *h, u_char **pos, u_char *last)
{
    u_char  ch, *p;
    size_t  len;

    for (p = *pos; p < last; p++) {
        ch = *p;

        if (h->size++ == h->max) {
            h->error = "header is too large";
            return NGX_ERROR;
        }

        if (ch == LF) {
            *pos = p + 1;
            h->cr = 0;

            return wag_http_line(h);
        }

        if (h->cr || ch == '\0') {
            h->error = h->cr ? "bare CR in header" : "NUL in header";
            return NGX_ERROR;
        }

        if (ch == CR) {
            h->cr = 1;
            continue;
        }

        len = h->last - h->line;

        if (h->state == wag_http_status_st
            && len < sizeof(wag_http_magic) - 1
            && ch != wag_http_magic[len])
        {
            h->error = (len < sizeof("HTTP/") - 1)
                       ? "no HTTP" : "unsupported HTTP version";
            return NGX_ERROR;
        }

        *h->last++ = ch;
    }

    *pos = p;

    return NGX_OK;
}


static ngx_int_t
wag_http_line(wag_http_t *h)
{
    ngx_int_t  rc;
    ngx_str_t  line;

    line.data = h->line;
    line.len = h->last - h->line;

    if (h->state == wag_http_status_st) {
        rc = wag_http_status_line(h, &line);
        h->last = h->start;

    } else if (line.len == 0) {
        return wag_http_header_done(h);

    } else if (line.data[0] == ' ' || line.data[0] == '\t') {

        if (h->nheaders == 0) {
            h->error = "whitespace before the first header";
            return NGX_ERROR;
        }

        wag_http_fold(h, &line);
        rc = NGX_OK;

    } else {
        rc = wag_http_header_line(h, &line);
    }

    h->line = h->last;

    return rc;
}


/* as ngx_http_parse_status_line(): the reason phrase may be missing */

static ngx_int_t
wag_http_status_line(wag_http_t *h, ngx_str_t *line)
{
    u_char    *p, *last;
    ngx_int_t  status;

    p = line->data + sizeof(wag_http_magic) - 1;
    last = line->data + line->len;

    if (last <= p) {
        h->error = "no HTTP";
        return NGX_ERROR;
    }

    if (*p < '0' || *p > '9') {
        h->error = "unsupported HTTP version";
        return NGX_ERROR;
    }

    h->minor = *p++ - '0';

    if (last - p < 4 || *p++ != ' ') {
        h->error = "invalid status line";
        return NGX_ERROR;
    }

    while (p < last && *p == ' ') {
        p++;
    }

    status = (last - p < 3) ? NGX_ERROR : ngx_atoi(p, 3);

    if (status < 100 || (last - p > 3 && p[3] != ' ')) {
        h->error = "invalid status line";
        return NGX_ERROR;
    }

    h->status = status;
    h->state = wag_http_header_st;

    return NGX_OK;
}


static ngx_int_t
wag_http_header_line(wag_http_t *h, ngx_str_t *line)
{
    u_char             *p, *last;
    wag_http_header_t  *hdr;

    last = line->data + line->len;

    for (p = line->data; p < last && *p != ':'; p++) {
        if (*p <= 0x20 || *p == 0x7f) {
            h->error = "invalid header name";
            return NGX_ERROR;
        }
    }

    if (p == last) {
        h->error = "header without colon";
        return NGX_ERROR;
    }

    if (p == line->data) {
        h->error = "empty header name";
        return NGX_ERROR;
    }

    if (h->nheaders == WAG_HTTP_MAX_HEADERS) {
        h->error = "too many headers";
        return NGX_ERROR;
    }

    hdr = &h->headers[h->nheaders++];

    hdr->name.data = line->data;
    hdr->name.len = p - line->data;

    hdr->value.data = p + 1;
    hdr->value.len = last - p - 1;

    wag_http_trim(&hdr->value);

    h->last = hdr->value.data + hdr->value.len;

    return NGX_OK;
}


/*
 * RFC 9112, 5.2: a folded line goes on with the value before it, after one
 * space; the last header always ends where the line begins.
 */

static void
wag_http_fold(wag_http_t *h, ngx_str_t *line)
{
    u_char             *p;
    wag_http_header_t  *hdr;

    hdr = &h->headers[h->nheaders - 1];
    p = hdr->value.data + hdr->value.len;

    wag_http_trim(line);

    if (line->len) {

        if (hdr->value.len) {
            *p++ = ' ';
        }

        p = ngx_movemem(p, line->data, line->len);
        hdr->value.len = p - hdr->value.data;
    }

    h->last = p;
}


static void
wag_http_trim(ngx_str_t *s)
{
    while (s->len && (s->data[0] == ' ' || s->data[0] == '\t')) {
        s->data++;
        s->len--;
    }

    while (s->len
           && (s->data[s->len - 1] == ' ' || s->data[s->len - 1] == '\t'))
    {
        s->len--;
    }
}


static ngx_int_t
wag_http_header_done(wag_http_t *h)
{
    if (h->status == 101) {
        h->error = "unexpected status 101";
        return NGX_ERROR;
    }

    if (h->status < 200) {

        if (h->interim++ == WAG_HTTP_MAX_INTERIM) {
            h->error = "too many interim answers";
            return NGX_ERROR;
        }

        h->state = wag_http_status_st;
        h->nheaders = 0;
        h->size = 0;
        h->line = h->start;
        h->last = h->start;

        return NGX_OK;
    }

    if (wag_http_framing(h) != NGX_OK) {
        return NGX_ERROR;
    }

    h->size = 0;

    if (h->head || h->status == 204 || h->status == 304 || h->length == 0) {
        h->state = wag_http_done_st;

    } else if (h->chunked) {
        h->state = wag_http_chunk_start_st;

    } else if (h->length > 0) {
        h->state = wag_http_length_st;

    } else {
        h->state = wag_http_close_st;
        h->keepalive = 0;
    }

    return NGX_OK;
}
