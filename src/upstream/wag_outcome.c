
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_answer.h"
#include "wag_compat.h"
#include "wag_connect_error.h"
#include "wag_ctx.h"
#include "wag_known_find.h"
#include "wag_outcome.h"
#include "wag_pacing.h"
#include "wag_routing.h"
#include "wag_session.h"
#include "wag_state.h"
#include "wag_transition.h"


static void wag_outcome_answered(wag_ctx_t *ctx, ngx_connection_t *c);
static void wag_outcome_declined(wag_ctx_t *ctx, ngx_peer_connection_t *pc,
    ngx_err_t err);
static void wag_outcome_broken(wag_ctx_t *ctx, ngx_peer_connection_t *pc);
static void wag_outcome_fail(wag_ctx_t *ctx, ngx_uint_t failure, char *reason);
static ngx_uint_t wag_outcome_loopback(struct sockaddr *sockaddr);
static void wag_outcome_failed(wag_ctx_t *ctx);
static void wag_outcome_status(wag_ctx_t *ctx);
static void wag_outcome_signal(wag_ctx_t *ctx, ngx_uint_t event,
    u_char *reason, size_t len);
static void wag_outcome_session(wag_ctx_t *ctx);
static void wag_outcome_message(wag_ctx_t *ctx);
static void wag_outcome_denied(wag_ctx_t *ctx);
static void wag_outcome_rest(wag_ctx_t *ctx);
static ngx_uint_t wag_outcome_is_spent(wag_ctx_t *ctx);
static ngx_uint_t wag_outcome_is_sent(wag_ctx_t *ctx);
static ngx_uint_t wag_outcome_is_unsent(wag_ctx_t *ctx);
static void wag_outcome_time(wag_ctx_t *ctx, wag_counters_t *counters);
static ngx_uint_t wag_outcome_counts(wag_upstream_t *us, ngx_uint_t status);


void
wag_outcome_judge(wag_ctx_t *ctx, ngx_peer_connection_t *pc, ngx_uint_t state)
{
    ngx_err_t             err;
    ngx_connection_t     *c;
    ngx_http_upstream_t  *u;

    /* of connect(), if that failed at once: nothing since then set another */

    err = ngx_socket_errno;

    u = ctx->request->upstream;
    c = pc->connection;

    ctx->outcome = WAG_NONE;
    ctx->status = 0;

    if (state != 0 && wag_answer_is_unsent(ctx)) {

        /* an answer, though nginx was told that it is none */

        ctx->outcome = WAG_ANSWERED;
        ctx->status = ctx->generic->status;
        return;
    }

    /* the time is set when the header is complete and not before */

    if (u->state->header_time != (ngx_msec_t) -1) {
        wag_outcome_answered(ctx, c);
        return;
    }

    if (c == NULL) {

        if (state & NGX_PEER_FAILED) {
            wag_outcome_declined(ctx, pc, err);
        }

        return;
    }

    if (c->sent > 0) {
        ctx->sent = WAG_SENT_UNKNOWN;
        ctx->written = 1;
    }

    if (state & NGX_PEER_FAILED) {
        wag_outcome_broken(ctx, pc);
    }
}


static void
wag_outcome_answered(wag_ctx_t *ctx, ngx_connection_t *c)
{
    off_t                 length;
    ngx_uint_t            error, eof;
    ngx_http_upstream_t  *u;

    u = ctx->request->upstream;

    ctx->outcome = WAG_ANSWERED;
    ctx->status = u->headers_in.status_n;
    ctx->sent = WAG_SENT_YES;
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

        wag_outcome_fail(ctx, WAG_TIMEOUT, "timeout");

    } else if (error) {
        wag_outcome_fail(ctx, WAG_RESET, "reset");

    } else if (eof && length != -1) {
        wag_outcome_fail(ctx, WAG_RESET, "answer cut short");
    }
}


static void
wag_outcome_declined(wag_ctx_t *ctx, ngx_peer_connection_t *pc, ngx_err_t err)
{
    if (wag_connect_error_is_local(err, pc->sockaddr, ctx->addrs->naddrs)) {
        return;
    }

    wag_outcome_fail(ctx, WAG_CONNECT, wag_connect_error_reason(err));
}


