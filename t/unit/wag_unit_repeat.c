
/*
 * What a repeat is known by, and what it gets: keys as headers have them, and
 * answers as they are stored.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_digest.h"
#include "wag_repeat_key.h"
#include "wag_siphash.h"
#include "wag_stored.h"
#include "wag_unit.h"


static void wag_unit_repeat_stored(wag_unit_t *u);
static void wag_unit_repeat_digest(wag_unit_t *u);
static void wag_unit_repeat_siphash(wag_unit_t *u);
static void wag_unit_repeat_hash(wag_digest_t *digest, char *text);
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
    wag_unit_repeat_digest(u);
    wag_unit_repeat_siphash(u);
}


/* the values are those of Python's hashlib, digest_size=32 */

static void
wag_unit_repeat_digest(wag_unit_t *u)
{
    u_char        data[600], hash[WAG_DIGEST_LEN];
    char          text[2 * WAG_DIGEST_LEN + 1];
    ngx_uint_t    n, i, cut, bad;
    wag_digest_t  digest, all, parts;

    wag_digest_begin(&digest);
    wag_unit_repeat_hash(&digest, text);
    wag_unit_is(u, text, "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787"
                         "faab45cdf12fe3a8", "the hash of nothing");

    wag_digest_begin(&digest);
    wag_digest_update(&digest, "abc", 3);
    wag_unit_repeat_hash(&digest, text);
    wag_unit_is(u, text, "bddd813c634239723171ef3fee98579b94964e3bb1cb3e42"
                         "7262c8c068d52319", "that of abc");

    wag_digest_begin(&all);
    bad = 0;

    for (n = 0; n < sizeof(data); n++) {

        for (i = 0; i < n; i++) {
            data[i] = (u_char) (i * 7 + n);
        }

        wag_digest_begin(&digest);
        wag_digest_update(&digest, data, n);
        wag_digest_end(&digest, hash);
        wag_digest_update(&all, hash, WAG_DIGEST_LEN);

        /* the same in parts */

        cut = (n * 37) % (n + 1);

        wag_digest_begin(&parts);
        wag_digest_update(&parts, data, cut);
        wag_digest_update(&parts, data + cut, n - cut);
        wag_digest_end(&parts, data);

        bad += (ngx_memcmp(hash, data, WAG_DIGEST_LEN) != 0);
    }

    wag_unit_repeat_hash(&all, text);
    wag_unit_is(u, text, "9509e7101649419e1304863f66dd262c7c6bcb638684be49"
                         "c28680f79b0d93f0", "those of all lengths to 600");
    wag_unit_ok(u, bad == 0, "and in parts");
}


/* the values are those of "openssl mac -macopt size:16 SIPHASH" */

static void
wag_unit_repeat_siphash(wag_unit_t *u)
{
    u_char         key[WAG_SIPHASH_KEY_LEN], data[600];
    u_char         hash[WAG_SIPHASH_LEN], same[WAG_SIPHASH_LEN];
    char           text[2 * WAG_SIPHASH_LEN + 1];
    ngx_uint_t     n, i, cut, bad;
    wag_siphash_t  siphash;

    static struct {
        ngx_uint_t   len;
        const char  *hash;
    } known[] = {
        { 0, "a3817f04ba25a8e66df67214c7550293" },
        { 1, "0059ad1bbfbcb24ede19a8a28f3ecdec" },
        { 7, "eeaec4483bf7335f6aa4c76318cbdb1f" },
        { 8, "60fe1016e736853d8ae51f98a8f27be5" },
        { 9, "857dd45aca7a97d2c1ee5c1ec80bf1a1" },
        { 15, "148feb56b66f3aa3efa779371d3c7788" },
        { 63, "5386fe5436b35e43c8d357f37fdeb0cf" },
        { 600, "a3b8d624c13f2ac0561bdee2c2058995" }
    };

    for (i = 0; i < sizeof(key); i++) {
        key[i] = (u_char) i;
    }

    for (n = 0; n < sizeof(known) / sizeof(known[0]); n++) {

        for (i = 0; i < known[n].len; i++) {
            data[i] = (u_char) (i * 7 + known[n].len);
        }

        wag_siphash_begin(&siphash, key);
        wag_siphash_update(&siphash, data, known[n].len);
        wag_siphash_end(&siphash, hash);

        *ngx_hex_dump((u_char *) text, hash, WAG_SIPHASH_LEN) = '\0';
        wag_unit_is(u, text, known[n].hash, "a SipHash that is known");
    }

    bad = 0;

    for (n = 0; n <= 40; n++) {

        wag_siphash_begin(&siphash, key);
        wag_siphash_update(&siphash, data, n);
        wag_siphash_end(&siphash, hash);

        for (cut = 0; cut <= n; cut++) {
            for (i = cut; i <= n; i++) {
                wag_siphash_begin(&siphash, key);
                wag_siphash_update(&siphash, data, cut);
                wag_siphash_update(&siphash, data + cut, i - cut);
                wag_siphash_update(&siphash, data + i, n - i);
                wag_siphash_end(&siphash, same);

                bad += (ngx_memcmp(hash, same, WAG_SIPHASH_LEN) != 0);
            }
        }
    }

    wag_unit_ok(u, bad == 0, "and in parts, cut anywhere");
}


static void
wag_unit_repeat_hash(wag_digest_t *digest, char *text)
{
    u_char  hash[WAG_DIGEST_LEN];

    wag_digest_end(digest, hash);

    *ngx_hex_dump((u_char *) text, hash, WAG_DIGEST_LEN) = '\0';
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
