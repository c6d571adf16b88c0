
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_json_string.h"
#include "wag_json_tell.h"


/*
 * A long string is looked at by blocks.  Where the compiler makes vectors of
 * such a type in one instruction each, a block costs a fourth.
 */

#ifndef WAG_JSON_STRING_VECTORS
#if (defined __GNUC__ && (defined __SSE2__ || defined __ARM_NEON))
#define WAG_JSON_STRING_VECTORS  1
#else
#define WAG_JSON_STRING_VECTORS  0
#endif
#endif

#if (WAG_JSON_STRING_VECTORS)

typedef signed char  wag_json_string_vector_t __attribute__((vector_size(16)));

#endif


typedef struct {
    u_char               tail;
    u_char               min;
    u_char               max;
} wag_json_string_lead_t;


static u_char *wag_json_string_plain(u_char *p, u_char *last);
static ngx_inline ngx_uint_t wag_json_string_block_is_plain(u_char *p);
static u_char *wag_json_string_tail(wag_json_scan_t *s, u_char *p,
    u_char *last);


const u_char  wag_json_string_class[256] = {
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

static const wag_json_string_lead_t  wag_json_string_leads[] = {
    { 1, 0x80, 0xbf },
    { 2, 0xa0, 0xbf },
    { 2, 0x80, 0xbf },
    { 2, 0x80, 0x9f },
    { 3, 0x90, 0xbf },
    { 3, 0x80, 0xbf },
    { 3, 0x80, 0x8f }
};


u_char *
wag_json_string_scan(wag_json_scan_t *s, u_char *p, u_char *last)
{
    u_char                        *run;
    ngx_uint_t                     class;
    const wag_json_string_lead_t  *lead;

    run = p;

    for ( ;; ) {

        if (s->tail) {
            p = wag_json_string_tail(s, p, last);

            if (p == NULL) {
                return NULL;
            }
        }

        p = wag_json_string_plain(p, last);

        if (p == last) {
            wag_json_tell_put(s, run, p - run);
            return p;
        }

        class = wag_json_string_class[*p];

        if (class < WAG_JSON_STRING_LEAD) {
            break;
        }

        lead = &wag_json_string_leads[class - WAG_JSON_STRING_LEAD];
        p++;

        if (lead->tail == 1 && p < last && (*p & 0xc0) == 0x80) {
            p++;
            continue;
        }

        s->tail = lead->tail;
        s->tail_min = lead->min;
        s->tail_max = lead->max;
    }

    if (class == WAG_JSON_STRING_CONTROL) {
        return wag_json_tell_fail(s, "invalid JSON: control character in "
                                  "string", p);
    }

    if (class == WAG_JSON_STRING_INVALID) {
        return wag_json_tell_fail(s, "invalid JSON: invalid UTF-8", p);
    }

    if (class == WAG_JSON_STRING_ESCAPE) {
        wag_json_tell_put(s, run, p - run);
        s->state = wag_json_scan_escape_st;
        return p + 1;
    }

    if (s->key) {
        wag_json_tell_put_key(s, run, p - run);
        s->state = wag_json_scan_colon_st;
        return wag_json_tell_key(s, p + 1);
    }

    wag_json_tell_put(s, run, p - run);
    s->state = s->depth ? wag_json_scan_next_st : wag_json_scan_done_st;

    return wag_json_tell_event(s, WAG_JSON_STRING, p + 1);
}


/*
 * Blocks are tried only behind as many plain bytes: text that never has so
 * many in a row, as of most scripts, does not pay for them.
 */

static u_char *
wag_json_string_plain(u_char *p, u_char *last)
{
    u_char  *end;

    for ( ;; ) {
        end = p + ngx_min(last - p, WAG_JSON_STRING_BLOCK);

        p = wag_json_string_words(p, end);

        if (p < end || p == last) {
            return p;
        }

        end = p + (last - p) / WAG_JSON_STRING_BLOCK * WAG_JSON_STRING_BLOCK;

        while (p < end && wag_json_string_block_is_plain(p)) {
            p += WAG_JSON_STRING_BLOCK;
        }
    }
}


/*
 * With the second bit flipped a quote comes right behind the control
 * characters; as signed, what is not ASCII comes before them.
 */

#if (WAG_JSON_STRING_VECTORS)

static ngx_inline ngx_uint_t
wag_json_string_block_is_plain(u_char *p)
{
    uint64_t                  half[2];
    wag_json_string_vector_t  a, b, c, d, right, found;

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
wag_json_string_block_is_plain(u_char *p)
{
    uint64_t    found;
    ngx_uint_t  i;

    found = 0;

    for (i = 0; i < WAG_JSON_STRING_BLOCK; i += sizeof(found)) {
        found |= wag_json_string_found(p + i);
    }

    return found == 0;
}

#endif


static u_char *
wag_json_string_tail(wag_json_scan_t *s, u_char *p, u_char *last)
{
    for ( /* void */ ; p < last && s->tail; p++) {

        if (*p < s->tail_min || *p > s->tail_max) {
            return wag_json_tell_fail(s, "invalid JSON: invalid UTF-8", p);
        }

        s->tail--;
        s->tail_min = 0x80;
        s->tail_max = 0xbf;
    }

    return p;
}
