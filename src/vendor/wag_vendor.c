
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_record.h"
#include "wag_vendor.h"


/* E.164 has 15 digits at most, and 8 is what the shortest have */

#define WAG_VENDOR_MIN_DIGITS  8
#define WAG_VENDOR_MAX_DIGITS  15


static ngx_uint_t wag_vendor_is_phone(u_char *p, u_char *last);


ngx_uint_t
wag_vendor_state(wag_vendor_t *vendor, ngx_str_t *text)
{
    ngx_uint_t           i;
    wag_vendor_state_t  *state;

    state = vendor->states.elts;

    for (i = 0; i < vendor->states.nelts; i++) {
        if (state[i].text.len == text->len
            && ngx_memcmp(state[i].text.data, text->data, text->len) == 0)
        {
            return state[i].state;
        }
    }

    return WAG_SESSION_DOWN;
}


void
wag_vendor_state_text(wag_pick_value_t *parts, ngx_uint_t n, u_char *buf,
    ngx_str_t *state)
{
    u_char      *p, *last;
    ngx_str_t    text;
    ngx_uint_t   i;

    p = buf;
    last = buf + WAG_SESSION_TEXT_LEN;

    for (i = 0; i < n; i++) {

        text.data = parts[i].data;
        text.len = parts[i].len;

        if (parts[i].type == WAG_PICK_NONE || parts[i].type == WAG_PICK_OTHER)
        {
            ngx_str_set(&text, "-");
        }

        p = ngx_slprintf(p, last, "%s%V", i ? "," : "", &text);
    }

    state->data = buf;
    state->len = p - buf;
}


uint32_t
wag_vendor_hash(ngx_str_t *name)
{
    return ngx_crc32_short(name->data, name->len) | 1;
}


ngx_uint_t
wag_vendor_status(ngx_array_t *statuses, ngx_uint_t status)
{
    ngx_uint_t  i, *range;

    if (statuses == NULL) {
        return (status == 200);
    }

    range = statuses->elts;

    for (i = 0; i < statuses->nelts; i += 2) {
        if (status >= range[i] && status <= range[i + 1]) {
            return 1;
        }
    }

    return 0;
}


uint64_t
wag_vendor_number(ngx_str_t *text)
{
    u_char    *p, *first, *last;
    uint64_t   number;

    p = text->data;
    last = p + text->len;
    number = 0;

    if (p < last && *p == '+') {
        p++;
    }

    for (first = p; p < last && *p >= '0' && *p <= '9'; p++) {

        if (p - first == WAG_VENDOR_MAX_DIGITS) {
            return 0;
        }

        number = number * 10 + (*p - '0');
    }

    if (p - first < WAG_VENDOR_MIN_DIGITS) {
        return 0;
    }

    return wag_vendor_is_phone(p, last) ? number : 0;
}


/* what follows the digits; "@lid" and "@g.us" are no phones */

static ngx_uint_t
wag_vendor_is_phone(u_char *p, u_char *last)
{
    size_t  len;

    if (p < last && *p == ':') {

        /* of a device */

        for (p++; p < last && *p >= '0' && *p <= '9'; p++) { /* void */ }
    }

    if (p == last) {
        return 1;
    }

    len = last - p;

    return (len == sizeof("@c.us") - 1
            && ngx_memcmp(p, "@c.us", len) == 0)
           || (len == sizeof("@s.whatsapp.net") - 1
               && ngx_memcmp(p, "@s.whatsapp.net", len) == 0);
}


uint64_t
wag_vendor_picked_number(wag_pick_value_t *value)
{
    ngx_str_t  text;

    if (value->cut
        || (value->type != WAG_PICK_STRING && value->type != WAG_PICK_NUMBER))
    {
        return 0;
    }

    text.data = value->data;
    text.len = value->len;

    return wag_vendor_number(&text);
}
