
#include "fuzz.h"

#include "wag_body.h"


/* the text ends with a zero; one within it is this, and no JSON has that */

#define FUZZ_BODY_ZERO  0x110000


/*
 * The member of a body.  Two bytes choose the name and how the rest, a body,
 * is split.  What is told must be the same for the whole, the pieces and
 * single bytes, and what follows from a list of all members, which a second
 * reader makes of the text's characters.
 */

typedef struct {
    wag_body_t           b;
    ngx_int_t            rc;
} fuzz_body_t;


/* type: the first character of the value */

typedef struct {
    uint32_t            *name;
    size_t               name_len;
    uint32_t            *value;
    size_t               value_len;
    uint32_t             type;
} fuzz_body_member_t;


typedef struct {
    uint32_t            *at;
    uint32_t            *strings;
    fuzz_body_member_t  *members;
    size_t               nmembers;
} fuzz_body_plain_t;


static void fuzz_body_run(fuzz_body_t *f, const uint8_t *setup,
    const uint8_t *data, size_t size, size_t step);
static void fuzz_body_same(fuzz_body_t *a, fuzz_body_t *b);
static void fuzz_body_plain(fuzz_body_t *f, const uint8_t *data, size_t size);
static void fuzz_body_judge(fuzz_body_t *f, fuzz_body_plain_t *p);
static ngx_uint_t fuzz_body_named(wag_body_t *b, fuzz_body_member_t *m);
static uint32_t fuzz_body_fold(uint32_t ch);
static void fuzz_body_value(fuzz_body_t *f, fuzz_body_member_t *m);
static ngx_uint_t fuzz_body_decode(fuzz_body_plain_t *p, const uint8_t *data,
    size_t size);
static uint32_t fuzz_body_blank(fuzz_body_plain_t *p);
static ngx_uint_t fuzz_body_any(fuzz_body_plain_t *p, ngx_uint_t depth);
static ngx_uint_t fuzz_body_list(fuzz_body_plain_t *p, ngx_uint_t depth);
static ngx_uint_t fuzz_body_string(fuzz_body_plain_t *p);
static uint32_t fuzz_body_escape(fuzz_body_plain_t *p);
static uint32_t fuzz_body_hex(fuzz_body_plain_t *p);
static ngx_uint_t fuzz_body_word(fuzz_body_plain_t *p, const char *word);
static ngx_uint_t fuzz_body_number(fuzz_body_plain_t *p);
static ngx_uint_t fuzz_body_digits(fuzz_body_plain_t *p);
static size_t fuzz_body_encode(u_char *dst, uint32_t ch);


static ngx_str_t  fuzz_body_names[] = {
    ngx_string("session"),
    ngx_string("s"),
    ngx_string("Kiosks"),
    ngx_string("__proto__")
};


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_body_t  whole, split, bytes;

    if (size < 2) {
        return 0;
    }

    fuzz_body_run(&whole, data, data + 2, size - 2, size);
    fuzz_body_run(&split, data, data + 2, size - 2, 1 + data[1]);
    fuzz_body_run(&bytes, data, data + 2, size - 2, 1);

    fuzz_body_same(&whole, &split);
    fuzz_body_same(&whole, &bytes);

    fuzz_body_plain(&whole, data + 2, size - 2);

    return 0;
}


