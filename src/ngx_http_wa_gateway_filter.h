
/*
 * Copyright (C) the wa_gateway authors
 */


#ifndef _NGX_HTTP_WA_GATEWAY_FILTER_H_INCLUDED_
#define _NGX_HTTP_WA_GATEWAY_FILTER_H_INCLUDED_


#include "ngx_http_wa_gateway_module.h"


/*
 * Puts the module's header and body filters before those there are.
 */
void ngx_http_wa_gateway_filter_init(void);


#endif /* _NGX_HTTP_WA_GATEWAY_FILTER_H_INCLUDED_ */
