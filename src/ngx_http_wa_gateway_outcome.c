
/*
 * Copyright (C) the wa_gateway authors
 */


#include "ngx_http_wa_gateway_module.h"
#include "ngx_http_wa_gateway_compat.h"
#include "ngx_http_wa_gateway_connect.h"
#include "ngx_http_wa_gateway_health.h"
#include "ngx_http_wa_gateway_mark.h"
#include "ngx_http_wa_gateway_outcome.h"


static void ngx_http_wa_gateway_outcome_answered(
    ngx_http_wa_gateway_ctx_t *ctx, ngx_connection_t *c);
static void ngx_http_wa_gateway_outcome_declined(
    ngx_http_wa_gateway_ctx_t *ctx, ngx_peer_connection_t *pc, ngx_err_t err);
static void ngx_http_wa_gateway_outcome_broken(ngx_http_wa_gateway_ctx_t *ctx,
    ngx_peer_connection_t *pc);
static void ngx_http_wa_gateway_outcome_fail(ngx_http_wa_gateway_ctx_t *ctx,
    ngx_uint_t failure, char *reason);
static ngx_uint_t ngx_http_wa_gateway_outcome_loopback(
    struct sockaddr *sockaddr);
static void ngx_http_wa_gateway_outcome_time(ngx_http_wa_gateway_ctx_t *ctx,
    ngx_http_wa_gateway_instance_t *instance);
static ngx_uint_t ngx_http_wa_gateway_outcome_counts(
    ngx_http_wa_gateway_upstream_t *us, ngx_uint_t status);


void
ngx_http_wa_gateway_outcome_judge(ngx_http_wa_gateway_ctx_t *ctx,
    ngx_peer_connection_t *pc, ngx_uint_t state)
{
    ngx_err_t             err;
    ngx_connection_t     *c;
    ngx_http_upstream_t  *u;

    /* of connect(), if that failed at once: nothing since then set another */

    err = ngx_socket_errno;

    u = ctx->request->upstream;
    c = pc->connection;

    ctx->outcome = NGX_HTTP_WA_GATEWAY_NONE;
    ctx->status = 0;

    /* the time is set when the header is complete and not before */

    if (u->state->header_time != (ngx_msec_t) -1) {
        ngx_http_wa_gateway_outcome_answered(ctx, c);
        return;
    }

    if (c == NULL) {

        if (state & NGX_PEER_FAILED) {
            ngx_http_wa_gateway_outcome_declined(ctx, pc, err);
        }

        return;
    }

    if (c->sent > 0) {
        ctx->sent = NGX_HTTP_WA_GATEWAY_SENT_UNKNOWN;
        ctx->written = 1;
    }

    if (state & NGX_PEER_FAILED) {
        ngx_http_wa_gateway_outcome_broken(ctx, pc);
    }
}


static void
ngx_http_wa_gateway_outcome_answered(ngx_http_wa_gateway_ctx_t *ctx,
    ngx_connection_t *c)
{
    off_t                 length;
    ngx_uint_t            error, eof;
    ngx_http_upstream_t  *u;

    u = ctx->request->upstream;

    ctx->outcome = NGX_HTTP_WA_GATEWAY_ANSWERED;
    ctx->status = u->headers_in.status_n;
    ctx->sent = NGX_HTTP_WA_GATEWAY_SENT_YES;
    ctx->written = 1;

    /*
     * Was the body whole: the tests of ngx_http_upstream_process_request().
     * A connection that keepalive has taken away is one where it was.  What
     * ends with NGX_ERROR failed on this side: no memory, a full disk.
     */

    if (c == NULL
        || ctx->rc == NGX_ERROR
        || u->upgrade
        || !u->header_sent
        || ctx->request->header_only)
    {
        return;
    }

    if (u->buffering) {
        error = u->pipe->upstream_error;
        eof = u->pipe->upstream_eof && !u->pipe->upstream_done;
        length = u->pipe->length;

    } else {
        error = c->read->error || c->read->timedout;
        eof = c->read->eof && u->length != 0;
        length = u->length;
    }

    if (error && c->read->timedout) {

        /* a stream of events may have nothing to say for longer than that */

        if (u->headers_in.content_length_n == -1) {
            return;
        }

        ngx_http_wa_gateway_outcome_fail(ctx, NGX_HTTP_WA_GATEWAY_TIMEOUT,
                                         "timeout");

    } else if (error) {
        ngx_http_wa_gateway_outcome_fail(ctx, NGX_HTTP_WA_GATEWAY_RESET,
                                         "reset");

    } else if (eof && length != -1) {
        ngx_http_wa_gateway_outcome_fail(ctx, NGX_HTTP_WA_GATEWAY_RESET,
                                         "answer cut short");
    }
}