static void
wag_outcome_broken(wag_ctx_t *ctx, ngx_peer_connection_t *pc)
{
    ngx_connection_t     *c;
    ngx_http_upstream_t  *u;

    c = pc->connection;
    u = ctx->request->upstream;

    if (c->read->timedout || c->write->timedout || c->timedout) {
        wag_outcome_fail(ctx, WAG_TIMEOUT, "timeout");
        return;
    }

    if (c->sent == 0 && pc->cached) {

        /* it was closed while it was kept: that tells nothing */

        return;
    }

    if (!u->request_sent) {

        if (c->ssl) {
            wag_outcome_fail(ctx, WAG_CONNECT, "connect TLS handshake failed");
            return;
        }

        /*
         * ngx_http_upstream_test_connect() took the error from the socket; on
         * loopback it can only be this one
         */

        wag_outcome_fail(ctx, WAG_CONNECT, wag_outcome_loopback(pc->sockaddr)
                         ? "connect ECONNREFUSED" : "connect failed");
        return;
    }

    if (c->read->eof) {
        wag_outcome_fail(ctx, WAG_RESET, "closed before answer");
        return;
    }

    if (c->read->error || c->write->error) {
        wag_outcome_fail(ctx, WAG_RESET, "reset");
        return;
    }

    if (u->state->bytes_received == 0) {

        /* it was not the connection: no memory here for what is sent */

        return;
    }

    wag_outcome_fail(ctx, WAG_INVALID, "invalid answer");
}


static void
wag_outcome_fail(wag_ctx_t *ctx, ngx_uint_t failure, char *reason)
{
    ctx->outcome = WAG_FAILED;
    ctx->failure = failure;
    ctx->reason = reason;
}


