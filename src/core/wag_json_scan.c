
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_json_scan.h"


enum {
    wag_scan_value = 0,
    wag_scan_first_value,     /* or the end of an empty array */
    wag_scan_first_key,       /* or the end of an empty object */
    wag_scan_key,
    wag_scan_colon,
    wag_scan_after,           /* of a value */
    wag_scan_string,
    wag_scan_escape,
    wag_scan_hex,
    wag_scan_pair,            /* the backslash of a second surrogate */
    wag_scan_pair_u,
    wag_scan_literal,
    wag_scan_minus,
    wag_scan_zero,
    wag_scan_int,
    wag_scan_dot,
    wag_scan_fraction,
    wag_scan_e,
    wag_scan_sign,
    wag_scan_exponent,
    wag_scan_done
};


static ngx_int_t wag_json_scan_byte(wag_json_scan_t *s, u_char ch);
static u_char *wag_json_scan_run(wag_json_scan_t *s, u_char *p, u_char *last);
static ngx_int_t wag_json_scan_begin(wag_json_scan_t *s, u_char ch);
static ngx_int_t wag_json_scan_open(wag_json_scan_t *s, u_char ch);
static ngx_int_t wag_json_scan_close(wag_json_scan_t *s, u_char ch);
static ngx_int_t wag_json_scan_after(wag_json_scan_t *s, u_char ch);
static ngx_int_t wag_json_scan_ended(wag_json_scan_t *s, off_t end);
static ngx_int_t wag_json_scan_string(wag_json_scan_t *s, u_char ch);
static ngx_int_t wag_json_scan_utf8(wag_json_scan_t *s, u_char ch);
static ngx_int_t wag_json_scan_escape(wag_json_scan_t *s, u_char ch);
static ngx_int_t wag_json_scan_hex(wag_json_scan_t *s, u_char ch);
static ngx_int_t wag_json_scan_pair(wag_json_scan_t *s, u_char ch);
static ngx_int_t wag_json_scan_literal(wag_json_scan_t *s, u_char ch);
static ngx_int_t wag_json_scan_number(wag_json_scan_t *s, u_char ch);
static ngx_uint_t wag_json_scan_number_next(ngx_uint_t state, u_char ch);
static void wag_json_scan_put(wag_json_scan_t *s, u_char *p, size_t n);
static void wag_json_scan_put_code(wag_json_scan_t *s, uint32_t code);
static ngx_int_t wag_json_scan_fail(wag_json_scan_t *s, const char *error);


#define wag_json_scan_blank(ch)                                               \
    ((ch) == ' ' || (ch) == '\t' || (ch) == LF || (ch) == CR)

#define wag_json_scan_in_array(s)                                             \
    ((s)->arrays & ((uint64_t) 1 << ((s)->depth - 1)))


void
wag_json_scan_init(wag_json_scan_t *s, ngx_uint_t depth,
    wag_json_scan_pt handler, void *data)
{
    ngx_memzero(s, sizeof(wag_json_scan_t));

    s->max = ngx_min(depth, WAG_JSON_SCAN_DEPTH);
    s->handler = handler;
    s->data = data;
}


ngx_int_t
wag_json_scan(wag_json_scan_t *s, u_char *p, u_char *last)
{
    u_char  *end;

    if (s->error) {
        return NGX_ERROR;
    }

    while (p < last) {

        if (s->state == wag_scan_string && s->rest == 0) {

            end = wag_json_scan_run(s, p, last);

            s->offset += end - p;
            p = end;

            if (p == last) {
                break;
            }
        }

        if (wag_json_scan_byte(s, *p) != NGX_OK) {
            return NGX_ERROR;
        }

        p++;
        s->offset++;
    }

    return NGX_AGAIN;
}


