
/*
 * Copyright (C) the wa_gateway authors
 *
 * A request that waits in the upstream module, between the choice of a peer
 * and its connection.
 */


#ifndef _WAG_HOLD_H_INCLUDED_
#define _WAG_HOLD_H_INCLUDED_


#include "wag_ctx.h"


/*
 * To be returned by peer.get: NGX_AGAIN; NGX_ERROR.  After so many ms, or
 * once it is woken, peer.get is called again.  With "watch" a client that
 * leaves loses its place.
 */
ngx_int_t wag_hold_begin(wag_ctx_t *ctx, ngx_peer_connection_t *pc,
    ngx_msec_t wait, ngx_uint_t watch);

/*
 * It need not wait any longer: it goes on in the event loop, not from within.
 */
void wag_hold_wake(wag_ctx_t *ctx);

/*
 * To be called by peer.get then.  NGX_DECLINED: it was not held.
 */
ngx_int_t wag_hold_end(wag_ctx_t *ctx, ngx_peer_connection_t *pc);


#endif /* _WAG_HOLD_H_INCLUDED_ */
