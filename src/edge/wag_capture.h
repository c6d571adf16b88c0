
/*
 * Copyright (C) the wa_gateway authors
 *
 * The answer to a send with a key, as it goes out: taken down for who repeats
 * the request, before it is compressed or wrapped.
 */


#ifndef _WAG_CAPTURE_H_INCLUDED_
#define _WAG_CAPTURE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/*
 * The header of an answer, and parts of its body, before they are sent; with
 * the last one the claim ends.  NGX_ERROR if there is no memory.
 */
ngx_int_t wag_capture_header(ngx_http_request_t *r);
void wag_capture_body(ngx_http_request_t *r, ngx_chain_t *in);


#endif /* _WAG_CAPTURE_H_INCLUDED_ */
