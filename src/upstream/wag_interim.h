
/*
 * Copyright (C) the wa_gateway authors
 */


#ifndef _WAG_INTERIM_H_INCLUDED_
#define _WAG_INTERIM_H_INCLUDED_


#include "wag_ctx.h"


/* of one request; their time is that of proxy_read_timeout */

#define WAG_INTERIM_MAX  100


/*
 * Whether the header that was just read is that of an interim answer, RFC
 * 9110, 15.2, which nginx takes for the final one.  A change of protocols that
 * the client asked for is final.
 */
ngx_uint_t wag_interim_seen(ngx_http_request_t *r);

/*
 * Makes u ready for the next header.  NGX_OK, NGX_ERROR without memory, or
 * NGX_HTTP_UPSTREAM_INVALID_HEADER if no interim answer may come here.
 */
ngx_int_t wag_interim_drop(wag_ctx_t *ctx);


#endif /* _WAG_INTERIM_H_INCLUDED_ */
