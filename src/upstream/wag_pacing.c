
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_generic.h"
#include "wag_hold.h"
#include "wag_pacing.h"


/* how often a number that another worker was faster at is chosen for anew */

#define WAG_PACING_RACES  15


static uint64_t wag_pacing_number(wag_ctx_t *ctx, wag_peer_t *peer,
    wag_known_t *known);
static wag_known_t *wag_pacing_only(wag_upstream_t *us, wag_peer_t *peer);
static ngx_msec_t wag_pacing_patience(wag_ctx_t *ctx);
static ngx_int_t wag_pacing_ask(wag_ctx_t *ctx, ngx_peer_connection_t *pc);
static ngx_int_t wag_pacing_told(wag_ctx_t *ctx, ngx_peer_connection_t *pc);
static ngx_int_t wag_pacing_wait(wag_ctx_t *ctx, ngx_peer_connection_t *pc);
static void wag_pacing_refuse(wag_ctx_t *ctx);
static void wag_pacing_return(wag_ctx_t *ctx);


ngx_int_t
wag_pacing_init(wag_ctx_t *ctx)
{
    wag_pacing_t  *pacing;

    if (ctx->upstream->pace == NULL
        || ctx->routing->judgement.kind != WAG_ROUTE_SEND)
    {
        return NGX_OK;
    }

    pacing = ngx_pcalloc(ctx->request->pool, sizeof(wag_pacing_t));
    if (pacing == NULL) {
        return NGX_ERROR;
    }

    pacing->arrived = ngx_current_msec;

    if (ctx->generic) {
        wag_pace_to(&pacing->claim, &ctx->generic->message->to);

    } else if (ctx->routing->judgement.to.id.len) {
        wag_pace_to(&pacing->claim, &ctx->routing->judgement.to);
    }

    if (ctx->upstream->store) {
        pacing->share = wag_share_create(ctx);
        if (pacing->share == NULL) {
            return NGX_ERROR;
        }
    }

    ctx->pacing = pacing;

    return NGX_OK;
}


/*
 * What the attempt before has claimed is kept until there is another claim:
 * the next instance may have the same number.
 */

ngx_int_t
wag_pacing_take(wag_ctx_t *ctx, wag_peer_t *peer, wag_known_t *known)
{
    uint64_t           number;
    ngx_msec_t         wait;
    ngx_uint_t         reason;
    wag_pacing_t      *pacing;
    wag_pace_claim_t   claim;

    pacing = ctx->pacing;

    if (pacing == NULL) {
        return NGX_OK;
    }

    number = wag_pacing_number(ctx, peer, known);

    if (pacing->claimed && pacing->claim.number == number) {
        pacing->unsent = 0;
        pacing->asked = 1;

        return NGX_OK;
    }

    if (pacing->pinned) {
        return NGX_DECLINED;
    }

    if (pacing->share && wag_share_counts(pacing->share)) {
        wag_share_want(pacing->share, number);
        pacing->short_of = 1;

        return NGX_BUSY;
    }

    claim = pacing->claim;
    claim.number = number;

    if (wag_pace_claim(ctx->upstream->pace, &claim, 0, &wait, &reason,
                       &pacing->view)
        != NGX_OK)
    {
        if (!pacing->short_of || wait < pacing->wait) {
            pacing->next = number;
            pacing->wait = wait;
            pacing->reason = reason;
        }

        pacing->short_of = 1;

        return NGX_BUSY;
    }

    wag_pacing_return(ctx);

    pacing->claim = claim;
    pacing->viewed = ngx_current_msec;
    pacing->current = 1;
    pacing->claimed = 1;
    pacing->unsent = 0;
    pacing->asked = 1;

    return NGX_OK;
}


static uint64_t
wag_pacing_number(wag_ctx_t *ctx, wag_peer_t *peer, wag_known_t *known)
{
    ngx_str_t  name;

    if (known == NULL) {
        known = wag_pacing_only(ctx->upstream, peer);
    }

    if (known && known->number) {
        return known->number;
    }

    ngx_str_null(&name);

    if (known) {
        wag_known_name(known, &name);
    }

    return wag_pace_number(&peer->name, &name);
}


