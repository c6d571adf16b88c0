
/*
 * Copyright (C) the wa_gateway authors
 */


#ifndef _WAG_BALANCER_CONF_H_INCLUDED_
#define _WAG_BALANCER_CONF_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * The "wa_gateway" directive.
 */
char *wag_balancer_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *wag_balancer_conf_sender(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/*
 * Completes the upstreams when all of the configuration is read.
 */
ngx_int_t wag_balancer_conf_finish(ngx_conf_t *cf);


#endif /* _WAG_BALANCER_CONF_H_INCLUDED_ */
