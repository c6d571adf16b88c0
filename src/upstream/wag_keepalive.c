
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_ctx.h"
#include "wag_keepalive.h"
#include "wag_peers.h"


/*
 * Before a message is written to a kept connection the connection is looked
 * at: what is written to one that the instance has closed is lost, unless the
 * method may be repeated.  That is a system call, 3 or 4 % of what a message
 * costs.  So one look holds for all of an instance's connections that
 * were in use these ms ago, until the worker asks for events again: an
 * instance that ends closes them all.  Where an instance was seen closing one,
 * each is looked at for the time below.
 */

#define WAG_KEEPALIVE_FRESH  10
#define WAG_KEEPALIVE_WARY   3600000


typedef struct {
    ngx_queue_t          queue;   /* of a peer, or free */
    ngx_queue_t          age;     /* the latest first */
    ngx_connection_t    *connection;
    wag_upstream_t      *upstream;
    wag_peer_t          *peer;
    ngx_uint_t           incarnation;   /* of the instance */
    wag_addrs_t         *addrs;
    ngx_uint_t           address;       /* of these */
    ngx_msec_t           since;
} wag_idle_t;


static void wag_keepalive_cleanup(void *data);
static ngx_uint_t wag_keepalive_same(wag_idle_t *idle, wag_ctx_t *ctx);
static ngx_uint_t wag_keepalive_open(wag_idle_t *idle);
static ngx_uint_t wag_keepalive_short(ngx_http_request_t *r);
static ngx_uint_t wag_keepalive_reusable(wag_ctx_t *ctx, ngx_connection_t *c);
static wag_idle_t *wag_keepalive_evict_or_alloc(wag_upstream_t *us,
    wag_peer_t *peer);
static void wag_keepalive_park(wag_idle_t *idle);
static ngx_uint_t wag_keepalive_is_usable(ngx_connection_t *c);
static void wag_keepalive_empty_handler(ngx_event_t *ev);
static void wag_keepalive_handler(ngx_event_t *ev);
static void wag_keepalive_timer_handler(ngx_event_t *ev);
static void wag_keepalive_end_handler(ngx_event_t *ev);
static void wag_keepalive_remove(wag_idle_t *idle);
static void wag_keepalive_close(ngx_connection_t *c);


#define wag_keepalive_fresh(idle)                                             \
    (ngx_current_msec - (idle)->since < WAG_KEEPALIVE_FRESH)


wag_keepalive_t *
wag_keepalive_create(ngx_conf_t *cf)
{
    wag_keepalive_t     *keepalive;
    ngx_pool_cleanup_t  *cln;

    keepalive = ngx_pcalloc(cf->pool, sizeof(wag_keepalive_t));
    if (keepalive == NULL) {
        return NULL;
    }

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cln == NULL) {
        return NULL;
    }

    cln->handler = wag_keepalive_cleanup;
    cln->data = keepalive;

    keepalive->connections = 32;
    keepalive->requests = 1000;
    keepalive->time = 3600000;

    /* Node closes an idle connection after 5 s */

    keepalive->timeout = 4000;

    ngx_queue_init(&keepalive->age);
    ngx_queue_init(&keepalive->free);

    keepalive->timer.handler = wag_keepalive_timer_handler;
    keepalive->timer.data = keepalive;
    keepalive->timer.cancelable = 1;

    keepalive->end.handler = wag_keepalive_end_handler;
    keepalive->end.data = keepalive;

    /* so that no peer was looked at in the first turn */

    keepalive->turn = 1;

    return keepalive;
}


/* a single process frees an old configuration while it runs */

static void
wag_keepalive_cleanup(void *data)
{
    wag_keepalive_t *keepalive = data;

    if (keepalive->timer.timer_set) {
        ngx_del_timer(&keepalive->timer);
    }

    if (keepalive->end.posted) {
        ngx_delete_posted_event(&keepalive->end);
    }
}


