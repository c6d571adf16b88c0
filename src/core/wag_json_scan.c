
#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_json_scan.h"


/* what a byte is in a string; from WAG_JSON_SCAN_LEAD on it leads others */

#define WAG_JSON_SCAN_PLAIN    0
#define WAG_JSON_SCAN_QUOTE    1
#define WAG_JSON_SCAN_ESCAPE   2
#define WAG_JSON_SCAN_CONTROL  3
#define WAG_JSON_SCAN_INVALID  4
#define WAG_JSON_SCAN_LEAD     5


/*
 * A long string is looked at by blocks.  Where the compiler makes vectors of
 * such a type in one instruction each, a block costs a fourth.
 */

#define WAG_JSON_SCAN_BLOCK    64

#ifndef WAG_JSON_SCAN_VECTORS
#if (defined __GNUC__ && (defined __SSE2__ || defined __ARM_NEON))
#define WAG_JSON_SCAN_VECTORS  1
#else
#define WAG_JSON_SCAN_VECTORS  0
#endif
#endif

#if (WAG_JSON_SCAN_VECTORS)

typedef signed char  wag_json_scan_vector_t __attribute__((vector_size(16)));

#endif

#define WAG_JSON_SCAN_ALL(ch)  (UINT64_C(0x0101010101010101) * (ch))


typedef struct {
    u_char               tail;
    u_char               min;
    u_char               max;
} wag_json_scan_lead_t;


static u_char *wag_json_scan_structure(wag_json_scan_t *s, u_char *p,
    u_char *last);
static ngx_inline u_char *wag_json_scan_short(u_char *p, u_char *last);
static u_char *wag_json_scan_value(wag_json_scan_t *s, u_char *p);
static u_char *wag_json_scan_open(wag_json_scan_t *s, u_char *p);
static u_char *wag_json_scan_close(wag_json_scan_t *s, u_char *p);
static u_char *wag_json_scan_string(wag_json_scan_t *s, u_char *p,
    u_char *last);
static u_char *wag_json_scan_plain(u_char *p, u_char *last);
static ngx_inline u_char *wag_json_scan_words(u_char *p, u_char *last);
static ngx_inline uint64_t wag_json_scan_found(u_char *p);
static ngx_inline ngx_uint_t wag_json_scan_block_is_plain(u_char *p);
static u_char *wag_json_scan_tail(wag_json_scan_t *s, u_char *p, u_char *last);
static u_char *wag_json_scan_escape(wag_json_scan_t *s, u_char *p,
    u_char *last);
static u_char *wag_json_scan_unescape(wag_json_scan_t *s, u_char *p);
static u_char *wag_json_scan_hex(wag_json_scan_t *s, u_char *p);
static u_char *wag_json_scan_number(wag_json_scan_t *s, u_char *p,
    u_char *last);
static ngx_uint_t wag_json_scan_number_is_whole(wag_json_scan_t *s);
static u_char *wag_json_scan_word(wag_json_scan_t *s, u_char *p, u_char *last);
static void wag_json_scan_begin(wag_json_scan_t *s, u_char *p,
    wag_json_scan_state_e state);
static ngx_inline void wag_json_scan_put(wag_json_scan_t *s, u_char *data,
    size_t len);
static ngx_inline void wag_json_scan_put_key(wag_json_scan_t *s, u_char *data,
    size_t len);
static void wag_json_scan_put_code(wag_json_scan_t *s, uint32_t code);
static ngx_inline u_char *wag_json_scan_tell(wag_json_scan_t *s,
    ngx_uint_t event, u_char *p);
static ngx_inline u_char *wag_json_scan_tell_key(wag_json_scan_t *s,
    u_char *p);
static ngx_uint_t wag_json_scan_skips(wag_json_scan_t *s, ngx_uint_t event);
static u_char *wag_json_scan_event(wag_json_scan_t *s, ngx_uint_t event,
    u_char *p);
