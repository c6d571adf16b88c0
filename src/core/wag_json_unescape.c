
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_json_tell.h"
#include "wag_json_unescape.h"


static u_char *wag_json_unescape_char(wag_json_scan_t *s, u_char *p);
static u_char *wag_json_unescape_hex(wag_json_scan_t *s, u_char *p);
static void wag_json_unescape_put(wag_json_scan_t *s, uint32_t code);


u_char *
wag_json_unescape_scan(wag_json_scan_t *s, u_char *p, u_char *last)
{
    while (p < last) {

        switch (s->state) {

        case wag_json_scan_escape_st:
            p = wag_json_unescape_char(s, p);
            break;

        case wag_json_scan_hex_st:
            p = wag_json_unescape_hex(s, p);
            break;

        case wag_json_scan_low_st:
        case wag_json_scan_low_u_st:

            if (*p != (s->state == wag_json_scan_low_st ? '\\' : 'u')) {
                return wag_json_tell_fail(s, "invalid JSON: lone surrogate",
                                          p);
            }

            s->state = (s->state == wag_json_scan_low_st)
                       ? wag_json_scan_low_u_st : wag_json_scan_hex_st;
            p++;
            break;

        default: /* wag_json_scan_string_st */
            return p;
        }

        if (p == NULL) {
            return NULL;
        }
    }

    return p;
}


static u_char *
wag_json_unescape_char(wag_json_scan_t *s, u_char *p)
{
    u_char  ch;

    switch (*p) {

    case '"':
    case '\\':
    case '/':
        ch = *p;
        break;

    case 'b':
        ch = '\b';
        break;

    case 'f':
        ch = '\f';
        break;

    case 'n':
        ch = LF;
        break;

    case 'r':
        ch = CR;
        break;

    case 't':
        ch = '\t';
        break;

    case 'u':
        s->state = wag_json_scan_hex_st;
        s->code = 0;
        s->high = 0;
        s->digits = 0;
        return p + 1;

    default:
        return wag_json_tell_fail(s, "invalid JSON: invalid escape", p);
    }

    s->state = wag_json_scan_string_st;
    wag_json_tell_put(s, &ch, 1);

    return p + 1;
}


static u_char *
wag_json_unescape_hex(wag_json_scan_t *s, u_char *p)
{
    u_char    ch;
    uint32_t  code;

    ch = (u_char) (*p | 0x20);

    if (*p >= '0' && *p <= '9') {
        code = *p - '0';

    } else if (ch >= 'a' && ch <= 'f') {
        code = ch - 'a' + 10;

    } else {
        return wag_json_tell_fail(s, "invalid JSON: invalid escape", p);
    }

    code |= s->code << 4;
    s->code = code;

    if (++s->digits < 4) {
        return p + 1;
    }

    s->code = 0;
    s->digits = 0;

    if (s->high == 0 && code >= 0xd800 && code < 0xdc00) {
        s->high = code;
        s->state = wag_json_scan_low_st;
        return p + 1;
    }

    if ((s->high != 0) != (code >= 0xdc00 && code < 0xe000)) {
        return wag_json_tell_fail(s, "invalid JSON: lone surrogate", p);
    }

    if (s->high) {
        code = 0x10000 + ((s->high - 0xd800) << 10) + (code - 0xdc00);
    }

    s->state = wag_json_scan_string_st;
    wag_json_unescape_put(s, code);

    return p + 1;
}


static void
wag_json_unescape_put(wag_json_scan_t *s, uint32_t code)
{
    u_char  *p, buf[4];

    p = buf;

    if (code < 0x80) {
        *p++ = (u_char) code;

    } else if (code < 0x800) {
        *p++ = (u_char) (0xc0 | code >> 6);
        *p++ = (u_char) (0x80 | (code & 0x3f));

    } else if (code < 0x10000) {
        *p++ = (u_char) (0xe0 | code >> 12);
        *p++ = (u_char) (0x80 | (code >> 6 & 0x3f));
        *p++ = (u_char) (0x80 | (code & 0x3f));

    } else {
        *p++ = (u_char) (0xf0 | code >> 18);
        *p++ = (u_char) (0x80 | (code >> 12 & 0x3f));
        *p++ = (u_char) (0x80 | (code >> 6 & 0x3f));
        *p++ = (u_char) (0x80 | (code & 0x3f));
    }

    wag_json_tell_put(s, buf, p - buf);
}
