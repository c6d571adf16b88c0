
/*
 * Copyright (C) the wa_gateway authors
 */


#ifndef _WAG_SERVERS_H_INCLUDED_
#define _WAG_SERVERS_H_INCLUDED_


#include "wag_upstream.h"


/*
 * The handler of "wa_gateway_instances": adds a server for each URL.
 */
char *wag_servers_instances(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/*
 * Makes the peers of an upstream from its servers, one for each of them
 * whatever the number of addresses.  Errors are logged.
 */
ngx_int_t wag_servers_create(ngx_conf_t *cf, wag_upstream_t *us);


/*
 * The scheme that the URLs of all instances have, if it was given; else the
 * one that "server" lines are called by.
 */
ngx_str_t *wag_servers_scheme(wag_upstream_t *us);


#endif /* _WAG_SERVERS_H_INCLUDED_ */
