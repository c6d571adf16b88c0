
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_message.h"


static ngx_int_t wag_message_event(wag_json_scan_t *s, ngx_uint_t event);
static ngx_int_t wag_message_body(wag_message_t *m, ngx_uint_t event);
static ngx_int_t wag_message_key(wag_message_t *m);
static ngx_int_t wag_message_value(wag_message_t *m, ngx_uint_t event);
static ngx_int_t wag_message_fail(wag_message_t *m);


void
wag_message_init(wag_message_t *m, ngx_pool_t *pool)
{
    off_t       length;
    ngx_str_t   country;
    ngx_uint_t  kind;

    kind = m->kind;
    country = m->country;
    length = m->length;

    ngx_memzero(m, offsetof(wag_message_t, scan));

    m->current = NULL;
    m->names = 0;
    m->groups = 0;
    m->no_memory = 0;
    m->shown.len = 0;

    m->kind = kind;
    m->country = country;
    m->length = length;
    m->pool = pool;

    wag_json_scan_init(&m->scan, wag_message_event, m,
                       WAG_JSON_SCAN_MAX_DEPTH);
}


ngx_int_t
wag_message_parse(wag_message_t *m, u_char *pos, u_char *last)
{
    if (wag_json_scan_parse(&m->scan, pos, last) == NGX_ERROR) {
        return wag_message_fail(m);
    }

    return NGX_AGAIN;
}


ngx_int_t
wag_message_end(wag_message_t *m)
{
    if (wag_json_scan_end(&m->scan) == NGX_ERROR) {
        return wag_message_fail(m);
    }

    return wag_member_check(m);
}


/* depth 0 is the body itself, depth 1 its members; none has more within */

static ngx_int_t
wag_message_event(wag_json_scan_t *s, ngx_uint_t event)
{
    ngx_int_t       rc;
    wag_message_t  *m;

    m = s->data;

    if (s->depth == 0) {
        rc = wag_message_body(m, event);

    } else if (event == WAG_JSON_KEY) {
        rc = wag_message_key(m);

    } else {
        rc = wag_message_value(m, event);

        s->room.data = m->key;
        s->room.len = sizeof(m->key);
    }

    if (rc == NGX_ERROR) {
        m->no_memory = 1;
    }

    return (rc == NGX_OK) ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
wag_message_body(wag_message_t *m, ngx_uint_t event)
{
    if (event == WAG_JSON_OBJECT_END) {
        return NGX_OK;
    }

    if (event != WAG_JSON_OBJECT) {
        return wag_member_decline(m, NULL, "no JSON object");
    }

    m->scan.room.data = m->key;
    m->scan.room.len = sizeof(m->key);

    return NGX_OK;
}


static ngx_int_t
wag_message_key(wag_message_t *m)
{
    size_t            max;
    wag_json_scan_t  *s;

    s = &m->scan;

    /* a name that is cut is longer than any */

    m->current = wag_member_find(m, &s->text);

    if (m->current == NULL) {
        return NGX_DECLINED;
    }

    max = m->current->max;

    if (m->length > 0 && (off_t) max > m->length) {
        max = (size_t) m->length;
    }

    s->room.len = max;
    s->room.data = NULL;

    if (max) {
        s->room.data = ngx_pnalloc(m->pool, max);

        if (s->room.data == NULL) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
wag_message_value(wag_message_t *m, ngx_uint_t event)
{
    ngx_int_t         rc;
    ngx_uint_t        type;
    wag_json_scan_t  *s;

    s = &m->scan;

    type = (event == WAG_JSON_STRING) ? WAG_MEMBER_STRING
           : (event == WAG_JSON_NUMBER) ? WAG_MEMBER_NUMBER
                                        : WAG_MEMBER_OTHER;

    rc = wag_member_set(m, m->current, type, &s->text, s->cut);

    if (rc == NGX_OK && m->current->max == 0) {
        m->data_start = s->start + 1;
        m->data_end = s->end - 1;
    }

    return rc;
}


static ngx_int_t
wag_message_fail(wag_message_t *m)
{
    if (m->no_memory) {
        return NGX_ERROR;
    }

    if (m->error == NULL) {
        (void) wag_member_decline(m, NULL, m->scan.error);
    }

    return NGX_DECLINED;
}