static u_char *wag_json_scan_fail(wag_json_scan_t *s, const char *error,
    u_char *p);


static const u_char  wag_json_scan_class[256] = {
    3, 3, 3, 3, 3, 3, 3, 3,  3, 3, 3, 3, 3, 3, 3, 3,
    3, 3, 3, 3, 3, 3, 3, 3,  3, 3, 3, 3, 3, 3, 3, 3,
    0, 0, 1, 0, 0, 0, 0, 0,  0, 0, 0, 0, 0, 0, 0, 0,  /* " */
    0, 0, 0, 0, 0, 0, 0, 0,  0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0,  0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0,  0, 0, 0, 0, 2, 0, 0, 0,  /* \ */
    0, 0, 0, 0, 0, 0, 0, 0,  0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0,  0, 0, 0, 0, 0, 0, 0, 0,

    4, 4, 4, 4, 4, 4, 4, 4,  4, 4, 4, 4, 4, 4, 4, 4,
    4, 4, 4, 4, 4, 4, 4, 4,  4, 4, 4, 4, 4, 4, 4, 4,
    4, 4, 4, 4, 4, 4, 4, 4,  4, 4, 4, 4, 4, 4, 4, 4,
    4, 4, 4, 4, 4, 4, 4, 4,  4, 4, 4, 4, 4, 4, 4, 4,
    4, 4, 5, 5, 5, 5, 5, 5,  5, 5, 5, 5, 5, 5, 5, 5,  /* from c2 */
    5, 5, 5, 5, 5, 5, 5, 5,  5, 5, 5, 5, 5, 5, 5, 5,
    6, 7, 7, 7, 7, 7, 7, 7,  7, 7, 7, 7, 7, 8, 7, 7,  /* e0, ed */
    9, 10, 10, 10, 11, 4, 4, 4,  4, 4, 4, 4, 4, 4, 4, 4   /* f0, to f4 */
};


/* RFC 3629, 4: how many bytes follow, and what the first of them may be */

static const wag_json_scan_lead_t  wag_json_scan_leads[] = {
    { 1, 0x80, 0xbf },
    { 2, 0xa0, 0xbf },
    { 2, 0x80, 0xbf },
    { 2, 0x80, 0x9f },
    { 3, 0x90, 0xbf },
    { 3, 0x80, 0xbf },
    { 3, 0x80, 0x8f }
};


/* the state after 0, 1 to 9, ".", "e", "-", "+"; 0: these cannot follow */

static const u_char  wag_json_scan_numbers[][6] = {

    /* number */
    { wag_json_scan_zero_st, wag_json_scan_int_st, 0, 0,
      wag_json_scan_minus_st, 0 },

    /* minus */
    { wag_json_scan_zero_st, wag_json_scan_int_st, 0, 0, 0, 0 },

    /* zero */
    { 0, 0, wag_json_scan_dot_st, wag_json_scan_e_st, 0, 0 },

    /* int */
    { wag_json_scan_int_st, wag_json_scan_int_st, wag_json_scan_dot_st,
      wag_json_scan_e_st, 0, 0 },

    /* dot */
    { wag_json_scan_fraction_st, wag_json_scan_fraction_st, 0, 0, 0, 0 },

    /* fraction */
    { wag_json_scan_fraction_st, wag_json_scan_fraction_st, 0,
      wag_json_scan_e_st, 0, 0 },

    /* e */
    { wag_json_scan_exponent_st, wag_json_scan_exponent_st, 0, 0,
      wag_json_scan_sign_st, wag_json_scan_sign_st },

    /* sign */
    { wag_json_scan_exponent_st, wag_json_scan_exponent_st, 0, 0, 0, 0 },

    /* exponent */
    { wag_json_scan_exponent_st, wag_json_scan_exponent_st, 0, 0, 0, 0 }
};


