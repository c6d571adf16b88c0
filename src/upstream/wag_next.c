
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_answer.h"
#include "wag_fingerprint.h"
#include "wag_idempotency.h"
#include "wag_in_flight.h"
#include "wag_next.h"
#include "wag_pacing.h"
#include "wag_remake.h"
#include "wag_retry.h"
#include "wag_routing.h"
#include "wag_slot_table.h"
#include "wag_transition.h"
#include "wag_write.h"


/* turns to take before looking at each peer: most are full or tried then */

#define WAG_NEXT_TURNS  20


static wag_peer_t *wag_next_again(wag_ctx_t *ctx);
static wag_peer_t *wag_next_another(wag_ctx_t *ctx);
static ngx_int_t wag_next_make(wag_ctx_t *ctx, wag_peer_t *peer);
static wag_peer_t *wag_next_any(wag_ctx_t *ctx);
static wag_peer_t *wag_next_choose(wag_ctx_t *ctx, ngx_uint_t tier);
static ngx_int_t wag_next_take(void *data, wag_peer_t *peer,
    wag_known_t *known);


wag_peer_t *
wag_next_peer(wag_ctx_t *ctx)
{
    wag_peer_t  *peer;

    peer = wag_next_again(ctx);

    if (peer == NULL) {
        peer = wag_next_another(ctx);
    }

    if (peer == NULL && wag_pacing_unpin(ctx)) {

        /* what it waited for has fallen meanwhile */

        peer = wag_next_another(ctx);
    }

    return peer;
}


void
wag_next_let_go(wag_ctx_t *ctx)
{
    /* none was taken by one that only looks */

    if (ctx->peer == NULL) {
        return;
    }

    wag_in_flight_release(ctx->peer);
    wag_pacing_attempt(ctx, 1);

    ctx->attempts--;
    ctx->again = 0;

    (void) ngx_atomic_fetch_add(&ctx->peer->instance->counters.requests, -1);
}


static wag_peer_t *
wag_next_again(wag_ctx_t *ctx)
{
    if (ctx->again) {
        ctx->again = 0;

        if (wag_in_flight_hold(ctx->peer) == NGX_OK) {

            if (ctx->generic && wag_next_make(ctx, ctx->peer) != NGX_OK) {
                wag_in_flight_release(ctx->peer);
                return NULL;
            }

            wag_pacing_again(ctx);

            return ctx->peer;
        }
    }

    return NULL;
}


static wag_peer_t *
wag_next_another(wag_ctx_t *ctx)
{
    wag_peer_t  *peer;

    wag_transition_tick(ctx->upstream);
    wag_slot_table_refresh(ctx->upstream);

    if (!wag_routing_chooses(ctx->routing)) {
        peer = wag_next_any(ctx);

    } else {
        peer = wag_routing_choose(ctx, wag_next_take);
    }

    if (peer && ctx->routing && wag_next_make(ctx, peer) != NGX_OK) {
        wag_in_flight_release(peer);
        wag_pacing_attempt(ctx, 1);
        return NULL;
    }

    return peer;
}


static ngx_int_t
wag_next_make(wag_ctx_t *ctx, wag_peer_t *peer)
{
    if (ctx->generic == NULL) {
        return wag_remake(ctx, peer);
    }

    /* what was written before is another request */

    if (ctx->resend) {
        ctx->resend = 0;

        if (wag_write_reinit(ctx) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    wag_answer_reset(ctx);
    ctx->refusal = WAG_REFUSED_NOT;

    if (wag_idempotency_is_open(ctx)
        && wag_fingerprint_own_id(ctx, peer, &ctx->idempotent->key)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return wag_write(ctx, peer);
}


static wag_peer_t *
wag_next_any(wag_ctx_t *ctx)
{
    ngx_uint_t   tier;
    wag_peer_t  *peer;

    peer = NULL;

    for (tier = 0; peer == NULL && tier < WAG_TIERS; tier++) {
        peer = wag_next_choose(ctx, tier);
    }

    return peer;
}


static wag_peer_t *
wag_next_choose(wag_ctx_t *ctx, ngx_uint_t tier)
{
    ngx_uint_t         i;
    wag_peer_t        *peer;
    wag_slot_table_t  *table;

    table = &ctx->upstream->slot_tables[tier];

    if (table->nslots == 0) {
        return NULL;
    }

    for (i = 0; i < WAG_NEXT_TURNS; i++) {
        peer = wag_slot_table_next(ctx->upstream, tier);

        if (wag_next_take(ctx, peer, NULL) == NGX_OK) {
            return peer;
        }
    }

    for (i = 0; i < table->nslots; i++) {
        peer = &ctx->upstream->slots[table->slots[i]];

        if (wag_next_take(ctx, peer, NULL) == NGX_OK) {
            return peer;
        }
    }

    return NULL;
}


static ngx_int_t
wag_next_take(void *data, wag_peer_t *peer, wag_known_t *known)
{
    wag_ctx_t *ctx = data;

    ngx_int_t  rc;

    if (wag_retry_tried(ctx, peer) || !wag_routing_fits(ctx->routing, peer)) {
        return NGX_DECLINED;
    }

    rc = ctx->pacing ? wag_pacing_take(ctx, peer, known) : NGX_OK;
    if (rc != NGX_OK) {
        return rc;
    }

    if (wag_in_flight_hold(peer) != NGX_OK) {
        wag_pacing_attempt(ctx, 1);
        return NGX_BUSY;
    }

    wag_ctx_addrs(ctx, peer);

    if (ctx->attempts++) {
        (void) ngx_atomic_fetch_add(&ctx->upstream->group->failovers, 1);
    }

    (void) ngx_atomic_fetch_add(&peer->instance->counters.requests, 1);

    return NGX_OK;
}
