
/*
 * Copyright (C) the wa_gateway authors
 *
 * Texts with places to be filled: <key>, <session>, <token>.
 */


#ifndef _WAG_TEMPLATE_H_INCLUDED_
#define _WAG_TEMPLATE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* what a place is filled with */

#define WAG_TEMPLATE_TEXT     0
#define WAG_TEMPLATE_KEY      1
#define WAG_TEMPLATE_SESSION  2
#define WAG_TEMPLATE_TOKEN    3
#define WAG_TEMPLATE_VALUES   4


typedef struct {
    ngx_uint_t           value;    /* TEMPLATE_TEXT ... */
    ngx_str_t            text;     /* of TEXT */
    unsigned             base64:1;
} wag_template_part_t;


typedef struct {
    ngx_array_t          parts;    /* template_part_t */
    ngx_uint_t           uses;     /* a bit for each value */
} wag_template_t;


#define wag_template_uses(template, value)                                    \
    ((template)->uses & (1 << (value)))


/*
 * Compiles a text.  NGX_OK; NGX_DECLINED, "bad" is the place that is unknown
 * or has no end; NGX_ERROR if there is no memory.
 */
ngx_int_t wag_template_compile(ngx_pool_t *pool, ngx_str_t *text,
    wag_template_t *template, ngx_str_t *bad);

/*
 * Whether there is a value for each of its places.
 */
ngx_uint_t wag_template_has(wag_template_t *template, ngx_str_t *values);

/*
 * Fills it, from pool; "values" has one for each of TEMPLATE_VALUES.  In an
 * URI they are percent-encoded, RFC 3986, 2.1, but for what is in base64.
 * NGX_ERROR if there is no memory.
 */
ngx_int_t wag_template_fill(ngx_pool_t *pool, wag_template_t *template,
    ngx_str_t *values, ngx_uint_t uri, ngx_str_t *text);


#endif /* _WAG_TEMPLATE_H_INCLUDED_ */
