
/*
 * Copyright (C) the wa_gateway authors
 */


#include "ngx_http_wa_gateway_module.h"
#include "ngx_http_wa_gateway_balancer.h"
#include "ngx_http_wa_gateway_outcome.h"
#include "ngx_http_wa_gateway_peers.h"
#include "ngx_http_wa_gateway_request.h"
#include "ngx_http_wa_gateway_roster.h"
#include "ngx_http_wa_gateway_zone.h"


/* turns to take before looking at each peer: most are full or tried then */

#define NGX_HTTP_WA_GATEWAY_BALANCER_TURNS  20

#define ngx_http_wa_gateway_balancer_word(n)                                  \
    ((n) / (8 * sizeof(uintptr_t)))

#define ngx_http_wa_gateway_balancer_bit(n)                                   \
    ((uintptr_t) 1 << (n) % (8 * sizeof(uintptr_t)))


static ngx_int_t ngx_http_wa_gateway_balancer_init_peer(ngx_http_request_t *r,
    ngx_http_upstream_srv_conf_t *uscf);
static ngx_int_t ngx_http_wa_gateway_balancer_get(ngx_peer_connection_t *pc,
    void *data);
static ngx_http_wa_gateway_peer_t *ngx_http_wa_gateway_balancer_again(
    ngx_http_wa_gateway_ctx_t *ctx);
static ngx_http_wa_gateway_peer_t *ngx_http_wa_gateway_balancer_choose(
    ngx_http_wa_gateway_ctx_t *ctx, ngx_uint_t tier);
static ngx_int_t ngx_http_wa_gateway_balancer_take(
    ngx_http_wa_gateway_ctx_t *ctx, ngx_http_wa_gateway_peer_t *peer);
static ngx_uint_t ngx_http_wa_gateway_balancer_tried(
    ngx_http_wa_gateway_ctx_t *ctx, ngx_http_wa_gateway_peer_t *peer);
static void ngx_http_wa_gateway_balancer_free(ngx_peer_connection_t *pc,
    void *data, ngx_uint_t state);
static ngx_uint_t ngx_http_wa_gateway_balancer_same(
    ngx_http_wa_gateway_ctx_t *ctx, ngx_uint_t cached);
static void ngx_http_wa_gateway_balancer_other(ngx_http_wa_gateway_ctx_t *ctx,
    ngx_peer_connection_t *pc);
static ngx_int_t ngx_http_wa_gateway_balancer_mark(
    ngx_http_wa_gateway_ctx_t *ctx);
static ngx_uint_t ngx_http_wa_gateway_balancer_others(
    ngx_http_wa_gateway_ctx_t *ctx);
static void ngx_http_wa_gateway_balancer_rewind(
    ngx_http_wa_gateway_ctx_t *ctx);
static ngx_uint_t ngx_http_wa_gateway_balancer_repeatable(
    ngx_http_wa_gateway_ctx_t *ctx);
static ngx_int_t ngx_http_wa_gateway_balancer_reinit(ngx_http_request_t *r);
static ngx_int_t ngx_http_wa_gateway_balancer_header(ngx_http_request_t *r);

#if (NGX_HTTP_SSL)
static ngx_int_t ngx_http_wa_gateway_balancer_set_session(
    ngx_peer_connection_t *pc, void *data);
static void ngx_http_wa_gateway_balancer_save_session(
    ngx_peer_connection_t *pc, void *data);
#endif


ngx_int_t
ngx_http_wa_gateway_balancer_init(ngx_conf_t *cf,
    ngx_http_upstream_srv_conf_t *uscf)
{
    ngx_http_wa_gateway_upstream_t  *us;

    us = ngx_http_conf_upstream_srv_conf(uscf, ngx_http_wa_gateway_module);

    if (ngx_http_wa_gateway_peers_create(cf, us) != NGX_OK
        || ngx_http_wa_gateway_roster_create(cf, us) != NGX_OK)
    {
        return NGX_ERROR;
    }

    us->zone->npeers += us->npeers;

    uscf->peer.init = ngx_http_wa_gateway_balancer_init_peer;
    uscf->peer.data = us;

    return NGX_OK;
}