/* a native send that names no session is by the only one, if there is one */

static wag_known_t *
wag_pacing_only(wag_upstream_t *us, wag_peer_t *peer)
{
    wag_known_t  *known;

    if (wag_known_of_slot(us, peer->slot) != 1) {
        return NULL;
    }

    known = NULL;

    while ((known = wag_known_next(us, known))) {
        if (known->slot == peer->slot) {
            return known;
        }
    }

    return NULL;
}


ngx_int_t
wag_pacing_hold(wag_ctx_t *ctx, ngx_peer_connection_t *pc)
{
    ngx_msec_t         max, patience;
    wag_pacing_t      *pacing;
    wag_pace_claim_t   claim;

    pacing = ctx->pacing;

    if (pacing == NULL || !pacing->short_of) {
        return NGX_DECLINED;
    }

    pacing->short_of = 0;

    if (pacing->share && pacing->share->nnumbers) {
        return wag_pacing_ask(ctx, pc);
    }

    patience = wag_pacing_patience(ctx);

    if (pacing->wait > patience) {
        wag_pacing_refuse(ctx);
        return NGX_BUSY;
    }

    claim = pacing->claim;
    claim.number = pacing->next;

    /* another worker may have taken it since: the next number is as good */

    max = (pacing->races < WAG_PACING_RACES) ? pacing->wait : patience;

    if (wag_pace_claim(ctx->upstream->pace, &claim, max, &pacing->wait,
                       &pacing->reason, &pacing->view)
        == NGX_OK)
    {
        wag_pacing_return(ctx);

        pacing->claim = claim;
        pacing->current = 0;
        pacing->claimed = 1;

        return wag_pacing_wait(ctx, pc);
    }

    if (pacing->races < WAG_PACING_RACES) {
        pacing->races++;
        return NGX_DONE;
    }

    wag_pacing_refuse(ctx);

    return NGX_BUSY;
}


/* for the time of pacing->wait, with what was claimed */

static ngx_int_t
wag_pacing_wait(wag_ctx_t *ctx, ngx_peer_connection_t *pc)
{
    ngx_int_t      rc;
    wag_pacing_t  *pacing;

    pacing = ctx->pacing;

    pacing->asked = 0;
    pacing->unsent = 1;
    pacing->pinned = 1;
    pacing->due = ngx_current_msec + pacing->wait;

    rc = wag_hold_begin(ctx, pc, pacing->wait, 1);

    if (rc == NGX_AGAIN) {
        (void) ngx_atomic_fetch_add(&ctx->upstream->group->held, 1);
    }

    return rc;
}


static void
wag_pacing_refuse(wag_ctx_t *ctx)
{
    wag_pacing_t  *pacing;

    pacing = ctx->pacing;

    (void) ngx_atomic_fetch_add(&ctx->upstream->group->paced[pacing->reason],
                                1);

    pacing->refused = 1;
    ctx->refusal = WAG_REFUSED_PACED;
}


/* of all that could send, those that have budget are known to the store */

static ngx_int_t
wag_pacing_ask(wag_ctx_t *ctx, ngx_peer_connection_t *pc)
{
    ngx_int_t      rc;
    wag_pacing_t  *pacing;

    pacing = ctx->pacing;

    rc = wag_share_ask(ctx, pacing->share, pc, &pacing->claim,
                       wag_pacing_patience(ctx));

    pacing->share->nnumbers = 0;

    if (rc == NGX_AGAIN && pacing->share->alone) {

        /* what is chosen for anew has the budgets of this gateway */

        pacing->due = ngx_current_msec;

        return wag_hold_begin(ctx, pc, 1, 1);
    }

    return (rc == NGX_DECLINED) ? NGX_BUSY : rc;
}


