
#include "fuzz.h"

#include "wag_json_scan.h"
#include "wag_proof.h"
#include "wag_proof_conf.h"
#include "wag_send.h"
#include "wag_send_conf.h"
#include "wag_to_conf.h"


/*
 * Requests and proofs.  Two bytes choose how an answer is split and what a
 * message has; then lines: directives of a vendor up to an empty line, the
 * status, the answer.  What is proved must be the same for the whole, the
 * pieces and single bytes; a template that is taken must make JSON of any
 * message.
 */

typedef struct {
    const char          *name;
    char              *(*set)(ngx_conf_t *cf, void *conf);
} fuzz_proof_directive_t;


typedef struct {
    ngx_uint_t           outcome;
    ngx_uint_t           json;
    size_t               len;
    u_char               id[WAG_PROOF_TEXT_LEN];
} fuzz_proof_result_t;


static ngx_uint_t fuzz_proof_directive(ngx_conf_t *cf, wag_vendor_t *vendor,
    u_char *p, u_char *last);
static void fuzz_proof_answer(ngx_pool_t *pool, wag_vendor_t *vendor,
    ngx_uint_t step, u_char *p, u_char *last);
static void fuzz_proof_run(fuzz_proof_result_t *r, ngx_pool_t *pool,
    wag_vendor_t *vendor, ngx_uint_t status, u_char *p, u_char *last,
    size_t step);
static ngx_uint_t fuzz_proof_is_open(u_char *p, u_char *last);
static ngx_uint_t fuzz_proof_by_status(wag_vendor_t *vendor,
    ngx_uint_t status);
static void fuzz_proof_scan(ngx_uint_t json, u_char *p, u_char *last);
static void fuzz_proof_request(ngx_pool_t *pool, wag_vendor_t *vendor,
    ngx_uint_t has, u_char *text, size_t len);
static void fuzz_proof_fill(ngx_pool_t *pool, wag_vendor_t *vendor,
    wag_send_message_t *m);
static ngx_int_t fuzz_proof_event(wag_json_scan_t *s, ngx_uint_t event);


static fuzz_proof_directive_t  fuzz_proof_directives[] = {
    { "text", wag_send_conf_text },
    { "media", wag_send_conf_media },
    { "to", wag_to_conf },
    { "sent", wag_proof_conf_sent },
    { "unsent", wag_proof_conf_unsent },
    { NULL, NULL }
};


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char        *copy, *p, *end, *last;
    ngx_conf_t     cf;
    ngx_pool_t    *pool;
    wag_vendor_t   vendor;

    if (size < 2) {
        return 0;
    }

    pool = ngx_create_pool(4096, fuzz_log());
    fuzz_assert(pool != NULL);

    copy = fuzz_copy(data, size);
    last = copy + size;

    ngx_memzero(&vendor, sizeof(wag_vendor_t));
    ngx_memzero(&cf, sizeof(ngx_conf_t));

    cf.pool = pool;
    cf.temp_pool = pool;
    cf.log = fuzz_log();

    fuzz_assert(wag_send_conf_init(pool, &vendor) == NGX_OK);
    fuzz_assert(wag_proof_conf_init(pool, &vendor) == NGX_OK);

    for (p = copy + 2; p < last; p = end + 1) {

        end = memchr(p, LF, last - p);

        if (end == NULL) {
            break;
        }

        if (end == p) {
            fuzz_proof_answer(pool, &vendor, copy[0], end + 1, last);
            fuzz_proof_request(pool, &vendor, copy[1], end + 1,
                               last - end - 1);
            break;
        }

        if (!fuzz_proof_directive(&cf, &vendor, p, end)) {
            break;
        }
    }

    ngx_destroy_pool(pool);
    free(copy);

    return 0;
}


