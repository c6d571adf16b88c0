
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_form.h"


static ngx_int_t wag_form_pair(wag_message_t *m, u_char *p, u_char *last);
static ngx_int_t wag_form_name(wag_message_t *m, u_char *p, u_char *last,
    ngx_str_t *name);
static ngx_int_t wag_form_value(wag_message_t *m, const wag_member_t *member,
    u_char *p, u_char *last);
static ngx_int_t wag_form_decode(u_char *p, u_char *last, ngx_str_t *text);
static ngx_int_t wag_form_hex(u_char ch);
static ngx_uint_t wag_form_is_utf8(ngx_str_t *text);
static u_char *wag_form_char(u_char *p, u_char *last);


ngx_int_t
wag_form_read(wag_message_t *m, ngx_str_t *body)
{
    u_char     *p, *end, *last;
    ngx_int_t   rc;

    if (m->kind != WAG_MESSAGE_TEXT) {
        return wag_member_decline(m, NULL, "a form has no media");
    }

    if (body->len > WAG_FORM_MAX_LEN) {
        return wag_member_decline(m, NULL, "a form longer than 256 KB");
    }

    last = body->data + body->len;

    for (p = body->data; p < last; p = end + 1) {
        end = ngx_strlchr(p, last, '&');

        if (end == NULL) {
            end = last;

        } else if (end + 1 == last) {
            return wag_member_decline(m, NULL, "\"&\" at the end of the form");
        }

        rc = wag_form_pair(m, p, end);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    return wag_member_check(m);
}


static ngx_int_t
wag_form_pair(wag_message_t *m, u_char *p, u_char *last)
{
    u_char              *end;
    ngx_int_t            rc;
    ngx_str_t            name;
    const wag_member_t  *member;

    end = ngx_strlchr(p, last, '=');

    if (end == NULL) {
        return wag_member_decline(m, NULL, "no \"=\" in a part of the form");
    }

    rc = wag_form_name(m, p, end, &name);

    if (rc != NGX_OK) {
        return rc;
    }

    member = wag_member_find(m, &name);

    if (member == NULL) {
        return NGX_DECLINED;
    }

    return wag_form_value(m, member, end + 1, last);
}


/* of what is invalid, that which was before is shown */

static ngx_int_t
wag_form_name(wag_message_t *m, u_char *p, u_char *last, ngx_str_t *name)
{
    name->data = ngx_pnalloc(m->pool, last - p + 1);
    if (name->data == NULL) {
        return NGX_ERROR;
    }

    if (wag_form_decode(p, last, name) != NGX_OK) {
        return wag_member_decline(m, name, "invalid \"%\" in a name");
    }

    if (!wag_form_is_utf8(name)) {
        return wag_member_decline(m, name, "invalid UTF-8 in a name");
    }

    return NGX_OK;
}


static ngx_int_t
wag_form_value(wag_message_t *m, const wag_member_t *member, u_char *p,
    u_char *last)
{
    ngx_str_t   text;
    ngx_uint_t  cut;

    text.data = ngx_pnalloc(m->pool, last - p + 1);
    if (text.data == NULL) {
        return NGX_ERROR;
    }

    if (wag_form_decode(p, last, &text) != NGX_OK) {
        return wag_member_decline(m, &member->name, "invalid \"%\" in it");
    }

    if (!wag_form_is_utf8(&text)) {
        return wag_member_decline(m, &member->name, "invalid UTF-8 in it");
    }

    cut = text.len > member->max;

    return wag_member_set(m, member, WAG_MEMBER_STRING, &text, cut);
}


/* to where "text" has room for all; what is invalid ends it */

static ngx_int_t
wag_form_decode(u_char *p, u_char *last, ngx_str_t *text)
{
    u_char     *dst;
    ngx_int_t   high, low;

    dst = text->data;

    for ( /* void */ ; p < last; p++) {

        if (*p != '%') {
            *dst++ = (*p == '+') ? ' ' : *p;
            continue;
        }

        high = (last - p > 2) ? wag_form_hex(p[1]) : NGX_ERROR;
        low = (last - p > 2) ? wag_form_hex(p[2]) : NGX_ERROR;

        if (high == NGX_ERROR || low == NGX_ERROR) {
            break;
        }

        *dst++ = (u_char) (high << 4 | low);
        p += 2;
    }

    text->len = dst - text->data;

    return (p == last) ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
wag_form_hex(u_char ch)
{
    if (ch >= '0' && ch <= '9') {
        return ch - '0';
    }

    ch |= 0x20;

    return (ch >= 'a' && ch <= 'f') ? ch - 'a' + 10 : NGX_ERROR;
}


static ngx_uint_t
wag_form_is_utf8(ngx_str_t *text)
{
    u_char  *p, *last;

    last = text->data + text->len;

    for (p = text->data; p < last; /* void */ ) {

        if (*p < 0x80) {
            p++;
            continue;
        }

        p = wag_form_char(p, last);

        if (p == NULL) {
            return 0;
        }
    }

    return 1;
}


/* behind a character of several bytes, RFC 3629, 4; NULL: it is none */

static u_char *
wag_form_char(u_char *p, u_char *last)
{
    size_t  n;
    u_char  min, max;

    if (*p < 0xc2 || *p > 0xf4) {
        return NULL;
    }

    n = (*p < 0xe0) ? 1 : (*p < 0xf0) ? 2 : 3;

    min = (*p == 0xe0) ? 0xa0 : (*p == 0xf0) ? 0x90 : 0x80;
    max = (*p == 0xed) ? 0x9f : (*p == 0xf4) ? 0x8f : 0xbf;

    if ((size_t) (last - p) <= n || p[1] < min || p[1] > max) {
        return NULL;
    }

    for (p += 2; n > 1; n--, p++) {
        if ((*p & 0xc0) != 0x80) {
            return NULL;
        }
    }

    return p;
}
