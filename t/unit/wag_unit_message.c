
#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_form.h"
#include "wag_message.h"
#include "wag_unit.h"


typedef struct {
    wag_message_t        m;
    ngx_pool_t          *pool;
    ngx_str_t            text;
    ngx_uint_t           kind;
    ngx_uint_t           form;
    u_char              *dump;
    size_t               size;      /* of the dump */
    size_t               kept;      /* bytes of the pool */
} wag_unit_message_t;


static void wag_unit_message_records(wag_unit_t *u, wag_unit_message_t *t);
static void wag_unit_message_case(wag_unit_t *u, wag_unit_message_t *t,
    const char *want, const char *name);
static void wag_unit_message_sizes(wag_unit_t *u, wag_unit_message_t *t);
static void wag_unit_message_data(wag_unit_t *u, wag_unit_message_t *t);
static void wag_unit_message_country(wag_unit_t *u, wag_unit_message_t *t);
static void wag_unit_message_again(wag_unit_t *u, wag_unit_message_t *t);
static char *wag_unit_message_feed(wag_unit_message_t *t, size_t first,
    size_t step, ngx_uint_t known);
static size_t wag_unit_message_kept(ngx_pool_t *pool);
static ngx_int_t wag_unit_message_read(wag_unit_message_t *t, size_t first,
    size_t step);
static void wag_unit_message_dump(wag_unit_message_t *t, ngx_int_t rc);
static u_char *wag_unit_message_member(u_char *p, const char *name,
    ngx_str_t *text);


#define WAG_UNIT_MESSAGE_BEFORE  "{\"to\":\"966501234567\",\"text\":\""
#define WAG_UNIT_MESSAGE_MEDIA   "{\"to\":966501234567,"                      \
                                 "\"mimetype\":\"image/png\",\"data\":\""


void
wag_unit_message(wag_unit_t *u)
{
    wag_unit_message_t  *t;

    t = ngx_pcalloc(u->pool, sizeof(wag_unit_message_t));
    if (t == NULL) {
        return;
    }

    wag_unit_message_records(u, t);

    ngx_memzero(t, sizeof(wag_unit_message_t));

    wag_unit_message_sizes(u, t);
    wag_unit_message_data(u, t);
    wag_unit_message_country(u, t);
    wag_unit_message_again(u, t);
}


/* those of the .t: text, media or form, the body, what is made of it */

static void
wag_unit_message_records(wag_unit_t *u, wag_unit_message_t *t)
{
    char        *want, *name;
    size_t       shown;
    ngx_str_t    f[3];
    ngx_uint_t   n;

    for (n = 0; wag_unit_record(u, f, 3); n++) {

        t->text = f[1];
        t->kind = (f[0].data[0] == 'm') ? WAG_MESSAGE_MEDIA
                                        : WAG_MESSAGE_TEXT;
        t->form = (f[0].data[0] == 'f');

        want = ngx_pnalloc(u->pool, f[2].len + 1);
        ngx_cpystrn((u_char *) want, f[2].data, f[2].len + 1);

        name = ngx_pnalloc(u->pool, 256);
        shown = ngx_min(f[1].len, 70);
        *wag_unit_text(ngx_sprintf((u_char *) name, "%V: ", &f[0]),
                       f[1].data, shown) = '\0';

        wag_unit_message_case(u, t, want, name);
    }

    wag_unit_ok(u, n >= 40, "there are cases");
}


static void
wag_unit_message_case(wag_unit_t *u, wag_unit_message_t *t, const char *want,
    const char *name)
{
    char        *got, at[64];
    size_t       i, step;
    ngx_uint_t   pass;

    got = wag_unit_message_feed(t, t->text.len, t->text.len, 0);
    pass = wag_unit_is(u, got, want, name);
    free(got);

    if (t->form || !pass) {
        return;
    }

    got = wag_unit_message_feed(t, 1, 1, 1);
    pass = ngx_strcmp(got, want) == 0;

    if (!pass) {
        wag_unit_is(u, got, want, "byte by byte");
    }

    free(got);

    step = 1 + t->text.len / 1000;

    for (i = 1; i < t->text.len && pass; i += step) {
        got = wag_unit_message_feed(t, i, t->text.len, i & 1);
        pass = ngx_strcmp(got, want) == 0;

        if (!pass) {
            *ngx_sprintf((u_char *) at, "split at %uz", i) = '\0';
            wag_unit_is(u, got, want, at);
        }

        free(got);
    }
}


/* 64 KB and a byte more; a character that is half in, an escape at the end */

