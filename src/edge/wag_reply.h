
/*
 * Copyright (C) the wa_gateway authors
 *
 * The answer to a message that was sent in one way: what the vendor answers is
 * taken in, and the client gets one answer for all of them.
 */


#ifndef _WAG_REPLY_H_INCLUDED_
#define _WAG_REPLY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/*
 * Whether the header that is to be sent is that of such an answer of an
 * instance: then it is not sent, and neither is the body, but taken in.
 */
ngx_uint_t wag_reply_takes(ngx_http_request_t *r);

/*
 * Takes a part of the body.  NGX_OK: there is more; NGX_DONE: it ended, and
 * "out" is the client's answer, whose header is in r->headers_out, to be sent
 * before; NGX_ERROR if there is no memory.
 */
ngx_int_t wag_reply_body(ngx_http_request_t *r, ngx_chain_t *in,
    ngx_chain_t **out);


#endif /* _WAG_REPLY_H_INCLUDED_ */
