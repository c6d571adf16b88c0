
#include "fuzz.h"

#include "wag_json_scan.h"


/*
 * The scanner.  Three bytes choose the limit of depth, the room for texts and
 * how the rest, a text, is split.  Events and verdict must be the same for the
 * whole, the pieces and single bytes, and those of a second, plainer reader
 * that has all of the text.
 */

typedef struct {
    u_char              *data;
    size_t               len;
    size_t               size;
} fuzz_scan_log_t;


typedef struct {
    wag_json_scan_t      s;
    fuzz_scan_log_t      log;
    u_char              *room;
    size_t               size;
    ngx_int_t            rc;
} fuzz_scan_t;


typedef struct {
    fuzz_scan_log_t      log;
    const u_char        *start;
    const u_char        *last;
    size_t               size;
    ngx_uint_t           max;
    ngx_uint_t           depth;
} fuzz_scan_plain_t;


static void fuzz_scan_run(fuzz_scan_t *f, const uint8_t *setup,
    const uint8_t *data, size_t size, size_t step);
static ngx_int_t fuzz_scan_event(wag_json_scan_t *s, ngx_uint_t event);
static void fuzz_scan_log(fuzz_scan_log_t *log, ngx_uint_t event,
    ngx_uint_t depth, off_t start, off_t end, ngx_uint_t cut, u_char *text,
    size_t len);
static void fuzz_scan_same(fuzz_scan_t *a, fuzz_scan_t *b);
static void fuzz_scan_plain(fuzz_scan_t *f, const uint8_t *setup,
    const uint8_t *data, size_t size);
static const u_char *fuzz_scan_blank(fuzz_scan_plain_t *p, const u_char *at);
static const u_char *fuzz_scan_value(fuzz_scan_plain_t *p, const u_char *at);
static const u_char *fuzz_scan_members(fuzz_scan_plain_t *p,
    const u_char *at);
static const u_char *fuzz_scan_word(fuzz_scan_plain_t *p, const u_char *at);
static const u_char *fuzz_scan_number(fuzz_scan_plain_t *p, const u_char *at);
static const u_char *fuzz_scan_digits(const u_char *at, const u_char *last);
static const u_char *fuzz_scan_string(fuzz_scan_plain_t *p, const u_char *at,
    ngx_uint_t event);
static const u_char *fuzz_scan_escape(fuzz_scan_plain_t *p, const u_char *at,
    uint32_t *code);
static const u_char *fuzz_scan_hex(fuzz_scan_plain_t *p, const u_char *at,
    uint32_t *code);
static const u_char *fuzz_scan_utf8(fuzz_scan_plain_t *p, const u_char *at,
    uint32_t *code);
static size_t fuzz_scan_encode(u_char *dst, uint32_t code);
static void fuzz_scan_tell(fuzz_scan_plain_t *p, ngx_uint_t event,
    const u_char *start, const u_char *end, const u_char *text, size_t len);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_scan_t  whole, split, bytes;

    if (size < 3) {
        return 0;
    }

    fuzz_scan_run(&whole, data, data + 3, size - 3, size);
    fuzz_scan_run(&split, data, data + 3, size - 3, 1 + data[2]);
    fuzz_scan_run(&bytes, data, data + 3, size - 3, 1);

    fuzz_scan_same(&whole, &split);
    fuzz_scan_same(&whole, &bytes);

    fuzz_scan_plain(&whole, data, data + 3, size - 3);

    free(whole.log.data);
    free(split.log.data);
    free(bytes.log.data);

    return 0;
}


