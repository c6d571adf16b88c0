
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_client.h"
#include "wag_conf.h"
#include "wag_drops.h"
#include "wag_home.h"
#include "wag_known_find.h"
#include "wag_known_refresh.h"
#include "wag_log.h"
#include "wag_routing.h"
#include "wag_slot_table.h"


static ngx_int_t wag_routing_own_headers(wag_ctx_t *ctx);
static ngx_int_t wag_routing_own_header(wag_ctx_t *ctx, ngx_uint_t n,
    ngx_str_t *value);
static ngx_int_t wag_routing_bad(wag_ctx_t *ctx, ngx_uint_t n);
static wag_peer_t *wag_routing_peer(wag_upstream_t *us, ngx_str_t *name);
static ngx_int_t wag_routing_vendors(wag_ctx_t *ctx);
static wag_peer_t *wag_routing_by_session(wag_ctx_t *ctx,
    wag_choice_take_pt take);
static wag_peer_t *wag_routing_by_instance(wag_ctx_t *ctx,
    wag_choice_take_pt take);


/* of wag_drops_headers */

#define WAG_ROUTING_SESSION   0
#define WAG_ROUTING_FROM      1
#define WAG_ROUTING_INSTANCE  2


ngx_int_t
wag_routing_judge(wag_ctx_t *ctx)
{
    ngx_int_t  rc;

    rc = wag_routing_begin(ctx);

    return (rc == NGX_OK) ? wag_routing_vendors(ctx) : rc;
}


ngx_int_t
wag_routing_begin(wag_ctx_t *ctx)
{
    ngx_int_t            rc;
    wag_routing_t       *routing;
    ngx_http_request_t  *r;

    r = ctx->request;

    ctx->refusal = WAG_REFUSED_NOT;
    ctx->asked.record = NULL;

    routing = ngx_palloc(r->pool, sizeof(wag_routing_t));
    if (routing == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(routing, offsetof(wag_routing_t, headers));

    routing->head.headers.elts = routing->headers;
    routing->head.headers.size = sizeof(ngx_keyval_t);
    routing->head.headers.nalloc = sizeof(routing->headers)
                                   / sizeof(ngx_keyval_t);
    routing->head.headers.pool = r->pool;

    ctx->routing = routing;

    wag_log_hide(ctx);

    rc = wag_head_read(r, &routing->head);

    if (rc == NGX_DECLINED) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "wa_gateway: instances that have a vendor are asked by "
                      "\"proxy_pass\" and HTTP/1.0 or 1.1 only");

        ctx->refusal = WAG_REFUSED_CONFIGURED;
    }

    if (rc != NGX_OK) {
        return rc;
    }

    wag_slot_table_refresh(ctx->upstream);

    if (wag_known_refresh(ctx->upstream) != NGX_OK) {
        return NGX_ERROR;
    }

    return wag_routing_own_headers(ctx);
}


/* what the client names by the gateway's own headers */