void
wag_json_scan_init(wag_json_scan_t *s, wag_json_scan_pt handler, void *data,
    ngx_uint_t depth)
{
    ngx_memzero(s, sizeof(wag_json_scan_t));

    s->handler = handler;
    s->data = data;
    s->lengths = (uint64_t) -1;
    s->max_depth = ngx_min(depth, WAG_JSON_SCAN_MAX_DEPTH);
}


ngx_int_t
wag_json_scan_parse(wag_json_scan_t *s, u_char *pos, u_char *last)
{
    u_char  *p;

    if (s->error != NULL) {
        return NGX_ERROR;
    }

    s->piece = pos;

    for (p = pos; p < last; /* void */ ) {

        if (s->state < wag_json_scan_string_st) {
            p = wag_json_scan_structure(s, p, last);

        } else if (s->state == wag_json_scan_string_st) {
            p = wag_json_scan_string(s, p, last);

        } else if (s->state < wag_json_scan_number_st) {
            p = wag_json_scan_escape(s, p, last);

        } else if (s->state < wag_json_scan_word_st) {
            p = wag_json_scan_number(s, p, last);

        } else {
            p = wag_json_scan_word(s, p, last);
        }

        if (p == NULL) {
            return NGX_ERROR;
        }
    }

    s->seen += last - pos;

    return NGX_AGAIN;
}


ngx_int_t
wag_json_scan_end(wag_json_scan_t *s)
{
    if (s->error != NULL) {
        return NGX_ERROR;
    }

    s->piece = NULL;

    if (s->depth == 0 && wag_json_scan_number_is_whole(s)) {
        s->state = wag_json_scan_done_st;

        (void) wag_json_scan_tell(s, WAG_JSON_NUMBER, NULL);

        if (s->error != NULL) {
            return NGX_ERROR;
        }
    }

    if (s->state == wag_json_scan_done_st) {
        return NGX_OK;
    }

    (void) wag_json_scan_fail(s, (s->depth || s->state)
                                 ? "invalid JSON: it is cut short"
                                 : "invalid JSON: no value", NULL);

    return NGX_ERROR;
}


static u_char *
wag_json_scan_structure(wag_json_scan_t *s, u_char *p, u_char *last)
{
    u_char  *end;

    for ( /* void */ ; p < last; p++) {

        if (*p == ' ' || *p == LF || *p == CR || *p == '\t') {
            continue;
        }

        switch (s->state) {

        case wag_json_scan_colon_st:

            if (*p != ':') {
                return wag_json_scan_fail(s, "invalid JSON: no colon", p);
            }

            s->state = wag_json_scan_value_st;
            break;

        case wag_json_scan_next_st:

            if (*p != ',') {
                return wag_json_scan_close(s, p);
            }

            s->state = (s->arrays & 1) ? wag_json_scan_value_st
                                       : wag_json_scan_key_st;
            break;

        case wag_json_scan_first_key_st:

            if (*p == '}') {
                return wag_json_scan_close(s, p);
            }

            /* fall through */

        case wag_json_scan_key_st:

            if (*p != '"') {
                return wag_json_scan_fail(s, "invalid JSON: no name", p);
            }

            wag_json_scan_begin(s, p, wag_json_scan_string_st);
            s->key = 1;

            end = wag_json_scan_short(p + 1, last);

            if (end == NULL) {
                return p + 1;
            }

            wag_json_scan_put_key(s, p + 1, end - p - 1);
            s->state = wag_json_scan_colon_st;

            p = wag_json_scan_tell_key(s, end + 1);

            if (p == NULL) {
                return NULL;
            }

            if (p < last && *p == ':') {
                s->state = wag_json_scan_value_st;
                break;
            }

            p--;
            break;

        case wag_json_scan_first_value_st:

            if (*p == ']') {
                return wag_json_scan_close(s, p);
            }

            /* fall through */

        case wag_json_scan_value_st:

            if (*p != '"') {
                return wag_json_scan_value(s, p);
            }

            wag_json_scan_begin(s, p, wag_json_scan_string_st);
            s->key = 0;

            end = wag_json_scan_short(p + 1, last);

            if (end == NULL) {
                return p + 1;
            }

            wag_json_scan_put(s, p + 1, end - p - 1);
            s->state = s->depth ? wag_json_scan_next_st
                                : wag_json_scan_done_st;

            p = wag_json_scan_tell(s, WAG_JSON_STRING, end + 1);

            if (p == NULL) {
                return NULL;
            }

            if (p < last && *p == ',' && s->depth) {
                s->state = (s->arrays & 1) ? wag_json_scan_value_st
                                           : wag_json_scan_key_st;
                break;
            }

            p--;
            break;

        default: /* wag_json_scan_done_st */
            return wag_json_scan_fail(s, "invalid JSON: more than one value",
                                      p);
        }
    }

    return p;
}


