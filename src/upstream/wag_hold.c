
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_hold.h"


/*
 * nginx suspends nothing between peer.init and a connection.  What it waits
 * for is a connection: so this is one, of a socket that is never connected,
 * whose reading is delayed as by "proxy_limit_rate".  When the timer of that
 * fires, ngx_http_upstream_process_header() reads from it, which fails, and
 * ngx_http_upstream_next() closes it and calls peer.get again.
 */


struct wag_hold_s {
    ngx_http_upstream_conf_t   own;
    ngx_http_upstream_conf_t  *conf;      /* that it has in place of */
    ngx_http_event_handler_pt  reading;   /* of the client's request */
    ngx_http_event_handler_pt  writing;
    ngx_uint_t                 tries;
    ngx_uint_t                 held;      /* unsigned  held:1; */
};


static void wag_hold_reading(ngx_http_request_t *r);
static ssize_t wag_hold_recv(ngx_connection_t *c, u_char *buf, size_t size);
static void wag_hold_conf(wag_hold_t *hold, ngx_http_upstream_t *u,
    ngx_msec_t wait);
static ngx_int_t wag_hold_watch(ngx_http_request_t *r);


/* ms that the time of a connection is longer than the wait */

#define WAG_HOLD_LONGER  (24 * 3600 * 1000)


ngx_int_t
wag_hold_begin(wag_ctx_t *ctx, ngx_peer_connection_t *pc, ngx_msec_t wait,
    ngx_uint_t watch)
{
    wag_hold_t          *hold;
    ngx_socket_t         s;
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = ctx->request;

    if (ctx->hold == NULL) {
        ctx->hold = ngx_pcalloc(r->pool, sizeof(wag_hold_t));
        if (ctx->hold == NULL) {
            return NGX_ERROR;
        }
    }

    hold = ctx->hold;

    /* of datagrams: an unconnected one of a stream is one that hung up */

    s = ngx_socket(AF_INET, SOCK_DGRAM, 0);

    if (s == (ngx_socket_t) -1) {
        ngx_log_error(NGX_LOG_ALERT, pc->log, ngx_socket_errno,
                      ngx_socket_n " failed");
        return NGX_ERROR;
    }

    c = ngx_get_connection(s, pc->log);

    if (c == NULL) {
        if (ngx_close_socket(s) == -1) {
            ngx_log_error(NGX_LOG_ALERT, pc->log, ngx_socket_errno,
                          ngx_close_socket_n " failed");
        }

        return NGX_ERROR;
    }

    c->recv = wag_hold_recv;
    c->log = pc->log;
    c->log_error = pc->log_error;
    c->read->log = pc->log;
    c->write->log = pc->log;
    c->start_time = ngx_current_msec;

    c->read->delayed = 1;
    ngx_add_timer(c->read, wait);

    pc->connection = c;
    pc->name = &ctx->upstream->uscf->host;

    hold->tries = pc->tries;
    hold->held = 1;

    pc->tries = 1;

    wag_hold_conf(hold, r->upstream, wait);

    hold->reading = r->read_event_handler;
    hold->writing = r->write_event_handler;

    if (watch && wag_hold_watch(r) != NGX_OK) {
        return NGX_ERROR;
    }

    return NGX_AGAIN;
}


static void
wag_hold_conf(wag_hold_t *hold, ngx_http_upstream_t *u, ngx_msec_t wait)
{
    hold->conf = u->conf;
    hold->own = *u->conf;

    hold->own.connect_timeout = wait + WAG_HOLD_LONGER;
    hold->own.next_upstream |= NGX_HTTP_UPSTREAM_FT_ERROR;
    hold->own.next_upstream_timeout = 0;

    u->conf = &hold->own;
}


/* a client that leaves loses its place, as in ngx_http_limit_req_module */

static ngx_int_t
wag_hold_watch(ngx_http_request_t *r)
{
    r->read_event_handler = wag_hold_reading;
    r->write_event_handler = ngx_http_request_empty_handler;

    if (r->connection->read->ready) {
        ngx_post_event(r->connection->read, &ngx_posted_events);
        return NGX_OK;
    }

    return ngx_handle_read_event(r->connection->read, 0);
}


/*
 * Where the client has left, ngx_http_terminate_request() runs the cleanup of
 * the upstream, which gives back what the upstream counts of the request: that
 * must not be the last of it.  nginx does the same before it terminates one in
 * ngx_http_request_handler(), on c->close; what is posted then sets the count.
 */

static void
wag_hold_reading(ngx_http_request_t *r)
{
    r->main->count++;

    ngx_http_test_reading(r);

    r->main->count--;
}


/* that it was held is no attempt: nothing of it is left for $upstream_addr */

static ssize_t
wag_hold_recv(ngx_connection_t *c, u_char *buf, size_t size)
{
    ngx_http_request_t  *r;

    r = c->data;

    r->upstream_states->nelts--;
    r->upstream->peer.start_time = ngx_current_msec;

    return NGX_ERROR;
}


void
wag_hold_wake(wag_ctx_t *ctx)
{
    ngx_event_t  *rev;

    if (ctx->hold == NULL || !ctx->hold->held) {
        return;
    }

    rev = ctx->request->upstream->peer.connection->read;

    if (rev->timer_set) {
        ngx_del_timer(rev);
    }

    rev->delayed = 0;

    ngx_post_event(rev, &ngx_posted_events);
}


ngx_int_t
wag_hold_end(wag_ctx_t *ctx, ngx_peer_connection_t *pc)
{
    wag_hold_t          *hold;
    ngx_http_request_t  *r;

    hold = ctx->hold;

    if (hold == NULL || !hold->held) {
        return NGX_DECLINED;
    }

    r = ctx->request;

    hold->held = 0;

    pc->tries = hold->tries;

    r->upstream->conf = hold->conf;
    r->read_event_handler = hold->reading;
    r->write_event_handler = hold->writing;

    return NGX_OK;
}
