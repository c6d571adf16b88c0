
/*
 * Copyright (C) the wa_gateway authors
 */


#ifndef _NGX_HTTP_WA_GATEWAY_METRICS_H_INCLUDED_
#define _NGX_HTTP_WA_GATEWAY_METRICS_H_INCLUDED_


#include "ngx_http_wa_gateway_module.h"


/*
 * The content handler of "wa_gateway_metrics": all upstreams with wa_gateway,
 * in Prometheus' text format 0.0.4.
 */
ngx_int_t ngx_http_wa_gateway_metrics_handler(ngx_http_request_t *r);


#endif /* _NGX_HTTP_WA_GATEWAY_METRICS_H_INCLUDED_ */
