
/*
 * Copyright (C) the wa_gateway authors
 */


#ifndef _WAG_STORE_CONF_H_INCLUDED_
#define _WAG_STORE_CONF_H_INCLUDED_


#include "wag_upstream.h"


/*
 * wa_gateway_store URL [prefix=] [timeout=] [on_error=refuse|local]; in http
 * and in an upstream.
 */
char *wag_store_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *wag_store_conf_main(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/*
 * Once the upstream is read: it has a store of its own, or that of http, as
 * far as it has what goes there.
 */
void wag_store_conf_finish(ngx_conf_t *cf, wag_upstream_t *us);


#endif /* _WAG_STORE_CONF_H_INCLUDED_ */
