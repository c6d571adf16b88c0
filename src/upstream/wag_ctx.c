
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_conf.h"
#include "wag_ctx.h"
#include "wag_peers.h"
#include "wag_state.h"


/* NGX_OK; NGX_DECLINED: it has none; NGX_ERROR: there is no memory */

typedef struct {
    ngx_str_t            name;
    ngx_int_t          (*get)(wag_ctx_t *ctx, ngx_str_t *text);
} wag_ctx_variable_t;


static void wag_ctx_cleanup(void *data);
static ngx_int_t wag_ctx_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t wag_ctx_instance(wag_ctx_t *ctx, ngx_str_t *text);
static ngx_int_t wag_ctx_attempts(wag_ctx_t *ctx, ngx_str_t *text);
static ngx_int_t wag_ctx_state(wag_ctx_t *ctx, ngx_str_t *text);
static ngx_int_t wag_ctx_sent(wag_ctx_t *ctx, ngx_str_t *text);
static ngx_int_t wag_ctx_session(wag_ctx_t *ctx, ngx_str_t *text);
static ngx_int_t wag_ctx_number(wag_ctx_t *ctx, ngx_str_t *text);
static ngx_int_t wag_ctx_message_id(wag_ctx_t *ctx, ngx_str_t *text);
static ngx_int_t wag_ctx_print(wag_ctx_t *ctx, uint64_t n, ngx_str_t *text);
static ngx_uint_t wag_ctx_now(wag_ctx_t *ctx);


static wag_ctx_variable_t  wag_ctx_all[] = {
    { ngx_string("wa_gateway_instance"), wag_ctx_instance },
    { ngx_string("wa_gateway_attempts"), wag_ctx_attempts },
    { ngx_string("wa_gateway_state"), wag_ctx_state },
    { ngx_string("wa_gateway_sent"), wag_ctx_sent },
    { ngx_string("wa_gateway_session"), wag_ctx_session },
    { ngx_string("wa_gateway_number"), wag_ctx_number },
    { ngx_string("wa_gateway_message_id"), wag_ctx_message_id },
    { ngx_null_string, NULL }
};


static ngx_str_t  wag_sents[] = {
    ngx_string("no"),
    ngx_string("yes"),
    ngx_string("unknown")
};


wag_ctx_t *
wag_ctx_find(ngx_http_request_t *r)
{
    wag_ctx_t           *ctx;
    ngx_pool_cleanup_t  *cln;

    ctx = ngx_http_get_module_ctx(r, ngx_http_wa_gateway_module);

    if (ctx == NULL && (r->internal || r->filter_finalize)) {

        for (cln = r->pool->cleanup; cln; cln = cln->next) {
            if (cln->handler == wag_ctx_cleanup) {
                ctx = cln->data;

                if (ctx->request == r) {
                    return ctx;
                }

                ctx = NULL;
            }
        }
    }

    return ctx;
}


wag_ctx_t *
wag_ctx_get(ngx_http_request_t *r)
{
    wag_ctx_t           *ctx;
    ngx_pool_cleanup_t  *cln;

    ctx = wag_ctx_find(r);

    if (ctx) {
        ngx_http_set_ctx(r, ctx, ngx_http_wa_gateway_module);
        return ctx;
    }

    cln = ngx_pool_cleanup_add(r->pool, sizeof(wag_ctx_t));
    if (cln == NULL) {
        return NULL;
    }

    ctx = cln->data;
    ngx_memzero(ctx, sizeof(wag_ctx_t));

    ctx->request = r;

    cln->handler = wag_ctx_cleanup;

    ngx_http_set_ctx(r, ctx, ngx_http_wa_gateway_module);

    return ctx;
}


/* it marks the context, too: see wag_ctx_find() */

static void
wag_ctx_cleanup(void *data)
{
    wag_ctx_t *ctx = data;

    if (ctx->addrs) {
        wag_addrs_unref(ctx->addrs);
    }

    if (ctx->server) {
        wag_peers_unref_server(ctx->server);
    }
}


void
wag_ctx_others(wag_ctx_t *ctx)
{
    ngx_uint_t                  i;
    ngx_array_t                *states;
    ngx_http_upstream_state_t  *state;

    states = ctx->request->upstream_states;

    if (states == NULL) {
        return;
    }

    state = states->elts;

    for (i = ctx->nstates; i < states->nelts; i++) {

        if (state[i].bytes_sent == 0) {
            continue;
        }

        if (ctx->sent == WAG_SENT_NO) {
            ctx->sent = WAG_SENT_UNKNOWN;
        }

        if (state[i].status < NGX_HTTP_OK
            || state[i].status >= NGX_HTTP_SPECIAL_RESPONSE)
        {
            ctx->written = 1;
        }
    }

    ctx->nstates = states->nelts;
}


