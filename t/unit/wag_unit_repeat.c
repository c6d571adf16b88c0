
/*
 * What a repeat is known by, and what it gets: keys as headers have them, and
 * answers as they are stored.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_repeat_key.h"
#include "wag_stored.h"
#include "wag_unit.h"


static void wag_unit_repeat_stored(wag_unit_t *u);
static ngx_uint_t wag_unit_repeat_same(ngx_str_t *one, ngx_str_t *two);


typedef struct {
    ngx_str_t            value;
    const char          *key;     /* empty: none */
} wag_unit_repeat_t;


static wag_unit_repeat_t  wag_unit_repeats[] = {
    { ngx_string("a"), "a" },
    { ngx_string("  a  "), "a" },
    { ngx_string("A-b_c.d~!#$%&'*+/=?^`{|}()<>@[]:\\"),
      "A-b_c.d~!#$%&'*+/=?^`{|}()<>@[]:\\" },
    { ngx_string("\"a\""), "a" },
    { ngx_string("\"a b\""), "a b" },
    { ngx_string("\" a\""), " a" },
    { ngx_string("\"a\\\"b\\\\c\""), "a\"b\\c" },
    { ngx_string("\"a,b;c\""), "a,b;c" },
    { ngx_string(""), "" },
    { ngx_string("   "), "" },
    { ngx_string("\"\""), "" },
    { ngx_string("\""), "" },
    { ngx_string("\"a"), "" },
    { ngx_string("\"a\\\""), "" },
    { ngx_string("\"a\\"), "" },
    { ngx_string("\"a\\b\""), "" },
    { ngx_string("\"a\"b"), "" },
    { ngx_string("\"a\" \"b\""), "" },
    { ngx_string("\"a\";b"), "" },
    { ngx_string("a\""), "" },
    { ngx_string("a\"b\""), "" },
    { ngx_string("a,b"), "" },
    { ngx_string("a;b"), "" },
    { ngx_string("a b"), "" },
    { ngx_string("a\tb"), "" },
    { ngx_string("\ta"), "" },
    { ngx_string("a\0b"), "" },
    { ngx_string("\"a\0b\""), "" },
    { ngx_string("\"a\tb\""), "" },
    { ngx_string("\x7f"), "" },
    { ngx_string("\"\x7f\""), "" },
    { ngx_string("\xd9\x85"), "" },
    { ngx_string("\"\xd9\x85\""), "" }
};


void
wag_unit_repeat(wag_unit_t *u)
{
    u_char              buf[WAG_REPEAT_KEY_LEN + 1], name[128], *p;
    u_char              text[2 * WAG_REPEAT_KEY_LEN + 8];
    size_t              len;
    ngx_str_t           value;
    ngx_uint_t          i, n;
    wag_unit_repeat_t  *c;

    n = sizeof(wag_unit_repeats) / sizeof(wag_unit_repeat_t);

    for (i = 0; i < n; i++) {
        c = &wag_unit_repeats[i];

        len = wag_repeat_key(&c->value, buf);
        buf[len] = '\0';

        p = wag_unit_text(name, c->value.data, c->value.len);
        *p = '\0';

        wag_unit_is(u, (char *) buf, c->key, (char *) name);
    }

    for (i = 254; i <= 256; i++) {
        ngx_memset(text, 'x', sizeof(text));

        value.data = text;
        value.len = i;

        wag_unit_ok(u, wag_repeat_key(&value, buf) == (i < 256 ? i : 0),
                    "a long one");

        text[0] = '"';
        text[i + 1] = '"';
        value.len = i + 2;

        wag_unit_ok(u, wag_repeat_key(&value, buf) == (i < 256 ? i : 0),
                    "a long string");
    }

    wag_unit_repeat_stored(u);
}


static void
wag_unit_repeat_stored(wag_unit_t *u)
{
    u_char        buf[WAG_STORED_HEAD_LEN + 16], *p;
    size_t        len;
    ngx_str_t     text, name, body;
    ngx_uint_t    i, bad;
    wag_stored_t  stored, read;

    ngx_str_set(&name, "retry-AFTER");
    wag_unit_ok(u, wag_stored_matters(&name), "a header that matters");
    ngx_str_set(&name, "Set-Cookie");
    wag_unit_ok(u, !wag_stored_matters(&name), "one that does not");

    ngx_memzero(&stored, sizeof(wag_stored_t));

    ngx_str_set(&stored.type, "application/json");
    ngx_str_set(&stored.charset, "utf-8");
    stored.nheaders = WAG_STORED_HEADERS;

    for (i = 0; i < WAG_STORED_HEADERS; i++) {
        ngx_str_set(&stored.headers[i].key, "Location");
        stored.headers[i].value.data = (u_char *) "abcdefgh";
        stored.headers[i].value.len = i;
    }

    p = wag_stored_write(buf, &stored);

    if (!wag_unit_ok(u, p != NULL, "an answer is stored")) {
        return;
    }

    ngx_str_set(&body, "{\"a\":1}");
    p = ngx_cpymem(p, body.data, body.len);

    text.data = buf;
    text.len = p - buf;

    bad = (wag_stored_read(&text, &read) != NGX_OK
           || !wag_unit_repeat_same(&read.type, &stored.type)
           || !wag_unit_repeat_same(&read.charset, &stored.charset)
           || !wag_unit_repeat_same(&read.body, &body)
           || read.nheaders != WAG_STORED_HEADERS);

    for (i = 0; i < WAG_STORED_HEADERS; i++) {
        bad |= !wag_unit_repeat_same(&read.headers[i].key,
                                     &stored.headers[i].key)
               || !wag_unit_repeat_same(&read.headers[i].value,
                                        &stored.headers[i].value);
    }

    wag_unit_ok(u, bad == 0, "and read as it was");

    for (len = 0, bad = 0; len < text.len - body.len; len++) {
        name.data = buf;
        name.len = len;

        bad += (wag_stored_read(&name, &read) == NGX_OK);
    }

    wag_unit_ok(u, bad == 0, "a part of its header is none");

    buf[0] = WAG_STORED_HEADERS + 1;
    wag_unit_ok(u, wag_stored_read(&text, &read) == NGX_ERROR,
                "nor one of more headers than there may be");

    stored.type.len = WAG_STORED_HEAD_LEN;
    stored.type.data = buf;
    wag_unit_ok(u, wag_stored_write(buf, &stored) == NULL,
                "one with a long header is not stored");
}


static ngx_uint_t
wag_unit_repeat_same(ngx_str_t *one, ngx_str_t *two)
{
    return one->len == two->len
           && ngx_memcmp(one->data, two->data, one->len) == 0;
}