static void
ngx_http_wa_gateway_outcome_declined(ngx_http_wa_gateway_ctx_t *ctx,
    ngx_peer_connection_t *pc, ngx_err_t err)
{
    if (ngx_http_wa_gateway_connect_is_local(err, pc->sockaddr,
                                             ctx->peer->naddrs))
    {
        return;
    }

    ngx_http_wa_gateway_outcome_fail(ctx, NGX_HTTP_WA_GATEWAY_CONNECT,
                                     ngx_http_wa_gateway_connect_reason(err));
}


static void
ngx_http_wa_gateway_outcome_broken(ngx_http_wa_gateway_ctx_t *ctx,
    ngx_peer_connection_t *pc)
{
    ngx_connection_t     *c;
    ngx_http_upstream_t  *u;

    c = pc->connection;
    u = ctx->request->upstream;

    if (c->read->timedout || c->write->timedout || c->timedout) {
        ngx_http_wa_gateway_outcome_fail(ctx, NGX_HTTP_WA_GATEWAY_TIMEOUT,
                                         "timeout");
        return;
    }

    if (c->sent == 0 && pc->cached) {

        /* it was closed while it was kept: that tells nothing */

        return;
    }

    if (!u->request_sent) {

        if (c->ssl) {
            ngx_http_wa_gateway_outcome_fail(ctx, NGX_HTTP_WA_GATEWAY_CONNECT,
                                             "connect TLS handshake failed");
            return;
        }

        /*
         * ngx_http_upstream_test_connect() took the error from the socket; on
         * loopback it can only be this one
         */

        ngx_http_wa_gateway_outcome_fail(ctx, NGX_HTTP_WA_GATEWAY_CONNECT,
                            ngx_http_wa_gateway_outcome_loopback(pc->sockaddr)
                            ? "connect ECONNREFUSED" : "connect failed");
        return;
    }

    if (c->read->eof) {
        ngx_http_wa_gateway_outcome_fail(ctx, NGX_HTTP_WA_GATEWAY_RESET,
                                         "closed before answer");
        return;
    }

    if (c->read->error || c->write->error || u->state->bytes_received == 0) {
        ngx_http_wa_gateway_outcome_fail(ctx, NGX_HTTP_WA_GATEWAY_RESET,
                                         "reset");
        return;
    }

    ngx_http_wa_gateway_outcome_fail(ctx, NGX_HTTP_WA_GATEWAY_INVALID,
                                     "invalid answer");
}


static void
ngx_http_wa_gateway_outcome_fail(ngx_http_wa_gateway_ctx_t *ctx,
    ngx_uint_t failure, char *reason)
{
    ctx->outcome = NGX_HTTP_WA_GATEWAY_FAILED;
    ctx->failure = failure;
    ctx->reason = reason;
}


