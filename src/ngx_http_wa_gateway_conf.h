
/*
 * Copyright (C) the wa_gateway authors
 */


#ifndef _NGX_HTTP_WA_GATEWAY_CONF_H_INCLUDED_
#define _NGX_HTTP_WA_GATEWAY_CONF_H_INCLUDED_


#include "ngx_http_wa_gateway_module.h"


/*
 * The callbacks of the module's context and the handlers of its directives,
 * see ngx_http_module_t and ngx_command_t.
 */
void *ngx_http_wa_gateway_conf_create_main(ngx_conf_t *cf);
void *ngx_http_wa_gateway_conf_create_upstream(ngx_conf_t *cf);
void *ngx_http_wa_gateway_conf_create_location(ngx_conf_t *cf);
char *ngx_http_wa_gateway_conf_merge_location(ngx_conf_t *cf, void *parent,
    void *child);

/*
 * Completes the upstreams when all of the configuration is read.
 */
ngx_int_t ngx_http_wa_gateway_conf_finish(ngx_conf_t *cf);

char *ngx_http_wa_gateway_conf_upstream(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_wa_gateway_conf_status(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_wa_gateway_conf_health(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_wa_gateway_conf_metrics(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


#endif /* _NGX_HTTP_WA_GATEWAY_CONF_H_INCLUDED_ */