ngx_int_t
wag_keepalive_take(wag_ctx_t *ctx, ngx_peer_connection_t *pc)
{
    wag_idle_t        *idle;
    ngx_queue_t       *q, *next;
    ngx_connection_t  *c;

    if (ctx->upstream->keepalive == NULL) {
        return NGX_DECLINED;
    }

    for (q = ngx_queue_head(&ctx->peer->idle);
         q != ngx_queue_sentinel(&ctx->peer->idle);
         q = next)
    {
        next = ngx_queue_next(q);
        idle = ngx_queue_data(q, wag_idle_t, queue);

        if (!wag_keepalive_same(idle, ctx)) {
            continue;
        }

        c = idle->connection;

        wag_keepalive_remove(idle);

        if (idle->incarnation != ctx->peer->incarnation
            || !wag_keepalive_open(idle))
        {
            /* or the event that tells of its end is still on its way */

            wag_keepalive_close(c);
            continue;
        }

        ngx_log_debug1(NGX_LOG_DEBUG_HTTP, pc->log, 0,
                       "wa_gateway keepalive: using connection %p", c);

        c->idle = 0;
        c->sent = 0;
        c->data = NULL;
        c->log = pc->log;
        c->read->log = pc->log;
        c->write->log = pc->log;
        c->pool->log = pc->log;

        /*
         * Left where it is, ngx_http_upstream_send_request() finds it good
         * enough: it counts from a few ms ago.
         */

        if (c->read->timer_set
            && !(wag_keepalive_fresh(idle)
                 && wag_keepalive_short(ctx->request)))
        {
            ngx_del_timer(c->read);
        }

        pc->connection = c;
        pc->cached = 1;

        return NGX_DONE;
    }

    return NGX_DECLINED;
}


void
wag_keepalive_leave(wag_upstream_t *us, wag_peer_t *peer)
{
    wag_idle_t   *idle;
    ngx_queue_t  *q;

    while (!ngx_queue_empty(&peer->idle)) {
        q = ngx_queue_head(&peer->idle);
        idle = ngx_queue_data(q, wag_idle_t, queue);

        wag_keepalive_remove(idle);
        wag_keepalive_close(idle->connection);
    }
}


/* whether it goes where the request is to go, by this list or another */

static ngx_uint_t
wag_keepalive_same(wag_idle_t *idle, wag_ctx_t *ctx)
{
    ngx_addr_t  *from, *to;

    if (idle->addrs == ctx->addrs && idle->address == ctx->address) {
        return 1;
    }

    from = &idle->addrs->addrs[idle->address];
    to = &ctx->addrs->addrs[ctx->address];

    return ngx_cmp_sockaddr(from->sockaddr, from->socklen, to->sockaddr,
                            to->socklen, 1)
           == NGX_OK;
}


/* whether to write to it */

static ngx_uint_t
wag_keepalive_open(wag_idle_t *idle)
{
    wag_peer_t        *peer;
    wag_keepalive_t   *keepalive;
    ngx_connection_t  *c;

    c = idle->connection;
    peer = idle->peer;
    keepalive = idle->upstream->keepalive;

    /* some close after the first answer without a word: one is not enough */

    if (peer->looked == keepalive->turn
        && c->requests > 1
        && wag_keepalive_fresh(idle)
        && (ngx_msec_int_t) (peer->wary - ngx_current_msec) <= 0)
    {
        ngx_log_debug1(NGX_LOG_DEBUG_HTTP, c->log, 0,
                       "wa_gateway keepalive: connection %p not looked at", c);
        return 1;
    }

    if (!wag_keepalive_is_usable(c)) {
        peer->wary = ngx_current_msec + WAG_KEEPALIVE_WARY;
        return 0;
    }

    if (!keepalive->end.posted) {
        keepalive->end.log = ngx_cycle->log;
        ngx_post_event(&keepalive->end, &ngx_posted_events);
    }

    peer->looked = keepalive->turn;

    return 1;
}


/*
 * Whether the request is there as a whole and fits a socket's buffer: it waits
 * neither for the client nor for room then, which have time limits of their
 * own.
 */