ngx_int_t
wag_json_scan_end(wag_json_scan_t *s)
{
    if (s->error) {
        return NGX_ERROR;
    }

    /* only a number does not tell where it ends */

    if (s->depth == 0
        && (s->state == wag_scan_zero || s->state == wag_scan_int
            || s->state == wag_scan_fraction
            || s->state == wag_scan_exponent)
        && wag_json_scan_ended(s, s->offset) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (s->state != wag_scan_done) {
        return wag_json_scan_fail(s, "JSON is cut short");
    }

    return NGX_OK;
}


static ngx_int_t
wag_json_scan_byte(wag_json_scan_t *s, u_char ch)
{
    switch (s->state) {

    case wag_scan_string:
        return wag_json_scan_string(s, ch);

    case wag_scan_escape:
        return wag_json_scan_escape(s, ch);

    case wag_scan_hex:
        return wag_json_scan_hex(s, ch);

    case wag_scan_pair:
    case wag_scan_pair_u:
        return wag_json_scan_pair(s, ch);

    case wag_scan_literal:
        return wag_json_scan_literal(s, ch);

    case wag_scan_minus:
    case wag_scan_zero:
    case wag_scan_int:
    case wag_scan_dot:
    case wag_scan_fraction:
    case wag_scan_e:
    case wag_scan_sign:
    case wag_scan_exponent:
        return wag_json_scan_number(s, ch);

    default:
        break;
    }

    if (wag_json_scan_blank(ch)) {
        return NGX_OK;
    }

    switch (s->state) {

    case wag_scan_value:
        return wag_json_scan_begin(s, ch);

    case wag_scan_first_value:
        return (ch == ']') ? wag_json_scan_close(s, ch)
                           : wag_json_scan_begin(s, ch);

    case wag_scan_first_key:

        if (ch == '}') {
            return wag_json_scan_close(s, ch);
        }

        /* fall through */

    case wag_scan_key:

        if (ch != '"') {
            return wag_json_scan_fail(s, "invalid JSON");
        }

        s->is_key = 1;
        s->cut = 0;
        s->key_len = 0;
        s->state = wag_scan_string;

        return NGX_OK;

    case wag_scan_colon:

        if (ch != ':') {
            return wag_json_scan_fail(s, "invalid JSON");
        }

        s->state = wag_scan_value;

        return NGX_OK;

    case wag_scan_after:
        return wag_json_scan_after(s, ch);

    default: /* wag_scan_done */
        return wag_json_scan_fail(s, "bytes after the JSON");
    }
}


/* the bytes of a string that stand for themselves and are ASCII */

static u_char *
wag_json_scan_run(wag_json_scan_t *s, u_char *p, u_char *last)
{
    u_char  *first;

    for (first = p; p < last; p++) {
        if (*p < 0x20 || *p >= 0x80 || *p == '"' || *p == '\\') {
            break;
        }
    }

    wag_json_scan_put(s, first, p - first);

    return p;
}


static ngx_int_t
wag_json_scan_begin(wag_json_scan_t *s, u_char ch)
{
    static const u_char  true_text[] = "true";
    static const u_char  false_text[] = "false";
    static const u_char  null_text[] = "null";

    s->start = s->offset;

    switch (ch) {

    case '{':
    case '[':
        return wag_json_scan_open(s, ch);

    case '"':
        s->type = WAG_JSON_STRING;
        s->state = wag_scan_string;
        break;

    case 't':
        s->type = WAG_JSON_TRUE;
        s->literal = true_text;
        s->state = wag_scan_literal;
        break;

    case 'f':
        s->type = WAG_JSON_FALSE;
        s->literal = false_text;
        s->state = wag_scan_literal;
        break;

    case 'n':
        s->type = WAG_JSON_NULL;
        s->literal = null_text;
        s->state = wag_scan_literal;
        break;

    default:

        if (ch != '-' && (ch < '0' || ch > '9')) {
            return wag_json_scan_fail(s, "invalid JSON");
        }

        s->type = WAG_JSON_NUMBER;
        s->state = (ch == '-') ? wag_scan_minus
                               : (ch == '0') ? wag_scan_zero : wag_scan_int;
    }

    s->is_key = 0;
    s->text = NULL;
    s->size = 0;
    s->len = 0;
    s->cut = 0;

    if (s->handler(s, WAG_JSON_BEGIN) != NGX_OK) {
        return wag_json_scan_fail(s, "refused");
    }

    if (s->type != WAG_JSON_STRING) {
        wag_json_scan_put(s, &ch, 1);
    }

    if (s->state == wag_scan_literal) {
        s->literal++;
    }

    return NGX_OK;
}


static ngx_int_t
wag_json_scan_open(wag_json_scan_t *s, u_char ch)
{
    if (s->depth == s->max) {
        return wag_json_scan_fail(s, "JSON is nested too deep");
    }

    s->type = (ch == '[') ? WAG_JSON_ARRAY : WAG_JSON_OBJECT;
    s->text = NULL;
    s->len = 0;
    s->cut = 0;

    if (s->handler(s, WAG_JSON_BEGIN) != NGX_OK) {
        return wag_json_scan_fail(s, "refused");
    }

    if (ch == '[') {
        s->arrays |= (uint64_t) 1 << s->depth;
        s->state = wag_scan_first_value;

    } else {
        s->arrays &= ~((uint64_t) 1 << s->depth);
        s->state = wag_scan_first_key;
    }

    s->depth++;

    return NGX_OK;
}


static ngx_int_t
wag_json_scan_close(wag_json_scan_t *s, u_char ch)
{
    s->depth--;
    s->type = (ch == ']') ? WAG_JSON_ARRAY : WAG_JSON_OBJECT;
    s->text = NULL;
    s->len = 0;
    s->cut = 0;

    return wag_json_scan_ended(s, s->offset + 1);
}


static ngx_int_t
wag_json_scan_after(wag_json_scan_t *s, u_char ch)
{
    ngx_uint_t  array;

    array = (wag_json_scan_in_array(s) != 0);

    if (ch == ',') {
        s->state = array ? wag_scan_value : wag_scan_key;
        return NGX_OK;
    }

    if (ch == (array ? ']' : '}')) {
        return wag_json_scan_close(s, ch);
    }

    return wag_json_scan_fail(s, "invalid JSON");
}


static ngx_int_t
wag_json_scan_ended(wag_json_scan_t *s, off_t end)
{
    s->end = end;
    s->state = s->depth ? wag_scan_after : wag_scan_done;

    if (s->handler(s, WAG_JSON_END) != NGX_OK) {
        return wag_json_scan_fail(s, "refused");
    }

    return NGX_OK;
}


static ngx_int_t
wag_json_scan_string(wag_json_scan_t *s, u_char ch)
{
    if (s->rest || ch >= 0x80) {
        return wag_json_scan_utf8(s, ch);
    }

    if (ch == '\\') {
        s->state = wag_scan_escape;
        return NGX_OK;
    }

    if (ch != '"') {
        return wag_json_scan_fail(s, "control character in JSON");
    }

    if (!s->is_key) {
        return wag_json_scan_ended(s, s->offset + 1);
    }

    s->state = wag_scan_colon;

    if (s->handler(s, WAG_JSON_KEY) != NGX_OK) {
        return wag_json_scan_fail(s, "refused");
    }

    return NGX_OK;
}


/* RFC 3629, 4 */

static ngx_int_t
wag_json_scan_utf8(wag_json_scan_t *s, u_char ch)
{
    if (s->rest) {

        if (ch < s->low || ch > s->up) {
            return wag_json_scan_fail(s, "invalid UTF-8 in JSON");
        }

        s->rest--;
        s->low = 0x80;
        s->up = 0xbf;

    } else {
        s->low = (ch == 0xe0) ? 0xa0 : (ch == 0xf0) ? 0x90 : 0x80;
        s->up = (ch == 0xed) ? 0x9f : (ch == 0xf4) ? 0x8f : 0xbf;

        if (ch >= 0xc2 && ch <= 0xdf) {
            s->rest = 1;

        } else if (ch >= 0xe0 && ch <= 0xef) {
            s->rest = 2;

        } else if (ch >= 0xf0 && ch <= 0xf4) {
            s->rest = 3;

        } else {
            return wag_json_scan_fail(s, "invalid UTF-8 in JSON");
        }
    }

    wag_json_scan_put(s, &ch, 1);

    return NGX_OK;
}


static ngx_int_t
wag_json_scan_escape(wag_json_scan_t *s, u_char ch)
{
    u_char         *p;
    static u_char   names[] = "\"\\/bfnrt";
    static u_char   codes[] = "\"\\/\b\f\n\r\t";

    if (ch == 'u') {
        s->code = 0;
        s->digits = 0;
        s->state = wag_scan_hex;

        return NGX_OK;
    }

    p = ch ? (u_char *) ngx_strchr(names, ch) : NULL;

    if (p == NULL) {
        return wag_json_scan_fail(s, "invalid escape in JSON");
    }

    wag_json_scan_put(s, &codes[p - names], 1);
    s->state = wag_scan_string;

    return NGX_OK;
}


static ngx_int_t
wag_json_scan_hex(wag_json_scan_t *s, u_char ch)
{
    u_char  c;

    c = (u_char) (ch | 0x20);

    if (ch >= '0' && ch <= '9') {
        s->code = s->code * 16 + (ch - '0');

    } else if (c >= 'a' && c <= 'f') {
        s->code = s->code * 16 + (c - 'a' + 10);

    } else {
        return wag_json_scan_fail(s, "invalid escape in JSON");
    }

    if (++s->digits < 4) {
        return NGX_OK;
    }

    if (s->high) {

        if (s->code < 0xdc00 || s->code > 0xdfff) {
            return wag_json_scan_fail(s, "lone surrogate in JSON");
        }

        s->high = 0;
        s->code = 0x10000 + ((s->surrogate - 0xd800) << 10)
                  + (s->code - 0xdc00);

    } else if (s->code >= 0xd800 && s->code <= 0xdbff) {
        s->high = 1;
        s->surrogate = s->code;
        s->state = wag_scan_pair;

        return NGX_OK;

    } else if (s->code >= 0xdc00 && s->code <= 0xdfff) {
        return wag_json_scan_fail(s, "lone surrogate in JSON");
    }

    wag_json_scan_put_code(s, s->code);
    s->state = wag_scan_string;

    return NGX_OK;
}


static ngx_int_t
wag_json_scan_pair(wag_json_scan_t *s, u_char ch)
{
    if (s->state == wag_scan_pair && ch == '\\') {
        s->state = wag_scan_pair_u;
        return NGX_OK;
    }

    if (s->state == wag_scan_pair_u && ch == 'u') {
        s->code = 0;
        s->digits = 0;
        s->state = wag_scan_hex;

        return NGX_OK;
    }

    return wag_json_scan_fail(s, "lone surrogate in JSON");
}


static ngx_int_t
wag_json_scan_literal(wag_json_scan_t *s, u_char ch)
{
    if (ch != *s->literal) {
        return wag_json_scan_fail(s, "invalid JSON");
    }

    wag_json_scan_put(s, &ch, 1);

    return (*++s->literal == '\0') ? wag_json_scan_ended(s, s->offset + 1)
                                   : NGX_OK;
}


static ngx_int_t
wag_json_scan_number(wag_json_scan_t *s, u_char ch)
{
    ngx_uint_t  next;

    next = wag_json_scan_number_next(s->state, ch);

    if (next != wag_scan_done) {
        wag_json_scan_put(s, &ch, 1);
        s->state = next;

        return NGX_OK;
    }

    if (s->state != wag_scan_zero && s->state != wag_scan_int
        && s->state != wag_scan_fraction && s->state != wag_scan_exponent)
    {
        return wag_json_scan_fail(s, "invalid number in JSON");
    }

    if (wag_json_scan_ended(s, s->offset) != NGX_OK) {
        return NGX_ERROR;
    }

    return wag_json_scan_byte(s, ch);
}


/* RFC 8259, 6; "done" where the byte is no part of the number */

static ngx_uint_t
wag_json_scan_number_next(ngx_uint_t state, u_char ch)
{
    ngx_uint_t  digit;

    digit = (ch >= '0' && ch <= '9');

    switch (state) {

    case wag_scan_minus:
        return digit ? (ch == '0') ? wag_scan_zero : wag_scan_int
                     : wag_scan_done;

    case wag_scan_int:

        if (digit) {
            return wag_scan_int;
        }

        /* fall through */

    case wag_scan_zero:
        return (ch == '.') ? wag_scan_dot
                           : ((ch | 0x20) == 'e') ? wag_scan_e
                                                  : wag_scan_done;

    case wag_scan_dot:
        return digit ? wag_scan_fraction : wag_scan_done;

    case wag_scan_fraction:
        return digit ? wag_scan_fraction
                     : ((ch | 0x20) == 'e') ? wag_scan_e : wag_scan_done;

    case wag_scan_e:

        if (ch == '+' || ch == '-') {
            return wag_scan_sign;
        }

        /* fall through */

    default: /* wag_scan_sign, wag_scan_exponent */
        return digit ? wag_scan_exponent : wag_scan_done;
    }
}


static void
wag_json_scan_put(wag_json_scan_t *s, u_char *p, size_t n)
{
    size_t   size, *len;
    u_char  *text;

    if (s->is_key) {
        text = s->key;
        size = WAG_JSON_SCAN_KEY_LEN;
        len = &s->key_len;

    } else if (s->text == NULL) {
        return;

    } else {
        text = s->text;
        size = s->size;
        len = &s->len;
    }

    if (n > size - *len) {
        n = size - *len;
        s->cut = 1;
    }

    ngx_memcpy(text + *len, p, n);

    *len += n;
}


static void
wag_json_scan_put_code(wag_json_scan_t *s, uint32_t code)
{
    u_char  buf[4], *p;

    p = buf;

    if (code < 0x80) {
        *p++ = (u_char) code;

    } else if (code < 0x800) {
        *p++ = (u_char) (0xc0 | (code >> 6));
        *p++ = (u_char) (0x80 | (code & 0x3f));

    } else if (code < 0x10000) {
        *p++ = (u_char) (0xe0 | (code >> 12));
        *p++ = (u_char) (0x80 | ((code >> 6) & 0x3f));
        *p++ = (u_char) (0x80 | (code & 0x3f));

    } else {
        *p++ = (u_char) (0xf0 | (code >> 18));
        *p++ = (u_char) (0x80 | ((code >> 12) & 0x3f));
        *p++ = (u_char) (0x80 | ((code >> 6) & 0x3f));
        *p++ = (u_char) (0x80 | (code & 0x3f));
    }

    wag_json_scan_put(s, buf, p - buf);
}


static ngx_int_t
wag_json_scan_fail(wag_json_scan_t *s, const char *error)
{
    if (s->error == NULL) {
        s->error = error;
    }

    return NGX_ERROR;
}