static void
fuzz_scan_run(fuzz_scan_t *f, const uint8_t *setup, const uint8_t *data,
    size_t size, size_t step)
{
    u_char  *p;
    size_t   n, seen;

    ngx_memzero(f, sizeof(fuzz_scan_t));

    f->size = setup[1];
    f->room = malloc(f->size ? f->size : 1);
    fuzz_assert(f->room != NULL);

    wag_json_scan_init(&f->s, fuzz_scan_event, f, 1 + (setup[0] & 63));
    f->s.room.data = f->room;
    f->s.room.len = f->size;

    f->rc = NGX_AGAIN;

    for (seen = 0; seen < size && f->rc == NGX_AGAIN; seen += n) {
        n = ngx_min(step, size - seen);

        p = fuzz_copy(data + seen, n);
        f->rc = wag_json_scan_parse(&f->s, p, p + n);
        free(p);

        fuzz_assert(f->rc == NGX_AGAIN || f->rc == NGX_ERROR);
        fuzz_assert(f->rc == NGX_AGAIN
                    || (f->s.offset >= (off_t) seen
                        && f->s.offset < (off_t) (seen + n)));
    }

    if (f->rc == NGX_AGAIN) {
        f->rc = wag_json_scan_end(&f->s);

        fuzz_assert(f->rc == NGX_OK || f->s.offset == (off_t) size);
    }

    fuzz_assert(f->rc == NGX_OK || f->rc == NGX_ERROR);
    fuzz_assert((f->rc == NGX_ERROR) == (f->s.error != NULL));

    free(f->room);
}


static ngx_int_t
fuzz_scan_event(wag_json_scan_t *s, ngx_uint_t event)
{
    fuzz_scan_t  *f;

    f = s->data;

    /* that of a key may be where it came */

    fuzz_assert(event == WAG_JSON_KEY || s->text.data == f->room);
    fuzz_assert(s->text.len <= f->size);

    fuzz_scan_log(&f->log, event, s->depth, s->start, s->end, s->cut,
                  s->text.data, s->text.len);

    return NGX_OK;
}


static void
fuzz_scan_log(fuzz_scan_log_t *log, ngx_uint_t event, ngx_uint_t depth,
    off_t start, off_t end, ngx_uint_t cut, u_char *text, size_t len)
{
    u_char  *p;

    if (log->size - log->len < len + 128) {
        log->size = log->size * 2 + len + 4096;
        log->data = realloc(log->data, log->size);
        fuzz_assert(log->data != NULL);
    }

    p = log->data + log->len;

    p = ngx_sprintf(p, "%ui %ui %O-%O %ui %uz:", event, depth, start, end,
                    cut, len);

    if (len) {
        p = ngx_cpymem(p, text, len);
    }

    log->len = p - log->data;
}


static void
fuzz_scan_same(fuzz_scan_t *a, fuzz_scan_t *b)
{
    fuzz_assert(a->rc == b->rc);
    fuzz_assert(a->s.error == b->s.error);
    fuzz_assert(a->s.offset == b->s.offset);
    fuzz_assert(a->log.len == b->log.len);
    fuzz_assert(a->log.len == 0
                || ngx_memcmp(a->log.data, b->log.data, a->log.len) == 0);
}


static void
fuzz_scan_plain(fuzz_scan_t *f, const uint8_t *setup, const uint8_t *data,
    size_t size)
{
    const u_char       *at;
    fuzz_scan_plain_t   p;

    ngx_memzero(&p, sizeof(fuzz_scan_plain_t));

    p.start = data;
    p.last = data + size;
    p.size = setup[1];
    p.max = 1 + (setup[0] & 63);

    at = fuzz_scan_value(&p, fuzz_scan_blank(&p, data));

    if (at && fuzz_scan_blank(&p, at) != p.last) {
        at = NULL;
    }

    fuzz_assert((at != NULL) == (f->rc == NGX_OK));
    fuzz_assert(p.log.len == f->log.len);
    fuzz_assert(p.log.len == 0
                || ngx_memcmp(p.log.data, f->log.data, p.log.len) == 0);

    free(p.log.data);
}


static const u_char *
fuzz_scan_blank(fuzz_scan_plain_t *p, const u_char *at)
{
    while (at < p->last && memchr(" \t\r\n", *at, 4) != NULL) {
        at++;
    }

    return at;
}


/* each reads what it is named after from "at" on; NULL: it is not there */

