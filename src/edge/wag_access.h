
/*
 * Copyright (C) the wa_gateway authors
 */


#ifndef _WAG_ACCESS_H_INCLUDED_
#define _WAG_ACCESS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/*
 * The handler of "wa_gateway_api_key" and the access handler that answers 401
 * to a request that brings none of the keys, in "X-Api-Key" or in
 * "Authorization: Bearer" (RFC 6750, 2.1).  A header with a right key ends
 * here: an instance does not see it, nor does the access log.
 */
char *wag_access_key(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
ngx_int_t wag_access_handler(ngx_http_request_t *r);


#endif /* _WAG_ACCESS_H_INCLUDED_ */
