
/*
 * Copyright (C) the wa_gateway authors
 *
 * "session", "route" and "drop" in the block of a vendor.
 */


#ifndef _WAG_ROUTE_CONF_H_INCLUDED_
#define _WAG_ROUTE_CONF_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_route.h"


ngx_int_t wag_route_conf_init(ngx_pool_t *pool, wag_routes_t *routes);

/*
 * The directives, "conf" is the wag_routes_t.  NGX_CONF_OK, NGX_CONF_ERROR or
 * what is wrong with the directive.
 */
char *wag_route_conf_session(ngx_conf_t *cf, void *conf);
char *wag_route_conf_route(ngx_conf_t *cf, void *conf);
char *wag_route_conf_drop(ngx_conf_t *cf, void *conf);

/*
 * What only all of the block can tell.  NGX_ERROR: it is wrong, which is
 * logged.
 */
ngx_int_t wag_route_conf_check(ngx_conf_t *cf, wag_routes_t *routes);


#endif /* _WAG_ROUTE_CONF_H_INCLUDED_ */