static void
fuzz_body_run(fuzz_body_t *f, const uint8_t *setup, const uint8_t *data,
    size_t size, size_t step)
{
    u_char  *p;
    size_t   n, seen;

    /* whatever was there before */

    memset(f, 0xa5, sizeof(fuzz_body_t));

    wag_body_init(&f->b, &fuzz_body_names[(setup[0] >> 1) & 3]);
    f->b.nocase = setup[0] & 1;

    f->rc = NGX_AGAIN;

    for (seen = 0; seen < size && f->rc == NGX_AGAIN; seen += n) {
        n = ngx_min(step, size - seen);

        p = fuzz_copy(data + seen, n);
        f->rc = wag_body_parse(&f->b, p, p + n);
        free(p);

        fuzz_assert(f->rc == NGX_AGAIN || f->rc == NGX_ERROR);
    }

    n = (f->rc == NGX_ERROR);

    f->rc = wag_body_end(&f->b);

    fuzz_assert(n == 0 || f->rc == NGX_ERROR);
    fuzz_assert((f->rc == NGX_OK) == (f->b.error == NULL));
    fuzz_assert(f->rc == NGX_OK || f->b.value.len == 0);
    fuzz_assert(f->b.offset >= 0 && f->b.offset <= (off_t) size);
}


static void
fuzz_body_same(fuzz_body_t *a, fuzz_body_t *b)
{
    fuzz_assert(a->rc == b->rc);
    fuzz_assert(a->b.error == b->b.error);
    fuzz_assert(a->b.offset == b->b.offset);
    fuzz_assert(a->b.cut == b->b.cut);
    fuzz_assert(a->b.value.len == b->b.value.len);
    fuzz_assert(a->b.value.len == 0
                || memcmp(a->b.value.data, b->b.value.data, a->b.value.len)
                   == 0);
}


static void
fuzz_body_plain(fuzz_body_t *f, const uint8_t *data, size_t size)
{
    uint32_t           *text, *strings;
    ngx_uint_t          json;
    fuzz_body_plain_t   p;

    text = malloc((size + 1) * sizeof(uint32_t));
    strings = malloc((size + 1) * sizeof(uint32_t));

    p.at = text;
    p.strings = strings;
    p.nmembers = 0;
    p.members = malloc((size + 1) * sizeof(fuzz_body_member_t));

    json = fuzz_body_decode(&p, data, size);

    if (json) {
        (void) fuzz_body_blank(&p);
        json = fuzz_body_any(&p, 0) && fuzz_body_blank(&p) == 0;
    }

    if (json) {
        p.at = text;
        fuzz_body_judge(f, &p);

    } else {
        fuzz_assert(f->rc == NGX_ERROR);
    }

    free(text);
    free(strings);
    free(p.members);
}


static void
fuzz_body_judge(fuzz_body_t *f, fuzz_body_plain_t *p)
{
    size_t               i, found;
    const char          *error;
    fuzz_body_member_t  *m, *first;

    found = 0;
    first = NULL;

    for (i = 0; i < p->nmembers; i++) {
        m = &p->members[i];

        if (fuzz_body_named(&f->b, m) && found++ == 0) {
            first = m;
        }
    }

    error = NULL;

    if (fuzz_body_blank(p) != '{') {
        error = "the body is no JSON object";

    } else if (first && first->type != '"') {
        error = "the member is no string";

    } else if (first && first->value_len == 0) {
        error = "the member is empty";

    } else if (found > 1) {
        error = "the member is given twice";
    }

    if (error) {
        fuzz_assert(f->rc == NGX_DECLINED);
        fuzz_assert(strcmp(f->b.error, error) == 0);
        return;
    }

    fuzz_assert(f->rc == NGX_OK);
    fuzz_assert((f->b.value.len != 0) == (first != NULL));

    if (first) {
        fuzz_body_value(f, first);

    } else {
        fuzz_assert(f->b.cut == 0);
    }
}


static ngx_uint_t
fuzz_body_named(wag_body_t *b, fuzz_body_member_t *m)
{
    size_t    i;
    uint32_t  ch;

    if (m->name_len != b->name.len) {
        return 0;
    }

    for (i = 0; i < m->name_len; i++) {
        ch = b->name.data[i];

        if (m->name[i] != ch
            && !(b->nocase && fuzz_body_fold(m->name[i])
                              == fuzz_body_fold(ch)))
        {
            return 0;
        }
    }

    return 1;
}


/* what folds to ASCII, of Unicode's CaseFolding.txt */