/* the quote that ends it, if it is near and all before it is plain */

static ngx_inline u_char *
wag_json_scan_short(u_char *p, u_char *last)
{
    last = p + ngx_min(last - p, WAG_JSON_SCAN_BLOCK);

    p = wag_json_scan_words(p, last);

    return (p < last && *p == '"') ? p : NULL;
}


static u_char *
wag_json_scan_value(wag_json_scan_t *s, u_char *p)
{
    switch (*p) {

    case '{':
    case '[':
        return wag_json_scan_open(s, p);

    case 't':
        s->word = "true";
        s->event = WAG_JSON_TRUE;
        break;

    case 'f':
        s->word = "false";
        s->event = WAG_JSON_FALSE;
        break;

    case 'n':
        s->word = "null";
        s->event = WAG_JSON_NULL;
        break;

    default:

        if (*p != '-' && (*p < '0' || *p > '9')) {
            return wag_json_scan_fail(s, "invalid JSON: no value", p);
        }

        wag_json_scan_begin(s, p, wag_json_scan_number_st);
        return p;
    }

    wag_json_scan_begin(s, p, wag_json_scan_word_st);

    return p;
}


static u_char *
wag_json_scan_open(wag_json_scan_t *s, u_char *p)
{
    u_char      *next;
    ngx_uint_t   array;

    if (s->depth == s->max_depth) {
        return wag_json_scan_fail(s, "JSON is nested too deep", p);
    }

    array = (*p == '[') ? 1 : 0;

    wag_json_scan_begin(s, p, array ? wag_json_scan_first_value_st
                                    : wag_json_scan_first_key_st);

    next = wag_json_scan_tell(s, array ? WAG_JSON_ARRAY : WAG_JSON_OBJECT,
                              p + 1);

    s->arrays = s->arrays << 1 | array;
    s->depth++;

    return next;
}


static u_char *
wag_json_scan_close(wag_json_scan_t *s, u_char *p)
{
    ngx_uint_t  array;

    array = s->arrays & 1;

    if (*p != (array ? ']' : '}')) {
        return wag_json_scan_fail(s, "invalid JSON: no comma", p);
    }

    s->arrays >>= 1;
    s->depth--;

    wag_json_scan_begin(s, p, s->depth ? wag_json_scan_next_st
                                       : wag_json_scan_done_st);

    return wag_json_scan_tell(s, array ? WAG_JSON_ARRAY_END
                                       : WAG_JSON_OBJECT_END, p + 1);
}


