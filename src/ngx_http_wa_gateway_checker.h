
/*
 * Copyright (C) the wa_gateway authors
 */


#ifndef _NGX_HTTP_WA_GATEWAY_CHECKER_H_INCLUDED_
#define _NGX_HTTP_WA_GATEWAY_CHECKER_H_INCLUDED_


#include "ngx_http_wa_gateway_module.h"


/*
 * Starts what this worker does for an upstream by the clock: the checks of
 * its share of the instances, and the end of ejections and slow starts.
 */
ngx_int_t ngx_http_wa_gateway_checker_start(ngx_cycle_t *cycle,
    ngx_http_wa_gateway_upstream_t *us);

/*
 * Ends it, with the checks under way.
 */
void ngx_http_wa_gateway_checker_stop(ngx_http_wa_gateway_upstream_t *us);


#endif /* _NGX_HTTP_WA_GATEWAY_CHECKER_H_INCLUDED_ */
