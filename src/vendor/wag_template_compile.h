
/*
 * Copyright (C) the wa_gateway authors
 *
 * Makes templates of texts, and tells what places there are.
 */


#ifndef _WAG_TEMPLATE_COMPILE_H_INCLUDED_
#define _WAG_TEMPLATE_COMPILE_H_INCLUDED_


#include "wag_template.h"


/*
 * Compiles a text, which may have the places of these bits; "<name|text>" is
 * filled with the text where there is no value.  NGX_OK;
 * NGX_DECLINED, "bad" is the place that is unknown or has no end; NGX_ERROR if
 * there is no memory.
 */
ngx_int_t wag_template_compile(ngx_pool_t *pool, ngx_str_t *text,
    ngx_uint_t places, wag_template_t *template, ngx_str_t *bad);

/*
 * The same for JSON, where "( ... )" outside of strings is a group: it is left
 * out unless all places in it have a value.  "bad" may be a group without an
 * end, without a place or with a group in it, too; it begins with its bracket.
 */
ngx_int_t wag_template_compile_json(ngx_pool_t *pool, ngx_str_t *text,
    ngx_uint_t places, wag_template_t *template, ngx_str_t *bad);

/*
 * The names of these places, "<key>, <session> and <token>", from pool.
 */
ngx_int_t wag_template_compile_names(ngx_pool_t *pool, ngx_uint_t places,
    ngx_str_t *names);


#endif /* _WAG_TEMPLATE_COMPILE_H_INCLUDED_ */
