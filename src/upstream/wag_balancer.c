
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_answer.h"
#include "wag_balancer.h"
#include "wag_client.h"
#include "wag_conf.h"
#include "wag_confirm.h"
#include "wag_ctx.h"
#include "wag_idempotency.h"
#include "wag_in_flight.h"
#include "wag_interim.h"
#include "wag_keepalive.h"
#include "wag_keepalive_conf.h"
#include "wag_outcome.h"
#include "wag_pacing.h"
#include "wag_remake.h"
#include "wag_retry.h"
#include "wag_routing.h"
#include "wag_servers.h"
#include "wag_slot_table.h"
#include "wag_transition.h"
#include "wag_write.h"


/* turns to take before looking at each peer: most are full or tried then */

#define WAG_BALANCER_TURNS  20


static ngx_int_t wag_balancer_init_peer(ngx_http_request_t *r,
    ngx_http_upstream_srv_conf_t *uscf);
static void wag_balancer_refuse(wag_ctx_t *ctx);
static ngx_int_t wag_balancer_get(ngx_peer_connection_t *pc, void *data);
static ngx_int_t wag_balancer_pick(wag_ctx_t *ctx, ngx_peer_connection_t *pc);
static ngx_int_t wag_balancer_claim(wag_ctx_t *ctx, ngx_peer_connection_t *pc,
    ngx_int_t rc);
static ngx_int_t wag_balancer_refused(wag_ctx_t *ctx,
    ngx_peer_connection_t *pc);
static void wag_balancer_let_go(wag_ctx_t *ctx);
static wag_peer_t *wag_balancer_another(wag_ctx_t *ctx);
static ngx_int_t wag_balancer_make(wag_ctx_t *ctx, wag_peer_t *peer);
static wag_peer_t *wag_balancer_any(wag_ctx_t *ctx);
static void wag_balancer_none(wag_ctx_t *ctx);
static wag_peer_t *wag_balancer_again(wag_ctx_t *ctx);
static wag_peer_t *wag_balancer_choose(wag_ctx_t *ctx, ngx_uint_t tier);
static wag_peer_t *wag_balancer_next(wag_ctx_t *ctx);
static ngx_int_t wag_balancer_take(void *data, wag_peer_t *peer,
    wag_known_t *known);
static void wag_balancer_free(ngx_peer_connection_t *pc, void *data,
    ngx_uint_t state);
static ngx_int_t wag_balancer_reinit(ngx_http_request_t *r);
static ngx_int_t wag_balancer_header(ngx_http_request_t *r);
static ngx_int_t wag_balancer_process_header(wag_ctx_t *ctx);
static void wag_balancer_decorate(wag_ctx_t *ctx);
static void wag_balancer_finalize(ngx_http_request_t *r, ngx_int_t rc);

#if (NGX_HTTP_SSL || NGX_COMPAT)
static ngx_int_t wag_balancer_set_session(ngx_peer_connection_t *pc,
    void *data);
static void wag_balancer_save_session(ngx_peer_connection_t *pc, void *data);
#endif


ngx_int_t
wag_balancer_init(ngx_conf_t *cf, ngx_http_upstream_srv_conf_t *uscf)
{
    wag_upstream_t  *us;

    us = ngx_http_conf_upstream_srv_conf(uscf, ngx_http_wa_gateway_module);

    if (wag_servers_create(cf, us) != NGX_OK) {
        return NGX_ERROR;
    }

    us->zone->nservers += us->nservers;
    us->leave[1] = wag_keepalive_leave;

    wag_keepalive_conf_disable_builtin(cf, uscf);

    uscf->peer.init = wag_balancer_init_peer;
    uscf->peer.data = us;

    return NGX_OK;
}


