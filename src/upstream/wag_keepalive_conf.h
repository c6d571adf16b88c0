
/*
 * Copyright (C) the wa_gateway authors
 */


#ifndef _WAG_KEEPALIVE_CONF_H_INCLUDED_
#define _WAG_KEEPALIVE_CONF_H_INCLUDED_


#include "wag_upstream.h"


/*
 * The handler of "wa_gateway_keepalive", and what holds without it.
 */
char *wag_keepalive_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
ngx_int_t wag_keepalive_conf_finish(ngx_conf_t *cf, wag_upstream_t *us);

/*
 * Turns off what nginx 1.29.7 and newer keep in every upstream, before it is
 * set up; "keepalive" in the configuration stays as it is.
 */
void wag_keepalive_conf_disable_builtin(ngx_conf_t *cf,
    ngx_http_upstream_srv_conf_t *uscf);


#endif /* _WAG_KEEPALIVE_CONF_H_INCLUDED_ */
