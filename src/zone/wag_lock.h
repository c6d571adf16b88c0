
/*
 * Copyright (C) the wa_gateway authors
 */


#ifndef _WAG_LOCK_H_INCLUDED_
#define _WAG_LOCK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/*
 * Takes the mutex of a zone, from its owner too if that one is dead.
 *
 * ngx_unlock_mutexes() in os/unix/ngx_process.c does the latter only where
 * the master gets its signals, not while it reads a new configuration, and
 * only for the zones of the configuration in force.
 */
void wag_lock(ngx_slab_pool_t *shpool);

void wag_unlock(ngx_slab_pool_t *shpool);


#endif /* _WAG_LOCK_H_INCLUDED_ */
