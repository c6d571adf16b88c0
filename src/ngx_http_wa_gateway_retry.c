
/*
 * Copyright (C) the wa_gateway authors
 */


#include "ngx_http_wa_gateway_module.h"
#include "ngx_http_wa_gateway_outcome.h"
#include "ngx_http_wa_gateway_retry.h"
#include "ngx_http_wa_gateway_roster.h"


#define ngx_http_wa_gateway_retry_word(n)                                  \
    ((n) / (8 * sizeof(uintptr_t)))

#define ngx_http_wa_gateway_retry_bit(n)                                   \
    ((uintptr_t) 1 << (n) % (8 * sizeof(uintptr_t)))


static ngx_uint_t ngx_http_wa_gateway_retry_same(
    ngx_http_wa_gateway_ctx_t *ctx, ngx_uint_t cached);
static void ngx_http_wa_gateway_retry_other(ngx_http_wa_gateway_ctx_t *ctx,
    ngx_peer_connection_t *pc);
static ngx_int_t ngx_http_wa_gateway_retry_mark(
    ngx_http_wa_gateway_ctx_t *ctx);
static ngx_uint_t ngx_http_wa_gateway_retry_others(
    ngx_http_wa_gateway_ctx_t *ctx);
static void ngx_http_wa_gateway_retry_rewind(
    ngx_http_wa_gateway_ctx_t *ctx);


void
ngx_http_wa_gateway_retry_decide(ngx_http_wa_gateway_ctx_t *ctx,
    ngx_peer_connection_t *pc, ngx_uint_t state)
{
    ngx_uint_t  cached, written;

    written = (pc->connection && pc->connection->sent > 0);
    cached = pc->cached;

    /*
     * These two alone decide if there is another attempt; a cached connection
     * would make ngx_http_upstream_next() allow one more.
     */

    pc->tries = 0;
    pc->cached = 0;

    if ((state & (NGX_PEER_FAILED|NGX_PEER_NEXT)) == 0
        || (written && !ngx_http_wa_gateway_retry_repeatable(ctx)))
    {
        ngx_http_wa_gateway_outcome_score(ctx);
        return;
    }

    if (!written && ngx_http_wa_gateway_retry_same(ctx, cached)) {
        ctx->again = 1;
        pc->tries = 1;

    } else {
        ngx_http_wa_gateway_outcome_score(ctx);
        ngx_http_wa_gateway_retry_other(ctx, pc);
    }

    if (pc->tries) {
        ngx_http_wa_gateway_retry_rewind(ctx);
    }
}


void
ngx_http_wa_gateway_retry_declined(ngx_http_wa_gateway_ctx_t *ctx)
{
    ctx->again = 0;

    /* the next request begins with the address that this one did not reach */

    ctx->peer->address = ctx->address;

    ngx_http_wa_gateway_outcome_score(ctx);
}


/*
 * Whether the same instance is to be asked again, over a new connection when
 * a kept one was found closed, or at the next address of its name.
 */

static ngx_uint_t
ngx_http_wa_gateway_retry_same(ngx_http_wa_gateway_ctx_t *ctx,
    ngx_uint_t cached)
{
    if (ctx->outcome == NGX_HTTP_WA_GATEWAY_NONE) {
        return cached;
    }

    if (ctx->outcome == NGX_HTTP_WA_GATEWAY_FAILED
        && ctx->naddress < ctx->peer->naddrs)
    {
        ctx->address = (ctx->address + 1) % ctx->peer->naddrs;
        ctx->naddress++;

        return 1;
    }

    return 0;
}


static void
ngx_http_wa_gateway_retry_other(ngx_http_wa_gateway_ctx_t *ctx,
    ngx_peer_connection_t *pc)
{
    if (ctx->tries) {
        ctx->tries--;
    }

    if (ctx->tries == 0
        || ngx_http_wa_gateway_retry_mark(ctx) != NGX_OK
        || !ngx_http_wa_gateway_retry_others(ctx))
    {
        return;
    }

    pc->tries = ctx->tries;
}


/* remembers that the peer was tried */

static ngx_int_t
ngx_http_wa_gateway_retry_mark(ngx_http_wa_gateway_ctx_t *ctx)
{
    ngx_uint_t  n;

    if (ctx->tried == NULL) {
        n = ngx_http_wa_gateway_retry_word(ctx->upstream->npeers) + 1;

        ctx->tried = ngx_pcalloc(ctx->request->pool, n * sizeof(uintptr_t));
        if (ctx->tried == NULL) {
            return NGX_ERROR;
        }
    }

    n = ctx->peer - ctx->upstream->peers;

    ctx->tried[ngx_http_wa_gateway_retry_word(n)] |=
                                          ngx_http_wa_gateway_retry_bit(n);

    return NGX_OK;
}


ngx_uint_t
ngx_http_wa_gateway_retry_tried(ngx_http_wa_gateway_ctx_t *ctx,
    ngx_http_wa_gateway_peer_t *peer)
{
    ngx_uint_t  n;

    if (ctx->tried == NULL) {
        return 0;
    }

    n = peer - ctx->upstream->peers;

    return (ctx->tried[ngx_http_wa_gateway_retry_word(n)]
            & ngx_http_wa_gateway_retry_bit(n)) != 0;
}


static ngx_uint_t
ngx_http_wa_gateway_retry_others(ngx_http_wa_gateway_ctx_t *ctx)
{
    ngx_uint_t                     i, tier;
    ngx_http_wa_gateway_peer_t    *peer;
    ngx_http_wa_gateway_roster_t  *roster;

    ngx_http_wa_gateway_roster_refresh(ctx->upstream);

    for (tier = 0; tier < NGX_HTTP_WA_GATEWAY_TIERS; tier++) {
        roster = &ctx->upstream->rosters[tier];

        for (i = 0; i < roster->npeers; i++) {
            peer = &ctx->upstream->peers[roster->peers[i]];

            if (!ngx_http_wa_gateway_retry_tried(ctx, peer)) {
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
ngx_http_wa_gateway_retry_rewind(ngx_http_wa_gateway_ctx_t *ctx)
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
ngx_http_wa_gateway_retry_repeatable(ngx_http_wa_gateway_ctx_t *ctx)
{
    return ctx->upstream->retry == NGX_HTTP_WA_GATEWAY_RETRY_SAFE
           && (ctx->method
               & (NGX_HTTP_GET|NGX_HTTP_HEAD|NGX_HTTP_OPTIONS));
}
