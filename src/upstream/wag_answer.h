
/*
 * Copyright (C) the wa_gateway authors
 *
 * What a vendor answers to a message, as it comes: what it proves, and what of
 * it the client gets.
 */


#ifndef _WAG_ANSWER_H_INCLUDED_
#define _WAG_ANSWER_H_INCLUDED_


#include "wag_generic.h"


/*
 * A complete header of an answer.  NGX_OK: it goes on to the client;
 * NGX_AGAIN: what follows is wanted, call held() then;
 * NGX_HTTP_UPSTREAM_INVALID_HEADER: it proves that nothing was sent because of
 * the session, so another one may be tried.  NGX_ERROR if there is no memory.
 */
ngx_int_t wag_answer_header(wag_ctx_t *ctx);
ngx_int_t wag_answer_held(wag_ctx_t *ctx);

/*
 * Takes a part of the body.  NGX_ERROR if there is no memory.
 */
ngx_int_t wag_answer_take(wag_ctx_t *ctx, u_char *pos, u_char *last);

/*
 * What was proven, WAG_PROOF_NONE ..., once the answer ended or failed.
 */
ngx_uint_t wag_answer_result(wag_ctx_t *ctx);

/*
 * Whether the attempt ended with the proof that nothing was sent.
 */
ngx_uint_t wag_answer_is_unsent(wag_ctx_t *ctx);

/*
 * Forgets it, for another attempt.
 */
void wag_answer_reset(wag_ctx_t *ctx);


#endif /* _WAG_ANSWER_H_INCLUDED_ */
