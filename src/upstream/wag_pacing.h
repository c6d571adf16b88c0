
/*
 * Copyright (C) the wa_gateway authors
 *
 * What a send spends of the budget of its number, when it waits for that, and
 * when it gives it back.
 */


#ifndef _WAG_PACING_H_INCLUDED_
#define _WAG_PACING_H_INCLUDED_


#include "wag_pace.h"
#include "wag_routing.h"
#include "wag_share.h"


struct wag_pacing_s {
    wag_pace_claim_t     claim;
    wag_share_t         *share;      /* NULL: budgets are in the zone */
    wag_pace_view_t      view;       /* after the claim */
    ngx_msec_t           viewed;     /* when that was */

    uint64_t             next;       /* number that has budget first */
    ngx_msec_t           wait;       /* ms, until then */
    ngx_uint_t           reason;     /* PACED_NUMBER ... */

    ngx_msec_t           arrived;
    ngx_msec_t           due;        /* of one that is held */

    unsigned             current:1;  /* the view, for a second */
    unsigned             claimed:1;
    unsigned             shared:1;   /* the claim is in the store */
    unsigned             unsent:1;   /* an attempt proved that */
    unsigned             asked:1;    /* an instance, with the claim */
    unsigned             short_of:1; /* budget: next, wait, reason are set */
    unsigned             pinned:1;   /* it waited for this number */
    unsigned             races:4;    /* that others were faster in */
    unsigned             refused:1;  /* wait is for Retry-After */
};


/*
 * Begins, once a request is judged.  NGX_ERROR if there is no memory.
 */
ngx_int_t wag_pacing_init(wag_ctx_t *ctx);

/*
 * Takes what a send by this session, of that instance alone if it is NULL,
 * needs.  NGX_OK; NGX_BUSY: there is no budget now; NGX_DECLINED: it has
 * waited for another number.
 */
ngx_int_t wag_pacing_take(wag_ctx_t *ctx, wag_peer_t *peer,
    wag_known_t *known);

/*
 * Where all that could send are short of budget.  NGX_AGAIN: it is held, and
 * is chosen for anew then; NGX_DONE: it is to be chosen for anew at once;
 * NGX_BUSY: it is refused, as ctx->refusal tells; NGX_DECLINED: it is not
 * that; NGX_ERROR.
 */
ngx_int_t wag_pacing_hold(wag_ctx_t *ctx, ngx_peer_connection_t *pc);

/*
 * A held one goes on, or none was held: NGX_OK; NGX_BUSY: its time has not
 * come, as the worker ends; NGX_AGAIN: it is held for longer; NGX_DECLINED: it
 * is refused, as ctx->refusal tells; NGX_ERROR.
 */
ngx_int_t wag_pacing_resume(wag_ctx_t *ctx, ngx_peer_connection_t *pc);

/*
 * What it waited for cannot be asked any more: any will do.  Returns 0 if that
 * was so before.
 */
ngx_uint_t wag_pacing_unpin(wag_ctx_t *ctx);

/*
 * What is left of the budgets that it has claimed from, or would have; 0 if
 * there is no number.
 */
ngx_uint_t wag_pacing_look(wag_ctx_t *ctx, wag_pace_view_t *view);

/*
 * The attempt that proved nothing is made again, with what it has taken.
 */
void wag_pacing_again(wag_ctx_t *ctx);

/*
 * What came of an attempt, and that there is none after it.
 */
void wag_pacing_attempt(wag_ctx_t *ctx, ngx_uint_t unsent);
void wag_pacing_end(wag_ctx_t *ctx);


#endif /* _WAG_PACING_H_INCLUDED_ */
