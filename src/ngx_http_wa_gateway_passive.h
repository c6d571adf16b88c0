
/*
 * Copyright (C) the wa_gateway authors
 */


#ifndef _NGX_HTTP_WA_GATEWAY_PASSIVE_H_INCLUDED_
#define _NGX_HTTP_WA_GATEWAY_PASSIVE_H_INCLUDED_


#include "ngx_http_wa_gateway_module.h"


/*
 * The handler of "wa_gateway_passive", and the policy that follows from it,
 * or from the defaults without it.
 */
char *ngx_http_wa_gateway_passive(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
ngx_int_t ngx_http_wa_gateway_passive_finish(ngx_conf_t *cf,
    ngx_http_wa_gateway_upstream_t *us);


#endif /* _NGX_HTTP_WA_GATEWAY_PASSIVE_H_INCLUDED_ */
