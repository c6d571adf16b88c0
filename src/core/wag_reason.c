
/*
 * Copyright (C) the wa_gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_reason.h"


static size_t wag_reason_char(u_char *p, u_char *last);


void
wag_reason_set(wag_reason_t *r, const char *text)
{
    r->len = 0;

    wag_reason_add(r, text);
}


void
wag_reason_add(wag_reason_t *r, const char *text)
{
    ngx_str_t  value;

    value.len = ngx_strlen(text);
    value.data = (u_char *) text;

    wag_reason_add_value(r, &value, value.len);
}


void
wag_reason_add_value(wag_reason_t *r, ngx_str_t *value, size_t max)
{
    u_char  *p, *last, *dst, *end, *cut;
    size_t   n;

    p = value->data;
    last = p + value->len;

    dst = r->data + r->len;
    end = dst + ngx_min(WAG_REASON_LEN - r->len, max);
    cut = NULL;

    while (p < last) {

        if (end - dst >= (ssize_t) (sizeof("...") - 1)) {
            cut = dst;
        }

        n = wag_reason_char(p, last);

        if (ngx_max(n, 1) > (size_t) (end - dst)) {
            dst = cut ? ngx_cpymem(cut, "...", sizeof("...") - 1) : dst;
            break;
        }

        if (n == 0) {
            *dst++ = '?';
            p++;
            continue;
        }

        dst = ngx_cpymem(dst, p, n);
        p += n;
    }

    r->len = dst - r->data;
}


/*
 * The length of the printable character at p, RFC 3629; 0 if there is none.
 * Unlike in ngx_utf8_decode() every byte of it is checked.
 */

static size_t
wag_reason_char(u_char *p, u_char *last)
{
    size_t    i, n;
    uint32_t  u, min;

    if (*p < 0x80) {
        return (*p >= 0x20 && *p != 0x7f) ? 1 : 0;
    }

    if (*p >= 0xc2 && *p < 0xe0) {
        n = 2;
        min = 0xa0;     /* U+0080 to U+009F are control characters */
        u = *p & 0x1f;

    } else if (*p >= 0xe0 && *p < 0xf0) {
        n = 3;
        min = 0x800;
        u = *p & 0x0f;

    } else if (*p >= 0xf0 && *p < 0xf5) {
        n = 4;
        min = 0x10000;
        u = *p & 0x07;

    } else {
        return 0;
    }

    if ((size_t) (last - p) < n) {
        return 0;
    }

    for (i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }

        u = (u << 6) | (p[i] & 0x3f);
    }

    if (u < min || u > 0x10ffff || (u >= 0xd800 && u <= 0xdfff)) {
        return 0;
    }

    return n;
}