static void
wag_unit_message_sizes(wag_unit_t *u, wag_unit_message_t *t)
{
    char        *got;
    u_char      *p;
    size_t       len;
    ngx_uint_t   i, k;

    static const char  *tails[] = { "", "a", "\xd8\xb1", "\\n", "\\u0631" };
    static size_t       extra[] = { 0, 1, 2, 1, 2 };

    t->text.data = ngx_pnalloc(u->pool, 70000);

    for (i = 0; i < 5; i++) {
        for (k = 0; k < 2; k++) {

            len = 65536 - extra[i] + k;

            p = ngx_cpymem(t->text.data, WAG_UNIT_MESSAGE_BEFORE,
                           sizeof(WAG_UNIT_MESSAGE_BEFORE) - 1);
            ngx_memset(p, 'x', len);
            p = ngx_sprintf(p + len, "%s\"}", tails[i]);
            t->text.len = p - t->text.data;

            got = wag_unit_message_feed(t, 1000, 4096, k);

            if (k) {
                wag_unit_is(u, got, "! text: longer than 64 KB",
                            "a text of more than 64 KB");

            } else {
                wag_unit_ok(u, t->m.text.len == 65536
                               && got[0] == 't', "a text of 64 KB");
            }

            free(got);
        }
    }
}


/* 8 MB of data: not a page of memory, and the offsets are right */

static void
wag_unit_message_data(wag_unit_t *u, wag_unit_message_t *t)
{
    char        *got;
    u_char      *p;
    size_t       before, len;
    ngx_uint_t   k;

    static size_t  steps[] = { 4096, 1000003, 9000000 };

    len = 8 * 1024 * 1024;
    before = sizeof(WAG_UNIT_MESSAGE_MEDIA) - 1;

    t->kind = WAG_MESSAGE_MEDIA;
    t->text.data = malloc(len + 1000);

    p = ngx_cpymem(t->text.data, WAG_UNIT_MESSAGE_MEDIA, before);
    ngx_memset(p, 'A', len);
    p = ngx_sprintf(p + len, "\"}");
    t->text.len = p - t->text.data;

    for (k = 0; k < 3; k++) {
        got = wag_unit_message_feed(t, 7, steps[k], 1);
        wag_unit_ok(u, t->m.data_start == (off_t) before
                       && t->m.data_end == (off_t) (before + len)
                       && ngx_strncmp(got, "to=user:966501234567 mimetype="
                                      "image/png data=AAA", 47) == 0,
                    "where 8 MB of data are");
        wag_unit_ok(u, t->kept <= 4096, "none of it is kept");
        free(got);
    }

    free(t->text.data);
    t->kind = WAG_MESSAGE_TEXT;
}


static void
wag_unit_message_country(wag_unit_t *u, wag_unit_message_t *t)
{
    char  *got;

    static ngx_str_t  text = ngx_string("{\"to\":\"050 123 4567\","
                                        "\"from\":\"0509999999\","
                                        "\"text\":\"hi\"}");
    static ngx_str_t  form = ngx_string("to=050+123+4567&from=0509999999&"
                                        "text=hi");

    t->text = text;
    ngx_str_set(&t->m.country, "966");

    got = wag_unit_message_feed(t, 1, 1, 1);
    wag_unit_is(u, got, "to=user:966501234567 text=hi from=966509999999",
                "local numbers of a country");
    free(got);

    t->text = form;
    t->form = 1;

    got = wag_unit_message_feed(t, 1, 1, 1);
    wag_unit_is(u, got, "to=user:966501234567 text=hi from=966509999999",
                "those of a form");
    free(got);

    ngx_str_null(&t->m.country);
    t->form = 0;
}


/* what is declined stays so, and another one starts over */

static void
wag_unit_message_again(wag_unit_t *u, wag_unit_message_t *t)
{
    char    *got;
    u_char  *p;

    static ngx_str_t  bad = ngx_string("{\"to\":\"966501234567\",\"x\":1}");
    static ngx_str_t  half = ngx_string("{\"to\":\"966501234567\"}");
    static ngx_str_t  good = ngx_string("{\"text\":\"hi\",\"to\":12345678}");

    t->text = bad;
    p = bad.data;

    t->pool = ngx_create_pool(1024, u->log);
    wag_message_init(&t->m, t->pool);

    wag_unit_ok(u, wag_message_parse(&t->m, p, p + bad.len) == NGX_DECLINED
                   && wag_message_parse(&t->m, p, p + bad.len) == NGX_DECLINED
                   && wag_message_end(&t->m) == NGX_DECLINED
                   && ngx_strcmp(t->m.error, "unknown") == 0
                   && t->m.member.len == 1 && t->m.member.data[0] == 'x',
                "it stays declined");

    wag_message_init(&t->m, t->pool);

    p = half.data;

    wag_unit_ok(u, wag_message_parse(&t->m, p, p + half.len) == NGX_AGAIN
                   && wag_message_parse(&t->m, p, p) == NGX_AGAIN
                   && wag_message_end(&t->m) == NGX_DECLINED
                   && wag_message_end(&t->m) == NGX_DECLINED
                   && t->m.member.len == 7, "so does one with a member less");

    ngx_destroy_pool(t->pool);

    t->text = good;
    got = wag_unit_message_feed(t, 1, 1, 1);
    wag_unit_is(u, got, "to=user:12345678 text=hi", "another one");
    wag_unit_ok(u, t->kept <= 4096, "no more room than the body is long");
    free(got);
}


