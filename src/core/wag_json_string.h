
/*
 * Copyright (C) the wa_gateway authors
 *
 * Strings of JSON that arrives: where one ends, and that it is valid UTF-8.
 */


#ifndef _WAG_JSON_STRING_H_INCLUDED_
#define _WAG_JSON_STRING_H_INCLUDED_


#include "wag_json_event.h"


/* what a byte is in a string; from WAG_JSON_STRING_LEAD on it leads others */

#define WAG_JSON_STRING_PLAIN    0
#define WAG_JSON_STRING_QUOTE    1
#define WAG_JSON_STRING_ESCAPE   2
#define WAG_JSON_STRING_CONTROL  3
#define WAG_JSON_STRING_INVALID  4
#define WAG_JSON_STRING_LEAD     5

#define WAG_JSON_STRING_BLOCK    64

#define WAG_JSON_STRING_ALL(ch)  (UINT64_C(0x0101010101010101) * (ch))


extern const u_char  wag_json_string_class[256];


/*
 * The quote that ends what begins at "p", if it is within a block and all
 * before it is plain; else NULL.
 */
static ngx_inline u_char *wag_json_string_short(u_char *p, u_char *last);

/*
 * Takes what came of any string, behind its first quote, up to its end or the
 * next escape, and puts it to the text.  What is behind that; NULL: it failed.
 */
u_char *wag_json_string_scan(wag_json_scan_t *s, u_char *p, u_char *last);

/*
 * The first byte that is not plain, or "last".
 */
static ngx_inline u_char *wag_json_string_words(u_char *p, u_char *last);

/*
 * Of eight bytes the highest bit of each that is not plain.  Above the lowest
 * of them others may be set, too: a borrow comes only from a byte that is
 * found.
 */
static ngx_inline uint64_t wag_json_string_found(u_char *p);


static ngx_inline u_char *
wag_json_string_short(u_char *p, u_char *last)
{
    last = p + ngx_min(last - p, WAG_JSON_STRING_BLOCK);

    p = wag_json_string_words(p, last);

    return (p < last && *p == '"') ? p : NULL;
}


/* eight bytes at once, where the first of them is the lowest of a word */

static ngx_inline u_char *
wag_json_string_words(u_char *p, u_char *last)
{
#if (NGX_HAVE_LITTLE_ENDIAN)

    uint64_t  found;

    while (last - p >= (ssize_t) sizeof(found)) {

        found = wag_json_string_found(p);

        if (found) {
            return p + __builtin_ctzll(found) / 8;
        }

        p += sizeof(found);
    }

#endif

    while (p < last && wag_json_string_class[*p] == WAG_JSON_STRING_PLAIN) {
        p++;
    }

    return p;
}


static ngx_inline uint64_t
wag_json_string_found(u_char *p)
{
    uint64_t  w;

    ngx_memcpy(&w, p, sizeof(w));

    w ^= WAG_JSON_STRING_ALL(2);

    return (w | (w - WAG_JSON_STRING_ALL(('"' ^ 2) + 1))
            | ((w ^ WAG_JSON_STRING_ALL('\\' ^ 2)) - WAG_JSON_STRING_ALL(1)))
           & WAG_JSON_STRING_ALL(0x80);
}


#endif /* _WAG_JSON_STRING_H_INCLUDED_ */
