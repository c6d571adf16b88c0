
/*
 * What is read of a message, whole and in pieces, is what a second reader
 * finds: one that has all of it at once, knows characters as numbers and
 * recipients as regular expressions.
 */


#include "fuzz.h"

#include <ctype.h>
#include <regex.h>

#include "wag_form.h"
#include "wag_message.h"


#define FUZZ_MEMBERS  13
#define FUZZ_NONE     0xffffffff


typedef struct {
    const char          *name;
    ngx_uint_t           media;     /* 0: text only, 1: media only, 2: both */
    ngx_uint_t           group;
    size_t               max;       /* 0: any */
} fuzz_member_t;


/* characters up to a 0, which stands for the end: a NUL is FUZZ_NONE here */

typedef struct {
    uint32_t            *at;
    uint32_t            *start;
    ngx_uint_t           media;
    const char          *country;

    uint32_t            *value;
    size_t               len;       /* characters */
    u_char              *utf8;
    size_t               size;      /* bytes */

    ngx_uint_t           seen[FUZZ_MEMBERS];
    u_char              *values[FUZZ_MEMBERS];
    char                 to[64];
    char                 from[64];
    uint32_t            *data[2];

    ngx_uint_t           wrong;     /* 1: the body, 2: a member, 3: a name */
    u_char               name[512];
    size_t               name_len;
} fuzz_plain_t;


static void fuzz_message_run(wag_message_t *m, ngx_int_t *rc,
    const uint8_t *setup, const uint8_t *data, size_t size, size_t step,
    ngx_pool_t *pool);
static void fuzz_message_same(wag_message_t *a, wag_message_t *b);
static void fuzz_same_text(ngx_str_t *a, ngx_str_t *b);
static void fuzz_message_judge(wag_message_t *m, ngx_int_t rc,
    fuzz_plain_t *p, const uint8_t *data);
static void fuzz_judge_text(ngx_str_t *text, u_char *value);
static void fuzz_plain_json(fuzz_plain_t *p);
static ngx_int_t fuzz_plain_pair(fuzz_plain_t *p);
static void fuzz_plain_form(fuzz_plain_t *p, const uint8_t *data,
    size_t size);
static size_t fuzz_plain_percent(fuzz_plain_t *p, const uint8_t *from,
    const uint8_t *to, u_char *dst, ngx_uint_t *bad);
static void fuzz_plain_end(fuzz_plain_t *p);
static ngx_int_t fuzz_plain_key(fuzz_plain_t *p, ngx_uint_t *which);
static ngx_int_t fuzz_plain_set(fuzz_plain_t *p, ngx_uint_t which,
    ngx_uint_t number);
static ngx_uint_t fuzz_plain_good(fuzz_plain_t *p, ngx_uint_t which);
static ngx_uint_t fuzz_recipient(fuzz_plain_t *p, char *id);
static ngx_uint_t fuzz_number(char *text, const char *more,
    const char *country, char *id);
static ngx_uint_t fuzz_match(const char *pattern, const char *text,
    regmatch_t *found);
static ngx_int_t fuzz_wrong(fuzz_plain_t *p, const char *name);
static ngx_uint_t fuzz_decode(uint32_t *to, const uint8_t *data, size_t size);
static size_t fuzz_encode(u_char *dst, uint32_t ch);
static uint32_t fuzz_blank(fuzz_plain_t *p);
static ngx_int_t fuzz_string(fuzz_plain_t *p);
static uint32_t fuzz_escape(fuzz_plain_t *p);
static uint32_t fuzz_hex(fuzz_plain_t *p);
static void fuzz_keep(fuzz_plain_t *p);


static fuzz_member_t  fuzz_members[FUZZ_MEMBERS] = {
    { "chatId", 2, 0, 128 },
    { "number", 2, 0, 128 },
    { "phone", 2, 0, 128 },
    { "to", 2, 0, 128 },
    { "message", 0, 1, 65536 },
    { "text", 0, 1, 65536 },
    { "url", 1, 2, 2048 },
    { "data", 1, 2, 0 },
    { "session", 2, 3, 128 },
    { "from", 2, 4, 128 },
    { "mimetype", 1, 5, 127 },
    { "filename", 1, 6, 255 },
    { "caption", 1, 7, 65536 }
};