static const u_char *
fuzz_scan_value(fuzz_scan_plain_t *p, const u_char *at)
{
    if (at == p->last) {
        return NULL;
    }

    if (*at == '{' || *at == '[') {
        return fuzz_scan_members(p, at);
    }

    if (*at == '"') {
        return fuzz_scan_string(p, at, WAG_JSON_STRING);
    }

    if (*at == '-' || (*at >= '0' && *at <= '9')) {
        return fuzz_scan_number(p, at);
    }

    return fuzz_scan_word(p, at);
}


static const u_char *
fuzz_scan_members(fuzz_scan_plain_t *p, const u_char *at)
{
    u_char      end;
    ngx_uint_t  event;

    event = (*at == '{') ? WAG_JSON_OBJECT : WAG_JSON_ARRAY;
    end = (*at == '{') ? '}' : ']';

    if (p->depth == p->max) {
        return NULL;
    }

    fuzz_scan_tell(p, event, at, at + 1, NULL, 0);

    p->depth++;

    at = fuzz_scan_blank(p, at + 1);

    if (at < p->last && *at == end) {
        goto done;
    }

    for ( ;; ) {

        if (event == WAG_JSON_OBJECT) {

            if (at == p->last || *at != '"') {
                return NULL;
            }

            at = fuzz_scan_string(p, at, WAG_JSON_KEY);

            if (at == NULL) {
                return NULL;
            }

            at = fuzz_scan_blank(p, at);

            if (at == p->last || *at != ':') {
                return NULL;
            }

            at = fuzz_scan_blank(p, at + 1);
        }

        at = fuzz_scan_value(p, at);

        if (at == NULL) {
            return NULL;
        }

        at = fuzz_scan_blank(p, at);

        if (at < p->last && *at == end) {
            break;
        }

        if (at == p->last || *at != ',') {
            return NULL;
        }

        at = fuzz_scan_blank(p, at + 1);
    }

done:

    p->depth--;

    fuzz_scan_tell(p, event + 1, at, at + 1, NULL, 0);

    return at + 1;
}


static const u_char *
fuzz_scan_word(fuzz_scan_plain_t *p, const u_char *at)
{
    size_t      len;
    ngx_uint_t  i;

    static const char  *words[] = { "true", "false", "null" };

    for (i = 0; i < 3; i++) {
        len = strlen(words[i]);

        if ((size_t) (p->last - at) >= len && memcmp(at, words[i], len) == 0) {
            fuzz_scan_tell(p, WAG_JSON_TRUE + i, at, at + len, at, len);
            return at + len;
        }
    }

    return NULL;
}


/* all that looks like a number must be one; within an array it has to end */

static const u_char *
fuzz_scan_number(fuzz_scan_plain_t *p, const u_char *at)
{
    const u_char  *n, *end;

    for (end = at; end < p->last; end++) {
        if (*end == '\0' || strchr("0123456789+-.eE", *end) == NULL) {
            break;
        }
    }

    if (end == p->last && p->depth) {
        return NULL;
    }

    n = at;

    if (*n == '-') {
        n++;
    }

    n = (n < end && *n == '0') ? n + 1 : fuzz_scan_digits(n, end);

    if (n && n < end && *n == '.') {
        n = fuzz_scan_digits(n + 1, end);
    }

    if (n && n < end && (*n == 'e' || *n == 'E')) {
        n++;

        if (n < end && (*n == '+' || *n == '-')) {
            n++;
        }

        n = fuzz_scan_digits(n, end);
    }

    if (n != end) {
        return NULL;
    }

    fuzz_scan_tell(p, WAG_JSON_NUMBER, at, end, at, end - at);

    return end;
}


static const u_char *
fuzz_scan_digits(const u_char *at, const u_char *last)
{
    const u_char  *p;

    for (p = at; p < last && *p >= '0' && *p <= '9'; p++) { /* void */ }

    return (p == at) ? NULL : p;
}


