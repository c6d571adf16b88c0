
/*
 * Copyright (C) the wa_gateway authors
 *
 * Texts with places to be filled, <key>, <session>, <text>, and their filling.
 */


#ifndef _WAG_TEMPLATE_H_INCLUDED_
#define _WAG_TEMPLATE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* what a place is filled with */

#define WAG_TEMPLATE_TEXT        0
#define WAG_TEMPLATE_KEY         1
#define WAG_TEMPLATE_SESSION     2
#define WAG_TEMPLATE_TOKEN       3

/* of a send */

#define WAG_TEMPLATE_ID          4    /* of a recipient, of a message */
#define WAG_TEMPLATE_TO          5    /* the recipient as it is written */
#define WAG_TEMPLATE_MESSAGE     6
#define WAG_TEMPLATE_URL         7
#define WAG_TEMPLATE_DATA        8
#define WAG_TEMPLATE_MIMETYPE    9
#define WAG_TEMPLATE_FILENAME    10
#define WAG_TEMPLATE_CAPTION     11
#define WAG_TEMPLATE_KIND        12   /* image */
#define WAG_TEMPLATE_KIND_UPPER  13   /* Image */
#define WAG_TEMPLATE_GROUP       14   /* true */
#define WAG_TEMPLATE_LID         15   /* true */
#define WAG_TEMPLATE_VALUES      16

#define wag_template_bit(value)  ((ngx_uint_t) 1 << (value))

/* what those that ask have */

#define WAG_TEMPLATE_ASK  (wag_template_bit(WAG_TEMPLATE_KEY)                 \
                           | wag_template_bit(WAG_TEMPLATE_SESSION)           \
                           | wag_template_bit(WAG_TEMPLATE_TOKEN))


typedef struct {
    ngx_uint_t           value;    /* WAG_TEMPLATE_TEXT ... */
    ngx_str_t            text;     /* of TEXT; else what stands for nothing */
    ngx_uint_t           group;    /* 0: of none */
    unsigned             base64:1;
    unsigned             uri:1;    /* percent-encoded wherever it is */
} wag_template_part_t;


typedef struct {
    ngx_array_t          parts;    /* wag_template_part_t */
    ngx_uint_t           uses;     /* a bit for each value */
    ngx_uint_t           groups;
} wag_template_t;


#define wag_template_uses(template, value)                                    \
    ((template)->uses & wag_template_bit(value))


/*
 * Whether there is a value for each of its places.
 */
ngx_uint_t wag_template_has(wag_template_t *template, ngx_str_t *values);

/*
 * Fills it, from pool, or with a value itself where that is all of it;
 * "values" has one for each of WAG_TEMPLATE_VALUES.  In
 * an URI they are percent-encoded, RFC 3986, 2.1, but for what is in base64.
 * NGX_ERROR if there is no memory.
 */
ngx_int_t wag_template_fill(ngx_pool_t *pool, wag_template_t *template,
    ngx_str_t *values, ngx_uint_t uri, ngx_str_t *text);

/*
 * Whether a place is filled, and not left out with its groups.
 */
ngx_uint_t wag_template_fills(wag_template_t *template, ngx_str_t *values,
    ngx_uint_t place);

/*
 * Fills one for JSON, from pool; values are escaped, RFC 8259, 7.  <data> is
 * not put in: "data" is where in the text it belongs, NULL if nowhere.
 * NGX_ERROR if there is no memory.
 */
ngx_int_t wag_template_fill_json(ngx_pool_t *pool, wag_template_t *template,
    ngx_str_t *values, ngx_str_t *text, u_char **data);


#endif /* _WAG_TEMPLATE_H_INCLUDED_ */