static ngx_uint_t
wag_keepalive_short(ngx_http_request_t *r)
{
    off_t         size;
    ngx_chain_t  *cl;

    if (r->request_body_no_buffering) {
        return 0;
    }

    size = 0;

    for (cl = r->upstream->request_bufs; cl; cl = cl->next) {
        size += ngx_buf_size(cl->buf);

        if (size > 4096) {
            return 0;
        }
    }

    return 1;
}


void
wag_keepalive_put(wag_ctx_t *ctx, ngx_peer_connection_t *pc)
{
    wag_idle_t        *idle;
    ngx_connection_t  *c;

    c = pc->connection;

    if (c == NULL || !wag_keepalive_reusable(ctx, c)) {
        return;
    }

    idle = wag_keepalive_evict_or_alloc(ctx->upstream, ctx->peer);
    if (idle == NULL) {
        return;
    }

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, pc->log, 0,
                   "wa_gateway keepalive: saving connection %p", c);

    pc->connection = NULL;

    idle->connection = c;
    idle->upstream = ctx->upstream;
    idle->peer = ctx->peer;
    idle->incarnation = ctx->peer->incarnation;
    idle->addrs = wag_addrs_ref(ctx->addrs);
    idle->address = ctx->address;
    idle->since = ngx_current_msec;

    ngx_queue_insert_head(&ctx->peer->idle, &idle->queue);
    ngx_queue_insert_head(&ctx->upstream->keepalive->age, &idle->age);

    ctx->peer->nidle++;
    ctx->upstream->keepalive->count++;

    wag_keepalive_park(idle);
}


/* the tests of ngx_http_upstream_free_keepalive_peer() */

static ngx_uint_t
wag_keepalive_reusable(wag_ctx_t *ctx, ngx_connection_t *c)
{
    wag_keepalive_t      *keepalive;
    ngx_http_upstream_t  *u;

    u = ctx->request->upstream;
    keepalive = ctx->upstream->keepalive;

    return keepalive
           && u->keepalive
           && u->request_body_sent
           && ctx->outcome == WAG_ANSWERED
           && !c->read->eof
           && !c->read->error
           && !c->read->timedout
           && !c->write->error
           && !c->write->timedout
           && c->requests < keepalive->requests
           && ngx_current_msec - c->start_time <= keepalive->time
           && !ngx_terminate
           && !ngx_exiting
           && ngx_handle_read_event(c->read, 0) == NGX_OK;
}


/*
 * An item for one more connection; the oldest, of the peer or of all, gives
 * way to it.  Half of the worker's connections stay for other uses.
 */

static wag_idle_t *
wag_keepalive_evict_or_alloc(wag_upstream_t *us, wag_peer_t *peer)
{
    wag_idle_t       *idle;
    ngx_queue_t      *q;
    wag_keepalive_t  *keepalive;

    keepalive = us->keepalive;
    idle = NULL;

    if (peer->nidle >= keepalive->connections) {
        q = ngx_queue_last(&peer->idle);
        idle = ngx_queue_data(q, wag_idle_t, queue);

    } else if (keepalive->count
               && keepalive->count >= ngx_cycle->connection_n / 2)
    {
        q = ngx_queue_last(&keepalive->age);
        idle = ngx_queue_data(q, wag_idle_t, age);
    }

    if (idle) {
        wag_keepalive_remove(idle);
        wag_keepalive_close(idle->connection);
    }

    if (ngx_queue_empty(&keepalive->free)) {
        return ngx_pcalloc(ngx_cycle->pool, sizeof(wag_idle_t));
    }

    q = ngx_queue_head(&keepalive->free);
    ngx_queue_remove(q);

    return ngx_queue_data(q, wag_idle_t, queue);
}


/*
 * The timer of the request stays: to move it with each request costs more
 * than to ignore it once.
 */