static ngx_uint_t
fuzz_proof_directive(ngx_conf_t *cf, wag_vendor_t *vendor, u_char *p,
    u_char *last)
{
    u_char                  *end;
    ngx_str_t               *value;
    fuzz_proof_directive_t  *d;

    cf->args = ngx_array_create(cf->pool, 8, sizeof(ngx_str_t));
    fuzz_assert(cf->args != NULL);

    for ( /* void */ ; p < last; p = end + 1) {
        end = memchr(p, ' ', last - p);
        end = end ? end : last;

        value = ngx_array_push(cf->args);
        fuzz_assert(value != NULL);

        value->len = end - p;
        value->data = ngx_pcalloc(cf->pool, value->len + 1);
        fuzz_assert(value->data != NULL);

        ngx_memcpy(value->data, p, value->len);
    }

    value = cf->args->elts;

    for (d = fuzz_proof_directives; d->name; d++) {
        if (strcmp(d->name, (char *) value[0].data) == 0) {
            break;
        }
    }

    if (d->name == NULL
        || (d->set == wag_send_conf_text && cf->args->nelts != 4)
        || (d->set == wag_send_conf_media && cf->args->nelts != 6)
        || (d->set != wag_to_conf && cf->args->nelts < 3))
    {
        return 0;
    }

    return d->set(cf, vendor) == NGX_CONF_OK;
}


static void
fuzz_proof_answer(ngx_pool_t *pool, wag_vendor_t *vendor, ngx_uint_t step,
    u_char *p, u_char *last)
{
    u_char               *end;
    ngx_int_t             rc, status;
    fuzz_proof_result_t   whole, pieces, bytes, none;

    end = memchr(p, LF, last - p);

    if (end == NULL) {
        return;
    }

    status = ngx_atoi(p, end - p);

    if (status == NGX_ERROR || status < 100 || status > 599) {
        return;
    }

    p = end + 1;

    fuzz_proof_run(&whole, pool, vendor, status, p, last, last - p + 1);
    fuzz_proof_run(&pieces, pool, vendor, status, p, last, step + 1);
    fuzz_proof_run(&bytes, pool, vendor, status, p, last, 1);
    fuzz_proof_run(&none, pool, vendor, status, p, p, 1);

    fuzz_assert(memcmp(&whole, &pieces, sizeof(whole)) == 0);
    fuzz_assert(memcmp(&whole, &bytes, sizeof(whole)) == 0);

    fuzz_assert(whole.outcome != WAG_PROOF_SENT
                || (whole.json && status >= 200 && status < 300 && whole.len));
    fuzz_assert(none.outcome != WAG_PROOF_SENT && !none.json);

    fuzz_proof_scan(whole.json, p, last);

    /* of JSON that is broken nothing is known but the status */

    if (!whole.json && fuzz_proof_is_open(p, last)) {
        fuzz_assert(whole.outcome == fuzz_proof_by_status(vendor, status));
    }

    rc = wag_proof_needs_body(vendor, status);

    if (rc == NGX_DECLINED) {
        fuzz_assert(whole.outcome <= WAG_PROOF_SENT);
    }

    if (rc == NGX_OK) {
        fuzz_assert(status >= 300 && whole.outcome > WAG_PROOF_SENT);
        fuzz_assert(whole.outcome == none.outcome);
    }
}


static void
fuzz_proof_run(fuzz_proof_result_t *r, ngx_pool_t *pool, wag_vendor_t *vendor,
    ngx_uint_t status, u_char *p, u_char *last, size_t step)
{
    u_char       *part;
    size_t        n;
    wag_proof_t   proof;

    fuzz_assert(wag_proof_init(&proof, pool, vendor, status) == NGX_OK);

    for ( /* void */ ; p < last; p += n) {
        n = ngx_min(step, (size_t) (last - p));

        part = fuzz_copy(p, n);
        wag_proof_parse(&proof, part, part + n);
        free(part);
    }

    ngx_memzero(r, sizeof(fuzz_proof_result_t));

    r->outcome = wag_proof_end(&proof);
    r->json = proof.json;
    r->len = proof.id.len;

    fuzz_assert(r->len <= WAG_PROOF_TEXT_LEN);

    ngx_memcpy(r->id, proof.id.data ? proof.id.data : r->id, r->len);
}


static ngx_uint_t
fuzz_proof_is_open(u_char *p, u_char *last)
{
    while (p < last && strchr(" \t\r\n", *p) != NULL && *p) {
        p++;
    }

    return p < last && (*p == '{' || *p == '[');
}


