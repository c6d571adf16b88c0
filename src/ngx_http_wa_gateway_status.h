
/*
 * Copyright (C) the wa_gateway authors
 */


#ifndef _NGX_HTTP_WA_GATEWAY_STATUS_H_INCLUDED_
#define _NGX_HTTP_WA_GATEWAY_STATUS_H_INCLUDED_


#include "ngx_http_wa_gateway_module.h"


/*
 * Content handlers of "wa_gateway_status" and "wa_gateway_health": JSON, the
 * same from any worker; no lock is held while it is made.
 */
ngx_int_t ngx_http_wa_gateway_status_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_wa_gateway_health_handler(ngx_http_request_t *r);


#endif /* _NGX_HTTP_WA_GATEWAY_STATUS_H_INCLUDED_ */