static ngx_int_t
ngx_http_wa_gateway_balancer_init_peer(ngx_http_request_t *r,
    ngx_http_upstream_srv_conf_t *uscf)
{
    ngx_http_upstream_t        *u;
    ngx_http_wa_gateway_ctx_t  *ctx;

    ctx = ngx_http_wa_gateway_request_get(r);
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    u = r->upstream;

    ctx->upstream = uscf->peer.data;
    ctx->peer = NULL;
    ctx->tried = NULL;
    ctx->tries = 0;
    ctx->attempts = 0;
    ctx->again = 0;
    ctx->resend = 0;
    ctx->refused = 0;
    ctx->outcome = NGX_HTTP_WA_GATEWAY_NONE;

    u->peer.data = ctx;
    u->peer.get = ngx_http_wa_gateway_balancer_get;
    u->peer.free = ngx_http_wa_gateway_balancer_free;
    u->peer.tries = ctx->upstream->npeers;

    ctx->process_header = u->process_header;
    ctx->reinit_request = u->reinit_request;

    u->process_header = ngx_http_wa_gateway_balancer_header;
    u->reinit_request = ngx_http_wa_gateway_balancer_reinit;

#if (NGX_HTTP_SSL)
    u->peer.set_session = ngx_http_wa_gateway_balancer_set_session;
    u->peer.save_session = ngx_http_wa_gateway_balancer_save_session;
#endif

    return NGX_OK;
}


static ngx_int_t
ngx_http_wa_gateway_balancer_get(ngx_peer_connection_t *pc, void *data)
{
    ngx_http_wa_gateway_ctx_t *ctx = data;

    ngx_addr_t                  *addr;
    ngx_uint_t                   tier;
    ngx_http_wa_gateway_peer_t  *peer;

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, pc->log, 0,
                   "get wa_gateway peer, attempt: %ui, tries: %ui",
                   ctx->attempts, pc->tries);

    pc->cached = 0;
    pc->connection = NULL;

    if (ctx->peer == NULL) {

        /* proxy_next_upstream_tries was applied after init_peer() */

        ctx->tries = pc->tries;
    }

    peer = ngx_http_wa_gateway_balancer_again(ctx);

    for (tier = 0; peer == NULL && tier < NGX_HTTP_WA_GATEWAY_TIERS; tier++) {
        peer = ngx_http_wa_gateway_balancer_choose(ctx, tier);
    }

    if (peer == NULL) {
        ctx->refused = 1;
        (void) ngx_atomic_fetch_add(&ctx->upstream->group->no_instance, 1);

        pc->name = &ctx->upstream->uscf->host;

        return NGX_BUSY;
    }

    ctx->peer = peer;

    addr = &peer->addrs[ctx->address];

    pc->sockaddr = addr->sockaddr;
    pc->socklen = addr->socklen;
    pc->name = &addr->name;

    /*
     * One: ngx_http_upstream_test_next() then leaves an answer with an error
     * status alone, whatever proxy_next_upstream says.
     */

    pc->tries = ngx_http_wa_gateway_balancer_repeatable(ctx) ? ctx->tries : 1;

    if (ctx->resend) {

        /* makes ngx_http_upstream_connect() rewind the request's buffers */

        ctx->resend = 0;
        ctx->request->upstream->request_sent = 1;
    }

    return NGX_OK;
}


static ngx_http_wa_gateway_peer_t *
ngx_http_wa_gateway_balancer_again(ngx_http_wa_gateway_ctx_t *ctx)
{
    if (ctx->again) {
        ctx->again = 0;

        if (ngx_http_wa_gateway_zone_hold(ctx->peer) == NGX_OK) {
            return ctx->peer;
        }
    }

    ngx_http_wa_gateway_roster_refresh(ctx->upstream);

    return NULL;
}


static ngx_http_wa_gateway_peer_t *
ngx_http_wa_gateway_balancer_choose(ngx_http_wa_gateway_ctx_t *ctx,
    ngx_uint_t tier)
{
    ngx_uint_t                     i;
    ngx_http_wa_gateway_peer_t    *peer;
    ngx_http_wa_gateway_roster_t  *roster;

    roster = &ctx->upstream->rosters[tier];

    if (roster->npeers == 0) {
        return NULL;
    }

    for (i = 0; i < NGX_HTTP_WA_GATEWAY_BALANCER_TURNS; i++) {
        peer = ngx_http_wa_gateway_roster_next(ctx->upstream, tier);

        if (ngx_http_wa_gateway_balancer_take(ctx, peer) == NGX_OK) {
            return peer;
        }
    }

    for (i = 0; i < roster->npeers; i++) {
        peer = &ctx->upstream->peers[roster->peers[i]];

        if (ngx_http_wa_gateway_balancer_take(ctx, peer) == NGX_OK) {
            return peer;
        }
    }

    return NULL;
}


