
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_conf.h"
#include "wag_ctx.h"
#include "wag_peers.h"
#include "wag_state.h"


static void wag_ctx_cleanup(void *data);
static ngx_int_t wag_ctx_instance(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t wag_ctx_attempts(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t wag_ctx_state(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t wag_ctx_sent(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t wag_ctx_session(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t wag_ctx_number(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t wag_ctx_message_id(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_uint_t wag_ctx_now(wag_ctx_t *ctx);


static ngx_http_variable_t  wag_variables[] = {

    { ngx_string("wa_gateway_instance"), NULL,
      wag_ctx_instance, 0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("wa_gateway_attempts"), NULL,
      wag_ctx_attempts, 0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("wa_gateway_state"), NULL,
      wag_ctx_state, 0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("wa_gateway_sent"), NULL,
      wag_ctx_sent, 0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("wa_gateway_session"), NULL,
      wag_ctx_session, 0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("wa_gateway_number"), NULL,
      wag_ctx_number, 0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("wa_gateway_message_id"), NULL,
      wag_ctx_message_id, 0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

      ngx_http_null_variable
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
    ngx_http_variable_t  *var, *v;

    for (v = wag_variables; v->name.len; v++) {
        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


static ngx_int_t
wag_ctx_instance(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    wag_ctx_t  *ctx;

    ctx = wag_ctx_find(r);

    if (ctx == NULL || ctx->peer == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    v->len = ctx->server->name.len;
    v->data = ctx->server->name.data;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}


static ngx_int_t
wag_ctx_attempts(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    wag_ctx_t  *ctx;

    ctx = wag_ctx_find(r);

    if (ctx == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    v->data = ngx_pnalloc(r->pool, NGX_INT_T_LEN);
    if (v->data == NULL) {
        return NGX_ERROR;
    }

    v->len = ngx_sprintf(v->data, "%ui", ctx->attempts) - v->data;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}


/* of the instance asked last, as it is now */

static ngx_int_t
wag_ctx_state(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    ngx_str_t  *name;
    wag_ctx_t  *ctx;

    ctx = wag_ctx_find(r);

    if (ctx == NULL
        || ctx->peer == NULL
        || ctx->incarnation != ctx->peer->instance->incarnation)
    {
        v->not_found = 1;
        return NGX_OK;
    }

    name = &wag_states[ctx->peer->instance->state];

    v->len = name->len;
    v->data = name->data;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}


static ngx_int_t
wag_ctx_sent(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    wag_ctx_t  *ctx;
    ngx_uint_t  sent;

    ctx = wag_ctx_find(r);

    if (ctx == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    sent = wag_ctx_now(ctx);

    v->len = wag_sents[sent].len;
    v->data = wag_sents[sent].data;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}


static ngx_int_t
wag_ctx_session(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    wag_ctx_t  *ctx;

    ctx = wag_ctx_find(r);

    if (ctx == NULL || ctx->asked.record == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    v->len = ctx->asked.shown.len;
    v->data = ctx->asked.shown.data;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}


static ngx_int_t
wag_ctx_message_id(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    wag_ctx_t  *ctx;

    ctx = wag_ctx_find(r);

    if (ctx == NULL || ctx->message_id.len == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    v->len = ctx->message_id.len;
    v->data = ctx->message_id.data;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}


static ngx_int_t
wag_ctx_number(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    wag_ctx_t  *ctx;

    ctx = wag_ctx_find(r);

    if (ctx == NULL || ctx->asked.record == NULL || ctx->asked.number == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    v->data = ngx_pnalloc(r->pool, NGX_INT64_LEN);
    if (v->data == NULL) {
        return NGX_ERROR;
    }

    v->len = ngx_sprintf(v->data, "%uL", ctx->asked.number) - v->data;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

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
