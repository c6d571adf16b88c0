
/*
 * Copyright (C) the wa_gateway authors
 */


#ifndef _WAG_ORIGIN_H_INCLUDED_
#define _WAG_ORIGIN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/*
 * Whether a browser sent the request for a page of another origin, which it
 * tells by "Origin" (RFC 6454, 7) or "Sec-Fetch-Site" (Fetch Metadata).
 */
ngx_uint_t wag_origin_is_foreign(ngx_http_request_t *r);


#endif /* _WAG_ORIGIN_H_INCLUDED_ */