static ngx_int_t
ngx_http_wa_gateway_balancer_take(ngx_http_wa_gateway_ctx_t *ctx,
    ngx_http_wa_gateway_peer_t *peer)
{
    if (ngx_http_wa_gateway_balancer_tried(ctx, peer)
        || ngx_http_wa_gateway_zone_hold(peer) != NGX_OK)
    {
        return NGX_BUSY;
    }

    ctx->address = peer->address;
    ctx->naddress = 1;
    ctx->attempts++;

    (void) ngx_atomic_fetch_add(&peer->instance->requests, 1);

    return NGX_OK;
}


static ngx_uint_t
ngx_http_wa_gateway_balancer_tried(ngx_http_wa_gateway_ctx_t *ctx,
    ngx_http_wa_gateway_peer_t *peer)
{
    ngx_uint_t  n;

    if (ctx->tried == NULL) {
        return 0;
    }

    n = peer - ctx->upstream->peers;

    return (ctx->tried[ngx_http_wa_gateway_balancer_word(n)]
            & ngx_http_wa_gateway_balancer_bit(n)) != 0;
}


static void
ngx_http_wa_gateway_balancer_free(ngx_peer_connection_t *pc, void *data,
    ngx_uint_t state)
{
    ngx_http_wa_gateway_ctx_t *ctx = data;

    ngx_uint_t  cached, written;

    ngx_http_wa_gateway_outcome_judge(ctx, pc, state);

    ngx_log_debug3(NGX_LOG_DEBUG_HTTP, pc->log, 0,
                   "free wa_gateway peer, state: %ui, outcome: %ui, sent: %ui",
                   state, ctx->outcome, ctx->sent);

    ngx_http_wa_gateway_zone_release(ctx->peer);

    if (ctx->outcome == NGX_HTTP_WA_GATEWAY_ANSWERED) {
        ctx->peer->address = ctx->address;
    }

    written = (pc->connection && pc->connection->sent > 0);
    cached = pc->cached;

    /*
     * These two alone decide if there is another attempt; a cached connection
     * would make ngx_http_upstream_next() allow one more.
     */

    pc->tries = 0;
    pc->cached = 0;

    if ((state & (NGX_PEER_FAILED|NGX_PEER_NEXT)) == 0
        || (written && !ngx_http_wa_gateway_balancer_repeatable(ctx)))
    {
        ngx_http_wa_gateway_outcome_score(ctx);
        return;
    }

    if (!written && ngx_http_wa_gateway_balancer_same(ctx, cached)) {
        ctx->again = 1;
        pc->tries = 1;

    } else {
        ngx_http_wa_gateway_outcome_score(ctx);
        ngx_http_wa_gateway_balancer_other(ctx, pc);
    }

    if (pc->tries) {
        ngx_http_wa_gateway_balancer_rewind(ctx);
    }
}


/*
 * Whether the same instance is to be asked again, over a new connection when
 * a kept one was found closed, or at the next address of its name.
 */

