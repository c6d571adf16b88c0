
/*
 * Copyright (C) the wa_gateway authors
 *
 * A send that waits, between the choice of a peer and its connection, until
 * the keeper of its upstream has its claim: see wag_keeper.h.
 */


#ifndef _WAG_CONFIRM_H_INCLUDED_
#define _WAG_CONFIRM_H_INCLUDED_


#include "wag_ctx.h"
#include "wag_idempotency.h"


/*
 * To be called by peer.get when a peer was chosen, or for a request that only
 * looks.  NGX_OK: it may be written to, as it was claimed or needs no claim;
 * NGX_AGAIN, to be returned: the request waits, peer.get is called again;
 * NGX_DECLINED: it must not be written, ctx->refusal says why; NGX_ERROR: as
 * that, for lack of memory.
 */
ngx_int_t wag_confirm_begin(wag_ctx_t *ctx, ngx_peer_connection_t *pc);

/*
 * Whether the request waits, and what came of that: NGX_OK, NGX_DECLINED as
 * above.  To be called by peer.get before anything else.
 */
#define wag_confirm_waits(ctx)                                                \
    ((ctx)->idempotent && (ctx)->idempotent->waits)

ngx_int_t wag_confirm_resume(wag_ctx_t *ctx, ngx_peer_connection_t *pc);

/*
 * The request ends while it waits.
 */
void wag_confirm_cancel(wag_ctx_t *ctx);


#endif /* _WAG_CONFIRM_H_INCLUDED_ */
