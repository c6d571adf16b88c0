
/*
 * Copyright (C) the wa_gateway authors
 *
 * The path of a "route", segment by segment.
 */


#ifndef _WAG_SEGMENT_CONF_H_INCLUDED_
#define _WAG_SEGMENT_CONF_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_routes.h"


/*
 * Sets the segments of a route, and "sessions" to how many of them name the
 * session: 0 or 1.  NGX_ERROR: the path is wrong, which is logged.
 */
ngx_int_t wag_segment_conf_path(ngx_conf_t *cf, ngx_str_t *path,
    wag_route_t *route, ngx_uint_t *sessions);


#endif /* _WAG_SEGMENT_CONF_H_INCLUDED_ */