static u_char *
wag_json_scan_string(wag_json_scan_t *s, u_char *p, u_char *last)
{
    u_char                      *run;
    ngx_uint_t                   class;
    const wag_json_scan_lead_t  *lead;

    run = p;

    for ( ;; ) {

        if (s->tail) {
            p = wag_json_scan_tail(s, p, last);

            if (p == NULL) {
                return NULL;
            }
        }

        p = wag_json_scan_plain(p, last);

        if (p == last) {
            wag_json_scan_put(s, run, p - run);
            return p;
        }

        class = wag_json_scan_class[*p];

        if (class < WAG_JSON_SCAN_LEAD) {
            break;
        }

        lead = &wag_json_scan_leads[class - WAG_JSON_SCAN_LEAD];
        p++;

        if (lead->tail == 1 && p < last && (*p & 0xc0) == 0x80) {
            p++;
            continue;
        }

        s->tail = lead->tail;
        s->tail_min = lead->min;
        s->tail_max = lead->max;
    }

    if (class == WAG_JSON_SCAN_CONTROL) {
        return wag_json_scan_fail(s, "invalid JSON: control character in "
                                  "string", p);
    }

    if (class == WAG_JSON_SCAN_INVALID) {
        return wag_json_scan_fail(s, "invalid JSON: invalid UTF-8", p);
    }

    if (class == WAG_JSON_SCAN_ESCAPE) {
        wag_json_scan_put(s, run, p - run);
        s->state = wag_json_scan_escape_st;
        return p + 1;
    }

    if (s->key) {
        wag_json_scan_put_key(s, run, p - run);
        s->state = wag_json_scan_colon_st;
        return wag_json_scan_tell_key(s, p + 1);
    }

    wag_json_scan_put(s, run, p - run);
    s->state = s->depth ? wag_json_scan_next_st : wag_json_scan_done_st;

    return wag_json_scan_tell(s, WAG_JSON_STRING, p + 1);
}


/*
 * Blocks are tried only behind as many plain bytes: text that never has so
 * many in a row, as of most scripts, does not pay for them.
 */

static u_char *
wag_json_scan_plain(u_char *p, u_char *last)
{
    u_char  *end;

    for ( ;; ) {
        end = p + ngx_min(last - p, WAG_JSON_SCAN_BLOCK);

        p = wag_json_scan_words(p, end);

        if (p < end || p == last) {
            return p;
        }

        end = p + (last - p) / WAG_JSON_SCAN_BLOCK * WAG_JSON_SCAN_BLOCK;

        while (p < end && wag_json_scan_block_is_plain(p)) {
            p += WAG_JSON_SCAN_BLOCK;
        }
    }
}


/* eight bytes at once, where the first of them is the lowest of a word */

static ngx_inline u_char *
wag_json_scan_words(u_char *p, u_char *last)
{
#if (NGX_HAVE_LITTLE_ENDIAN)

    uint64_t  found;

    while (last - p >= (ssize_t) sizeof(found)) {

        found = wag_json_scan_found(p);

        if (found) {
            return p + __builtin_ctzll(found) / 8;
        }

        p += sizeof(found);
    }

#endif

    while (p < last && wag_json_scan_class[*p] == WAG_JSON_SCAN_PLAIN) {
        p++;
    }

    return p;
}


/*
 * The highest bit of each byte that is not plain.  Above the lowest of them
 * others may be set, too: a borrow comes only from a byte that is found.
 */

static ngx_inline uint64_t
wag_json_scan_found(u_char *p)
{
    uint64_t  w;

    ngx_memcpy(&w, p, sizeof(w));

    w ^= WAG_JSON_SCAN_ALL(2);

    return (w | (w - WAG_JSON_SCAN_ALL(('"' ^ 2) + 1))
            | ((w ^ WAG_JSON_SCAN_ALL('\\' ^ 2)) - WAG_JSON_SCAN_ALL(1)))
           & WAG_JSON_SCAN_ALL(0x80);
}


/*
 * With the second bit flipped a quote comes right behind the control
 * characters; as signed, what is not ASCII comes before them.
 */

#if (WAG_JSON_SCAN_VECTORS)

