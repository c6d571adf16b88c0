
/*
 * Copyright (C) the wa_gateway authors
 *
 * RateLimit and RateLimit-Policy of an answer to a send, as
 * draft-ietf-httpapi-ratelimit-headers-10 has them.
 */


#ifndef _WAG_RATE_LIMIT_H_INCLUDED_
#define _WAG_RATE_LIMIT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/*
 * Adds them if the request is a send of an upstream that paces, and its number
 * is known.  NGX_ERROR if there is no memory.
 */
ngx_int_t wag_rate_limit_add(ngx_http_request_t *r);


#endif /* _WAG_RATE_LIMIT_H_INCLUDED_ */
