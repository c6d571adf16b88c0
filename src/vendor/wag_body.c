
/*
 * Copyright (C) the wa_gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_body.h"


static ngx_int_t wag_body_event(wag_json_scan_t *s, ngx_uint_t event);
static void wag_body_key(wag_body_t *b);
static void wag_body_value(wag_body_t *b, ngx_uint_t event);
static ngx_uint_t wag_body_is_name(wag_body_t *b, ngx_str_t *key);
static u_char wag_body_fold(u_char **pos, u_char *last);
static void wag_body_decline(wag_body_t *b, const char *error);
static ngx_int_t wag_body_fail(wag_body_t *b);


void
wag_body_init(wag_body_t *b, ngx_str_t *name)
{
    ngx_memzero(b, offsetof(wag_body_t, scan));

    b->name = *name;
    b->found = 0;
    b->wanted = 0;

    wag_json_scan_init(&b->scan, wag_body_event, b, WAG_JSON_SCAN_MAX_DEPTH);

    if (name->len > WAG_BODY_NAME_LEN) {
        b->scan.error = "the member's name is too long";
    }
}


ngx_int_t
wag_body_parse(wag_body_t *b, u_char *pos, u_char *last)
{
    if (wag_json_scan_parse(&b->scan, pos, last) == NGX_ERROR) {
        return wag_body_fail(b);
    }

    return NGX_AGAIN;
}


ngx_int_t
wag_body_end(wag_body_t *b)
{
    if (wag_json_scan_end(&b->scan) == NGX_ERROR) {
        return wag_body_fail(b);
    }

    if (b->error != NULL) {
        ngx_str_null(&b->value);
        b->cut = 0;

        return NGX_DECLINED;
    }

    return NGX_OK;
}


/*
 * Depth 0 is the body itself, depth 1 its members; of what is not wanted
 * nothing is told.
 */

static ngx_int_t
wag_body_event(wag_json_scan_t *s, ngx_uint_t event)
{
    wag_body_t  *b;

    b = s->data;

    if (event == WAG_JSON_KEY) {
        wag_body_key(b);
        return NGX_OK;
    }

    s->room.data = b->key;
    s->room.len = sizeof(b->key);

    if (s->depth == 0) {

        if (!b->nocase) {
            s->lengths = wag_json_scan_length(b->name.len);
        }

        if (event != WAG_JSON_OBJECT && event != WAG_JSON_OBJECT_END) {
            wag_body_decline(b, "the body is no JSON object");
            s->skip = 1;
        }

        return NGX_OK;
    }

    if (b->wanted) {
        wag_body_value(b, event);
        b->wanted = 0;
    }

    s->skip = (event == WAG_JSON_OBJECT || event == WAG_JSON_ARRAY);

    return NGX_OK;
}


static void
wag_body_key(wag_body_t *b)
{
    wag_json_scan_t  *s;

    s = &b->scan;

    if (s->cut || !wag_body_is_name(b, &s->text)) {
        s->skip = 1;
        return;
    }

    if (b->found) {
        wag_body_decline(b, "the member is given twice");
        s->skip = 1;
        return;
    }

    b->found = 1;
    b->wanted = 1;

    s->room.data = b->room;
    s->room.len = sizeof(b->room);
}


static void
wag_body_value(wag_body_t *b, ngx_uint_t event)
{
    wag_json_scan_t  *s;

    s = &b->scan;

    if (event != WAG_JSON_STRING) {
        wag_body_decline(b, "the member is no string");
        return;
    }

    if (s->text.len == 0) {
        wag_body_decline(b, "the member is empty");
        return;
    }

    b->value = s->text;
    b->cut = s->cut;
}


static ngx_uint_t
wag_body_is_name(wag_body_t *b, ngx_str_t *key)
{
    u_char  *p, *n, *last, *end;

    if (!b->nocase) {
        return key->len == b->name.len
               && ngx_memcmp(key->data, b->name.data, key->len) == 0;
    }

    p = key->data;
    last = p + key->len;

    n = b->name.data;
    end = n + b->name.len;

    while (p < last && n < end) {
        if (wag_body_fold(&p, last) != wag_body_fold(&n, end)) {
            return 0;
        }
    }

    return p == last && n == end;
}


/* the next byte, or the letter that the next character counts as */

static u_char
wag_body_fold(u_char **pos, u_char *last)
{
    u_char  *p;

    p = *pos;

    if (last - p >= 2 && ngx_memcmp(p, "\xc5\xbf", 2) == 0) {
        *pos = p + 2;
        return 's';
    }

    if (last - p >= 3 && ngx_memcmp(p, "\xe2\x84\xaa", 3) == 0) {
        *pos = p + 3;
        return 'k';
    }

    *pos = p + 1;

    return ngx_tolower(*p);
}


/* what is wrong first is told */

static void
wag_body_decline(wag_body_t *b, const char *error)
{
    if (b->error == NULL) {
        b->error = error;
        b->offset = b->scan.start;
    }
}


static ngx_int_t
wag_body_fail(wag_body_t *b)
{
    b->error = b->scan.error;
    b->offset = b->scan.offset;

    ngx_str_null(&b->value);
    b->cut = 0;

    return NGX_ERROR;
}