static ngx_inline ngx_uint_t
wag_json_scan_block_is_plain(u_char *p)
{
    uint64_t                half[2];
    wag_json_scan_vector_t  a, b, c, d, right, found;

    ngx_memcpy(&a, p, 16);
    ngx_memcpy(&b, p + 16, 16);
    ngx_memcpy(&c, p + 32, 16);
    ngx_memcpy(&d, p + 48, 16);

    a ^= 2;
    b ^= 2;
    c ^= 2;
    d ^= 2;

    right = (a > ('"' ^ 2)) & (b > ('"' ^ 2))
            & (c > ('"' ^ 2)) & (d > ('"' ^ 2));

    found = (a == ('\\' ^ 2)) | (b == ('\\' ^ 2))
            | (c == ('\\' ^ 2)) | (d == ('\\' ^ 2)) | ~right;

    ngx_memcpy(half, &found, sizeof(half));

    return (half[0] | half[1]) == 0;
}

#else

static ngx_inline ngx_uint_t
wag_json_scan_block_is_plain(u_char *p)
{
    uint64_t    found;
    ngx_uint_t  i;

    found = 0;

    for (i = 0; i < WAG_JSON_SCAN_BLOCK; i += sizeof(found)) {
        found |= wag_json_scan_found(p + i);
    }

    return found == 0;
}

#endif


static u_char *
wag_json_scan_tail(wag_json_scan_t *s, u_char *p, u_char *last)
{
    for ( /* void */ ; p < last && s->tail; p++) {

        if (*p < s->tail_min || *p > s->tail_max) {
            return wag_json_scan_fail(s, "invalid JSON: invalid UTF-8", p);
        }

        s->tail--;
        s->tail_min = 0x80;
        s->tail_max = 0xbf;
    }

    return p;
}


static u_char *
wag_json_scan_escape(wag_json_scan_t *s, u_char *p, u_char *last)
{
    while (p < last) {

        switch (s->state) {

        case wag_json_scan_escape_st:
            p = wag_json_scan_unescape(s, p);
            break;

        case wag_json_scan_hex_st:
            p = wag_json_scan_hex(s, p);
            break;

        case wag_json_scan_low_st:
        case wag_json_scan_low_u_st:

            if (*p != (s->state == wag_json_scan_low_st ? '\\' : 'u')) {
                return wag_json_scan_fail(s, "invalid JSON: lone surrogate",
                                          p);
            }

            s->state = (s->state == wag_json_scan_low_st)
                       ? wag_json_scan_low_u_st : wag_json_scan_hex_st;
            p++;
            break;

        default: /* wag_json_scan_string_st */
            return p;
        }

        if (p == NULL) {
            return NULL;
        }
    }

    return p;
}


static u_char *
wag_json_scan_unescape(wag_json_scan_t *s, u_char *p)
{
    u_char  ch;

    switch (*p) {

    case '"':
    case '\\':
    case '/':
        ch = *p;
        break;

    case 'b':
        ch = '\b';
        break;

    case 'f':
        ch = '\f';
        break;

    case 'n':
        ch = LF;
        break;

    case 'r':
        ch = CR;
        break;

    case 't':
        ch = '\t';
        break;

    case 'u':
        s->state = wag_json_scan_hex_st;
        s->code = 0;
        s->high = 0;
        s->digits = 0;
        return p + 1;

    default:
        return wag_json_scan_fail(s, "invalid JSON: invalid escape", p);
    }

    s->state = wag_json_scan_string_st;
    wag_json_scan_put(s, &ch, 1);

    return p + 1;
}