/* the first byte: media, a form, a country, the length is known; then steps */

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t           i;
    ngx_int_t        rc[3];
    ngx_pool_t      *pool;
    fuzz_plain_t     p;
    wag_message_t   *m;

    if (size < 2) {
        return 0;
    }

    m = malloc(3 * sizeof(wag_message_t));
    pool = ngx_create_pool(1024, fuzz_log());

    fuzz_message_run(&m[0], &rc[0], data, data + 2, size - 2, size, pool);
    fuzz_message_run(&m[1], &rc[1], data, data + 2, size - 2, 1 + data[1],
                     pool);
    fuzz_message_run(&m[2], &rc[2], data, data + 2, size - 2, 1, pool);

    fuzz_assert(rc[0] == rc[1] && rc[0] == rc[2]);

    fuzz_message_same(&m[0], &m[1]);
    fuzz_message_same(&m[0], &m[2]);

    memset(&p, 0, sizeof(fuzz_plain_t));

    p.media = data[0] & 1;
    p.country = (data[0] & 4) ? "966" : "";

    p.start = malloc((size + 1) * sizeof(uint32_t));
    p.value = malloc((size + 1) * sizeof(uint32_t));
    p.utf8 = malloc(size * 4 + 1);
    p.at = p.start;

    if (data[0] & 2) {
        fuzz_plain_form(&p, data + 2, size - 2);

    } else {
        (void) fuzz_decode(p.start, data + 2, size - 2);
        fuzz_plain_json(&p);
    }

    fuzz_message_judge(&m[0], rc[0], &p, data + 2);

    for (i = 0; i < FUZZ_MEMBERS; i++) {
        free(p.values[i]);
    }

    free(p.start);
    free(p.value);
    free(p.utf8);
    free(m);

    ngx_destroy_pool(pool);

    return 0;
}


static void
fuzz_message_run(wag_message_t *m, ngx_int_t *rc, const uint8_t *setup,
    const uint8_t *data, size_t size, size_t step, ngx_pool_t *pool)
{
    u_char     *p;
    size_t      n, seen;
    ngx_str_t   body;

    /* whatever was there before */

    memset(m, 0xa5, sizeof(wag_message_t));

    m->kind = (setup[0] & 1) ? WAG_MESSAGE_MEDIA : WAG_MESSAGE_TEXT;
    m->length = (setup[0] & 8) ? (off_t) size : 0;

    ngx_str_null(&m->country);

    if (setup[0] & 4) {
        ngx_str_set(&m->country, "966");
    }

    wag_message_init(m, pool);

    if (setup[0] & 2) {
        body.data = fuzz_copy(data, size);
        body.len = size;
        *rc = wag_form_read(m, &body);
        free(body.data);

    } else {
        *rc = NGX_AGAIN;

        for (seen = 0; seen < size && *rc == NGX_AGAIN; seen += n) {
            n = ngx_min(step, size - seen);

            p = fuzz_copy(data + seen, n);
            *rc = wag_message_parse(m, p, p + n);
            free(p);
        }

        if (*rc == NGX_AGAIN) {
            *rc = wag_message_end(m);

        } else {
            fuzz_assert(wag_message_end(m) == *rc);
        }
    }

    fuzz_assert(*rc == NGX_OK || *rc == NGX_DECLINED);
    fuzz_assert((*rc == NGX_OK) == (m->error == NULL));
    fuzz_assert(m->member.len <= WAG_MEMBER_NAME_LEN);
}


static void
fuzz_message_same(wag_message_t *a, wag_message_t *b)
{
    fuzz_assert(a->error == b->error);
    fuzz_same_text(&a->member, &b->member);

    if (a->error) {
        return;
    }

    fuzz_assert(a->to.type == b->to.type && a->from == b->from);
    fuzz_assert(a->data_start == b->data_start && a->data_end == b->data_end);

    fuzz_same_text(&a->to.id, &b->to.id);
    fuzz_same_text(&a->text, &b->text);
    fuzz_same_text(&a->session, &b->session);
    fuzz_same_text(&a->url, &b->url);
    fuzz_same_text(&a->mimetype, &b->mimetype);
    fuzz_same_text(&a->filename, &b->filename);
    fuzz_same_text(&a->caption, &b->caption);
}


