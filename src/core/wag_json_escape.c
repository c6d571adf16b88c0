
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_json_escape.h"


static size_t wag_json_escape_plain(ngx_str_t *text);
static ngx_inline ngx_uint_t wag_json_escape_is_plain(u_char *one,
    u_char *two);


#define WAG_JSON_ESCAPE_ALL(ch)  (UINT64_C(0x0101010101010101) * (ch))


size_t
wag_json_escape_len(ngx_str_t *text)
{
    size_t  n;

    n = wag_json_escape_plain(text);

    return text->len + ((n == text->len)
                        ? 0 : ngx_escape_json(NULL, text->data + n,
                                              text->len - n));
}


u_char *
wag_json_escape(u_char *p, ngx_str_t *text)
{
    size_t  n;

    n = wag_json_escape_plain(text);

    if (n) {
        p = ngx_cpymem(p, text->data, n);
    }

    return (n == text->len)
           ? p : (u_char *) ngx_escape_json(p, text->data + n, text->len - n);
}


/*
 * How many bytes at its beginning need no escape, by eight: most texts have
 * nothing else.
 */

static size_t
wag_json_escape_plain(ngx_str_t *text)
{
    u_char  *p;
    size_t   n;

    p = text->data;
    n = 0;

    if (text->len >= sizeof(uint64_t)) {

        while (text->len - n >= sizeof(uint64_t)
               && wag_json_escape_is_plain(p + n, p + n + 4))
        {
            n += sizeof(uint64_t);
        }

        /* what is left, and some that was looked at */

        if (text->len - n < sizeof(uint64_t)
            && wag_json_escape_is_plain(p + text->len - 8, p + text->len - 4))
        {
            return text->len;
        }

    } else if (text->len >= sizeof(uint32_t)
               && wag_json_escape_is_plain(p, p + text->len - 4))
    {
        return text->len;
    }

    while (n < text->len && p[n] >= ' ' && p[n] != '"' && p[n] != '\\') {
        n++;
    }

    return n;
}


/*
 * As wag_json_scan_found(), but that what is not ASCII is plain; of four bytes
 * each, which may have some in common.
 */

static ngx_inline ngx_uint_t
wag_json_escape_is_plain(u_char *one, u_char *two)
{
    uint32_t  low, high;
    uint64_t  w, found;

    ngx_memcpy(&low, one, sizeof(low));
    ngx_memcpy(&high, two, sizeof(high));

    w = (uint64_t) high << 32 | low;

    found = ((w ^ WAG_JSON_ESCAPE_ALL(2))
             - WAG_JSON_ESCAPE_ALL(('"' ^ 2) + 1))
            | ((w ^ WAG_JSON_ESCAPE_ALL('\\')) - WAG_JSON_ESCAPE_ALL(1));

    return (found & ~w & WAG_JSON_ESCAPE_ALL(0x80)) == 0;
}
