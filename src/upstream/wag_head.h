
/*
 * Copyright (C) the wa_gateway authors
 *
 * The head of a request as nginx made it for an instance: read, and made
 * anew with other headers.
 */


#ifndef _WAG_HEAD_H_INCLUDED_
#define _WAG_HEAD_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "wag_name_set.h"


/* the texts lie in the buffer */

typedef struct {
    ngx_buf_t           *buf;
    ngx_str_t            method;
    ngx_str_t            target;
    ngx_str_t            version;
    ngx_array_t          headers;   /* ngx_keyval_t */
    uint64_t             lengths;   /* of their names: wag_name_set_bit() */
    u_char              *body;      /* after the head */
} wag_head_t;


/* what is to be another */

typedef struct {
    ngx_str_t            method;    /* len 0: as it is */
    ngx_str_t            target;
    unsigned             bare:1;    /* without what is behind it */
    wag_name_set_t      *drop;      /* headers */
    ngx_array_t          add;       /* ngx_keyval_t */
    ngx_keyval_t         room[8];   /* of it, most have no more */
} wag_head_edit_t;


/*
 * Reads the head of u->request_bufs, RFC 9112; "headers" is made before, with
 * none in it.  NGX_OK; NGX_DECLINED if it is
 * of no HTTP/1; NGX_ERROR if there is no memory.
 */
ngx_int_t wag_head_read(ngx_http_request_t *r, wag_head_t *head);

/*
 * A header by its name, case ignored; NULL if there is none.  The next one
 * after "prev", which may be NULL.
 */
ngx_keyval_t *wag_head_find(wag_head_t *head, ngx_str_t *name,
    ngx_keyval_t *prev);

/*
 * What its Content-Type says of the body, RFC 9110, 8.3: JSON or a form, in
 * UTF-8 and not encoded, and so that all servers take it for that.
 */
ngx_uint_t wag_head_is_json(wag_head_t *head);
ngx_uint_t wag_head_is_form(wag_head_t *head);

/*
 * Puts a head that was edited in place of the one of u->request_bufs, from
 * the request's pool; the one that was read stays as it is.
 */
ngx_int_t wag_head_put(ngx_http_request_t *r, wag_head_t *head,
    wag_head_edit_t *edit);

/*
 * Whether it has a body.
 */
ngx_uint_t wag_head_has_body(ngx_http_request_t *r, wag_head_t *head);


#endif /* _WAG_HEAD_H_INCLUDED_ */