static const u_char *
fuzz_scan_string(fuzz_scan_plain_t *p, const u_char *at, ngx_uint_t event)
{
    u_char        *text;
    size_t         len;
    uint32_t       code;
    const u_char  *start;

    start = at++;
    len = 0;

    text = malloc(p->last - start);
    fuzz_assert(text != NULL);

    while (at && at < p->last && *at != '"') {

        if (*at < 0x20) {
            at = NULL;
            break;
        }

        at = (*at == '\\') ? fuzz_scan_escape(p, at + 1, &code)
                           : fuzz_scan_utf8(p, at, &code);

        if (at) {
            len += fuzz_scan_encode(text + len, code);
        }
    }

    if (at == NULL || at == p->last) {
        free(text);
        return NULL;
    }

    fuzz_scan_tell(p, event, start, at + 1, text, len);

    free(text);

    return at + 1;
}


static const u_char *
fuzz_scan_escape(fuzz_scan_plain_t *p, const u_char *at, uint32_t *code)
{
    uint32_t     low;
    const char  *c;

    static const char  from[] = "\"\\/bfnrt";
    static const char  to[] = "\"\\/\b\f\n\r\t";

    if (at == p->last || *at == '\0') {
        return NULL;
    }

    c = strchr(from, *at);

    if (c != NULL) {
        *code = to[c - from];
        return at + 1;
    }

    at = fuzz_scan_hex(p, at, code);

    if (at == NULL || *code < 0xd800 || *code > 0xdfff) {
        return at;
    }

    if (*code > 0xdbff || at == p->last || *at != '\\') {
        return NULL;
    }

    at = fuzz_scan_hex(p, at + 1, &low);

    if (at == NULL || low < 0xdc00 || low > 0xdfff) {
        return NULL;
    }

    *code = 0x10000 + (*code - 0xd800) * 0x400 + (low - 0xdc00);

    return at;
}


static const u_char *
fuzz_scan_hex(fuzz_scan_plain_t *p, const u_char *at, uint32_t *code)
{
    char        digits[5], *end;
    ngx_uint_t  i;

    if (p->last - at < 5 || *at != 'u') {
        return NULL;
    }

    for (i = 0; i < 4; i++) {

        if (!isxdigit(at[i + 1])) {
            return NULL;
        }

        digits[i] = at[i + 1];
    }

    digits[4] = '\0';
    *code = strtoul(digits, &end, 16);

    return at + 5;
}


/* by what it decodes to, not by tables */

static const u_char *
fuzz_scan_utf8(fuzz_scan_plain_t *p, const u_char *at, uint32_t *code)
{
    u_char  again[4];
    size_t  i, n;

    n = (*at < 0x80) ? 1 : (*at < 0xe0) ? 2 : (*at < 0xf0) ? 3 : 4;

    if (*at > 0xf7 || (size_t) (p->last - at) < n) {
        return NULL;
    }

    *code = (n == 1) ? *at : *at & (0xff >> (n + 1));

    for (i = 1; i < n; i++) {
        *code = *code << 6 | (at[i] & 0x3f);
    }

    if (*code > 0x10ffff || (*code >= 0xd800 && *code <= 0xdfff)
        || fuzz_scan_encode(again, *code) != n || memcmp(again, at, n) != 0)
    {
        return NULL;
    }

    return at + n;
}


static size_t
fuzz_scan_encode(u_char *dst, uint32_t code)
{
    size_t  i, n;

    static const u_char  lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

    n = (code < 0x80) ? 1 : (code < 0x800) ? 2 : (code < 0x10000) ? 3 : 4;

    for (i = n - 1; i > 0; i--) {
        dst[i] = 0x80 | (code & 0x3f);
        code >>= 6;
    }

    dst[0] = lead[n] | code;

    return n;
}


/* what fits of the text, by whole characters */

static void
fuzz_scan_tell(fuzz_scan_plain_t *p, ngx_uint_t event, const u_char *start,
    const u_char *end, const u_char *text, size_t len)
{
    size_t  n, fits;

    for (fits = 0; fits < len; fits = n) {

        for (n = fits + 1; n < len && (text[n] & 0xc0) == 0x80; n++) {
            /* void */
        }

        if (n > p->size) {
            break;
        }
    }

    fuzz_scan_log(&p->log, event, p->depth, start - p->start, end - p->start,
                  fits < len, (u_char *) text, fits);
}