void
wag_ctx_own(wag_ctx_t *ctx)
{
    ctx->nstates = ctx->request->upstream_states->nelts;
}


void
wag_ctx_addrs(wag_ctx_t *ctx, wag_peer_t *peer)
{
    wag_addrs_t   *old;
    wag_server_t  *server;

    wag_peers_refresh_addrs(ctx->upstream, peer);

    server = ctx->server;
    ctx->server = wag_peers_ref_server(peer->server);
    ctx->incarnation = peer->incarnation;

    if (server) {
        wag_peers_unref_server(server);
    }

    old = ctx->addrs;
    ctx->addrs = wag_addrs_ref(peer->addrs);

    if (old) {
        wag_addrs_unref(old);
    }

    ctx->address = peer->address;
    ctx->naddress = 1;
}


void
wag_ctx_begin_with(wag_ctx_t *ctx)
{
    if (ctx->peer->addrs == ctx->addrs) {
        ctx->peer->address = ctx->address;
    }
}


ngx_int_t
wag_ctx_variables(ngx_conf_t *cf)
{
    ngx_uint_t            i;
    ngx_http_variable_t  *var;

    for (i = 0; wag_ctx_all[i].name.len; i++) {
        var = ngx_http_add_variable(cf, &wag_ctx_all[i].name,
                                    NGX_HTTP_VAR_NOCACHEABLE);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = wag_ctx_variable;
        var->data = i;
    }

    return NGX_OK;
}


static ngx_int_t
wag_ctx_variable(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    ngx_int_t   rc;
    ngx_str_t   text;
    wag_ctx_t  *ctx;

    ctx = wag_ctx_find(r);

    rc = ctx ? wag_ctx_all[data].get(ctx, &text) : NGX_DECLINED;

    if (rc == NGX_DECLINED) {
        v->not_found = 1;
        return NGX_OK;
    }

    if (rc == NGX_ERROR) {
        return rc;
    }

    v->len = text.len;
    v->data = text.data;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}


static ngx_int_t
wag_ctx_instance(wag_ctx_t *ctx, ngx_str_t *text)
{
    if (ctx->peer == NULL) {
        return NGX_DECLINED;
    }

    *text = ctx->server->name;

    return NGX_OK;
}


static ngx_int_t
wag_ctx_attempts(wag_ctx_t *ctx, ngx_str_t *text)
{
    return wag_ctx_print(ctx, ctx->attempts, text);
}


/* of the instance asked last, as it is now */

static ngx_int_t
wag_ctx_state(wag_ctx_t *ctx, ngx_str_t *text)
{
    if (ctx->peer == NULL
        || ctx->incarnation != ctx->peer->instance->incarnation)
    {
        return NGX_DECLINED;
    }

    *text = wag_states[ctx->peer->instance->state];

    return NGX_OK;
}


static ngx_int_t
wag_ctx_sent(wag_ctx_t *ctx, ngx_str_t *text)
{
    *text = wag_sents[wag_ctx_now(ctx)];

    return NGX_OK;
}


static ngx_int_t
wag_ctx_session(wag_ctx_t *ctx, ngx_str_t *text)
{
    if (ctx->asked.record == NULL) {
        return NGX_DECLINED;
    }

    *text = ctx->asked.shown;

    return NGX_OK;
}


static ngx_int_t
wag_ctx_message_id(wag_ctx_t *ctx, ngx_str_t *text)
{
    *text = ctx->message_id;

    return text->len ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
wag_ctx_number(wag_ctx_t *ctx, ngx_str_t *text)
{
    if (ctx->asked.record == NULL || ctx->asked.number == 0) {
        return NGX_DECLINED;
    }

    return wag_ctx_print(ctx, ctx->asked.number, text);
}


static ngx_int_t
wag_ctx_print(wag_ctx_t *ctx, uint64_t n, ngx_str_t *text)
{
    text->data = ngx_pnalloc(ctx->request->pool, NGX_INT64_LEN);
    if (text->data == NULL) {
        return NGX_ERROR;
    }

    text->len = ngx_sprintf(text->data, "%uL", n) - text->data;

    return NGX_OK;
}


/* an attempt that is not over yet was not judged: headers are sent then */

static ngx_uint_t
wag_ctx_now(wag_ctx_t *ctx)
{
    ngx_http_upstream_t  *u;

    u = ctx->request->upstream;

    if (ctx->peer == NULL || u == NULL || u->peer.sockaddr == NULL) {
        return ctx->sent;
    }

    if (u->state && u->state->header_time != (ngx_msec_t) -1) {
        return WAG_SENT_YES;
    }

    if (u->peer.connection && u->peer.connection->sent > 0) {
        return WAG_SENT_UNKNOWN;
    }

    return ctx->sent;
}
