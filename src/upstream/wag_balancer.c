
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_balancer.h"
#include "wag_client.h"
#include "wag_conf.h"
#include "wag_confirm.h"
#include "wag_ctx.h"
#include "wag_decorate.h"
#include "wag_generic.h"
#include "wag_idempotency.h"
#include "wag_in_flight.h"
#include "wag_keepalive.h"
#include "wag_keepalive_conf.h"
#include "wag_next.h"
#include "wag_outcome.h"
#include "wag_pacing.h"
#include "wag_retry.h"
#include "wag_routing.h"
#include "wag_servers.h"
#include "wag_slot_table.h"


static ngx_int_t wag_balancer_init_peer(ngx_http_request_t *r,
    ngx_http_upstream_srv_conf_t *uscf);
static void wag_balancer_refuse(wag_ctx_t *ctx);
static ngx_int_t wag_balancer_get(ngx_peer_connection_t *pc, void *data);
static ngx_int_t wag_balancer_pick(wag_ctx_t *ctx, ngx_peer_connection_t *pc);
static ngx_int_t wag_balancer_claim(wag_ctx_t *ctx, ngx_peer_connection_t *pc,
    ngx_int_t rc);
static ngx_int_t wag_balancer_refused(wag_ctx_t *ctx,
    ngx_peer_connection_t *pc);
static void wag_balancer_none(wag_ctx_t *ctx);
static void wag_balancer_free(ngx_peer_connection_t *pc, void *data,
    ngx_uint_t state);


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

        if (rc == NGX_OK && !wag_idempotency_looks(ctx)) {
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

    wag_decorate(ctx);

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

    if (wag_idempotency_looks(ctx)) {
        return wag_balancer_claim(ctx, pc, wag_confirm_begin(ctx, pc));
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

    do {
        peer = wag_next_peer(ctx);

        if (peer) {
            ctx->peer = peer;

            return wag_idempotency_is_open(ctx)
                   ? wag_balancer_claim(ctx, pc, wag_confirm_begin(ctx, pc))
                   : NGX_OK;
        }

        rc = wag_pacing_hold(ctx, pc);

    } while (rc == NGX_DONE);

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

    wag_next_let_go(ctx);

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
