
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_recipient.h"


/* what a character that is of no use here becomes */

#define WAG_RECIPIENT_OTHER   '?'

/* digits of an id that is no number of a phone */

#define WAG_RECIPIENT_LID_MIN    8
#define WAG_RECIPIENT_LID_MAX    20
#define WAG_RECIPIENT_GROUP_MIN  10
#define WAG_RECIPIENT_GROUP_MAX  32


typedef struct {
    ngx_str_t            name;
    ngx_uint_t           type;
    const char          *error;     /* NULL: it can be sent to */
} wag_recipient_suffix_t;


typedef struct {
    u_char              *pos;       /* what is left of the text, in ASCII */
    u_char              *last;
    ngx_uint_t           type;
    unsigned             suffix:1;
    unsigned             plus:1;
    const char          *error;
    ngx_str_t            id;
    u_char               text[WAG_RECIPIENT_LEN];
    u_char               digits[WAG_RECIPIENT_LEN];
} wag_recipient_text_t;


static ngx_uint_t wag_recipient_is_plain(ngx_str_t *text);
static void wag_recipient_plain(wag_recipient_text_t *t, ngx_str_t *text);
static u_char wag_recipient_char(u_char **pos, u_char *last);
static void wag_recipient_trim(wag_recipient_text_t *t);
static ngx_int_t wag_recipient_suffix(wag_recipient_text_t *t);
static ngx_int_t wag_recipient_device(wag_recipient_text_t *t);
static ngx_int_t wag_recipient_id(wag_recipient_text_t *t, size_t min,
    size_t max);
static ngx_int_t wag_recipient_number(wag_recipient_text_t *t,
    ngx_str_t *country);
static ngx_int_t wag_recipient_digits(wag_recipient_text_t *t);
static ngx_int_t wag_recipient_international(wag_recipient_text_t *t,
    ngx_str_t *country);
static ngx_int_t wag_recipient_fail(wag_recipient_text_t *t,
    const char *error);


#define wag_recipient_is_digit(ch)  ((ch) >= '0' && (ch) <= '9')


static wag_recipient_suffix_t  wag_recipient_suffixes[] = {
    { ngx_string("c.us"), WAG_TO_USER, NULL },
    { ngx_string("s.whatsapp.net"), WAG_TO_USER, NULL },
    { ngx_string("g.us"), WAG_TO_GROUP, NULL },
    { ngx_string("lid"), WAG_TO_LID, NULL },
    { ngx_string("newsletter"), 0, "a channel cannot be sent to" },
    { ngx_string("broadcast"), 0, "a broadcast list cannot be sent to" },
    { ngx_null_string, 0, "unknown suffix" }
};


ngx_int_t
wag_recipient_parse(ngx_pool_t *pool, ngx_str_t *text, ngx_str_t *country,
    wag_recipient_t *to, const char **error)
{
    ngx_int_t             rc;
    wag_recipient_text_t  t;

    if (wag_recipient_is_plain(text)) {
        to->type = WAG_TO_USER;
        to->id = *text;

        return NGX_OK;
    }

    if (text->len > WAG_RECIPIENT_LEN) {
        *error = "too long";
        return NGX_DECLINED;
    }

    wag_recipient_plain(&t, text);

    rc = wag_recipient_suffix(&t);

    if (rc == NGX_OK) {

        switch (t.type) {

        case WAG_TO_USER:
            rc = wag_recipient_number(&t, country);
            break;

        case WAG_TO_GROUP:
            rc = wag_recipient_id(&t, WAG_RECIPIENT_GROUP_MIN,
                                  WAG_RECIPIENT_GROUP_MAX);
            break;

        default: /* WAG_TO_LID */
            rc = wag_recipient_id(&t, WAG_RECIPIENT_LID_MIN,
                                  WAG_RECIPIENT_LID_MAX);
        }
    }

    if (rc != NGX_OK) {
        *error = t.error;
        return NGX_DECLINED;
    }

    to->type = t.type;
    to->id.len = t.id.len;
    to->id.data = ngx_pstrdup(pool, &t.id);

    return to->id.data ? NGX_OK : NGX_ERROR;
}


