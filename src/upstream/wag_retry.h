
/*
 * Copyright (C) the wa_gateway authors
 *
 * At most once: who is asked after an attempt that failed, if anybody.
 */


#ifndef _WAG_RETRY_H_INCLUDED_
#define _WAG_RETRY_H_INCLUDED_


#include "wag_ctx.h"


/*
 * Called once for each attempt that is over, judged before.  Scores it, and
 * sets pc->tries: 0, or more if there is to be another attempt, which is only
 * where not one byte of the request was written or it may be repeated.
 */
void wag_retry_decide(wag_ctx_t *ctx, ngx_peer_connection_t *pc,
    ngx_uint_t state);

/*
 * Scores an attempt that the same peer was to be asked again after, when
 * nginx did not let it.
 */
void wag_retry_declined(wag_ctx_t *ctx);

/*
 * Whether the request was at this peer before.
 */
ngx_uint_t wag_retry_tried(wag_ctx_t *ctx, wag_peer_t *peer);

/*
 * Whether the request may be repeated though it was written: a safe method
 * (RFC 9110, 9.2.1) and "retry=idempotent".
 */
ngx_uint_t wag_retry_repeatable(wag_ctx_t *ctx);


#endif /* _WAG_RETRY_H_INCLUDED_ */