static ngx_uint_t
fuzz_proof_by_status(wag_vendor_t *vendor, ngx_uint_t status)
{
    ngx_uint_t           i;
    wag_proof_unsent_t  *unsent;

    unsent = vendor->unsent.elts;

    for (i = 0; i < vendor->unsent.nelts; i++) {
        if (unsent[i].conditions.nelts == 0
            && wag_vendor_status(unsent[i].statuses, status))
        {
            return unsent[i].outcome;
        }
    }

    return WAG_PROOF_NONE;
}


static void
fuzz_proof_scan(ngx_uint_t json, u_char *p, u_char *last)
{
    wag_json_scan_t  s;

    wag_json_scan_init(&s, fuzz_proof_event, NULL, WAG_JSON_SCAN_MAX_DEPTH);
    s.room.len = 0;

    fuzz_assert(json == (wag_json_scan_parse(&s, p, last) != NGX_ERROR
                         && wag_json_scan_end(&s) == NGX_OK));
}


/* "has" is what the message has; each text of it is the same */

static void
fuzz_proof_request(ngx_pool_t *pool, wag_vendor_t *vendor, ngx_uint_t has,
    u_char *text, size_t len)
{
    u_char              *p;
    ngx_str_t            value;
    ngx_uint_t           i;
    wag_send_message_t   m;

    /* a message's texts are UTF-8 */

    for (p = text, i = 0; i < len; i++) {
        if (*p >= 0x80) {
            *p = '"';
        }

        p++;
    }

    value.data = text;
    value.len = len;

    ngx_memzero(&m, sizeof(wag_send_message_t));

    ngx_str_set(&m.to_id, "966500000001");

    m.to_type = has % WAG_VENDOR_TO;
    m.media = (has & 0x4) ? 1 : 0;
    m.has_data = (m.media && (has & 0x8)) ? 1 : 0;
    m.session = value;

    if (len == 0) {
        return;
    }

    m.text = value;

    if (m.media && !m.has_data) {
        m.url = value;
    }

    if (m.has_data || (has & 0x10)) {
        m.mimetype = value;
    }

    if (has & 0x20) {
        m.filename = value;
    }

    if (has & 0x40) {
        m.caption = value;
    }

    fuzz_proof_fill(pool, vendor, &m);
}


static void
fuzz_proof_fill(ngx_pool_t *pool, wag_vendor_t *vendor, wag_send_message_t *m)
{
    u_char               *before, *after;
    ngx_int_t             rc;
    wag_json_scan_t       s;
    wag_send_filled_t     f;
    wag_send_template_t  *t;

    t = wag_send_find(vendor, m);

    if (t == NULL) {
        return;
    }

    fuzz_assert((t->kinds != 0) == m->media);

    rc = wag_send_fill(pool, vendor, t, m, &f);

    if (rc == NGX_DECLINED) {
        fuzz_assert(!wag_send_can_write(vendor, m->to_type));
        return;
    }

    fuzz_assert(rc == NGX_OK);
    fuzz_assert(f.spliced == m->has_data);
    fuzz_assert(f.uri.len && f.uri.data[0] == '/');

    before = fuzz_copy(f.before.data, f.before.len);
    after = fuzz_copy(f.after.data, f.after.len);

    wag_json_scan_init(&s, fuzz_proof_event, NULL, WAG_JSON_SCAN_MAX_DEPTH);
    s.room.len = 0;

    fuzz_assert(wag_json_scan_parse(&s, before, before + f.before.len)
                != NGX_ERROR);
    fuzz_assert(!f.spliced
                || wag_json_scan_parse(&s, (u_char *) "QUJD",
                                       (u_char *) "QUJD" + 4) != NGX_ERROR);
    fuzz_assert(wag_json_scan_parse(&s, after, after + f.after.len)
                != NGX_ERROR);
    fuzz_assert(wag_json_scan_end(&s) == NGX_OK);

    free(before);
    free(after);
}


static ngx_int_t
fuzz_proof_event(wag_json_scan_t *s, ngx_uint_t event)
{
    return NGX_OK;
}