ngx_int_t
wag_recipient_native(ngx_pool_t *pool, ngx_str_t *text, ngx_str_t *country,
    wag_recipient_t *to, const char **error)
{
    u_char     *p, *last, *id;
    ngx_int_t   rc;

    rc = wag_recipient_parse(pool, text, country, to, error);

    if (rc != NGX_DECLINED) {
        return rc;
    }

    last = text->data + text->len;

    for (p = text->data; p < last; p++) {
        if (*p == ',' || *p == ';') {
            *error = "several recipients";
            return NGX_DECLINED;
        }
    }

    id = ngx_pnalloc(pool, text->len + 1);
    if (id == NULL) {
        return NGX_ERROR;
    }

    to->type = WAG_TO_USER;
    to->id.data = id;

    for (p = text->data; p < last && *p != '@' && *p != ':'; p++) {
        if (wag_recipient_is_digit(*p) && (id > to->id.data || *p != '0')) {
            *id++ = *p;
        }
    }

    if (id == to->id.data) {
        *id++ = '0';
    }

    to->id.len = id - to->id.data;

    return NGX_OK;
}


/* most are digits with their country, and nothing else */

static ngx_uint_t
wag_recipient_is_plain(ngx_str_t *text)
{
    size_t  i;

    if (text->len < WAG_RECIPIENT_MIN || text->len > WAG_RECIPIENT_MAX
        || text->data[0] == '0')
    {
        return 0;
    }

    for (i = 0; i < text->len; i++) {
        if (!wag_recipient_is_digit(text->data[i])) {
            return 0;
        }
    }

    return 1;
}


/*
 * One byte for each character: a digit, a blank also for bidi marks, "-" for
 * every dash, small letters.
 */

static void
wag_recipient_plain(wag_recipient_text_t *t, ngx_str_t *text)
{
    u_char  *p, *last;

    t->pos = t->text;
    t->last = t->text;
    t->plus = 0;
    t->suffix = 0;
    t->type = WAG_TO_USER;

    p = text->data;
    last = p + text->len;

    while (p < last) {
        *t->last++ = wag_recipient_char(&p, last);
    }

    wag_recipient_trim(t);
}


static u_char
wag_recipient_char(u_char **pos, u_char *last)
{
    size_t     n;
    u_char    *p;
    uint32_t   ch;

    p = *pos;
    n = (*p < 0x80) ? 1 : (*p < 0xe0) ? 2 : (*p < 0xf0) ? 3 : 4;
    n = ngx_min(n, (size_t) (last - p));

    *pos = p + n;

    if (n == 1) {
        return (*p == '\t') ? ' ' : ngx_tolower(*p);
    }

    ch = (n == 2) ? (*p & 0x1f) << 6 | (p[1] & 0x3f)
                  : (n == 3) ? (*p & 0x0f) << 12 | (p[1] & 0x3f) << 6
                               | (p[2] & 0x3f)
                             : 0;

    if (ch >= 0x660 && ch <= 0x669) {
        return (u_char) ('0' + ch - 0x660);
    }

    if (ch >= 0x6f0 && ch <= 0x6f9) {
        return (u_char) ('0' + ch - 0x6f0);
    }

    if (ch >= 0x2010 && ch <= 0x2015) {
        return '-';
    }

    /* no-break spaces, then what Unicode calls Bidi_Control */

    if (ch == 0xa0 || ch == 0x202f
        || ch == 0x61c || ch == 0x200e || ch == 0x200f
        || (ch >= 0x202a && ch <= 0x202e) || (ch >= 0x2066 && ch <= 0x2069))
    {
        return ' ';
    }

    return WAG_RECIPIENT_OTHER;
}


static void
wag_recipient_trim(wag_recipient_text_t *t)
{
    while (t->pos < t->last && *t->pos == ' ') {
        t->pos++;
    }

    while (t->pos < t->last && t->last[-1] == ' ') {
        t->last--;
    }
}


/* takes the suffix off, and the number of a device that is before it */

static ngx_int_t
wag_recipient_suffix(wag_recipient_text_t *t)
{
    u_char                  *at;
    size_t                   len;
    wag_recipient_suffix_t  *s;

    at = ngx_strlchr(t->pos, t->last, '@');

    if (at == NULL) {
        return NGX_OK;
    }

    len = t->last - at - 1;

    for (s = wag_recipient_suffixes; s->name.len; s++) {
        if (s->name.len == len && ngx_memcmp(s->name.data, at + 1, len) == 0) {
            break;
        }
    }

    if (s->error) {
        return wag_recipient_fail(t, s->error);
    }

    t->suffix = 1;
    t->type = s->type;
    t->last = at;

    wag_recipient_trim(t);

    return (t->type == WAG_TO_GROUP) ? NGX_OK : wag_recipient_device(t);
}


