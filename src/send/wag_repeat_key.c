
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_repeat_key.h"


static size_t wag_repeat_key_string(u_char *p, u_char *last, u_char *buf);


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

    for ( /* void */ ; p < last; p++) {
        if (*p <= ' ' || *p > '~' || *p == '"' || *p == ',' || *p == ';') {
            return 0;
        }

        *buf++ = *p;
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
