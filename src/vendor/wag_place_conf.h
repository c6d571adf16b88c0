
/*
 * Copyright (C) the wa_gateway authors
 *
 * Where a request may name its session: arguments of "session" and "route".
 */


#ifndef _WAG_PLACE_CONF_H_INCLUDED_
#define _WAG_PLACE_CONF_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_routes.h"


/*
 * query=NAME, header=NAME, header=NAME:decoded or body=NAME: one more place.
 * NGX_ERROR: it is wrong, or one too many, which is logged.
 */
ngx_int_t wag_place_conf(ngx_conf_t *cf, ngx_str_t *text, ngx_array_t *places);

/*
 * One more place; "text" is the argument that it is of.  NGX_ERROR as above.
 */
ngx_int_t wag_place_conf_add(ngx_conf_t *cf, ngx_str_t *text,
    wag_place_t *place, ngx_array_t *places);

/*
 * NGX_ERROR: a name of a query is a place, and is dropped, which is logged.
 */
ngx_int_t wag_place_conf_check(ngx_conf_t *cf, ngx_array_t *drop,
    ngx_array_t *places);


#endif /* _WAG_PLACE_CONF_H_INCLUDED_ */