static u_char *
wag_json_scan_hex(wag_json_scan_t *s, u_char *p)
{
    u_char    ch;
    uint32_t  code;

    ch = (u_char) (*p | 0x20);

    if (*p >= '0' && *p <= '9') {
        code = *p - '0';

    } else if (ch >= 'a' && ch <= 'f') {
        code = ch - 'a' + 10;

    } else {
        return wag_json_scan_fail(s, "invalid JSON: invalid escape", p);
    }

    code |= s->code << 4;
    s->code = code;

    if (++s->digits < 4) {
        return p + 1;
    }

    s->code = 0;
    s->digits = 0;

    if (s->high == 0 && code >= 0xd800 && code < 0xdc00) {
        s->high = code;
        s->state = wag_json_scan_low_st;
        return p + 1;
    }

    if ((s->high != 0) != (code >= 0xdc00 && code < 0xe000)) {
        return wag_json_scan_fail(s, "invalid JSON: lone surrogate", p);
    }

    if (s->high) {
        code = 0x10000 + ((s->high - 0xd800) << 10) + (code - 0xdc00);
    }

    s->state = wag_json_scan_string_st;
    wag_json_scan_put_code(s, code);

    return p + 1;
}


static u_char *
wag_json_scan_number(wag_json_scan_t *s, u_char *p, u_char *last)
{
    u_char      *run;
    ngx_uint_t   column, state;

    run = p;
    state = s->state;

    for ( /* void */ ; p < last; p++) {

        if (state == wag_json_scan_int_st) {
            while (p < last && *p >= '0' && *p <= '9') {
                p++;
            }

            if (p == last) {
                break;
            }
        }

        if (*p >= '0' && *p <= '9') {
            column = (*p == '0') ? 0 : 1;

        } else if (*p == '.') {
            column = 2;

        } else if (*p == 'e' || *p == 'E') {
            column = 3;

        } else if (*p == '-' || *p == '+') {
            column = (*p == '-') ? 4 : 5;

        } else {
            break;
        }

        state = wag_json_scan_numbers[state - wag_json_scan_number_st][column];

        if (state == 0) {
            return wag_json_scan_fail(s, "invalid JSON: invalid number", p);
        }

        s->state = state;
    }

    wag_json_scan_put(s, run, p - run);

    if (p == last) {
        return p;
    }

    if (!wag_json_scan_number_is_whole(s)) {
        return wag_json_scan_fail(s, "invalid JSON: invalid number", p);
    }

    s->state = s->depth ? wag_json_scan_next_st : wag_json_scan_done_st;

    return wag_json_scan_tell(s, WAG_JSON_NUMBER, p);
}


static ngx_uint_t
wag_json_scan_number_is_whole(wag_json_scan_t *s)
{
    return s->state == wag_json_scan_zero_st
           || s->state == wag_json_scan_int_st
           || s->state == wag_json_scan_fraction_st
           || s->state == wag_json_scan_exponent_st;
}


static u_char *
wag_json_scan_word(wag_json_scan_t *s, u_char *p, u_char *last)
{
    u_char  *run;

    for (run = p; p < last && *s->word != '\0'; p++) {

        if (*p != (u_char) *s->word++) {
            return wag_json_scan_fail(s, "invalid JSON: no value", p);
        }
    }

    wag_json_scan_put(s, run, p - run);

    if (*s->word != '\0') {
        return p;
    }

    s->state = s->depth ? wag_json_scan_next_st : wag_json_scan_done_st;

    return wag_json_scan_tell(s, s->event, p);
}


static void
wag_json_scan_begin(wag_json_scan_t *s, u_char *p, wag_json_scan_state_e state)
{
    s->state = state;
    s->start = s->seen + (p - s->piece);
    s->text.data = s->room.data;
    s->text.len = 0;
    s->cut = 0;
}


static ngx_inline void
wag_json_scan_put(wag_json_scan_t *s, u_char *data, size_t len)
{
    size_t  size;

    if (s->skip) {
        return;
    }

    size = s->room.len - s->text.len;

    if (len > size) {
        len = size;
        s->cut = 1;
    }

    if (len) {
        ngx_memcpy(s->text.data + s->text.len, data, len);
        s->text.len += len;
    }
}


/* one that came whole and without an escape is not copied */

