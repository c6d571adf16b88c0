
/*
 * Copyright (C) the wa_gateway authors
 *
 * A set of names of headers, case ignored, made once.  Pure.
 */


#ifndef _WAG_NAME_SET_H_INCLUDED_
#define _WAG_NAME_SET_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef struct {
    uint64_t             lengths;    /* a bit for each that there is */
    ngx_array_t          names;      /* ngx_str_t */
} wag_name_set_t;


#define wag_name_set_bit(len)  ((uint64_t) 1 << ngx_min(len, 63))


/* most write a name as it is written here */

#define wag_name_set_begin(one, two)                                          \
    (ngx_memcmp((one)->data, (two)->data, (two)->len) == 0                    \
     || ngx_strncasecmp((one)->data, (two)->data, (two)->len) == 0)

#define wag_name_set_same(one, two)                                           \
    ((one)->len == (two)->len && wag_name_set_begin(one, two))


/*
 * NGX_ERROR if there is no memory.  A name that is there already is not added
 * again.
 */
ngx_int_t wag_name_set_init(wag_name_set_t *names, ngx_pool_t *pool);
ngx_int_t wag_name_set_add(wag_name_set_t *names, ngx_str_t *name);

/*
 * Whether it is one of them.
 */
#define wag_name_set_has(names, name)                                         \
    (((names)->lengths & wag_name_set_bit((name)->len))                       \
     && wag_name_set_find(names, name))

ngx_uint_t wag_name_set_find(wag_name_set_t *names, ngx_str_t *name);


#endif /* _WAG_NAME_SET_H_INCLUDED_ */
