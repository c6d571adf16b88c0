
/*
 * Copyright (C) the wa_gateway authors
 *
 * A send with a key: it is claimed before anything is written, and what came
 * of it is what every repeat gets.
 */


#ifndef _WAG_IDEMPOTENCY_H_INCLUDED_
#define _WAG_IDEMPOTENCY_H_INCLUDED_


#include "wag_ctx.h"
#include "wag_keeper.h"
#include "wag_marks.h"
#include "wag_proof.h"


struct wag_idempotent_s {
    wag_marks_zone_t    *zone;
    wag_marks_key_t      key;

    wag_keeper_t        *keeper;   /* NULL: there is none */
    wag_keeper_claim_t   claim;    /* of that, see wag_confirm.h */
    ngx_http_request_t  *request;  /* ditto */

    ngx_uint_t           refusal;  /* of one that looks */
    ngx_str_t            answer;   /* of before, as it was stored */

    wag_proof_t         *proof;    /* of a native answer that comes */
    ngx_uint_t           status;   /* of the answer that goes out */
    u_char              *buf;      /* that answer, to be stored */
    u_char              *last;
    u_char              *end;
    ngx_str_t            instead;  /* of a body that is too long */

    unsigned             open:1;   /* claimed, nothing came of it yet */
    unsigned             looks:1;  /* refused, but for what others keep */
    unsigned             waits:1;  /* for its keeper */
    unsigned             told:1;   /* by that */
    unsigned             kept:1;   /* claimed there */
    unsigned             known:1;  /* there is an answer of before */
    unsigned             begun:1;  /* an answer goes out */
    unsigned             cut:1;    /* there was more than is kept */
};


/*
 * For a request that was judged, "rc" being what came of that: NGX_OK: it is
 * sent; NGX_DECLINED: ctx->refusal says why not, WAG_REFUSED_REPLAYED is an
 * answer of before; NGX_ERROR if there is no memory.
 */
ngx_int_t wag_idempotency_claim(wag_ctx_t *ctx, ngx_int_t rc);

/*
 * Whether a claim of the request waits for its outcome.
 */
#define wag_idempotency_is_open(ctx)                                          \
    ((ctx)->idempotent && (ctx)->idempotent->open)

/*
 * Whether the request is refused unless its keeper knows what came of it.
 */
#define wag_idempotency_looks(ctx)                                            \
    ((ctx)->idempotent && (ctx)->idempotent->looks)

/*
 * The keeper knows nothing of it: ctx->refusal is what it was before the look.
 */
void wag_idempotency_stay_refused(wag_ctx_t *ctx);

/*
 * im->claim says that another one has the key, or that it cannot be kept: the
 * claim in the zone is given up.  NGX_DECLINED: ctx->refusal says what for;
 * NGX_ERROR.
 */
ngx_int_t wag_idempotency_lost(wag_ctx_t *ctx);

/*
 * Ends it: the answer that was begun is whole, or it never will be.
 */
void wag_idempotency_end(wag_ctx_t *ctx, ngx_uint_t whole);


#endif /* _WAG_IDEMPOTENCY_H_INCLUDED_ */