static ngx_inline void
wag_json_scan_put_key(wag_json_scan_t *s, u_char *data, size_t len)
{
    if (s->text.len == 0 && !s->cut && len <= s->room.len) {
        s->text.data = data;
        s->text.len = len;

    } else {
        wag_json_scan_put(s, data, len);
    }
}


static void
wag_json_scan_put_code(wag_json_scan_t *s, uint32_t code)
{
    u_char  *p, buf[4];

    p = buf;

    if (code < 0x80) {
        *p++ = (u_char) code;

    } else if (code < 0x800) {
        *p++ = (u_char) (0xc0 | code >> 6);
        *p++ = (u_char) (0x80 | (code & 0x3f));

    } else if (code < 0x10000) {
        *p++ = (u_char) (0xe0 | code >> 12);
        *p++ = (u_char) (0x80 | (code >> 6 & 0x3f));
        *p++ = (u_char) (0x80 | (code & 0x3f));

    } else {
        *p++ = (u_char) (0xf0 | code >> 18);
        *p++ = (u_char) (0x80 | (code >> 12 & 0x3f));
        *p++ = (u_char) (0x80 | (code >> 6 & 0x3f));
        *p++ = (u_char) (0x80 | (code & 0x3f));
    }

    wag_json_scan_put(s, buf, p - buf);
}


static ngx_inline u_char *
wag_json_scan_tell(wag_json_scan_t *s, ngx_uint_t event, u_char *p)
{
    return (s->skip && wag_json_scan_skips(s, event))
           ? p : wag_json_scan_event(s, event, p);
}


static ngx_inline u_char *
wag_json_scan_tell_key(wag_json_scan_t *s, u_char *p)
{
    if (s->skip || (s->lengths & wag_json_scan_length(s->text.len))) {
        return wag_json_scan_tell(s, WAG_JSON_KEY, p);
    }

    s->skip = 1;
    s->skip_value = 1;
    s->skip_depth = s->depth;

    return p;
}


/* whether this belongs to what is not told of */

static ngx_uint_t
wag_json_scan_skips(wag_json_scan_t *s, ngx_uint_t event)
{
    if (s->depth < s->skip_depth) {
        s->skip = 0;
        return 0;
    }

    if (s->skip_value && s->depth == s->skip_depth
        && event != WAG_JSON_OBJECT && event != WAG_JSON_ARRAY)
    {
        s->skip = 0;
    }

    return 1;
}


static u_char *
wag_json_scan_event(wag_json_scan_t *s, ngx_uint_t event, u_char *p)
{
    s->end = s->seen + (p - s->piece);

    if (s->cut) {
        s->text.len = wag_json_scan_whole(s->text.data, s->text.len);
    }

    if (s->handler(s, event) != NGX_OK) {
        return wag_json_scan_fail(s, s->error ? s->error
                                              : "the reader ended it", p);
    }

    if (s->skip) {
        s->skip_value = (event == WAG_JSON_KEY);
        s->skip_depth = s->depth + (event == WAG_JSON_OBJECT
                                    || event == WAG_JSON_ARRAY);
    }

    return p;
}


static u_char *
wag_json_scan_fail(wag_json_scan_t *s, const char *error, u_char *p)
{
    s->error = error;
    s->offset = s->seen + (p - s->piece);

    return NULL;
}


size_t
wag_json_scan_whole(u_char *data, size_t len)
{
    size_t  tail, more;

    for (tail = 0; tail < len && tail < 3; tail++) {
        if ((data[len - tail - 1] & 0xc0) != 0x80) {
            break;
        }
    }

    if (tail == len) {
        return 0;
    }

    switch (data[len - tail - 1] >> 4) {

    case 0xc:
    case 0xd:
        more = 1;
        break;

    case 0xe:
        more = 2;
        break;

    case 0xf:
        more = 3;
        break;

    default:
        more = 0;
    }

    return (tail < more) ? len - tail - 1 : len;
}
