
/*
 * Copyright (C) the wa_gateway authors
 */


#ifndef _WAG_CONTROL_H_INCLUDED_
#define _WAG_CONTROL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/*
 * The handler of "wa_gateway_control": a location that lists the instances of
 * an upstream, adds, changes and removes them.
 */
char *wag_control_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/*
 * What is answered before anything is read: a page of another origin, a body
 * that is not JSON or too large.  NGX_DECLINED: nothing is wrong.
 */
ngx_int_t wag_control_refuse(ngx_http_request_t *r);


#endif /* _WAG_CONTROL_H_INCLUDED_ */
