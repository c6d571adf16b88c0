
#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_json_escape.h"
#include "wag_pick.h"
#include "wag_proof_conf.h"
#include "wag_send.h"
#include "wag_send_conf.h"
#include "wag_template_compile.h"
#include "wag_to_conf.h"
#include "wag_unit_vendor.h"


#define WAG_UNIT_SEND_ROOM   8192
#define WAG_UNIT_SEND_TEXTS  2000


typedef struct {
    const char          *name;
    const char          *vendor;
    const char          *request;      /* what is made of it */
    ngx_uint_t           media;
    ngx_uint_t           data;
    ngx_uint_t           type;
    ngx_str_t            id;
    ngx_str_t            text;
    ngx_str_t            url;
    ngx_str_t            mimetype;
    ngx_str_t            filename;
    ngx_str_t            caption;
} wag_unit_send_case_t;


typedef struct {
    ngx_str_t            name;
    char              *(*set)(ngx_conf_t *cf, void *conf);
    size_t               offset;
} wag_unit_directive_t;


static void wag_unit_send_case(wag_unit_t *u, wag_unit_send_case_t *c);
static void wag_unit_send_texts(wag_unit_t *u);
static size_t wag_unit_send_text(u_char *p, uint32_t *seed);
static ngx_int_t wag_unit_send_item(wag_pick_t *pick);
static void wag_unit_send_large(wag_unit_t *u);
static void wag_unit_send_escapes(wag_unit_t *u);
static void wag_unit_send_plain(wag_unit_t *u);
static ngx_uint_t wag_unit_vendor_line(ngx_conf_t *cf, wag_vendor_t *vendor,
    u_char *p, u_char *last);


static wag_unit_directive_t  wag_unit_directives[] = {
    { ngx_string("text"), wag_send_conf_text, 0 },
    { ngx_string("media"), wag_send_conf_media, 0 },
    { ngx_string("to"), wag_to_conf, 0 },
    { ngx_string("sent"), wag_proof_conf_sent, 0 },
    { ngx_string("unsent"), wag_proof_conf_unsent, 0 },
    { ngx_string("timeout"), wag_send_conf_timeout,
      offsetof(wag_vendor_t, send_timeout) },
    { ngx_null_string, NULL, 0 }
};


#define S(s)  ngx_string(s)
#define N     ngx_null_string

#define TO    "to user=<id>@c.us group=<id>@g.us\n"
#define TEXT  TO "text POST /send/<session> "                                 \
    "{\"to\":\"<to>\",\"t\":\"<text>\"}\n"
#define FILE_ TO                                                              \
    "media image * PUT /<kind>?k=<key> {\"to\":\"<to>\""                      \
    "(,\"u\":\"<url>\")(,\"d\":\"data:<mimetype>;base64,<data>\")"            \
    "(,\"c\":\"<caption>\")}\n"                                               \
    "media * url POST /<kind> {\"<Kind>\":\"<url>\",\"to\":\"<to>\","         \
    "\"m\":\"<mimetype|a/b>\",\"f\":\"<filename|it\"s>\"}\n"
#define MANY  TO                                                              \
    "media * * POST / {\"to\":\"<to>\"(,\"a\":\"<caption>\")"                \
    "(,\"u\":\"<url>\")(,\"d\":\"<data>\")"                                  \
    "(,\"f\":\"<filename>\",\"m\":\"<mimetype>\")}\n"
#define FLAGS "to user=<id> group=<id> lid=<id>\n"                            \
    "text POST / {\"to\":\"<to>\"(,\"g\":<group>)(,\"l\":<lid>),"             \
    "\"(t)\":\"(<text>)\"}\n"


/* "|" is where the client's own bytes go */