static ngx_uint_t
wag_outcome_loopback(struct sockaddr *sockaddr)
{
    struct sockaddr_in  *sin;
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
wag_outcome_score(wag_ctx_t *ctx)
{
    ngx_uint_t       n;
    wag_instance_t  *instance;

    instance = ctx->peer->instance;

    if (ctx->status >= 100 && ctx->status < 600) {
        n = ctx->status / 100 - 1;
        (void) ngx_atomic_fetch_add(&instance->counters.codes[n], 1);
        wag_outcome_time(ctx, &instance->counters);
    }

    if (ctx->routing) {
        wag_outcome_session(ctx);
    }

    switch (ctx->outcome) {

    case WAG_FAILED:
        wag_outcome_failed(ctx);
        break;

    case WAG_ANSWERED:

        /* an error of a server that has sessions is one of a session */

        if (ctx->server->vendor == NULL
            && wag_outcome_counts(ctx->upstream, ctx->status))
        {
            wag_outcome_status(ctx);
            break;
        }

        /* the lock is for what may move a state: not success after success */

        if (instance->health.errors || instance->health.statuses) {
            wag_outcome_signal(ctx, WAG_OK, NULL, 0);
        }

        break;

    default:
        break;
    }
}


static void
wag_outcome_failed(wag_ctx_t *ctx)
{
    ngx_uint_t  n;

    n = ctx->failure;
    (void) ngx_atomic_fetch_add(&ctx->peer->instance->counters.failures[n], 1);

    if (ctx->sent == WAG_SENT_UNKNOWN) {
        (void) ngx_atomic_fetch_add(&ctx->upstream->group->ambiguous, 1);
    }

    if (wag_available(ctx->peer->instance)) {
        wag_outcome_signal(ctx, WAG_ERROR, (u_char *) ctx->reason,
                           ngx_strlen(ctx->reason));
    }
}


static void
wag_outcome_status(wag_ctx_t *ctx)
{
    u_char  *last, buf[sizeof("status ") + NGX_INT_T_LEN];

    if (wag_available(ctx->peer->instance)) {
        last = ngx_sprintf(buf, "status %ui", ctx->status);

        wag_outcome_signal(ctx, WAG_STATUS, buf, last - buf);
    }
}


static void
wag_outcome_signal(wag_ctx_t *ctx, ngx_uint_t event, u_char *reason,
    size_t len)
{
    wag_health_signal_t  signal;

    if (ctx->upstream->passive == NULL) {
        return;
    }

    ngx_memzero(&signal, sizeof(wag_health_signal_t));

    signal.upstream = ctx->upstream;
    signal.peer = ctx->peer;
    signal.event = event;
    signal.reason.data = reason;
    signal.reason.len = len;

    wag_transition_event(&signal);
}


/*
 * What came of a send, in the record of the session, unless that is another's
 * by now.
 */

static void
wag_outcome_session(wag_ctx_t *ctx)
{
    wag_session_t  *session;

    session = ctx->asked.record;

    if (ctx->routing->judgement.by == WAG_BY_PLACE) {

        /* where it was made its list has it now */

        ctx->peer->instance->ask = 1;
    }

    if (ctx->routing->judgement.kind != WAG_ROUTE_SEND) {
        return;
    }

    wag_pacing_attempt(ctx, !wag_outcome_is_spent(ctx));

    if (session == NULL) {
        return;
    }

    if (ctx->generic) {
        wag_outcome_message(ctx);

    } else if (ctx->outcome == WAG_ANSWERED
               && wag_proof_may_deny(ctx->server->vendor, ctx->status))
    {
        wag_outcome_denied(ctx);
    }

    if (session->incarnation != ctx->asked.incarnation) {
        return;
    }

    if (wag_outcome_is_sent(ctx)) {
        (void) ngx_atomic_fetch_add(&session->sent, 1);
        session->last_sent = wag_time();

    } else if (wag_outcome_is_unsent(ctx)) {
        (void) ngx_atomic_fetch_add(&session->failed, 1);

    } else {
        (void) ngx_atomic_fetch_add(&session->unknown, 1);
    }
}


/* by what its vendor takes for proof */

static void
wag_outcome_message(wag_ctx_t *ctx)
{
    switch (wag_answer_result(ctx)) {

    case WAG_PROOF_SENT:
        ctx->message_id = ctx->generic->proof.id;

        wag_session_sent(ctx->upstream, ctx->peer, ctx->asked.record,
                         ctx->asked.incarnation, 1);
        break;

    case WAG_PROOF_SESSION:
        wag_outcome_denied(ctx);
        ctx->sent = WAG_SENT_NO;
        break;

    case WAG_PROOF_PACED:
        wag_outcome_rest(ctx);
        ctx->sent = WAG_SENT_NO;
        break;

    case WAG_PROOF_MESSAGE:
        ctx->sent = WAG_SENT_NO;
        break;

    default: /* WAG_PROOF_NONE */

        if (ctx->outcome == WAG_ANSWERED) {
            ctx->sent = WAG_SENT_UNKNOWN;

            wag_session_sent(ctx->upstream, ctx->peer, ctx->asked.record,
                             ctx->asked.incarnation, 0);
        }
    }
}


/* its own list is the first to tell, the session may be at another one */

static void
wag_outcome_denied(wag_ctx_t *ctx)
{
    ctx->peer->instance->ask = 1;

    (void) ngx_atomic_fetch_add(&ctx->upstream->group->sessions.asked, 1);
}


/* a number is throttled wherever it is */

static void
wag_outcome_rest(wag_ctx_t *ctx)
{
    ngx_msec_t    until;
    wag_known_t  *known;

    until = ngx_current_msec + ctx->generic->pause * 1000;

    ctx->asked.record->rest = until;

    for (known = NULL;
         ctx->asked.number
         && (known = wag_known_find_number(ctx->upstream, ctx->asked.number,
                                           known));
         /* void */ )
    {
        known->record->rest = until;
    }
}


/* WhatsApp may have counted what its server refused, or what was lost */

static ngx_uint_t
wag_outcome_is_spent(wag_ctx_t *ctx)
{
    ngx_uint_t  result;

    result = ctx->generic ? wag_answer_result(ctx) : WAG_PROOF_NONE;

    if (result != WAG_PROOF_NONE) {
        return result != WAG_PROOF_SESSION && result != WAG_PROOF_PACED;
    }

    return ctx->outcome == WAG_ANSWERED || ctx->written;
}


/* a native one by a success, a 4xx tells that it was not */

static ngx_uint_t
wag_outcome_is_sent(wag_ctx_t *ctx)
{
    if (ctx->generic) {
        return wag_answer_result(ctx) == WAG_PROOF_SENT;
    }

    return ctx->outcome == WAG_ANSWERED && ctx->status / 100 == 2;
}


static ngx_uint_t
wag_outcome_is_unsent(wag_ctx_t *ctx)
{
    if (wag_answer_is_unsent(ctx)) {
        return 1;
    }

    if (ctx->outcome == WAG_ANSWERED) {
        return ctx->generic == NULL && ctx->status / 100 == 4;
    }

    return !ctx->written;
}


/* to the header of the answer: a slow client is not the instance's fault */

static void
wag_outcome_time(wag_ctx_t *ctx, wag_counters_t *counters)
{
    ngx_uint_t  n;
    ngx_msec_t  msec;

    msec = ctx->request->upstream->state->header_time;
    n = wag_latency_bucket(msec);

    (void) wag_fetch_add(&counters->latency[n], 1);
    (void) ngx_atomic_fetch_add(&counters->time, msec);
}


static ngx_uint_t
wag_outcome_counts(wag_upstream_t *us, ngx_uint_t status)
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