static uint32_t
fuzz_body_fold(uint32_t ch)
{
    if (ch == 0x17f) {
        return 's';
    }

    if (ch == 0x212a) {
        return 'k';
    }

    return (ch >= 'A' && ch <= 'Z') ? ch + 0x20 : ch;
}


static void
fuzz_body_value(fuzz_body_t *f, fuzz_body_member_t *m)
{
    u_char  text[132];
    size_t  i, n, len;

    len = 0;

    for (i = 0; i < m->value_len; i++) {
        n = fuzz_body_encode(text + len, m->value[i]);

        if (len + n > 128) {
            break;
        }

        len += n;
    }

    fuzz_assert(f->b.cut == (i < m->value_len));
    fuzz_assert(f->b.value.len == len);
    fuzz_assert(memcmp(f->b.value.data, text, len) == 0);
}


/* by what it is encoded to again */

static ngx_uint_t
fuzz_body_decode(fuzz_body_plain_t *p, const uint8_t *data, size_t size)
{
    u_char           again[4];
    size_t           i, n;
    uint32_t         ch, *to;
    const uint8_t   *end;

    to = p->at;
    end = data + size;

    for ( /* void */ ; data < end; data += n) {
        n = (*data < 0x80) ? 1 : (*data < 0xe0) ? 2 : (*data < 0xf0) ? 3 : 4;

        if (*data > 0xf7 || (size_t) (end - data) < n) {
            return 0;
        }

        ch = (n == 1) ? *data : *data & (0xff >> (n + 1));

        for (i = 1; i < n; i++) {
            ch = ch << 6 | (data[i] & 0x3f);
        }

        if (ch > 0x10ffff || (ch >= 0xd800 && ch <= 0xdfff)
            || fuzz_body_encode(again, ch) != n || memcmp(again, data, n) != 0)
        {
            return 0;
        }

        *to++ = ch ? ch : FUZZ_BODY_ZERO;
    }

    *to = 0;

    return 1;
}


static uint32_t
fuzz_body_blank(fuzz_body_plain_t *p)
{
    while (*p->at == ' ' || *p->at == '\t' || *p->at == '\r'
           || *p->at == '\n')
    {
        p->at++;
    }

    return *p->at;
}


static ngx_uint_t
fuzz_body_any(fuzz_body_plain_t *p, ngx_uint_t depth)
{
    uint32_t  *strings;

    switch (*p->at) {

    case '{':
    case '[':
        return fuzz_body_list(p, depth);

    case '"':

        /* those of members stay, see fuzz_body_list() */

        strings = p->strings;

        if (!fuzz_body_string(p)) {
            return 0;
        }

        if (depth != 1) {
            p->strings = strings;
        }

        return 1;

    case 't':
        return fuzz_body_word(p, "true");

    case 'f':
        return fuzz_body_word(p, "false");

    case 'n':
        return fuzz_body_word(p, "null");

    default:
        return fuzz_body_number(p);
    }
}


static ngx_uint_t
fuzz_body_list(fuzz_body_plain_t *p, ngx_uint_t depth)
{
    uint32_t            *name, *value, end;
    fuzz_body_member_t  *m;

    if (depth == 64) {
        return 0;
    }

    end = (*p->at++ == '{') ? '}' : ']';

    if (fuzz_body_blank(p) == end) {
        p->at++;
        return 1;
    }

    for ( ;; ) {
        name = p->strings;
        value = name;

        if (end == '}') {

            if (*p->at != '"' || !fuzz_body_string(p)
                || fuzz_body_blank(p) != ':')
            {
                return 0;
            }

            p->at++;
            value = p->strings;

            (void) fuzz_body_blank(p);
        }

        m = &p->members[p->nmembers];

        if (depth == 0 && end == '}') {
            m->name = name;
            m->name_len = value - name;
            m->value = value;
            m->type = *p->at;

            p->nmembers++;

        } else {
            p->strings = name;
            m = NULL;
        }

        if (!fuzz_body_any(p, depth + 1)) {
            return 0;
        }

        if (m) {
            m->value_len = p->strings - value;

        } else {
            p->strings = name;
        }

        if (fuzz_body_blank(p) == end) {
            p->at++;
            return 1;
        }

        if (*p->at++ != ',') {
            return 0;
        }

        (void) fuzz_body_blank(p);
    }
}


