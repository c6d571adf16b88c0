
/*
 * Copyright (C) the wa_gateway authors
 */


#ifndef _NGX_HTTP_WA_GATEWAY_BALANCER_H_INCLUDED_
#define _NGX_HTTP_WA_GATEWAY_BALANCER_H_INCLUDED_


#include "ngx_http_wa_gateway_module.h"


/*
 * peer.init_upstream and peer.init of an upstream with wa_gateway, see
 * ngx_http_upstream_init_main_conf() and ngx_http_upstream_init_request().
 */
ngx_int_t ngx_http_wa_gateway_balancer_init(ngx_conf_t *cf,
    ngx_http_upstream_srv_conf_t *uscf);


#endif /* _NGX_HTTP_WA_GATEWAY_BALANCER_H_INCLUDED_ */