static void
fuzz_same_text(ngx_str_t *a, ngx_str_t *b)
{
    fuzz_assert(a->len == b->len);
    fuzz_assert(a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}


static void
fuzz_message_judge(wag_message_t *m, ngx_int_t rc, fuzz_plain_t *p,
    const uint8_t *data)
{
    char       id[80];
    off_t      start, end;
    uint32_t  *ch;
    u_char     buf[4];

    static const char  types[] = "ugl";

    if (p->wrong) {
        fuzz_assert(rc == NGX_DECLINED);
        fuzz_assert(p->wrong != 1 || m->member.len == 0);

        if (p->wrong == 2 && p->name_len <= WAG_MEMBER_NAME_LEN) {
            fuzz_assert(m->member.len == p->name_len);
            fuzz_assert(memcmp(m->member.data, p->name, p->name_len) == 0);
        }

        return;
    }

    fuzz_assert(rc == NGX_OK);

    *ngx_sprintf((u_char *) id, "%c%V", types[m->to.type], &m->to.id) = '\0';
    fuzz_assert(strcmp(id, p->to) == 0);

    id[0] = '\0';

    if (m->from) {
        *ngx_sprintf((u_char *) id, "u%uL", m->from) = '\0';
    }

    fuzz_assert(strcmp(id, p->from) == 0);

    fuzz_judge_text(&m->text, p->values[4] ? p->values[4] : p->values[5]);
    fuzz_judge_text(&m->url, p->values[6]);
    fuzz_judge_text(&m->session, p->values[8]);
    fuzz_judge_text(&m->mimetype, p->values[10]);
    fuzz_judge_text(&m->filename, p->values[11]);
    fuzz_judge_text(&m->caption, p->values[12]);

    for (start = 0, ch = p->start; ch < p->data[0]; ch++) {
        start += fuzz_encode(buf, *ch);
    }

    for (end = start; ch < p->data[1]; ch++) {
        end += fuzz_encode(buf, *ch);
    }

    fuzz_assert(m->data_start == start && m->data_end == end);
    fuzz_assert(end == 0 || (data[start - 1] == '"' && data[end] == '"'));
}


static void
fuzz_judge_text(ngx_str_t *text, u_char *value)
{
    size_t  len;

    len = value ? strlen((char *) value) : 0;

    fuzz_assert(text->len == len);
    fuzz_assert(len == 0 || memcmp(text->data, value, len) == 0);
}


static void
fuzz_plain_json(fuzz_plain_t *p)
{
    uint32_t   ch;
    ngx_int_t  rc;

    ch = fuzz_blank(p);

    if (ch != '{') {
        (void) fuzz_wrong(p, NULL);
        return;
    }

    p->at++;

    if (fuzz_blank(p) == '}') {
        p->at++;

    } else {

        do {
            rc = fuzz_plain_pair(p);

            if (rc != NGX_OK) {
                return;
            }

            ch = fuzz_blank(p);
            p->at++;

        } while (ch == ',');

        if (ch != '}') {
            (void) fuzz_wrong(p, NULL);
            return;
        }
    }

    if (fuzz_blank(p) != 0) {
        (void) fuzz_wrong(p, NULL);
        return;
    }

    fuzz_plain_end(p);
}


static ngx_int_t
fuzz_plain_pair(fuzz_plain_t *p)
{
    uint32_t    ch, *from;
    ngx_uint_t  which;

    if (fuzz_blank(p) != '"' || fuzz_string(p) != NGX_OK) {
        return fuzz_wrong(p, NULL);
    }

    if (fuzz_plain_key(p, &which) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (fuzz_blank(p) != ':') {
        return fuzz_wrong(p, NULL);
    }

    p->at++;
    ch = fuzz_blank(p);
    from = p->at;

    if (ch == '"') {

        if (fuzz_string(p) != NGX_OK) {
            return fuzz_wrong(p, NULL);
        }

        if (which == 7) {
            p->data[0] = from + 1;
            p->data[1] = p->at - 1;
        }

        return fuzz_plain_set(p, which, 0);
    }

    if (ch == '{' || ch == '[') {
        return fuzz_wrong(p, fuzz_members[which].name);
    }

    /* the word or the number, as far as it goes */

    for (p->len = 0; (*p->at >= 'a' && *p->at <= 'z') || *p->at == 'E'
                     || (*p->at >= '0' && *p->at <= '9')
                     || *p->at == '-' || *p->at == '+' || *p->at == '.';
         p->at++)
    {
        p->value[p->len++] = *p->at;

        fuzz_keep(p);

        if (fuzz_match("^(true|false|null)$", (char *) p->utf8, NULL)) {
            return fuzz_wrong(p, fuzz_members[which].name);
        }
    }

    fuzz_keep(p);

    /* of "1.5x" the number is told before the "x" is wrong */

    if (isalpha(p->utf8[0])
        || !fuzz_match("^-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][-+]?[0-9]+)?"
                       "([a-df-z].*)?$", (char *) p->utf8, NULL)
        || (*p->at == 0 && isdigit(p->utf8[p->size - 1])
            && strpbrk((char *) p->utf8, "abcdfghijklmnopqrstuvwxyz") == NULL))
    {
        return fuzz_wrong(p, NULL);
    }

    p->utf8[strcspn((char *) p->utf8, "abcdfghijklmnopqrstuvwxyz")] = '\0';
    p->size = strlen((char *) p->utf8);

    for (p->len = 0; p->utf8[p->len]; p->len++) {
        p->value[p->len] = p->utf8[p->len];
    }

    p->at = from + p->len;

    return fuzz_plain_set(p, which, 1);
}


static void
fuzz_plain_form(fuzz_plain_t *p, const uint8_t *data, size_t size)
{
    u_char         *name;
    ngx_uint_t      bad, which;
    const uint8_t  *from, *to, *equals, *last;

    if (p->media) {
        (void) fuzz_wrong(p, NULL);
        return;
    }

    last = data + size;
    name = malloc(size + 1);

    for (from = data; size && from <= last; from = to + 1) {

        for (to = from; to < last && *to != '&'; to++) { /* void */ }
        for (equals = from; equals < to && *equals != '='; equals++) {
            /* void */
        }

        /* the "&" at the end is told before the last part is read */

        if (equals == to || to + 1 == last) {
            (void) fuzz_wrong(p, NULL);
            break;
        }

        p->size = fuzz_plain_percent(p, from, equals, name, &bad);

        if (bad) {
            p->wrong = 3;
            break;
        }

        if (fuzz_plain_key(p, &which) != NGX_OK) {
            break;
        }

        p->size = fuzz_plain_percent(p, equals + 1, to, name, &bad);

        if (bad) {
            (void) fuzz_wrong(p, fuzz_members[which].name);
            break;
        }

        if (fuzz_plain_set(p, which, 0) != NGX_OK) {
            break;
        }
    }

    free(name);

    if (!p->wrong) {
        fuzz_plain_end(p);
    }
}


/* "bad" with what is no escape and no UTF-8; else it is in p->value */

static size_t
fuzz_plain_percent(fuzz_plain_t *p, const uint8_t *from, const uint8_t *to,
    u_char *dst, ngx_uint_t *bad)
{
    char     hex[3];
    size_t   n;

    *bad = 0;

    for (n = 0; from < to; from++) {

        if (*from == '%') {

            if (to - from < 3 || !isxdigit(from[1]) || !isxdigit(from[2])) {
                *bad = 1;
                return 0;
            }

            hex[0] = (char) from[1];
            hex[1] = (char) from[2];
            hex[2] = '\0';

            dst[n++] = (u_char) strtol(hex, NULL, 16);
            from += 2;

        } else {
            dst[n++] = (*from == '+') ? ' ' : *from;
        }
    }

    *bad = !fuzz_decode(p->value, dst, n);

    for (p->len = 0; p->value[p->len]; p->len++) {
        if (p->value[p->len] == FUZZ_NONE) {
            p->value[p->len] = 0;

            if (*bad) {
                break;
            }
        }
    }

    fuzz_keep(p);

    return p->size;
}


static void
fuzz_plain_end(fuzz_plain_t *p)
{
    ngx_uint_t  i, groups;

    for (i = 0, groups = 0; i < FUZZ_MEMBERS; i++) {
        groups |= p->seen[i] << fuzz_members[i].group;
    }

    if (!(groups & 1)) {
        (void) fuzz_wrong(p, "chatId");

    } else if (!p->media && !(groups & 2)) {
        (void) fuzz_wrong(p, "message");

    } else if (p->media && !(groups & 4)) {
        (void) fuzz_wrong(p, "url");

    } else if (p->seen[7] && !p->seen[10]) {
        (void) fuzz_wrong(p, "mimetype");
    }
}


/* what is in p->value, as a name */

static ngx_int_t
fuzz_plain_key(fuzz_plain_t *p, ngx_uint_t *which)
{
    size_t      i, k, n;
    uint32_t    ch;
    ngx_uint_t  one;
    u_char      buf[4];

    for (i = 0; i < FUZZ_MEMBERS; i++) {

        if (p->size == strlen(fuzz_members[i].name)
            && memcmp(p->utf8, fuzz_members[i].name, p->size) == 0
            && (fuzz_members[i].media == 2
                || fuzz_members[i].media == p->media))
        {
            break;
        }
    }

    if (i < FUZZ_MEMBERS) {

        for (one = 0, k = 0; k < FUZZ_MEMBERS; k++) {
            one |= p->seen[k]
                   && fuzz_members[k].group == fuzz_members[i].group;
        }

        if (one) {
            return fuzz_wrong(p, fuzz_members[i].name);
        }

        p->seen[i] = 1;
        *which = i;

        return NGX_OK;
    }

    /* unknown: a "?" for each byte that is not to be shown */

    p->wrong = 2;
    p->name_len = 0;

    for (i = 0; i < p->len && p->name_len <= WAG_MEMBER_NAME_LEN; i++) {
        ch = p->value[i];
        n = fuzz_encode(buf, ch);

        if (ch < 0x20 || (ch >= 0x7f && ch <= 0x9f)) {
            memset(buf, '?', n);
        }

        memcpy(p->name + p->name_len, buf, n);
        p->name_len += n;
    }

    return NGX_DECLINED;
}


static ngx_int_t
fuzz_plain_set(fuzz_plain_t *p, ngx_uint_t which, ngx_uint_t number)
{
    ngx_uint_t  good;

    if (number) {
        good = (fuzz_members[which].group == 0 || which == 9)
               && fuzz_match("^[0-9]{8,15}$", (char *) p->utf8, NULL);

    } else {
        good = 1;
    }

    if (good && p->size == 0) {
        return (which >= 11) ? NGX_OK
                             : fuzz_wrong(p, fuzz_members[which].name);
    }

    if (!good || (which != 7 && !fuzz_plain_good(p, which))) {
        return fuzz_wrong(p, fuzz_members[which].name);
    }

    if (which == 7) {
        return NGX_OK;
    }

    p->values[which] = malloc(p->size + 1);
    memcpy(p->values[which], p->utf8, p->size + 1);

    return NGX_OK;
}


static ngx_uint_t
fuzz_plain_good(fuzz_plain_t *p, ngx_uint_t which)
{
    char    *text;
    size_t   i;

    text = (char *) p->utf8;

    if (p->size > fuzz_members[which].max || strlen(text) != p->size) {
        return 0;
    }

    switch (which) {

    case 0: case 1: case 2: case 3:
        return fuzz_recipient(p, p->to);

    case 6:

        for (i = 0; text[i] != '\0' && text[i] != ':'; i++) {
            text[i] = (char) tolower(p->utf8[i]);
        }

        return fuzz_match("^https?://"
                          "[^\x01-\x20\x7f/?#][^\x01-\x20\x7f]*$", text, NULL);

    case 9:
        return fuzz_recipient(p, p->from) && p->from[0] == 'u';

    case 10:

        for (i = 0; i < p->size; i++) {
            text[i] = (char) tolower(p->utf8[i]);
        }

        return fuzz_match("^[!#$%&'*+.^_`|~0-9a-z-]+/"
                          "[!#$%&'*+.^_`|~0-9a-z-]+$", text, NULL);

    case 11:

        for (i = 0; i < p->len; i++) {
            if (p->value[i] < 0x20 || p->value[i] == '/'
                || p->value[i] == '\\'
                || (p->value[i] >= 0x7f && p->value[i] < 0xa0))
            {
                return 0;
            }
        }

        return 1;

    default:
        return 1;
    }
}


/* "u", "g" or "l" and the digits */

static ngx_uint_t
fuzz_recipient(fuzz_plain_t *p, char *id)
{
    char        *at, text[512];
    size_t       i, k, n;
    regmatch_t   found[4];

    static const uint32_t  from[] = {
        '\t', 0xa0, 0x202f, 0x61c, 0x200e, 0x200f, 0x202a, 0x202b, 0x202c,
        0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069,
        0x2010, 0x2011, 0x2012, 0x2013, 0x2014, 0x2015,
        0x660, 0x661, 0x662, 0x663, 0x664, 0x665, 0x666, 0x667, 0x668, 0x669,
        0x6f0, 0x6f1, 0x6f2, 0x6f3, 0x6f4, 0x6f5, 0x6f6, 0x6f7, 0x6f8, 0x6f9
    };
    static const char      to[] = "               ------01234567890123456789";

    for (i = 0; i < p->len; i++) {
        text[i] = (p->value[i] < 0x80) ? (char) tolower((int) p->value[i])
                                       : '~';

        for (k = 0; k < sizeof(to) - 1; k++) {
            if (from[k] == p->value[i]) {
                text[i] = to[k];
            }
        }
    }

    text[i] = '\0';

    if (fuzz_match("^ *([0-9]+(-[0-9]+)?) *@g\\.us *$", text, found)) {
        text[found[1].rm_eo] = '\0';
        at = text + found[1].rm_so;
        n = strlen(at) - (strchr(at, '-') != NULL);
        sprintf(id, "g%.60s", at);
        return n >= 10 && n <= 32;
    }

    if (fuzz_match("^ *([0-9]{8,20})(:[0-9]+)? *@lid *$", text, found)) {
        text[found[1].rm_eo] = '\0';
        sprintf(id, "l%s", text + found[1].rm_so);
        return 1;
    }

    if (fuzz_match("^([^:@]*)(:[0-9]+)? *@(c\\.us|s\\.whatsapp\\.net) *$",
                   text, found))
    {
        text[found[1].rm_eo] = '\0';
        return fuzz_number(text, "", p->country, id);
    }

    return fuzz_number(text, ".", p->country, id);
}


static ngx_uint_t
fuzz_number(char *text, const char *more, const char *country, char *id)
{
    char        *from, *to, pattern[64], digits[512];
    size_t       len;
    ngx_uint_t   plus;

    if (!fuzz_match("^[^()]*(\\([^()]*\\)[^()]*)*$", text, NULL)
        || fuzz_match("[0-9].*\\(0\\)", text, NULL))
    {
        return 0;
    }

    for (from = text, to = digits; *from; from++) {
        if (*from != '(' && *from != ')' && *from != ' ') {
            *to++ = *from;
        }
    }

    *to = '\0';
    sprintf(pattern, "^\\+?[0-9][0-9%s-]*$", more);

    if (!fuzz_match(pattern, digits, NULL)) {
        return 0;
    }

    plus = (digits[0] == '+');

    for (from = digits, to = digits; *from; from++) {
        if (isdigit((u_char) *from)) {
            *to++ = *from;
        }
    }

    *to = '\0';
    from = digits;

    if (!plus && strncmp(digits, "00", 2) == 0) {
        from += 2;
        plus = 1;
    }

    if (*from != '0') {
        country = "";

    } else if (plus || *country == '\0') {
        return 0;

    } else {
        from++;
    }

    len = strlen(country) + strlen(from);

    if (len < 8 || len > 15) {
        return 0;
    }

    sprintf(id, "u%s%s", country, from);

    return 1;
}


/* each pattern is compiled once */

static ngx_uint_t
fuzz_match(const char *pattern, const char *text, regmatch_t *found)
{
    size_t      i;
    regmatch_t  none[4];

    static size_t   n;
    static regex_t  compiled[32];
    static char    *patterns[32];

    for (i = 0; i < n; i++) {
        if (strcmp(patterns[i], pattern) == 0) {
            break;
        }
    }

    if (i == n) {
        fuzz_assert(n < 32);
        fuzz_assert(regcomp(&compiled[n], pattern, REG_EXTENDED) == 0);
        patterns[n++] = strdup(pattern);
    }

    return regexec(&compiled[i], text, 4, found ? found : none, 0) == 0;
}


static ngx_int_t
fuzz_wrong(fuzz_plain_t *p, const char *name)
{
    p->wrong = name ? 2 : 1;
    p->name_len = 0;

    if (name) {
        p->name_len = strlen(name);
        memcpy(p->name, name, p->name_len);
    }

    return NGX_DECLINED;
}


/*
 * By what it is encoded to again.  What is no UTF-8 is FUZZ_NONE, as a NUL is,
 * and ends it.
 */

static ngx_uint_t
fuzz_decode(uint32_t *to, const uint8_t *data, size_t size)
{
    u_char           again[4];
    size_t           i, n;
    uint32_t         ch;
    const uint8_t   *end;

    end = data + size;

    for ( /* void */ ; data < end; data += n) {
        n = (*data < 0x80) ? 1 : (*data < 0xe0) ? 2 : (*data < 0xf0) ? 3 : 4;
        ch = FUZZ_NONE;

        if (*data <= 0xf7 && (size_t) (end - data) >= n) {
            ch = (n == 1) ? *data : *data & (0xff >> (n + 1));

            for (i = 1; i < n; i++) {
                ch = ch << 6 | (data[i] & 0x3f);
            }

            if (ch > 0x10ffff || (ch >= 0xd800 && ch <= 0xdfff)
                || fuzz_encode(again, ch) != n || memcmp(again, data, n) != 0)
            {
                ch = FUZZ_NONE;
            }
        }

        if (ch == FUZZ_NONE) {
            *to++ = ch;
            *to = 0;
            return 0;
        }

        *to++ = ch ? ch : FUZZ_NONE;
    }

    *to = 0;

    return 1;
}


static size_t
fuzz_encode(u_char *dst, uint32_t ch)
{
    size_t  i, n;

    static const u_char  lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

    n = (ch < 0x80) ? 1 : (ch < 0x800) ? 2 : (ch < 0x10000) ? 3 : 4;

    for (i = n - 1; i > 0; i--) {
        dst[i] = 0x80 | (ch & 0x3f);
        ch >>= 6;
    }

    dst[0] = lead[n] | ch;

    return n;
}


static uint32_t
fuzz_blank(fuzz_plain_t *p)
{
    while (*p->at == ' ' || *p->at == '\t' || *p->at == '\r'
           || *p->at == '\n')
    {
        p->at++;
    }

    return *p->at;
}


/* a NUL that is meant is 0 in p->value, which has a length */

static ngx_int_t
fuzz_string(fuzz_plain_t *p)
{
    uint32_t  ch;

    p->len = 0;

    for (p->at++; *p->at != '"'; /* void */ ) {
        ch = *p->at++;

        if (ch < 0x20 || ch == FUZZ_NONE) {
            return NGX_ERROR;
        }

        if (ch == '\\') {
            ch = fuzz_escape(p);

            if (ch == FUZZ_NONE) {
                return NGX_ERROR;
            }
        }

        p->value[p->len++] = ch;
    }

    p->at++;
    fuzz_keep(p);

    return NGX_OK;
}


static uint32_t
fuzz_escape(fuzz_plain_t *p)
{
    uint32_t     ch, low;
    const char  *c;

    static const char  from[] = "\"\\/bfnrt";
    static const char  to[] = "\"\\/\b\f\n\r\t";

    ch = *p->at;

    if (ch != 'u') {
        c = (ch && ch < 0x80) ? strchr(from, (int) ch) : NULL;

        if (c == NULL) {
            return FUZZ_NONE;
        }

        p->at++;

        return (uint32_t) to[c - from];
    }

    ch = fuzz_hex(p);

    if (ch < 0xd800 || ch > 0xdfff) {
        return ch;
    }

    if (ch > 0xdbff || *p->at != '\\') {
        return FUZZ_NONE;
    }

    p->at++;
    low = fuzz_hex(p);

    if (low < 0xdc00 || low > 0xdfff) {
        return FUZZ_NONE;
    }

    return 0x10000 + (ch - 0xd800) * 0x400 + (low - 0xdc00);
}


static uint32_t
fuzz_hex(fuzz_plain_t *p)
{
    char        hex[5];
    ngx_uint_t  i;

    if (*p->at != 'u') {
        return FUZZ_NONE;
    }

    p->at++;

    for (i = 0; i < 4; i++, p->at++) {

        if (*p->at > 0x7f || !isxdigit((int) *p->at)) {
            return FUZZ_NONE;
        }

        hex[i] = (char) *p->at;
    }

    hex[4] = '\0';

    return (uint32_t) strtol(hex, NULL, 16);
}


/* the value as bytes too */

static void
fuzz_keep(fuzz_plain_t *p)
{
    size_t  i;

    for (i = 0, p->size = 0; i < p->len; i++) {
        p->size += fuzz_encode(p->utf8 + p->size, p->value[i]);
    }

    p->utf8[p->size] = '\0';
}
