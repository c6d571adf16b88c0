
/*
 * Copyright (C) the wa_gateway authors
 *
 * Idle connections, kept by instance: to find one costs the same for any
 * number of instances, where ngx_http_upstream_keepalive_module searches one
 * cache from end to end, and one of another name at the same address is never
 * taken.
 */


#ifndef _WAG_KEEPALIVE_H_INCLUDED_
#define _WAG_KEEPALIVE_H_INCLUDED_


#include "wag_ctx.h"


/*
 * What "wa_gateway_keepalive" stands for where nothing is said of it, or NULL
 * if there is no memory.
 */
wag_keepalive_t *wag_keepalive_create(ngx_conf_t *cf);

/*
 * Takes an idle connection to an address of the peer, as peer.get() would
 * return it: NGX_DONE, or NGX_DECLINED if there is none.  One that the
 * instance has closed is not taken.
 */
ngx_int_t wag_keepalive_take(wag_ctx_t *ctx, ngx_peer_connection_t *pc);

/*
 * Keeps the connection of an attempt that was answered, if it may be kept;
 * pc->connection is NULL then.
 */
void wag_keepalive_put(wag_ctx_t *ctx, ngx_peer_connection_t *pc);


/*
 * Closes all idle connections to an instance that is no longer there.
 */
void wag_keepalive_leave(wag_upstream_t *us, wag_peer_t *peer);


#endif /* _WAG_KEEPALIVE_H_INCLUDED_ */
