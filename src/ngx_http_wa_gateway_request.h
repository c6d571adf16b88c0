
/*
 * Copyright (C) the wa_gateway authors
 */


#ifndef _NGX_HTTP_WA_GATEWAY_REQUEST_H_INCLUDED_
#define _NGX_HTTP_WA_GATEWAY_REQUEST_H_INCLUDED_


#include "ngx_http_wa_gateway_module.h"


/*
 * The context of a request, or NULL if it has none.  Unlike a bare module
 * context it outlives internal redirects: as in ngx_http_realip_module, a
 * cleanup of the request's pool holds it.
 */
ngx_http_wa_gateway_ctx_t *ngx_http_wa_gateway_request_find(
    ngx_http_request_t *r);

/*
 * The same, made if there is none; NULL if there is no memory.
 */
ngx_http_wa_gateway_ctx_t *ngx_http_wa_gateway_request_get(
    ngx_http_request_t *r);

/*
 * Takes note of what upstreams that are not the module's did with the request
 * since one of the module's had it: that an instance got it is not known then,
 * nor that it did not.  A 2xx of theirs that led here sends it on.
 */
void ngx_http_wa_gateway_request_others(ngx_http_wa_gateway_ctx_t *ctx);

/*
 * The attempts so far were the module's own.
 */
void ngx_http_wa_gateway_request_own(ngx_http_wa_gateway_ctx_t *ctx);

/*
 * Adds $wa_gateway_instance, _attempts, _state and _sent.
 */
ngx_int_t ngx_http_wa_gateway_request_variables(ngx_conf_t *cf);


#endif /* _NGX_HTTP_WA_GATEWAY_REQUEST_H_INCLUDED_ */
