
/*
 * Copyright (C) the wa_gateway authors
 *
 * A send asks the store of its upstream for a budget, and for its key with the
 * same call.
 */


#ifndef _WAG_SHARE_H_INCLUDED_
#define _WAG_SHARE_H_INCLUDED_


#include "wag_ctx.h"
#include "wag_pace.h"
#include "wag_store_claims.h"


typedef struct wag_share_s  wag_share_t;


struct wag_share_s {
    ngx_http_request_t  *request;
    wag_store_t         *store;
    wag_store_ask_t     *ask;
    wag_store_rules_t    rules;

    uint64_t             numbers[WAG_STORE_NUMBERS];
    ngx_uint_t           nnumbers;   /* that would do */

    wag_store_found_t    found;      /* what was told */
    wag_store_spent_t    spent;      /* and is not given back */
    wag_pace_view_t      view;       /* of the number that was found */

    unsigned             waits:1;    /* for the store */
    unsigned             told:1;     /* by that */
    unsigned             keyed:1;    /* asked for its key as well */
    unsigned             alone:1;    /* the store is away, and not missed */
};


/*
 * NULL if there is no memory.
 */
wag_share_t *wag_share_create(wag_ctx_t *ctx);

/*
 * Whether budgets are those of the store.
 */
ngx_uint_t wag_share_counts(wag_share_t *share);

/*
 * A number that would do, those in turn first: a store is asked for as many as
 * there is room for.
 */
void wag_share_want(wag_share_t *share, uint64_t number);

/*
 * Asks for the numbers, and lets the request wait.  NGX_AGAIN, to be returned
 * by peer.get; NGX_DECLINED: it is refused, see ctx->refusal; NGX_ERROR.
 * "patience" is the longest time that a budget may be waited for.
 */
ngx_int_t wag_share_ask(wag_ctx_t *ctx, wag_share_t *share,
    ngx_peer_connection_t *pc, wag_pace_claim_t *claim, ngx_msec_t patience);

/*
 * What was told of it, once the request goes on: NGX_OK: share->spent has it,
 * to be used in share->found.wait us; NGX_BUSY: there is no budget in time;
 * NGX_DECLINED: it is refused, see ctx->refusal; NGX_AGAIN: it is to choose
 * without the store.
 */
ngx_int_t wag_share_resume(wag_ctx_t *ctx, wag_share_t *share);

/*
 * The request ends while it waits.
 */
void wag_share_cancel(wag_ctx_t *ctx, wag_share_t *share);

/*
 * Gives back what is spent.
 */
void wag_share_return(wag_ctx_t *ctx, wag_share_t *share);


#endif /* _WAG_SHARE_H_INCLUDED_ */