static wag_unit_send_case_t  wag_unit_send_cases[] = {

    { "a text", TEXT, "POST /send/s%201 {\"to\":\"123@c.us\",\"t\":\"x\"}",
      0, 0, 0, S("123"), S("x"), N, N, N, N },
    { "to a group", TEXT, "POST /send/s%201 {\"to\":\"1-2@g.us\",\"t\":\"x\"}",
      0, 0, 1, S("1-2"), S("x"), N, N, N, N },
    { "to whom it cannot be sent", TEXT, "cannot",
      0, 0, 2, S("1"), S("x"), N, N, N, N },
    { "quotes", TEXT,
      "POST /send/s%201 {\"to\":\"1@c.us\",\"t\":\"\\\"\\\\\\\"}\"}",
      0, 0, 0, S("1"), S("\"\\\"}"), N, N, N, N },
    { "control bytes", TEXT,
      "POST /send/s%201 {\"to\":\"1@c.us\",\"t\":\"\\n\\r\\t\\u0001"
      "\\u001F\x7f\"}",
      0, 0, 0, S("1"), S("\n\r\t\x01\x1f\x7f"), N, N, N, N },
    { "UTF-8", TEXT,
      "POST /send/s%201 {\"to\":\"1@c.us\","
      "\"t\":\"\xd9\x85\xd8\xb1\xd8\xad\xf0\x9f"
      "\x98\x80\xe2\x80\xae\"}",
      0, 0, 0, S("1"),
      S("\xd9\x85\xd8\xb1\xd8\xad\xf0\x9f\x98\x80\xe2\x80\xae"), N, N, N, N },
    { "a text that looks like a place", TEXT,
      "POST /send/s%201 {\"to\":\"1@c.us\",\"t\":\"<to>(<key>)\"}",
      0, 0, 0, S("1"), S("<to>(<key>)"), N, N, N, N },
    { "a text where only files are sent", TO "media * * POST / "
      "{\"to\":\"<to>\",\"d\":\"<url><data>\"}\n", "none",
      0, 0, 0, S("1"), S("x"), N, N, N, N },
    { "a file where only texts are sent", TEXT, "none",
      1, 1, 0, S("1"), N, N, S("image/png"), N, N },

    { "brackets in a string", FLAGS, "POST / {\"to\":\"1\",\"(t)\":\"(x)\"}",
      0, 0, 0, S("1"), S("x"), N, N, N, N },
    { "a group's flag", FLAGS,
      "POST / {\"to\":\"1\",\"g\":true,\"(t)\":\"(x)\"}",
      0, 0, 1, S("1"), S("x"), N, N, N, N },
    { "a lid's flag", FLAGS,
      "POST / {\"to\":\"1\",\"l\":true,\"(t)\":\"(x)\"}",
      0, 0, 2, S("1"), S("x"), N, N, N, N },

    { "a file by url", FILE_,
      "PUT /image?k=k%3Ae {\"to\":\"1@c.us\",\"u\":\"http://a/?b=\"}",
      1, 0, 0, S("1"), N, S("http://a/?b="), S("image/png"), N, N },
    { "a file by data", FILE_,
      "PUT /image?k=k%3Ae {\"to\":\"1@c.us\","
      "\"d\":\"data:image/png;base64,|\"}",
      1, 1, 0, S("1"), N, N, S("image/png"), N, N },
    { "with a caption", FILE_,
      "PUT /image?k=k%3Ae {\"to\":\"1@c.us\","
      "\"d\":\"data:image/png;base64,|\","
      "\"c\":\"a\\\"b\"}",
      1, 1, 0, S("1"), N, N, S("image/png"), N, S("a\"b") },
    { "in place of what is not there", FILE_,
      "POST /document {\"Document\":\"u\",\"to\":\"1@c.us\",\"m\":\"a/b\","
      "\"f\":\"it\\\"s\"}",
      1, 0, 0, S("1"), N, S("u"), N, N, N },
    { "a value in its place", FILE_,
      "POST /video {\"Video\":\"u\",\"to\":\"1@c.us\",\"m\":\"video/mp4\","
      "\"f\":\"x\"}",
      1, 0, 0, S("1"), N, S("u"), S("video/mp4"), S("x"), N },
    { "sound", FILE_,
      "POST /audio {\"Audio\":\"u\",\"to\":\"1@c.us\",\"m\":\"AUDIO/ogg\","
      "\"f\":\"x\"}",
      1, 0, 0, S("1"), N, S("u"), S("AUDIO/ogg"), S("x"), N },
    { "what only begins as an image", FILE_,
      "POST /document {\"Document\":\"u\",\"to\":\"1@c.us\","
      "\"m\":\"imagex/y\","
      "\"f\":\"x\"}",
      1, 0, 0, S("1"), N, S("u"), S("imagex/y"), S("x"), N },
    { "a kind that goes by url only", FILE_, "none",
      1, 1, 0, S("1"), N, N, S("application/pdf"), N, N },

    { "groups that follow each other", MANY,
      "POST / {\"to\":\"1@c.us\",\"u\":\"u\"}",
      1, 0, 0, S("1"), N, S("u"), N, S("f"), N },
    { "a group with all its values", MANY,
      "POST / {\"to\":\"1@c.us\",\"a\":\"c\",\"d\":\"|\",\"f\":\"f\","
      "\"m\":\"i/p\"}",
      1, 1, 0, S("1"), N, N, S("i/p"), S("f"), S("c") },
    { "a group at the beginning", TO
      "text POST / {(\"g\":<group>,)\"to\":\"<to>\",\"t\":\"<text>\"}\n",
      "POST / {\"to\":\"1@c.us\",\"t\":\"x\"}",
      0, 0, 0, S("1"), S("x"), N, N, N, N },
    { "line breaks of the file", TO
      "text POST / {\"to\":\"<to>\",\r\t\r\"t\":\"<text>\"\r}\n",
      "POST / {\"to\":\"1@c.us\",\"t\":\"x\"}",
      0, 0, 0, S("1"), S("x"), N, N, N, N },
    { "a backslash before a quote", TO
      "text POST / {\"\\\\\\\"(\":\"<to>\",\"t\":\"<text>\"}\n",
      "POST / {\"\\\\\\\"(\":\"1@c.us\",\"t\":\"x\"}",
      0, 0, 0, S("1"), S("x"), N, N, N, N },

    { NULL, NULL, NULL, 0, 0, 0, N, N, N, N, N, N }
};


