
/*
 * Copyright (C) the wa_gateway authors
 *
 * How the target of a request is spelled.  What servers read in two ways is
 * an error.  Pure.
 */


#ifndef _WAG_TARGET_H_INCLUDED_
#define _WAG_TARGET_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* segments that are kept, more are only counted */

#define WAG_TARGET_SEGMENTS  16

/* what a name in a query is to a name that is looked for */

#define WAG_TARGET_OTHER     0
#define WAG_TARGET_EQUAL     1
#define WAG_TARGET_WITHIN    2      /* name[x], name.x, [name] */


typedef struct {
    ngx_str_t            segments[WAG_TARGET_SEGMENTS];   /* decoded */
    uint32_t             encoded;   /* bits of those that had an escape */
    ngx_uint_t           n;
} wag_target_path_t;


/*
 * What no target has: NULL, or what is wrong with these bytes.
 */
const char *wag_target_check(u_char *p, u_char *last);

/*
 * Takes a path apart; one "/" at its end adds no segment.  NGX_OK;
 * NGX_DECLINED with what is wrong in "error"; NGX_ERROR: there is no memory.
 */
ngx_int_t wag_target_path(ngx_pool_t *pool, u_char *p, u_char *last,
    wag_target_path_t *path, const char **error);

/*
 * Decodes once, a "+" as a blank if "plus" is set; a text with nothing to
 * decode is not copied.  As above.
 */
ngx_int_t wag_target_decode(ngx_pool_t *pool, ngx_str_t *text,
    ngx_uint_t plus, ngx_str_t *value, const char **error);

/*
 * NULL, or what is wrong with the escapes.
 */
const char *wag_target_escapes(u_char *p, u_char *last);

/*
 * Whether a name of a query, with valid escapes, stands for "name":
 * WAG_TARGET_OTHER ...
 */
ngx_uint_t wag_target_query_name(u_char *p, u_char *last, ngx_str_t *name);

/*
 * Where "ch" is, "last" if it is nowhere.
 */
u_char *wag_target_find(u_char *p, u_char *last, u_char ch);


#endif /* _WAG_TARGET_H_INCLUDED_ */
