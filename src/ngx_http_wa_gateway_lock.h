
/*
 * Copyright (C) the wa_gateway authors
 */


#ifndef _NGX_HTTP_WA_GATEWAY_LOCK_H_INCLUDED_
#define _NGX_HTTP_WA_GATEWAY_LOCK_H_INCLUDED_


#include "ngx_http_wa_gateway_module.h"


/*
 * Takes the mutex of a zone, from its owner too if that one is dead.
 *
 * ngx_unlock_mutexes() in os/unix/ngx_process.c does the latter only where
 * the master gets its signals, not while it reads a new configuration, and
 * only for the zones of the configuration in force.
 */
void ngx_http_wa_gateway_lock(ngx_slab_pool_t *shpool);

void ngx_http_wa_gateway_unlock(ngx_slab_pool_t *shpool);


#endif /* _NGX_HTTP_WA_GATEWAY_LOCK_H_INCLUDED_ */
