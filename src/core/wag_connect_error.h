
/*
 * Copyright (C) the wa_gateway authors
 *
 * What an error of connect() tells.  Pure.
 */


#ifndef _WAG_CONNECT_ERROR_H_INCLUDED_
#define _WAG_CONNECT_ERROR_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * Whether err, met at one of the naddrs addresses of an instance, is a local
 * error: it tells nothing of the instance.
 */
ngx_uint_t wag_connect_error_is_local(ngx_err_t err, struct sockaddr *sockaddr,
    ngx_uint_t naddrs);

/*
 * The reason of an instance that could not be connected to:
 * "connect ECONNREFUSED", "connect failed" for an error without a name here.
 */
char *wag_connect_error_reason(ngx_err_t err);


#endif /* _WAG_CONNECT_ERROR_H_INCLUDED_ */