static ngx_int_t
wag_routing_own_headers(wag_ctx_t *ctx)
{
    ngx_str_t        value;
    wag_choice_t    *choice;
    wag_loc_conf_t  *wlcf;

    wlcf = ngx_http_get_module_loc_conf(ctx->request,
                                        ngx_http_wa_gateway_module);

    choice = &ctx->routing->judgement.choice;

    choice->upstream = ctx->upstream;
    choice->key = wag_client_key(ctx->request);
    choice->sender = (wlcf->sender == NGX_CONF_UNSET_UINT)
                     ? ctx->upstream->sender : wlcf->sender;

    if (wag_routing_own_header(ctx, WAG_ROUTING_SESSION, &choice->shown)
        != NGX_OK
        || wag_routing_own_header(ctx, WAG_ROUTING_FROM, &value) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    if (value.len) {
        choice->number = wag_vendor_number(&value);

        if (choice->number == 0) {
            return wag_routing_bad(ctx, WAG_ROUTING_FROM);
        }
    }

    if (wag_routing_own_header(ctx, WAG_ROUTING_INSTANCE, &value) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (value.len) {
        choice->peer = wag_routing_peer(ctx->upstream, &value);

        if (choice->peer == NULL) {
            ctx->refusal = WAG_REFUSED_UNKNOWN;
            return NGX_DECLINED;
        }

        choice->incarnation = choice->peer->incarnation;
    }

    return NGX_OK;
}


static ngx_int_t
wag_routing_own_header(wag_ctx_t *ctx, ngx_uint_t n, ngx_str_t *value)
{
    wag_head_t    *head;
    ngx_keyval_t  *kv;

    ngx_str_null(value);

    head = &ctx->routing->head;
    kv = wag_head_find(head, &wag_drops_headers[n], NULL);

    if (kv == NULL) {
        return NGX_OK;
    }

    ctx->routing->own = 1;

    if (kv->value.len == 0
        || wag_head_find(head, &wag_drops_headers[n], kv))
    {
        return wag_routing_bad(ctx, n);
    }

    *value = kv->value;

    return NGX_OK;
}


static ngx_int_t
wag_routing_bad(wag_ctx_t *ctx, ngx_uint_t n)
{
    ctx->refusal = WAG_REFUSED_BAD;
    ctx->member = wag_drops_headers[n];

    return NGX_DECLINED;
}


/* by what /status calls it; rare, so all are looked at */

static wag_peer_t *
wag_routing_peer(wag_upstream_t *us, ngx_str_t *name)
{
    ngx_uint_t   i;
    wag_peer_t  *peer;

    for (i = 0; i < us->npeers; i++) {
        peer = us->peers[i];

        if (peer->name.len == name->len
            && ngx_strncasecmp(peer->name.data, name->data, name->len) == 0)
        {
            return peer;
        }
    }

    return NULL;
}


static ngx_int_t
wag_routing_vendors(wag_ctx_t *ctx)
{
    ngx_int_t           rc;
    ngx_uint_t          i, score, best;
    wag_vendor_t      **vendor;
    wag_routing_t      *routing;
    wag_judgement_t     j, found;

    routing = ctx->routing;
    found = routing->judgement;

    best = 0;
    vendor = ctx->upstream->kinds.elts;

    for (i = 0; i < ctx->upstream->kinds.nelts; i++) {

        j = routing->judgement;

        if (j.choice.peer && j.choice.peer->server->vendor != vendor[i]) {
            continue;
        }

        rc = wag_judge(ctx, &routing->head, vendor[i], &j);
        if (rc != NGX_OK) {
            return rc;
        }

        score = wag_judge_score(&j);

        if (score > best) {
            found = j;
            best = score;

        } else if (score == WAG_JUDGE_FOUND
                   || (score == best
                       && j.refusal == WAG_REFUSED_NOT
                       && j.by == WAG_BY_SESSION
                       && j.choice.shown.len))
        {
            /* servers of another kind have a session of that name */

            found.refusal = WAG_REFUSED_AMBIGUOUS;
        }
    }

    routing->judgement = found;

    if (found.refusal != WAG_REFUSED_NOT) {
        ctx->refusal = found.refusal;
        ctx->member = found.member;

        return NGX_DECLINED;
    }

    if (best <= WAG_JUDGE_ANY) {

        /* no vendor has it for its own: one that has none will do as well */

        routing->judgement.choice.vendor = NULL;
    }

    return NGX_OK;
}


wag_peer_t *
wag_routing_choose(wag_ctx_t *ctx, wag_choice_take_pt take)
{
    ctx->routing->known = NULL;

    switch (ctx->routing->judgement.by) {

    case WAG_BY_SESSION:
        return wag_routing_by_session(ctx, take);

    case WAG_BY_PLACE:
        return wag_home_next(&ctx->routing->judgement.choice, take, ctx);

    default: /* WAG_BY_INSTANCE */
        return wag_routing_by_instance(ctx, take);
    }
}


/* a request keeps a copy of the name that it shows */

static wag_peer_t *
wag_routing_by_session(wag_ctx_t *ctx, wag_choice_take_pt take)
{
    wag_known_t  *known;

    /* it may have fallen since it was judged, or since an attempt before */

    if (wag_known_refresh(ctx->upstream) != NGX_OK) {
        return NULL;
    }

    known = wag_choice_next(&ctx->routing->judgement.choice, take, ctx);
    if (known == NULL) {
        return NULL;
    }

    ctx->routing->known = known;

    ctx->asked.record = known->record;
    ctx->asked.incarnation = known->incarnation;
    ctx->asked.number = known->number;
    ctx->asked.shown.data = ctx->routing->shown;
    ctx->asked.shown.len = wag_known_shown(ctx->upstream, known,
                                           ctx->routing->shown);

    return &ctx->upstream->slots[known->slot];
}


static wag_peer_t *
wag_routing_by_instance(wag_ctx_t *ctx, wag_choice_take_pt take)
{
    wag_peer_t  *peer;

    peer = ctx->routing->judgement.choice.peer;

    return (peer->incarnation == ctx->routing->judgement.choice.incarnation
            && !peer->down && wag_available(peer->instance)
            && take(ctx, peer, NULL) == NGX_OK)
           ? peer : NULL;
}


ngx_uint_t
wag_routing_has_others(wag_ctx_t *ctx, wag_choice_take_pt may)
{
    return ctx->routing->judgement.by == WAG_BY_SESSION
           && wag_choice_has(&ctx->routing->judgement.choice, may, ctx);
}