static ngx_int_t
wag_pacing_told(wag_ctx_t *ctx, ngx_peer_connection_t *pc)
{
    ngx_int_t      rc;
    wag_share_t   *share;
    wag_pacing_t  *pacing;

    pacing = ctx->pacing;
    share = pacing->share;

    if (share->told && share->found.found == WAG_STORE_NONE) {
        wag_pacing_return(ctx);
    }

    rc = wag_share_resume(ctx, share);

    pacing->next = share->found.spent.number;
    pacing->wait = (share->found.wait + 999) / 1000;
    pacing->reason = share->found.reason;

    switch (rc) {

    case NGX_OK:
        pacing->claim.number = pacing->next;
        pacing->claimed = 1;
        pacing->shared = 1;

        if (pacing->wait) {
            return wag_pacing_wait(ctx, pc);
        }

        pacing->asked = 0;
        pacing->unsent = 1;
        pacing->pinned = 1;

        return NGX_OK;

    case NGX_BUSY:
        wag_pacing_refuse(ctx);
        return NGX_DECLINED;

    case NGX_AGAIN:

        /* it is chosen for anew, with the budgets of this gateway */

        return NGX_OK;

    default:
        return rc;
    }
}


static ngx_msec_t
wag_pacing_patience(wag_ctx_t *ctx)
{
    ngx_msec_t  waited, wait;

    wait = ctx->upstream->pace->wait;
    waited = ngx_current_msec - ctx->pacing->arrived;

    return (waited < wait) ? wait - waited : 0;
}


/* the worker may be told to close all connections */

ngx_int_t
wag_pacing_resume(wag_ctx_t *ctx, ngx_peer_connection_t *pc)
{
    if (ctx->pacing) {
        ctx->pacing->short_of = 0;
    }

    if (wag_hold_end(ctx, pc) != NGX_OK) {
        return NGX_OK;
    }

    if (ctx->pacing->share && ctx->pacing->share->waits) {
        return wag_pacing_told(ctx, pc);
    }

    if ((ngx_msec_int_t) (ctx->pacing->due - ngx_current_msec) > 0) {
        wag_pacing_end(ctx);
        return NGX_BUSY;
    }

    return NGX_OK;
}


ngx_uint_t
wag_pacing_unpin(wag_ctx_t *ctx)
{
    if (ctx->pacing == NULL || !ctx->pacing->pinned) {
        return 0;
    }

    ctx->pacing->pinned = 0;

    wag_pacing_end(ctx);

    return 1;
}


ngx_uint_t
wag_pacing_look(wag_ctx_t *ctx, wag_pace_view_t *view)
{
    wag_share_t       *share;
    wag_pacing_t      *pacing;
    wag_pace_claim_t   claim;

    pacing = ctx->pacing;
    share = pacing->share;

    if (pacing->current
        && !pacing->refused
        && ngx_current_msec - pacing->viewed < 1000)
    {
        *view = pacing->view;
        return 1;
    }

    claim = pacing->claim;

    if (pacing->refused) {
        claim.number = pacing->next;
    }

    if (claim.number == 0) {
        return 0;
    }

    if (share && share->told && !share->alone) {
        *view = share->view;
        return 1;
    }

    wag_pace_look(ctx->upstream->pace, &claim, view);

    return 1;
}


void
wag_pacing_again(wag_ctx_t *ctx)
{
    if (ctx->pacing) {
        ctx->pacing->unsent = 0;
    }
}


void
wag_pacing_attempt(wag_ctx_t *ctx, ngx_uint_t unsent)
{
    wag_pacing_t  *pacing;

    pacing = ctx->pacing;

    if (pacing == NULL) {
        return;
    }

    pacing->pinned = 0;
    pacing->unsent = unsent;

    if (!unsent) {
        pacing->claimed = 0;
    }
}


void
wag_pacing_end(wag_ctx_t *ctx)
{
    wag_pacing_t  *pacing;

    pacing = ctx->pacing;

    if (pacing == NULL) {
        return;
    }

    if (pacing->share && pacing->share->waits) {
        wag_share_cancel(ctx, pacing->share);
    }

    if (pacing->unsent || !pacing->asked) {
        wag_pacing_return(ctx);
    }
}


static void
wag_pacing_return(wag_ctx_t *ctx)
{
    wag_pacing_t  *pacing;

    pacing = ctx->pacing;

    if (!pacing->claimed) {
        return;
    }

    pacing->claimed = 0;
    pacing->current = 0;

    if (pacing->shared) {
        pacing->shared = 0;
        wag_share_return(ctx, pacing->share);
        return;
    }

    wag_pace_return(ctx->upstream->pace, &pacing->claim);
}
