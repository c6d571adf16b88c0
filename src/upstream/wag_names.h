
/*
 * Copyright (C) the wa_gateway authors
 *
 * Names of instances: which of them need a name server, and which one that is.
 */


#ifndef _WAG_NAMES_H_INCLUDED_
#define _WAG_NAMES_H_INCLUDED_


#include "wag_upstream.h"


/*
 * The text of the hosts file, from the pool; empty if there is none or it
 * cannot be read, which is logged.
 */
void wag_names_hosts(ngx_pool_t *pool, ngx_str_t *hosts);

/*
 * Finds the addresses of a URL that was parsed with "no_resolve", as far as
 * that needs no name server: numbers, names of the hosts file, "localhost".
 * NGX_OK, also if there are none: then the host is to be looked up.
 * NGX_DECLINED: u->err tells what is wrong; NGX_ERROR: no memory.
 */
ngx_int_t wag_names_pin(ngx_pool_t *pool, ngx_url_t *u, ngx_str_t *hosts);

/*
 * Gives an upstream whose servers are known the resolver that it needs, that
 * of its block, of "http", or of the system.  Errors are logged.
 */
ngx_int_t wag_names_finish(ngx_conf_t *cf, wag_upstream_t *us);


#endif /* _WAG_NAMES_H_INCLUDED_ */