void
wag_unit_send(wag_unit_t *u)
{
    wag_unit_send_case_t  *c;

    for (c = wag_unit_send_cases; c->name; c++) {
        wag_unit_send_case(u, c);
    }

    wag_unit_send_texts(u);
    wag_unit_send_large(u);
    wag_unit_send_escapes(u);
    wag_unit_send_plain(u);
}


static void
wag_unit_send_case(wag_unit_t *u, wag_unit_send_case_t *c)
{
    u_char               *p, *got;
    ngx_int_t             rc;
    wag_vendor_t         *vendor;
    wag_send_filled_t     f;
    wag_send_message_t    m;
    wag_send_template_t  *t;

    vendor = wag_unit_vendor(u, c->vendor);
    got = ngx_palloc(u->pool, 4096);

    if (vendor == NULL || got == NULL) {
        wag_unit_ok(u, 0, c->name);
        return;
    }

    ngx_memzero(&m, sizeof(wag_send_message_t));

    m.media = c->media;
    m.has_data = c->data;
    m.to_type = c->type;
    m.to_id = c->id;
    m.text = c->text;
    m.url = c->url;
    m.mimetype = c->mimetype;
    m.filename = c->filename;
    m.caption = c->caption;

    ngx_str_set(&m.key, "k:e");
    ngx_str_set(&m.session, "s 1");

    t = wag_send_find(vendor, &m);
    if (t == NULL) {
        wag_unit_is(u, "none", c->request, c->name);
        return;
    }

    rc = wag_send_fill(u->pool, vendor, t, &m, &f);

    if (rc != NGX_OK) {
        wag_unit_is(u, (rc == NGX_DECLINED
                        && !wag_send_can_write(vendor, c->type))
                       ? "cannot" : "failed",
                    c->request, c->name);
        return;
    }

    p = ngx_sprintf(got, "%V %V ", &f.method, &f.uri);
    p = ngx_cpymem(p, f.before.data, f.before.len);

    if (f.spliced) {
        *p++ = '|';
    }

    *ngx_cpymem(p, f.after.data, f.after.len) = '\0';

    wag_unit_is(u, (char *) got, c->request, c->name);
}


/* whatever a text has, a server reads it as it was meant */

