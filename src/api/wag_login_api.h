
/*
 * Copyright (C) the wa_gateway authors
 */


#ifndef _WAG_LOGIN_API_H_INCLUDED_
#define _WAG_LOGIN_API_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/*
 * The handler of "wa_gateway_login": a location that gives the QR code of a
 * session of an upstream, and starts one.
 */
char *wag_login_api_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);


#endif /* _WAG_LOGIN_API_H_INCLUDED_ */