static void
wag_keepalive_park(wag_idle_t *idle)
{
    wag_keepalive_t   *keepalive;
    ngx_connection_t  *c;

    c = idle->connection;
    keepalive = idle->upstream->keepalive;

    c->read->delayed = 0;

    if (!keepalive->timer.timer_set) {
        keepalive->timer.log = ngx_cycle->log;
        ngx_add_timer(&keepalive->timer, keepalive->timeout);
    }

    if (c->write->timer_set) {
        ngx_del_timer(c->write);
    }

    c->write->handler = wag_keepalive_empty_handler;
    c->read->handler = wag_keepalive_handler;

    c->data = idle;
    c->idle = 1;
    c->log = ngx_cycle->log;
    c->read->log = ngx_cycle->log;
    c->write->log = ngx_cycle->log;
    c->pool->log = ngx_cycle->log;

    if (c->read->ready) {
        wag_keepalive_handler(c->read);
    }
}


/* neither closed nor with bytes that nobody asked for */

static ngx_uint_t
wag_keepalive_is_usable(ngx_connection_t *c)
{
    int   n;
    char  buf[1];

    n = recv(c->fd, buf, 1, MSG_PEEK);

    return n == -1 && ngx_socket_errno == NGX_EAGAIN;
}


static void
wag_keepalive_empty_handler(ngx_event_t *ev)
{
    ngx_log_debug0(NGX_LOG_DEBUG_HTTP, ev->log, 0,
                   "wa_gateway keepalive empty handler");
}


static void
wag_keepalive_handler(ngx_event_t *ev)
{
    wag_idle_t        *idle;
    ngx_connection_t  *c;

    ngx_log_debug0(NGX_LOG_DEBUG_HTTP, ev->log, 0,
                   "wa_gateway keepalive handler");

    c = ev->data;
    idle = c->data;

    if (!c->close) {

        if (ev->timedout) {
            ev->timedout = 0;
            return;
        }

        if (!wag_keepalive_is_usable(c)) {
            idle->peer->wary = ngx_current_msec + WAG_KEEPALIVE_WARY;

        } else {
            ev->ready = 0;

            if (ngx_handle_read_event(ev, 0) == NGX_OK) {
                return;
            }
        }
    }

    wag_keepalive_remove(idle);
    wag_keepalive_close(c);
}


static void
wag_keepalive_timer_handler(ngx_event_t *ev)
{
    ngx_msec_t        rest;
    wag_idle_t       *idle;
    ngx_queue_t      *q, *prev;
    wag_keepalive_t  *keepalive;

    ngx_log_debug0(NGX_LOG_DEBUG_HTTP, ev->log, 0,
                   "wa_gateway keepalive timer");

    keepalive = ev->data;

    for (q = ngx_queue_last(&keepalive->age);
         q != ngx_queue_sentinel(&keepalive->age);
         q = prev)
    {
        prev = ngx_queue_prev(q);
        idle = ngx_queue_data(q, wag_idle_t, age);

        rest = ngx_current_msec - idle->since;

        if (rest < keepalive->timeout) {
            ngx_add_timer(ev, keepalive->timeout - rest);
            return;
        }

        wag_keepalive_remove(idle);
        wag_keepalive_close(idle->connection);
    }
}


static void
wag_keepalive_end_handler(ngx_event_t *ev)
{
    wag_keepalive_t  *keepalive;

    keepalive = ev->data;

    keepalive->turn++;
}


static void
wag_keepalive_remove(wag_idle_t *idle)
{
    wag_keepalive_t  *keepalive;

    keepalive = idle->upstream->keepalive;

    ngx_queue_remove(&idle->queue);

    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): it is queued */
    ngx_queue_remove(&idle->age);

    wag_addrs_unref(idle->addrs);

    idle->peer->nidle--;
    keepalive->count--;

    ngx_queue_insert_head(&keepalive->free, &idle->queue);
}


static void
wag_keepalive_close(ngx_connection_t *c)
{
#if (NGX_HTTP_SSL)

    if (c->ssl) {
        c->ssl->no_wait_shutdown = 1;
        c->ssl->no_send_shutdown = 1;

        (void) ngx_ssl_shutdown(c);
    }

#endif

    ngx_destroy_pool(c->pool);
    ngx_close_connection(c);
}