static void
wag_unit_send_texts(wag_unit_t *u)
{
    uint32_t              seed;
    ngx_uint_t            i, same;
    wag_pick_t            pick;
    wag_vendor_t         *vendor;
    wag_json_path_t       path;
    wag_pick_value_t      value;
    wag_send_filled_t     f;
    wag_send_message_t    m;
    wag_send_template_t  *t;

    static ngx_str_t  where = ngx_string("$.t");

    vendor = wag_unit_vendor(u, TEXT);

    ngx_memzero(&m, sizeof(wag_send_message_t));
    ngx_memzero(&value, sizeof(wag_pick_value_t));

    ngx_str_set(&m.to_id, "1");

    m.text.data = ngx_palloc(u->pool, WAG_UNIT_SEND_ROOM);
    value.data = ngx_palloc(u->pool, WAG_UNIT_SEND_ROOM);
    value.size = WAG_UNIT_SEND_ROOM;
    value.path = &path;

    if (vendor == NULL || m.text.data == NULL || value.data == NULL
        || wag_json_path(u->pool, &where, &path) != NGX_OK)
    {
        wag_unit_ok(u, 0, "random texts");
        return;
    }

    t = wag_send_find(vendor, &m);
    seed = 16;
    same = 0;

    for (i = 0; i < WAG_UNIT_SEND_TEXTS; i++) {

        m.text.len = wag_unit_send_text(m.text.data, &seed);

        ngx_memzero(&pick, sizeof(wag_pick_t));

        pick.values = &value;
        pick.nvalues = 1;
        pick.item = wag_unit_send_item;

        wag_pick_init(&pick);

        if (wag_send_fill(u->pool, vendor, t, &m, &f) == NGX_OK
            && wag_pick_parse(&pick, f.before.data, f.before.data
                              + f.before.len) == NGX_AGAIN
            && wag_pick_end(&pick) == NGX_OK
            && f.after.len == 0 && value.len == m.text.len
            && ngx_memcmp(value.data, m.text.data, value.len) == 0)
        {
            same++;
        }
    }

    wag_unit_ok(u, same == WAG_UNIT_SEND_TEXTS, "random texts");
}


static size_t
wag_unit_send_text(u_char *p, uint32_t *seed)
{
    u_char      *start;
    uint32_t     r;
    ngx_uint_t   i, n;

    static const char  *parts[] = { "\"", "\\", "/", "<text>", "(", "\x7f",
                                    "\xc2\x80", "\xe2\x80\xa8", "\xd9\x85",
                                    "\xf4\x8f\xbf\xbf", "u0041", "\\u" };

    start = p;
    n = 1 + (*seed >> 8) % 40;

    for (i = 0; i < n; i++) {
        *seed = *seed * 1103515245 + 12345;
        r = *seed >> 12;

        if (r % 2) {
            *p++ = 1 + (r >> 1) % 0x7e;

        } else {
            r = (r >> 1) % (sizeof(parts) / sizeof(parts[0]));
            p = ngx_cpymem(p, parts[r], ngx_strlen(parts[r]));
        }
    }

    return p - start;
}


static ngx_int_t
wag_unit_send_item(wag_pick_t *pick)
{
    return NGX_OK;
}


/* 64 KB that are all escaped */

static void
wag_unit_send_large(wag_unit_t *u)
{
    wag_vendor_t        *vendor;
    wag_send_filled_t    f;
    wag_send_message_t   m;

    ngx_memzero(&m, sizeof(wag_send_message_t));

    ngx_str_set(&m.to_id, "1");

    m.text.len = 65536;
    m.text.data = ngx_palloc(u->pool, m.text.len);
    vendor = wag_unit_vendor(u, TEXT);

    if (m.text.data == NULL || vendor == NULL) {
        wag_unit_ok(u, 0, "a large text");
        return;
    }

    ngx_memset(m.text.data, 1, m.text.len);

    wag_unit_ok(u, wag_send_fill(u->pool, vendor, vendor->sends.elts, &m, &f)
                   == NGX_OK
                   && f.before.len == 6 * 65536
                                      + sizeof("{'to':'1@c.us','t':''}") - 1
                   && f.after.len == 0 && !f.spliced,
                "a large text");
}


/* every byte in every place of texts up to 40 bytes, as nginx escapes it */