static ngx_int_t
wag_balancer_init_peer(ngx_http_request_t *r,
    ngx_http_upstream_srv_conf_t *uscf)
{
    ngx_int_t             rc;
    wag_ctx_t            *ctx;
    ngx_http_upstream_t  *u;

    ctx = wag_ctx_get(r);
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    u = r->upstream;

    wag_ctx_others(ctx);

    ctx->upstream = uscf->peer.data;
    ctx->refused = 0;
    ctx->refusal = WAG_REFUSED_NOT;

    if (ctx->method == 0) {
        ctx->method = r->method;
    }

    /*
     * "error_page", X-Accel-Redirect and other redirects come here again with
     * a request that an instance may have got: what is known of that stays.
     */

    ctx->barred = (ctx->written && !wag_retry_repeatable(ctx));

    ctx->pacing = NULL;

    if (!ctx->barred) {
        ctx->peer = NULL;
        ctx->tried = NULL;
        ctx->tries = 0;
        ctx->attempts = 0;
        ctx->again = 0;
        ctx->resend = 0;
        ctx->outcome = WAG_NONE;
    }

    ctx->routing = NULL;
    ctx->generic = NULL;

    if (ctx->upstream->vendors && !ctx->barred) {
        wag_slot_table_refresh(ctx->upstream);

        rc = wag_generic_is(ctx) ? wag_generic_judge(ctx)
                                 : wag_routing_judge(ctx);

        if (ctx->upstream->idempotency) {
            rc = wag_idempotency_claim(ctx, rc);
        }

        if (rc == NGX_OK) {
            rc = wag_pacing_init(ctx);
        }

        if (rc != NGX_OK) {
            wag_balancer_refuse(ctx);
            return NGX_ERROR;
        }

    } else if (ctx->upstream->vendors == 0
               && wag_keys_is_limited(wag_client_key(r)))
    {
        /* these have no sessions that it could be allowed */

        ctx->refusal = WAG_REFUSED_FORBIDDEN;

        wag_balancer_refuse(ctx);
        return NGX_ERROR;
    }

    u->peer.data = ctx;
    u->peer.get = wag_balancer_get;
    u->peer.free = wag_balancer_free;
    u->peer.tries = ngx_max(ctx->upstream->npeers, 1);

    ctx->process_header = u->process_header;
    ctx->reinit_request = u->reinit_request;
    ctx->finalize_request = u->finalize_request;
    ctx->rc = NGX_OK;
    ctx->interims = 0;

    u->process_header = wag_balancer_header;
    u->reinit_request = wag_balancer_reinit;
    u->finalize_request = wag_balancer_finalize;

#if (NGX_HTTP_SSL || NGX_COMPAT)
    u->peer.set_session = wag_balancer_set_session;
    u->peer.save_session = wag_balancer_save_session;
#endif

    return NGX_OK;
}


/*
 * ngx_http_upstream_init_request() ends with 500 then, which closes the
 * client's connection and looks for an error page: "error" makes an answer of
 * it that says what is wrong.
 */

static void
wag_balancer_refuse(wag_ctx_t *ctx)
{
    if (ctx->refusal != WAG_REFUSED_NOT) {
        ctx->keepalive = ctx->request->keepalive;
        ctx->request->error_page = 1;
    }

    if (ctx->refusal == WAG_REFUSED_UNKNOWN
        || ctx->refusal == WAG_REFUSED_UNLISTED)
    {
        (void) ngx_atomic_fetch_add(&ctx->upstream->group->sessions.asked, 1);
    }
}


static ngx_int_t
wag_balancer_get(ngx_peer_connection_t *pc, void *data)
{
    wag_ctx_t *ctx = data;

    ngx_int_t    rc;
    ngx_addr_t  *addr;

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, pc->log, 0,
                   "get wa_gateway peer, attempt: %ui, tries: %ui",
                   ctx->attempts, pc->tries);

    pc->cached = 0;
    pc->connection = NULL;

    if (wag_confirm_waits(ctx)) {
        rc = wag_balancer_claim(ctx, pc, wag_confirm_resume(ctx, pc));

    } else {
        rc = wag_balancer_pick(ctx, pc);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    addr = &ctx->addrs->addrs[ctx->address];

    pc->sockaddr = addr->sockaddr;
    pc->socklen = addr->socklen;
    pc->name = &addr->name;

    /*
     * One: ngx_http_upstream_test_next() then leaves an answer with an error
     * status alone, whatever proxy_next_upstream says.
     */

    pc->tries = wag_retry_repeatable(ctx) ? ctx->tries : 1;

    if (ctx->resend) {

        /* makes ngx_http_upstream_connect() rewind the request's buffers */

        ctx->resend = 0;
        ctx->request->upstream->request_sent = 1;
    }

    return (wag_keepalive_take(ctx, pc) == NGX_DONE) ? NGX_DONE : NGX_OK;
}


