
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_repeat_key.h"


#define wag_repeat_key_is_bare(ch)                                            \
    (wag_repeat_key_bare[(ch) >> 5] & ((uint32_t) 1 << ((ch) & 0x1f)))


static size_t wag_repeat_key_string(u_char *p, u_char *last, u_char *buf);


/* visible ASCII but for quotes, commas and semicolons */

static const uint32_t  wag_repeat_key_bare[] = {
    0x00000000, /* 0000 0000 0000 0000  0000 0000 0000 0000 */

                /* ?>=< ;:98 7654 3210  /.-, +*)( '&%$ #"!  */
    0xf7ffeffa, /* 1111 0111 1111 1111  1110 1111 1111 1010 */

                /* _^]\ [ZYX WVUT SRQP  ONML KJIH GFED CBA@ */
    0xffffffff, /* 1111 1111 1111 1111  1111 1111 1111 1111 */

                /*  ~}| {zyx wvut srqp  onml kjih gfed cba` */
    0x7fffffff, /* 0111 1111 1111 1111  1111 1111 1111 1111 */

    0x00000000, /* 0000 0000 0000 0000  0000 0000 0000 0000 */
    0x00000000, /* 0000 0000 0000 0000  0000 0000 0000 0000 */
    0x00000000, /* 0000 0000 0000 0000  0000 0000 0000 0000 */
    0x00000000  /* 0000 0000 0000 0000  0000 0000 0000 0000 */
};


size_t
wag_repeat_key(ngx_str_t *value, u_char *buf)
{
    size_t   len;
    u_char  *p, *last;

    p = value->data;
    last = p + value->len;

    while (p < last && *p == ' ') {
        p++;
    }

    while (p < last && last[-1] == ' ') {
        last--;
    }

    if (p < last && *p == '"') {
        return wag_repeat_key_string(p + 1, last, buf);
    }

    len = last - p;

    if (len > WAG_REPEAT_KEY_LEN) {
        return 0;
    }

    ngx_memcpy(buf, p, len);

    for ( /* void */ ; p < last; p++) {
        if (!wag_repeat_key_is_bare(*p)) {
            return 0;
        }
    }

    return len;
}


static size_t
wag_repeat_key_string(u_char *p, u_char *last, u_char *buf)
{
    size_t  len;

    for (len = 0; p < last; p++) {

        if (*p == '"') {
            return (p + 1 == last) ? len : 0;
        }

        if (*p == '\\') {
            p++;

            if (p == last || (*p != '"' && *p != '\\')) {
                return 0;
            }
        }

        if (*p < ' ' || *p > '~' || len == WAG_REPEAT_KEY_LEN) {
            return 0;
        }

        buf[len++] = *p;
    }

    return 0;
}
