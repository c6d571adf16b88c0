
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_answer.h"
#include "wag_ctx.h"
#include "wag_outcome.h"
#include "wag_pacing.h"
#include "wag_retry.h"
#include "wag_routing.h"
#include "wag_slot_table.h"


#define wag_retry_word(n)                                                     \
    ((n) / (8 * sizeof(uintptr_t)))

#define wag_retry_bit(n)                                                      \
    ((uintptr_t) 1 << (n) % (8 * sizeof(uintptr_t)))


static ngx_uint_t wag_retry_same(wag_ctx_t *ctx, ngx_uint_t cached);
static void wag_retry_other(wag_ctx_t *ctx, ngx_peer_connection_t *pc);
static ngx_int_t wag_retry_mark(wag_ctx_t *ctx);
static ngx_int_t wag_retry_may(void *data, wag_peer_t *peer,
    wag_known_t *known);
static ngx_uint_t wag_retry_others(wag_ctx_t *ctx);
static void wag_retry_rewind(wag_ctx_t *ctx);


void
wag_retry_decide(wag_ctx_t *ctx, ngx_peer_connection_t *pc, ngx_uint_t state)
{
    ngx_uint_t  cached, written;

    written = (pc->connection && pc->connection->sent > 0
               && !wag_answer_is_unsent(ctx));
    cached = pc->cached;

    /*
     * These two alone decide if there is another attempt; a cached connection
     * would make ngx_http_upstream_next() allow one more.
     */

    pc->tries = 0;
    pc->cached = 0;

    if ((state & (NGX_PEER_FAILED|NGX_PEER_NEXT)) == 0
        || (written && !wag_retry_repeatable(ctx)))
    {
        wag_outcome_score(ctx);
        return;
    }

    if (!written && wag_retry_same(ctx, cached)) {
        ctx->again = 1;
        pc->tries = 1;

        wag_pacing_attempt(ctx, 1);

    } else {
        wag_outcome_score(ctx);
        wag_retry_other(ctx, pc);
    }

    if (pc->tries) {
        wag_retry_rewind(ctx);
    }

    if (wag_answer_is_unsent(ctx)) {

        /* unless there is another attempt, which makes the request anew */

        ctx->refusal = WAG_REFUSED_DOWN;
    }
}


void
wag_retry_declined(wag_ctx_t *ctx)
{
    ctx->again = 0;

    /* the next request begins with the address that this one did not reach */

    wag_ctx_begin_with(ctx);

    wag_outcome_score(ctx);
}


/*
 * Whether the same instance is to be asked again, over a new connection when
 * a kept one was found closed, or at the next address of its name.
 */

static ngx_uint_t
wag_retry_same(wag_ctx_t *ctx, ngx_uint_t cached)
{
    if (ctx->outcome == WAG_NONE) {
        return cached;
    }

    if (ctx->outcome == WAG_FAILED && ctx->naddress < ctx->addrs->naddrs) {
        ctx->address = (ctx->address + 1) % ctx->addrs->naddrs;
        ctx->naddress++;

        return 1;
    }

    return 0;
}


static void
wag_retry_other(wag_ctx_t *ctx, ngx_peer_connection_t *pc)
{
    if (ctx->tries) {
        ctx->tries--;
    }

    if (ctx->tries == 0
        || wag_retry_mark(ctx) != NGX_OK
        || !wag_retry_others(ctx))
    {
        return;
    }

    pc->tries = ctx->tries;
}


/* remembers that the peer was tried */

static ngx_int_t
wag_retry_mark(wag_ctx_t *ctx)
{
    ngx_uint_t  n;

    if (ctx->tried == NULL) {
        n = wag_retry_word(ctx->upstream->nslots) + 1;

        ctx->tried = ngx_pcalloc(ctx->request->pool, n * sizeof(uintptr_t));
        if (ctx->tried == NULL) {
            return NGX_ERROR;
        }
    }

    n = ctx->peer->slot;

    ctx->tried[wag_retry_word(n)] |= wag_retry_bit(n);

    return NGX_OK;
}


ngx_uint_t
wag_retry_tried(wag_ctx_t *ctx, wag_peer_t *peer)
{
    ngx_uint_t  n;

    if (ctx->tried == NULL) {
        return 0;
    }

    n = peer->slot;

    return (ctx->tried[wag_retry_word(n)] & wag_retry_bit(n)) != 0;
}


static ngx_int_t
wag_retry_may(void *data, wag_peer_t *peer, wag_known_t *known)
{
    wag_ctx_t *ctx = data;

    return (wag_retry_tried(ctx, peer)
            || !wag_routing_fits(ctx->routing, peer))
           ? NGX_BUSY : NGX_OK;
}


static ngx_uint_t
wag_retry_others(wag_ctx_t *ctx)
{
    ngx_uint_t         i, tier;
    wag_peer_t        *peer;
    wag_slot_table_t  *table;

    wag_slot_table_refresh(ctx->upstream);

    if (wag_routing_chooses(ctx->routing)) {
        return wag_routing_has_others(ctx, wag_retry_may);
    }

    for (tier = 0; tier < WAG_TIERS; tier++) {
        table = &ctx->upstream->slot_tables[tier];

        for (i = 0; i < table->nslots; i++) {
            peer = &ctx->upstream->slots[table->slots[i]];

            if (wag_retry_may(ctx, peer, NULL) == NGX_OK) {
                return 1;
            }
        }
    }

    return 0;
}


/*
 * For ngx_http_upstream_next() the request was not sent, whatever its method;
 * for ngx_http_upstream_connect() its buffers need a rewind, see get().
 * What was read from the client without buffering cannot be rewound.
 */

static void
wag_retry_rewind(wag_ctx_t *ctx)
{
    ngx_http_upstream_t  *u;

    u = ctx->request->upstream;

    if (u->request_sent && !ctx->request->request_body_no_buffering) {
        u->request_sent = 0;
        ctx->resend = 1;
    }
}


/*
 * The method is the one the request came with: "error_page" and
 * X-Accel-Redirect make a GET of a POST.
 */

ngx_uint_t
wag_retry_repeatable(wag_ctx_t *ctx)
{
    return ctx->upstream->retry == WAG_RETRY_SAFE
           && (ctx->method & (NGX_HTTP_GET|NGX_HTTP_HEAD|NGX_HTTP_OPTIONS));
}