/* "known": the length of the body is told before */

static char *
wag_unit_message_feed(wag_unit_message_t *t, size_t first, size_t step,
    ngx_uint_t known)
{
    ngx_int_t  rc;
    ngx_str_t  country;

    country = t->m.country;

    ngx_memset(&t->m, 0xa5, sizeof(wag_message_t));

    t->m.kind = t->kind;
    t->m.country = country;
    t->m.length = known ? (off_t) t->text.len : 0;

    t->pool = ngx_create_pool(4096, ngx_cycle->log);

    wag_message_init(&t->m, t->pool);

    rc = wag_unit_message_read(t, first, step);

    t->kept = wag_unit_message_kept(t->pool);

    t->size = t->text.len * 4 + 1024;
    t->dump = malloc(t->size);

    wag_unit_message_dump(t, rc);

    ngx_destroy_pool(t->pool);

    return (char *) t->dump;
}


/*
 * The bytes that were taken from a pool; with NGX_DEBUG_PALLOC all of them are
 * large ones.
 */

static size_t
wag_unit_message_kept(ngx_pool_t *pool)
{
    size_t             kept;
    ngx_pool_t        *p;
    ngx_pool_large_t  *l;

    kept = 0;

    for (p = pool; p; p = p->d.next) {
        kept += p->d.last - (u_char *) p;
    }

    for (l = pool->large; l; l = l->next) {
        kept += l->alloc ? malloc_usable_size(l->alloc) : 0;
    }

    return kept;
}


/* each piece is gone after it was read, and has no byte to spare */

static ngx_int_t
wag_unit_message_read(wag_unit_message_t *t, size_t first, size_t step)
{
    u_char      *part;
    size_t       i, n;
    ngx_int_t    rc;
    ngx_str_t    body;

    if (t->form) {
        body.len = t->text.len;
        body.data = malloc(body.len);
        ngx_memcpy(body.data, t->text.data, body.len);

        rc = wag_form_read(&t->m, &body);

        free(body.data);

        return rc;
    }

    rc = NGX_AGAIN;
    n = first;

    for (i = 0; i < t->text.len && rc == NGX_AGAIN; i += n, n = step) {
        n = ngx_min(n, t->text.len - i);

        part = malloc(n);
        ngx_memcpy(part, t->text.data + i, n);

        rc = wag_message_parse(&t->m, part, part + n);

        free(part);
    }

    return (rc == NGX_AGAIN) ? wag_message_end(&t->m) : rc;
}


static void
wag_unit_message_dump(wag_unit_message_t *t, ngx_int_t rc)
{
    u_char         *p;
    ngx_str_t       data;
    wag_message_t  *m;

    static const char  *types[] = { "user", "group", "lid" };

    p = t->dump;
    m = &t->m;

    if (rc == NGX_DECLINED) {
        p = ngx_sprintf(p, "! %V: ", &m->member);
        *wag_unit_text(p, (u_char *) m->error, ngx_strlen(m->error)) = '\0';
        return;
    }

    if (rc != NGX_OK || m->error || m->member.len) {
        *ngx_sprintf(p, "rc: %i", rc) = '\0';
        return;
    }

    p = ngx_sprintf(p, "to=%s:%V", types[m->to.type], &m->to.id);
    p = wag_unit_message_member(p, "text", &m->text);
    p = wag_unit_message_member(p, "session", &m->session);

    if (m->from) {
        p = ngx_sprintf(p, " from=%uL", m->from);
    }

    p = wag_unit_message_member(p, "url", &m->url);
    p = wag_unit_message_member(p, "mimetype", &m->mimetype);
    p = wag_unit_message_member(p, "filename", &m->filename);
    p = wag_unit_message_member(p, "caption", &m->caption);

    data.data = t->text.data + m->data_start;
    data.len = (size_t) (m->data_end - m->data_start);

    *wag_unit_message_member(p, "data", &data) = '\0';
}


static u_char *
wag_unit_message_member(u_char *p, const char *name, ngx_str_t *text)
{
    if (text->len == 0) {
        return p;
    }

    p = ngx_sprintf(p, " %s=", name);

    return wag_unit_text(p, text->data, text->len);
}