static ngx_int_t
wag_recipient_device(wag_recipient_text_t *t)
{
    u_char  *p, *colon;

    colon = ngx_strlchr(t->pos, t->last, ':');

    if (colon == NULL) {
        return NGX_OK;
    }

    for (p = colon + 1; p < t->last; p++) {
        if (!wag_recipient_is_digit(*p)) {
            break;
        }
    }

    if (p < t->last || p == colon + 1) {
        return wag_recipient_fail(t, "invalid device after \":\"");
    }

    t->last = colon;

    return NGX_OK;
}


/* as WhatsApp writes it, with no byte to drop */

static ngx_int_t
wag_recipient_id(wag_recipient_text_t *t, size_t min, size_t max)
{
    u_char  *p, *dash;
    size_t   len;

    dash = NULL;

    for (p = t->pos; p < t->last; p++) {

        if (wag_recipient_is_digit(*p)) {
            continue;
        }

        if (*p != '-' || t->type != WAG_TO_GROUP || dash || p == t->pos
            || p + 1 == t->last)
        {
            return wag_recipient_fail(t, "invalid id before \"@\"");
        }

        dash = p;
    }

    len = (t->last - t->pos) - (dash ? 1 : 0);

    if (len < min || len > max) {
        return wag_recipient_fail(t, "invalid id before \"@\"");
    }

    t->id.data = t->pos;
    t->id.len = t->last - t->pos;

    return NGX_OK;
}


static ngx_int_t
wag_recipient_number(wag_recipient_text_t *t, ngx_str_t *country)
{
    t->id.data = t->digits;
    t->id.len = 0;

    if (wag_recipient_digits(t) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (wag_recipient_international(t, country) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (t->id.len < WAG_RECIPIENT_MIN || t->id.len > WAG_RECIPIENT_MAX) {
        return wag_recipient_fail(t, "not 8 to 15 digits");
    }

    return NGX_OK;
}


/*
 * A dash before all digits would be a minus, as other messengers have it in
 * ids, and a dot before "@" an agent's number.  What "(0)" within a number
 * means differs by country.
 */

static ngx_int_t
wag_recipient_digits(wag_recipient_text_t *t)
{
    u_char  *p, *open;

    open = NULL;

    for (p = t->pos; p < t->last; p++) {

        if (wag_recipient_is_digit(*p)) {
            t->id.data[t->id.len++] = *p;

        } else if (*p == ' ') {
            continue;

        } else if (*p == '+' && t->id.len == 0 && !t->plus) {
            t->plus = 1;

        } else if (*p == '(' && open == NULL) {
            open = p;

        } else if (*p == ')' && open) {

            if (p - open == 2 && open[1] == '0' && t->id.len > 1) {
                return wag_recipient_fail(t, "\"(0)\" within a number");
            }

            open = NULL;

        } else if (t->id.len == 0 || (*p != '-' && (*p != '.' || t->suffix))) {
            return wag_recipient_fail(t, "invalid character");
        }
    }

    return open ? wag_recipient_fail(t, "unclosed \"(\"") : NGX_OK;
}


/* no number begins with 0 after its "+" or "00" */

static ngx_int_t
wag_recipient_international(wag_recipient_text_t *t, ngx_str_t *country)
{
    u_char      *p;
    size_t       len;
    ngx_uint_t   prefix;

    p = t->id.data;
    len = t->id.len;
    prefix = t->plus;

    if (!prefix && len >= 2 && p[0] == '0' && p[1] == '0') {
        t->id.data += 2;
        t->id.len -= 2;
        prefix = 1;
    }

    if (t->id.len == 0 || t->id.data[0] != '0') {
        return NGX_OK;
    }

    if (prefix) {
        return wag_recipient_fail(t, "0 in place of a country");
    }

    if (country->len == 0) {
        return wag_recipient_fail(t, "local number, DEFAULT_COUNTRY is not "
                                  "set");
    }

    if (country->len + len - 1 > WAG_RECIPIENT_MAX) {
        return wag_recipient_fail(t, "not 8 to 15 digits");
    }

    ngx_memmove(p + country->len, p + 1, len - 1);
    ngx_memcpy(p, country->data, country->len);

    t->id.len = country->len + len - 1;

    return NGX_OK;
}


static ngx_int_t
wag_recipient_fail(wag_recipient_text_t *t, const char *error)
{
    t->error = error;

    return NGX_DECLINED;
}
