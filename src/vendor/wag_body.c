
/*
 * Copyright (C) the wa_gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_body.h"


static ngx_int_t wag_body_event(wag_json_scan_t *s, ngx_uint_t event);
static void wag_body_key(wag_body_t *b);
static void wag_body_value(wag_body_t *b, ngx_uint_t event);
static void wag_body_to_key(wag_body_t *b);
static void wag_body_to_value(wag_body_t *b, ngx_uint_t event);
static void wag_body_to_decline(wag_body_t *b, const char *error);
static ngx_uint_t wag_body_is_name(ngx_str_t *name, ngx_uint_t nocase,
    ngx_str_t *key);
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


void
wag_body_init_to(wag_body_t *b, wag_body_to_t *to, ngx_str_t *name)
{
    ngx_memzero(to, offsetof(wag_body_to_t, room));

    to->name = *name;

    b->to = to;
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

        /* one without case may be longer than it is written */

        if (!b->nocase && b->to == NULL) {
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

    if (b->to && (b->to->wanted || b->to->inside)) {
        wag_body_to_value(b, event);
    }

    /* nothing within a value is wanted but what a list of recipients has */

    s->skip = (event == WAG_JSON_OBJECT
               || (event == WAG_JSON_ARRAY
                   && !(b->to && b->to->inside && s->depth == 1)));

    return NGX_OK;
}


static void
wag_body_key(wag_body_t *b)
{
    wag_json_scan_t  *s;

    s = &b->scan;

    if (s->cut) {
        s->skip = 1;
        return;
    }

    if (b->name.data == NULL
        || !wag_body_is_name(&b->name, b->nocase, &s->text))
    {
        wag_body_to_key(b);
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


static void
wag_body_to_key(wag_body_t *b)
{
    wag_body_to_t  *to;

    to = b->to;

    if (to == NULL || !wag_body_is_name(&to->name, 1, &b->scan.text)) {
        b->scan.skip = 1;
        return;
    }

    if (to->found) {
        wag_body_to_decline(b, "the recipient is given twice");
        b->scan.skip = 1;
        return;
    }

    to->found = 1;
    to->wanted = 1;

    b->scan.room.data = to->room;
    b->scan.room.len = sizeof(to->room);
}


/* the member's, or one in the array that it is, or the end of that */

static void
wag_body_to_value(wag_body_t *b, ngx_uint_t event)
{
    wag_body_to_t    *to;
    wag_json_scan_t  *s;

    s = &b->scan;
    to = b->to;

    if (s->depth == 1 && to->inside) {
        to->inside = 0;
        return;
    }

    if (to->wanted && event == WAG_JSON_ARRAY && to->list) {
        to->wanted = 0;
        to->inside = 1;

        s->room.data = to->room;
        s->room.len = sizeof(to->room);

        return;
    }

    to->wanted = 0;

    if (event != WAG_JSON_STRING) {
        wag_body_to_decline(b, "the recipient is no string");

    } else if (to->value.data) {
        wag_body_to_decline(b, "there are several recipients");

    } else if (s->cut) {
        wag_body_to_decline(b, "the recipient is too long");

    } else if (s->text.len == 0) {
        wag_body_to_decline(b, "the recipient is empty");

    } else {
        to->value = s->text;
    }
}


static void
wag_body_to_decline(wag_body_t *b, const char *error)
{
    if (b->to->error == NULL) {
        b->to->error = error;
        b->to->offset = b->scan.start;
    }
}


static ngx_uint_t
wag_body_is_name(ngx_str_t *name, ngx_uint_t nocase, ngx_str_t *key)
{
    u_char  *p, *n, *last, *end;

    if (!nocase) {
        return key->len == name->len
               && ngx_memcmp(key->data, name->data, key->len) == 0;
    }

    p = key->data;
    last = p + key->len;

    n = name->data;
    end = n + name->len;

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
