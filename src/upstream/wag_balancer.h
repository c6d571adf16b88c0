
/*
 * Copyright (C) the wa_gateway authors
 */


#ifndef _WAG_BALANCER_H_INCLUDED_
#define _WAG_BALANCER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/*
 * peer.init_upstream and peer.init of an upstream with wa_gateway, see
 * ngx_http_upstream_init_main_conf() and ngx_http_upstream_init_request().
 */
ngx_int_t wag_balancer_init(ngx_conf_t *cf,
    ngx_http_upstream_srv_conf_t *uscf);


#endif /* _WAG_BALANCER_H_INCLUDED_ */
