
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


#endif /* _WAG_CONTROL_H_INCLUDED_ */
