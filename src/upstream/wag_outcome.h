
/*
 * Copyright (C) the wa_gateway authors
 */


#ifndef _WAG_OUTCOME_H_INCLUDED_
#define _WAG_OUTCOME_H_INCLUDED_


#include "wag_ctx.h"


/*
 * Judges an attempt when it is over, from what ngx_http_upstream left in u
 * and the connection, since peer.free() learns too little: it is called with
 * state 0 for a POST answered with 500, for an answer cut short, and for a
 * client that went away.  Sets ctx->outcome, ctx->status, ctx->sent and
 * ctx->written, and ctx->failure and ctx->reason of one that failed.
 */
void wag_outcome_judge(wag_ctx_t *ctx, ngx_peer_connection_t *pc,
    ngx_uint_t state);

/*
 * Counts the attempt and tells the state machine, which may mark the instance.
 */
void wag_outcome_score(wag_ctx_t *ctx);


#endif /* _WAG_OUTCOME_H_INCLUDED_ */
