
/*
 * Copyright (C) the wa_gateway authors
 */


#ifndef _NGX_HTTP_WA_GATEWAY_PEERS_H_INCLUDED_
#define _NGX_HTTP_WA_GATEWAY_PEERS_H_INCLUDED_


#include "ngx_http_wa_gateway_module.h"


/*
 * The handler of "wa_gateway_instances": adds a server for each URL.
 */
char *ngx_http_wa_gateway_peers_instances(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * Makes the peers of an upstream from its servers, one for each of them
 * whatever the number of addresses.  Errors are logged.
 */
ngx_int_t ngx_http_wa_gateway_peers_create(ngx_conf_t *cf,
    ngx_http_wa_gateway_upstream_t *us);


#endif /* _NGX_HTTP_WA_GATEWAY_PEERS_H_INCLUDED_ */