static ngx_uint_t
fuzz_body_string(fuzz_body_plain_t *p)
{
    uint32_t  ch;

    for (p->at++; *p->at != '"'; /* void */ ) {
        ch = *p->at++;

        if (ch < 0x20 || ch == FUZZ_BODY_ZERO) {
            return 0;
        }

        if (ch == '\\') {
            ch = fuzz_body_escape(p);

            if (ch == FUZZ_BODY_ZERO) {
                return 0;
            }
        }

        *p->strings++ = ch;
    }

    p->at++;

    return 1;
}


/* the character, or FUZZ_BODY_ZERO: that is no escape */

static uint32_t
fuzz_body_escape(fuzz_body_plain_t *p)
{
    uint32_t     ch, low;
    const char  *c;

    static const char  from[] = "\"\\/bfnrt";
    static const char  to[] = "\"\\/\b\f\n\r\t";

    ch = *p->at;

    if (ch != 'u') {
        c = (ch && ch < 0x80) ? strchr(from, (int) ch) : NULL;

        if (c == NULL) {
            return FUZZ_BODY_ZERO;
        }

        p->at++;

        return (uint32_t) to[c - from];
    }

    ch = fuzz_body_hex(p);

    if (ch < 0xd800 || ch > 0xdfff) {
        return ch;
    }

    if (ch > 0xdbff || *p->at != '\\') {
        return FUZZ_BODY_ZERO;
    }

    p->at++;
    low = fuzz_body_hex(p);

    if (low < 0xdc00 || low > 0xdfff) {
        return FUZZ_BODY_ZERO;
    }

    return 0x10000 + (ch - 0xd800) * 0x400 + (low - 0xdc00);
}


static uint32_t
fuzz_body_hex(fuzz_body_plain_t *p)
{
    uint32_t    ch;
    ngx_uint_t  i;

    if (*p->at != 'u') {
        return FUZZ_BODY_ZERO;
    }

    p->at++;

    for (ch = 0, i = 0; i < 4; i++, p->at++) {

        if (*p->at > 0x7f || !isxdigit((int) *p->at)) {
            return FUZZ_BODY_ZERO;
        }

        ch = ch * 16 + (isdigit((int) *p->at) ? *p->at - '0'
                                              : (*p->at & 0xf) + 9);
    }

    return ch;
}


static ngx_uint_t
fuzz_body_word(fuzz_body_plain_t *p, const char *word)
{
    for ( /* void */ ; *word; word++) {
        if (*p->at++ != (uint32_t) *word) {
            return 0;
        }
    }

    return 1;
}


static ngx_uint_t
fuzz_body_number(fuzz_body_plain_t *p)
{
    if (*p->at == '-') {
        p->at++;
    }

    if (*p->at == '0') {
        p->at++;

    } else if (!fuzz_body_digits(p)) {
        return 0;
    }

    if (*p->at == '.') {
        p->at++;

        if (!fuzz_body_digits(p)) {
            return 0;
        }
    }

    if (*p->at == 'e' || *p->at == 'E') {
        p->at++;

        if (*p->at == '-' || *p->at == '+') {
            p->at++;
        }

        return fuzz_body_digits(p);
    }

    return 1;
}


static ngx_uint_t
fuzz_body_digits(fuzz_body_plain_t *p)
{
    uint32_t  *start;

    for (start = p->at; *p->at >= '0' && *p->at <= '9'; p->at++) {
        /* void */
    }

    return p->at > start;
}


static size_t
fuzz_body_encode(u_char *dst, uint32_t ch)
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