static ngx_uint_t
ngx_http_wa_gateway_balancer_same(ngx_http_wa_gateway_ctx_t *ctx,
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
ngx_http_wa_gateway_balancer_other(ngx_http_wa_gateway_ctx_t *ctx,
    ngx_peer_connection_t *pc)
{
    if (ctx->tries) {
        ctx->tries--;
    }

    if (ctx->tries == 0
        || ngx_http_wa_gateway_balancer_mark(ctx) != NGX_OK
        || !ngx_http_wa_gateway_balancer_others(ctx))
    {
        return;
    }

    (void) ngx_atomic_fetch_add(&ctx->upstream->group->failovers, 1);

    pc->tries = ctx->tries;
}


/* remembers that the peer was tried */

static ngx_int_t
ngx_http_wa_gateway_balancer_mark(ngx_http_wa_gateway_ctx_t *ctx)
{
    ngx_uint_t  n;

    if (ctx->tried == NULL) {
        n = ngx_http_wa_gateway_balancer_word(ctx->upstream->npeers) + 1;

        ctx->tried = ngx_pcalloc(ctx->request->pool, n * sizeof(uintptr_t));
        if (ctx->tried == NULL) {
            return NGX_ERROR;
        }
    }

    n = ctx->peer - ctx->upstream->peers;

    ctx->tried[ngx_http_wa_gateway_balancer_word(n)] |=
                                          ngx_http_wa_gateway_balancer_bit(n);

    return NGX_OK;
}


static ngx_uint_t
ngx_http_wa_gateway_balancer_others(ngx_http_wa_gateway_ctx_t *ctx)
{
    ngx_uint_t                     i, tier;
    ngx_http_wa_gateway_peer_t    *peer;
    ngx_http_wa_gateway_roster_t  *roster;

    ngx_http_wa_gateway_roster_refresh(ctx->upstream);

    for (tier = 0; tier < NGX_HTTP_WA_GATEWAY_TIERS; tier++) {
        roster = &ctx->upstream->rosters[tier];

        for (i = 0; i < roster->npeers; i++) {
            peer = &ctx->upstream->peers[roster->peers[i]];

            if (!ngx_http_wa_gateway_balancer_tried(ctx, peer)) {
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
ngx_http_wa_gateway_balancer_rewind(ngx_http_wa_gateway_ctx_t *ctx)
{
    ngx_http_upstream_t  *u;

    u = ctx->request->upstream;

    if (u->request_sent && !ctx->request->request_body_no_buffering) {
        u->request_sent = 0;
        ctx->resend = 1;
    }
}


/* RFC 9110, 9.2.2: the safe methods, when the configuration allows it */

static ngx_uint_t
ngx_http_wa_gateway_balancer_repeatable(ngx_http_wa_gateway_ctx_t *ctx)
{
    return ctx->upstream->retry == NGX_HTTP_WA_GATEWAY_RETRY_IDEMPOTENT
           && (ctx->request->method
               & (NGX_HTTP_GET|NGX_HTTP_HEAD|NGX_HTTP_OPTIONS));
}


static ngx_int_t
ngx_http_wa_gateway_balancer_reinit(ngx_http_request_t *r)
{
    ngx_int_t                   rc;
    ngx_http_wa_gateway_ctx_t  *ctx;

    ctx = ngx_http_wa_gateway_request_find(r);

    rc = ctx->reinit_request(r);

    if (r->upstream->process_header != ngx_http_wa_gateway_balancer_header) {
        ctx->process_header = r->upstream->process_header;
        r->upstream->process_header = ngx_http_wa_gateway_balancer_header;
    }

    return rc;
}


/*
 * ngx_http_proxy_module takes whatever is no status line for an HTTP/0.9
 * answer with status 200: no instance speaks that, so it is an invalid one.
 */

static ngx_int_t
ngx_http_wa_gateway_balancer_header(ngx_http_request_t *r)
{
    ngx_int_t                   rc;
    ngx_uint_t                  version;
    ngx_http_wa_gateway_ctx_t  *ctx;

    ctx = ngx_http_wa_gateway_request_find(r);
    version = r->http_version;

    rc = ctx->process_header(r);

    if (r->http_version == NGX_HTTP_VERSION_9
        && version != NGX_HTTP_VERSION_9)
    {
        r->http_version = version;
        return NGX_HTTP_UPSTREAM_INVALID_HEADER;
    }

    return rc;
}


#if (NGX_HTTP_SSL)

static ngx_int_t
ngx_http_wa_gateway_balancer_set_session(ngx_peer_connection_t *pc, void *data)
{
    ngx_http_wa_gateway_ctx_t *ctx = data;

    return ngx_ssl_set_session(pc->connection, ctx->peer->ssl_session);
}


static void
ngx_http_wa_gateway_balancer_save_session(ngx_peer_connection_t *pc,
    void *data)
{
    ngx_http_wa_gateway_ctx_t *ctx = data;

    ngx_ssl_session_t  *old, *session;

    session = ngx_ssl_get_session(pc->connection);

    if (session == NULL) {
        return;
    }

    old = ctx->peer->ssl_session;
    ctx->peer->ssl_session = session;

    if (old) {
        ngx_ssl_free_session(old);
    }
}

#endif
