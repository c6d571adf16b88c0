
/*
 * Copyright (C) the wa_gateway authors
 *
 * A scanner of JSON, RFC 8259, that takes a text in pieces of any size and
 * keeps nothing of it.  It is strict: one value, valid UTF-8, no lone
 * surrogates.
 */


#ifndef _WAG_JSON_SCAN_H_INCLUDED_
#define _WAG_JSON_SCAN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define WAG_JSON_SCAN_DEPTH    64
#define WAG_JSON_SCAN_KEY_LEN  128


/* what there is to tell */

#define WAG_JSON_KEY     0   /* of the value that follows */
#define WAG_JSON_BEGIN   1   /* of a value; it may be given room for its text */
#define WAG_JSON_END     2   /* of a value */

/* what a value is */

#define WAG_JSON_OBJECT  0
#define WAG_JSON_ARRAY   1
#define WAG_JSON_STRING  2
#define WAG_JSON_NUMBER  3
#define WAG_JSON_TRUE    4
#define WAG_JSON_FALSE   5
#define WAG_JSON_NULL    6


typedef struct wag_json_scan_s  wag_json_scan_t;

/*
 * NGX_OK, or NGX_ERROR to end the scan; the handler sets s->error then.
 */
typedef ngx_int_t (*wag_json_scan_pt)(wag_json_scan_t *s, ngx_uint_t event);


struct wag_json_scan_s {
    wag_json_scan_pt     handler;
    void                *data;

    ngx_uint_t           type;    /* of the value */
    ngx_uint_t           depth;   /* objects and arrays it is in */
    off_t                start;   /* its first byte, from the text's */
    off_t                end;     /* the one after it */

    /* a key, its escapes resolved; "cut" if it is longer than that */

    u_char               key[WAG_JSON_SCAN_KEY_LEN];
    size_t               key_len;

    /* the text of a scalar: the handler gives room at BEGIN, or NULL */

    u_char              *text;
    size_t               size;
    size_t               len;

    unsigned             cut:1;   /* key or text: there was more */

    const char          *error;
    off_t                offset;  /* of the byte that is wrong */

    /* private */

    unsigned             is_key:1;
    unsigned             high:1;     /* a first surrogate came */

    ngx_uint_t           state;
    ngx_uint_t           max;
    uint64_t             arrays;     /* a bit for each depth */
    const u_char        *literal;
    uint32_t             code;       /* of an escape */
    uint32_t             surrogate;
    ngx_uint_t           digits;
    ngx_uint_t           rest;       /* of a character, in bytes */
    u_char               low;        /* bounds of the next of these */
    u_char               up;
};


/*
 * Prepares for one text, nested at most "depth" deep, up to
 * WAG_JSON_SCAN_DEPTH.
 */
void wag_json_scan_init(wag_json_scan_t *s, ngx_uint_t depth,
    wag_json_scan_pt handler, void *data);

/*
 * Takes the next bytes.  NGX_AGAIN; NGX_ERROR, s->error tells why.  What is
 * told does not depend on how the text is split.
 */
ngx_int_t wag_json_scan(wag_json_scan_t *s, u_char *p, u_char *last);

/*
 * The text ends here.  NGX_OK if it was whole; NGX_ERROR.
 */
ngx_int_t wag_json_scan_end(wag_json_scan_t *s);


#endif /* _WAG_JSON_SCAN_H_INCLUDED_ */
