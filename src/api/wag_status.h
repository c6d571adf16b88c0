
/*
 * Copyright (C) the wa_gateway authors
 */


#ifndef _WAG_STATUS_H_INCLUDED_
#define _WAG_STATUS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/*
 * Content handlers of "wa_gateway_status" and "wa_gateway_health": JSON, the
 * same from any worker; no lock is held while it is made.
 */
ngx_int_t wag_status_handler(ngx_http_request_t *r);
ngx_int_t wag_health_handler(ngx_http_request_t *r);

/*
 * The "wa_gateway_status" and "wa_gateway_health" directives.
 */
char *wag_status_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *wag_health_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);


#endif /* _WAG_STATUS_H_INCLUDED_ */