static ngx_uint_t
ngx_http_wa_gateway_outcome_loopback(struct sockaddr *sockaddr)
{
    struct sockaddr_in   *sin;
#if (NGX_HAVE_INET6)
    struct sockaddr_in6  *sin6;
#endif

    switch (sockaddr->sa_family) {

    case AF_INET:
        sin = (struct sockaddr_in *) sockaddr;
        return (ntohl(sin->sin_addr.s_addr) >> 24) == 127;

#if (NGX_HAVE_INET6)
    case AF_INET6:
        sin6 = (struct sockaddr_in6 *) sockaddr;
        return IN6_IS_ADDR_LOOPBACK(&sin6->sin6_addr);
#endif

    default:
        return 0;
    }
}


void
ngx_http_wa_gateway_outcome_score(ngx_http_wa_gateway_ctx_t *ctx)
{
    u_char                           buf[sizeof("status ") + NGX_INT_T_LEN];
    ngx_http_wa_gateway_news_t       news;
    ngx_http_wa_gateway_instance_t  *instance;

    instance = ctx->peer->instance;

    ngx_memzero(&news, sizeof(ngx_http_wa_gateway_news_t));

    if (ctx->status >= 100 && ctx->status < 600) {
        (void) ngx_atomic_fetch_add(&instance->codes[ctx->status / 100 - 1],
                                    1);
        ngx_http_wa_gateway_outcome_time(ctx, instance);
    }

    switch (ctx->outcome) {

    case NGX_HTTP_WA_GATEWAY_FAILED:
        (void) ngx_atomic_fetch_add(&instance->failures[ctx->failure], 1);

        if (ctx->sent == NGX_HTTP_WA_GATEWAY_SENT_UNKNOWN) {
            (void) ngx_atomic_fetch_add(&ctx->upstream->group->ambiguous, 1);
        }

        news.event = NGX_HTTP_WA_GATEWAY_ERROR;
        news.reason.data = (u_char *) ctx->reason;
        news.reason.len = ngx_strlen(ctx->reason);
        break;

    case NGX_HTTP_WA_GATEWAY_ANSWERED:

        if (!ngx_http_wa_gateway_outcome_counts(ctx->upstream, ctx->status)) {
            news.event = NGX_HTTP_WA_GATEWAY_OK;
            break;
        }

        news.event = NGX_HTTP_WA_GATEWAY_STATUS;
        news.reason.data = buf;
        news.reason.len = ngx_sprintf(buf, "status %ui", ctx->status) - buf;
        break;

    default:
        return;
    }

    if (ctx->upstream->passive == NULL) {
        return;
    }

    /* the lock is for what may move a state: not for success after success */

    if (news.event == NGX_HTTP_WA_GATEWAY_OK) {
        if (instance->health.errors == 0 && instance->health.statuses == 0) {
            return;
        }

    } else if (!ngx_http_wa_gateway_available(instance)) {
        return;
    }

    news.upstream = ctx->upstream;
    news.peer = ctx->peer;

    ngx_http_wa_gateway_mark_event(&news);
}


/* to the header of the answer: a slow client is not the instance's fault */

static void
ngx_http_wa_gateway_outcome_time(ngx_http_wa_gateway_ctx_t *ctx,
    ngx_http_wa_gateway_instance_t *instance)
{
    ngx_uint_t  n;
    ngx_msec_t  msec;

    msec = ctx->request->upstream->state->header_time;
    n = ngx_http_wa_gateway_latency_bucket(msec);

    (void) ngx_http_wa_gateway_fetch_add(&instance->latency[n], 1);
    (void) ngx_atomic_fetch_add(&instance->time, msec);
}


static ngx_uint_t
ngx_http_wa_gateway_outcome_counts(ngx_http_wa_gateway_upstream_t *us,
    ngx_uint_t status)
{
    ngx_uint_t  i, *range;

    if (us->passive == NULL) {
        return 0;
    }

    range = us->passive->statuses->elts;

    for (i = 0; i < us->passive->statuses->nelts; i += 2) {
        if (status >= range[i] && status <= range[i + 1]) {
            return 1;
        }
    }

    return 0;
}