/* NGX_OK: there is one, and it may be written to */

static ngx_int_t
wag_balancer_pick(wag_ctx_t *ctx, ngx_peer_connection_t *pc)
{
    ngx_int_t    rc;
    wag_peer_t  *peer;

    if (ctx->barred) {
        ngx_log_error(NGX_LOG_ERR, pc->log, 0,
                      "wa_gateway: the request was written before, "
                      "it is not sent again");

        pc->name = &ctx->upstream->uscf->host;

        return NGX_BUSY;
    }

    if (ctx->pacing) {
        rc = wag_pacing_resume(ctx, pc);

        if (rc == NGX_BUSY) {
            ctx->refused = 1;
            pc->name = &ctx->upstream->uscf->host;
        }

        if (rc != NGX_OK) {
            return (rc == NGX_DECLINED) ? wag_balancer_refused(ctx, pc) : rc;
        }
    }

    if (ctx->peer == NULL) {

        /* proxy_next_upstream_tries was applied after init_peer() */

        ctx->tries = pc->tries;
    }

    peer = wag_balancer_next(ctx);

    if (peer) {
        ctx->peer = peer;

        return wag_idempotency_is_open(ctx)
               ? wag_balancer_claim(ctx, pc, wag_confirm_begin(ctx, pc))
               : NGX_OK;
    }

    rc = wag_pacing_hold(ctx, pc);

    if (rc == NGX_AGAIN || rc == NGX_ERROR) {
        return rc;
    }

    if (rc == NGX_BUSY) {
        return wag_balancer_refused(ctx, pc);
    }

    pc->name = &ctx->upstream->uscf->host;

    ctx->refused = 1;

    if (ctx->attempts == 0 && ctx->routing
        && ctx->routing->judgement.by == WAG_BY_SESSION)
    {
        wag_balancer_none(ctx);
    }

    (void) ngx_atomic_fetch_add(&ctx->upstream->group->no_instance, 1);

    return NGX_BUSY;
}


/* unless it may be written the peer is let go, ctx->refusal says why */

static ngx_int_t
wag_balancer_claim(wag_ctx_t *ctx, ngx_peer_connection_t *pc, ngx_int_t rc)
{
    if (rc == NGX_OK || rc == NGX_AGAIN) {
        return rc;
    }

    wag_balancer_let_go(ctx);

    if (ctx->refusal == WAG_REFUSED_NOT) {
        return NGX_ERROR;
    }

    return wag_balancer_refused(ctx, pc);
}


/* NGX_BUSY would log that there are no live upstreams */

static ngx_int_t
wag_balancer_refused(wag_ctx_t *ctx, ngx_peer_connection_t *pc)
{
    if (ctx->refusal != WAG_REFUSED_PACED) {
        wag_balancer_refuse(ctx);
    }

    pc->name = &ctx->upstream->uscf->host;
    pc->tries = 0;

    return NGX_DECLINED;
}


static void
wag_balancer_let_go(wag_ctx_t *ctx)
{
    wag_in_flight_release(ctx->peer);
    wag_pacing_attempt(ctx, 1);

    ctx->attempts--;
    ctx->again = 0;

    (void) ngx_atomic_fetch_add(&ctx->peer->instance->counters.requests, -1);
}


/* there was one when the request was judged, but it cannot be asked now */

