
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_answer.h"
#include "wag_compat.h"
#include "wag_confirm.h"
#include "wag_decorate.h"
#include "wag_generic.h"
#include "wag_interim.h"
#include "wag_next.h"
#include "wag_pacing.h"
#include "wag_retry.h"


static ngx_int_t wag_decorate_reinit(ngx_http_request_t *r);
static ngx_int_t wag_decorate_header(ngx_http_request_t *r);
static ngx_int_t wag_decorate_process_header(wag_ctx_t *ctx);
static void wag_decorate_header_again(wag_ctx_t *ctx);
static void wag_decorate_finalize(ngx_http_request_t *r, ngx_int_t rc);

#if (NGX_HTTP_SSL || NGX_COMPAT)
static ngx_int_t wag_decorate_set_session(ngx_peer_connection_t *pc,
    void *data);
static void wag_decorate_save_session(ngx_peer_connection_t *pc, void *data);
#endif


void
wag_decorate(wag_ctx_t *ctx)
{
    ngx_http_upstream_t  *u;

    u = ctx->request->upstream;

    ctx->process_header = u->process_header;
    ctx->reinit_request = u->reinit_request;
    ctx->finalize_request = u->finalize_request;
    ctx->rc = NGX_OK;
    ctx->interims = 0;

    u->process_header = wag_decorate_header;
    u->reinit_request = wag_decorate_reinit;
    u->finalize_request = wag_decorate_finalize;

#if (NGX_HTTP_SSL || NGX_COMPAT)
    u->peer.set_session = wag_decorate_set_session;
    u->peer.save_session = wag_decorate_save_session;
#endif
}


static ngx_int_t
wag_decorate_reinit(ngx_http_request_t *r)
{
    ngx_int_t   rc;
    wag_ctx_t  *ctx;

    ctx = wag_ctx_find(r);

    rc = ctx->reinit_request(r);

    wag_decorate_header_again(ctx);

    return rc;
}


static ngx_int_t
wag_decorate_header(ngx_http_request_t *r)
{
    ngx_int_t   rc;
    wag_ctx_t  *ctx;

    ctx = wag_ctx_find(r);

    if (ctx->generic && ctx->generic->held) {
        return wag_answer_held(ctx);
    }

    for ( ;; ) {

        rc = wag_decorate_process_header(ctx);

        if (rc != NGX_OK) {
            return rc;
        }

        if (!wag_interim_seen(r)) {
            return ctx->generic ? wag_answer_header(ctx) : NGX_OK;
        }

        rc = wag_interim_drop(ctx);

        wag_decorate_header_again(ctx);

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
wag_decorate_process_header(wag_ctx_t *ctx)
{
    ngx_int_t            rc;
    ngx_uint_t           version;
    ngx_http_request_t  *r;

    r = ctx->request;
    version = r->http_version;

    rc = ctx->process_header(r);

    wag_decorate_header_again(ctx);

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
wag_decorate_header_again(wag_ctx_t *ctx)
{
    ngx_http_upstream_t  *u;

    u = ctx->request->upstream;

    if (u->process_header != wag_decorate_header) {
        ctx->process_header = u->process_header;
        u->process_header = wag_decorate_header;
    }
}


/*
 * ngx_http_upstream_finalize_request() calls this before it frees the peer,
 * if ngx_http_upstream_next() has not freed it and gone no further, as for a
 * client that left, "proxy_next_upstream off" or its timeout.
 */

static void
wag_decorate_finalize(ngx_http_request_t *r, ngx_int_t rc)
{
    wag_ctx_t  *ctx;

    ctx = wag_ctx_find(r);

    ctx->rc = rc;

    if (ctx->again) {
        wag_retry_declined(ctx);
    }

    if (wag_confirm_waits(ctx)) {
        wag_confirm_cancel(ctx);
        wag_next_let_go(ctx);
    }

    if (r->upstream->peer.sockaddr == NULL) {
        wag_pacing_end(ctx);
    }

    wag_ctx_own(ctx);

    ctx->finalize_request(r, rc);
}


#if (NGX_HTTP_SSL)

static ngx_int_t
wag_decorate_set_session(ngx_peer_connection_t *pc, void *data)
{
    wag_ctx_t *ctx = data;

    return ngx_ssl_set_session(pc->connection, ctx->peer->ssl_session);
}


static void
wag_decorate_save_session(ngx_peer_connection_t *pc, void *data)
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
wag_decorate_set_session(ngx_peer_connection_t *pc, void *data)
{
    return NGX_OK;
}


static void
wag_decorate_save_session(ngx_peer_connection_t *pc, void *data)
{
    /* nothing to save */
}

#endif
