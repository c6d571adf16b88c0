
/*
 * Copyright (C) the wa_gateway authors
 *
 * An answer as it is stored for who repeats the request: what matters of its
 * header, and its body.  Pure.
 */


#ifndef _WAG_STORED_H_INCLUDED_
#define _WAG_STORED_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* bytes of a body, and of all before it */

#define WAG_STORED_BODY_LEN  16384
#define WAG_STORED_HEAD_LEN  2048

#define WAG_STORED_HEADERS   8


typedef struct {
    ngx_str_t            type;
    ngx_str_t            charset;
    ngx_uint_t           nheaders;
    ngx_keyval_t         headers[WAG_STORED_HEADERS];
    ngx_str_t            body;
} wag_stored_t;


/*
 * Whether a header is one that matters.
 */
ngx_uint_t wag_stored_matters(ngx_str_t *name);

/*
 * Writes all but the body to p, which has room for WAG_STORED_HEAD_LEN; where
 * that ends, or NULL if it is too long.
 */
u_char *wag_stored_write(u_char *p, wag_stored_t *stored);

/*
 * Reads all of it; the texts lie in "text".  NGX_ERROR if it is none.
 */
ngx_int_t wag_stored_read(ngx_str_t *text, wag_stored_t *stored);


#endif /* _WAG_STORED_H_INCLUDED_ */