static void
wag_balancer_none(wag_ctx_t *ctx)
{
    ngx_uint_t     found;
    wag_choice_t  *choice;

    choice = &ctx->routing->judgement.choice;
    choice->scarce = 1;

    found = wag_choice_look(choice);

    ctx->refusal = (found == WAG_CHOICE_SOME) ? WAG_REFUSED_DOWN
                                              : wag_judge_refusal(found);
}


static wag_peer_t *
wag_balancer_next(wag_ctx_t *ctx)
{
    wag_peer_t  *peer;

    peer = wag_balancer_again(ctx);

    if (peer == NULL) {
        peer = wag_balancer_another(ctx);
    }

    if (peer == NULL && wag_pacing_unpin(ctx)) {

        /* what it waited for has fallen meanwhile */

        peer = wag_balancer_another(ctx);
    }

    return peer;
}


static wag_peer_t *
wag_balancer_again(wag_ctx_t *ctx)
{
    if (ctx->again) {
        ctx->again = 0;

        if (wag_in_flight_hold(ctx->peer) == NGX_OK) {

            if (ctx->generic && wag_balancer_make(ctx, ctx->peer) != NGX_OK) {
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
wag_balancer_another(wag_ctx_t *ctx)
{
    wag_peer_t  *peer;

    wag_transition_tick(ctx->upstream);
    wag_slot_table_refresh(ctx->upstream);

    if (!wag_routing_chooses(ctx->routing)) {
        peer = wag_balancer_any(ctx);

    } else {
        peer = wag_routing_choose(ctx, wag_balancer_take);
    }

    if (peer && ctx->routing && wag_balancer_make(ctx, peer) != NGX_OK) {
        wag_in_flight_release(peer);
        wag_pacing_attempt(ctx, 1);
        return NULL;
    }

    return peer;
}


static ngx_int_t
wag_balancer_make(wag_ctx_t *ctx, wag_peer_t *peer)
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
        && wag_idempotency_own_id(ctx, peer) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return wag_write(ctx, peer);
}


static wag_peer_t *
wag_balancer_any(wag_ctx_t *ctx)
{
    ngx_uint_t   tier;
    wag_peer_t  *peer;

    peer = NULL;

    for (tier = 0; peer == NULL && tier < WAG_TIERS; tier++) {
        peer = wag_balancer_choose(ctx, tier);
    }

    return peer;
}


static wag_peer_t *
wag_balancer_choose(wag_ctx_t *ctx, ngx_uint_t tier)
{
    ngx_uint_t         i;
    wag_peer_t        *peer;
    wag_slot_table_t  *table;

    table = &ctx->upstream->slot_tables[tier];

    if (table->nslots == 0) {
        return NULL;
    }

    for (i = 0; i < WAG_BALANCER_TURNS; i++) {
        peer = wag_slot_table_next(ctx->upstream, tier);

        if (wag_balancer_take(ctx, peer, NULL) == NGX_OK) {
            return peer;
        }
    }

    for (i = 0; i < table->nslots; i++) {
        peer = &ctx->upstream->slots[table->slots[i]];

        if (wag_balancer_take(ctx, peer, NULL) == NGX_OK) {
            return peer;
        }
    }

    return NULL;
}


static ngx_int_t
wag_balancer_take(void *data, wag_peer_t *peer, wag_known_t *known)
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


static void
wag_balancer_free(ngx_peer_connection_t *pc, void *data, ngx_uint_t state)
{
    wag_ctx_t *ctx = data;

    wag_outcome_judge(ctx, pc, state);

    ngx_log_debug3(NGX_LOG_DEBUG_HTTP, pc->log, 0,
                   "free wa_gateway peer, state: %ui, outcome: %ui, sent: %ui",
                   state, ctx->outcome, ctx->sent);

    wag_in_flight_release(ctx->peer);

    if ((state & NGX_PEER_FAILED) == 0) {
        wag_keepalive_put(ctx, pc);
    }

    if (ctx->outcome == WAG_ANSWERED && ctx->peer->address != ctx->address) {
        wag_ctx_begin_with(ctx);
    }

    wag_retry_decide(ctx, pc, state);

    if (pc->tries == 0) {
        wag_pacing_end(ctx);
    }
}


static ngx_int_t
wag_balancer_reinit(ngx_http_request_t *r)
{
    ngx_int_t   rc;
    wag_ctx_t  *ctx;

    ctx = r->upstream->peer.data;

    rc = ctx->reinit_request(r);

    wag_balancer_decorate(ctx);

    return rc;
}


static ngx_int_t
wag_balancer_header(ngx_http_request_t *r)
{
    ngx_int_t   rc;
    wag_ctx_t  *ctx;

    ctx = r->upstream->peer.data;

    if (ctx->generic && ctx->generic->held) {
        return wag_answer_held(ctx);
    }

    for ( ;; ) {

        rc = wag_balancer_process_header(ctx);

        if (rc != NGX_OK) {
            return rc;
        }

        if (!wag_interim_seen(r)) {
            return ctx->generic ? wag_answer_header(ctx) : NGX_OK;
        }

        rc = wag_interim_drop(ctx);

        wag_balancer_decorate(ctx);

        if (rc != NGX_OK) {
            return rc;
        }

        if (r->upstream->buffer.pos == r->upstream->buffer.last) {
            return NGX_AGAIN;
        }
    }
}


/*
 * ngx_http_proxy_module takes whatever is no status line for an HTTP/0.9
 * answer with status 200: no instance speaks that, so it is an invalid one.
 */

static ngx_int_t
wag_balancer_process_header(wag_ctx_t *ctx)
{
    ngx_int_t            rc;
    ngx_uint_t           version;
    ngx_http_request_t  *r;

    r = ctx->request;
    version = r->http_version;

    rc = ctx->process_header(r);

    wag_balancer_decorate(ctx);

    if (r->http_version == NGX_HTTP_VERSION_9
        && version != NGX_HTTP_VERSION_9)
    {
        r->http_version = version;
        return NGX_HTTP_UPSTREAM_INVALID_HEADER;
    }

    return rc;
}


/* ngx_http_proxy_module has a parser for the status line, then another */

static void
wag_balancer_decorate(wag_ctx_t *ctx)
{
    ngx_http_upstream_t  *u;

    u = ctx->request->upstream;

    if (u->process_header != wag_balancer_header) {
        ctx->process_header = u->process_header;
        u->process_header = wag_balancer_header;
    }
}


/*
 * ngx_http_upstream_finalize_request() calls this before it frees the peer,
 * if ngx_http_upstream_next() has not freed it and gone no further, as for a
 * client that left, "proxy_next_upstream off" or its timeout.
 */

static void
wag_balancer_finalize(ngx_http_request_t *r, ngx_int_t rc)
{
    wag_ctx_t  *ctx;

    ctx = r->upstream->peer.data;

    ctx->rc = rc;

    if (ctx->again) {
        wag_retry_declined(ctx);
    }

    if (wag_confirm_waits(ctx)) {
        wag_confirm_cancel(ctx);
        wag_balancer_let_go(ctx);
    }

    if (r->upstream->peer.sockaddr == NULL) {
        wag_pacing_end(ctx);
    }

    wag_ctx_own(ctx);

    ctx->finalize_request(r, rc);
}


#if (NGX_HTTP_SSL)

static ngx_int_t
wag_balancer_set_session(ngx_peer_connection_t *pc, void *data)
{
    wag_ctx_t *ctx = data;

    return ngx_ssl_set_session(pc->connection, ctx->peer->ssl_session);
}


static void
wag_balancer_save_session(ngx_peer_connection_t *pc, void *data)
{
    wag_ctx_t *ctx = data;

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

#elif (NGX_COMPAT)

/* nginx may have SSL though the module was built without: see --with-compat */

static ngx_int_t
wag_balancer_set_session(ngx_peer_connection_t *pc, void *data)
{
    return NGX_OK;
}


static void
wag_balancer_save_session(ngx_peer_connection_t *pc, void *data)
{
    /* nothing to save */
}

#endif