static void
wag_unit_send_escapes(wag_unit_t *u)
{
    u_char      *end, text[40], got[6 * 40], wanted[6 * 40];
    size_t       len, at, n;
    ngx_str_t    s;
    ngx_uint_t   ch, pass;

    pass = 1;

    for (len = 0; len <= sizeof(text); len++) {
        for (at = 0; at < ngx_max(len, 1); at++) {
            for (ch = 0; ch < 256 && pass; ch++) {

                ngx_memset(text, 'a' + len % 26, sizeof(text));
                text[at] = (u_char) ch;

                s.data = text;
                s.len = len;

                end = (u_char *) ngx_escape_json(wanted, text, len);
                n = end - wanted;

                pass = wag_json_escape_len(&s) == n
                       && wag_json_escape(got, &s) == got + n
                       && ngx_memcmp(got, wanted, n) == 0;
            }
        }
    }

    wag_unit_ok(u, pass, "texts are escaped as nginx does");
}


/* templates of headers: what is percent-encoded in them is said */

static void
wag_unit_send_plain(wag_unit_t *u)
{
    ngx_str_t       bad, got, values[WAG_TEMPLATE_VALUES];
    wag_template_t  t;

    static ngx_str_t  text = ngx_string("<session>,<session:uri>,<key:base64>,"
                                        "<token|none>,(<token>)");
    static ngx_str_t  data = ngx_string("<data|x>");

    ngx_memzero(values, sizeof(values));

    ngx_str_set(&values[WAG_TEMPLATE_SESSION], "a +%");
    ngx_str_set(&values[WAG_TEMPLATE_KEY], "u:p");

    if (wag_template_compile(u->pool, &text, WAG_TEMPLATE_ASK, &t, &bad)
        != NGX_OK
        || wag_template_fill(u->pool, &t, values, 0, &got) != NGX_OK)
    {
        wag_unit_ok(u, 0, "a header");
        return;
    }

    wag_unit_is(u, (char *) got.data, "a +%,a%20%2B%25,dTpw,none,()",
                "a header");

    wag_unit_ok(u, wag_template_compile_json(u->pool, &data,
                                             wag_template_bit(
                                                 WAG_TEMPLATE_DATA),
                                             &t, &bad) == NGX_DECLINED
                   && bad.len == data.len,
                "nothing stands for data");
}


wag_vendor_t *
wag_unit_vendor(wag_unit_t *u, const char *text)
{
    u_char        *p, *last, *end;
    ngx_conf_t     cf;
    wag_vendor_t  *vendor;

    vendor = ngx_pcalloc(u->pool, sizeof(wag_vendor_t));

    if (vendor == NULL || wag_send_conf_init(u->pool, vendor) != NGX_OK
        || wag_proof_conf_init(u->pool, vendor) != NGX_OK)
    {
        return NULL;
    }

    ngx_memzero(&cf, sizeof(ngx_conf_t));

    cf.pool = u->pool;
    cf.temp_pool = u->pool;
    cf.log = u->log;

    p = (u_char *) text;
    last = p + ngx_strlen(text);

    for ( /* void */ ; p < last; p = end + 1) {
        end = ngx_strlchr(p, last, LF);

        if (!wag_unit_vendor_line(&cf, vendor, p, end)) {
            return NULL;
        }
    }

    return vendor;
}


static ngx_uint_t
wag_unit_vendor_line(ngx_conf_t *cf, wag_vendor_t *vendor, u_char *p,
    u_char *last)
{
    u_char                *end;
    ngx_str_t             *value;
    wag_unit_directive_t  *d;

    cf->args = ngx_array_create(cf->pool, 8, sizeof(ngx_str_t));
    if (cf->args == NULL) {
        return 0;
    }

    for ( /* void */ ; p < last; p = end + 1) {
        end = ngx_strlchr(p, last, ' ');
        end = end ? end : last;

        value = ngx_array_push(cf->args);
        if (value == NULL) {
            return 0;
        }

        value->len = end - p;
        value->data = ngx_pcalloc(cf->pool, value->len + 1);
        if (value->data == NULL) {
            return 0;
        }

        ngx_memcpy(value->data, p, value->len);
    }

    value = cf->args->elts;

    for (d = wag_unit_directives; d->name.len; d++) {
        if (ngx_strcmp(d->name.data, value[0].data) == 0) {
            return d->set(cf, (char *) vendor + d->offset) == NGX_CONF_OK;
        }
    }

    return 0;
}
