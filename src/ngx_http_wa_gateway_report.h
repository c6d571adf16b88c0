
/*
 * Copyright (C) the wa_gateway authors
 */


#ifndef _NGX_HTTP_WA_GATEWAY_REPORT_H_INCLUDED_
#define _NGX_HTTP_WA_GATEWAY_REPORT_H_INCLUDED_


#include "ngx_http_wa_gateway_module.h"
#include "ngx_http_wa_gateway_stream.h"


/*
 * Produces the JSON of /status from the snapshot that is the stream's data.
 */
ngx_int_t ngx_http_wa_gateway_report_produce(
    ngx_http_wa_gateway_stream_t *stream);


#endif /* _NGX_HTTP_WA_GATEWAY_REPORT_H_INCLUDED_ */
