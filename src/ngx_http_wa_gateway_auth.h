
/*
 * Copyright (C) the wa_gateway authors
 */


#ifndef _NGX_HTTP_WA_GATEWAY_AUTH_H_INCLUDED_
#define _NGX_HTTP_WA_GATEWAY_AUTH_H_INCLUDED_


#include "ngx_http_wa_gateway_module.h"


/*
 * The handler of "wa_gateway_api_key" and the access handler that answers 401
 * to a request that brings none of the keys, in "X-Api-Key" or in
 * "Authorization: Bearer" (RFC 6750, 2.1).  A header with a right key ends
 * here: an instance does not see it, nor does the access log.
 */
char *ngx_http_wa_gateway_auth_key(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
ngx_int_t ngx_http_wa_gateway_auth_handler(ngx_http_request_t *r);


#endif /* _NGX_HTTP_WA_GATEWAY_AUTH_H_INCLUDED_ */
