
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_tls.h"
#include "wag_transport.h"


#define WAG_TRANSPORT_SIZE  4096

/* reads in a row, after which others have their turn */

#define WAG_TRANSPORT_READS  16


static ngx_int_t wag_transport_attach(wag_transport_t *t, ngx_connection_t *c);
static void wag_transport_connect_handler(ngx_event_t *ev);
static ngx_err_t wag_transport_test_connect(ngx_connection_t *c);
#if (NGX_OPENSSL)
static void wag_transport_tls(wag_transport_t *t);
static void wag_transport_tls_handler(ngx_event_t *ev);
#endif
static void wag_transport_begin(wag_transport_t *t);
static void wag_transport_write_handler(ngx_event_t *wev);
static void wag_transport_read_handler(ngx_event_t *rev);
static void wag_transport_idle_handler(ngx_event_t *rev);
static void wag_transport_empty_handler(ngx_event_t *ev);
static void wag_transport_fail(wag_transport_t *t, ngx_int_t rc,
    const char *reason);


ngx_int_t
wag_transport_open(wag_transport_t *t, ngx_addr_t *addr)
{
    ngx_int_t              rc;
    ngx_peer_connection_t  pc;

    ngx_memzero(&pc, sizeof(ngx_peer_connection_t));

    pc.sockaddr = addr->sockaddr;
    pc.socklen = addr->socklen;
    pc.name = &addr->name;
    pc.get = ngx_event_get_peer;
    pc.log = t->log;
    pc.log_error = NGX_ERROR_INFO;

    rc = ngx_event_connect_peer(&pc);

    /* still of connect(): what follows it in ngx_event_connect_peer() works */
    t->err = ngx_socket_errno;

    if (rc != NGX_OK && rc != NGX_AGAIN) {
        return (rc == NGX_DECLINED) ? NGX_DECLINED : NGX_ERROR;
    }

    if (wag_transport_attach(t, pc.connection) != NGX_OK) {
        return NGX_ERROR;
    }

    return rc;
}


static ngx_int_t
wag_transport_attach(wag_transport_t *t, ngx_connection_t *c)
{
    c->log = t->log;
    c->log->connection = c->number;

    c->pool = ngx_create_pool(512, c->log);
    if (c->pool == NULL) {
        ngx_close_connection(c);
        return NGX_ERROR;
    }

    /* the worker may exit at any moment */

    c->data = t;
    c->idle = 1;

    c->read->handler = wag_transport_connect_handler;
    c->write->handler = wag_transport_connect_handler;

    t->connection = c;

    return NGX_OK;
}


static void
wag_transport_connect_handler(ngx_event_t *ev)
{
    ngx_err_t          err;
    wag_transport_t   *t;
    ngx_connection_t  *c;

    c = ev->data;
    t = c->data;

    ngx_log_debug1(NGX_LOG_DEBUG_EVENT, ev->log, 0,
                   "wa_gateway transport connect handler: %V", t->name);

    if (c->close) {
        wag_transport_fail(t, NGX_ERROR, "worker is exiting");
        return;
    }

    err = wag_transport_test_connect(c);

    if (err) {
        wag_transport_close(t);
    }

    t->connected(t, err);
}


/* as ngx_http_upstream_test_connect(), but gives the error */

static ngx_err_t
wag_transport_test_connect(ngx_connection_t *c)
{
    int        err;
    socklen_t  len;

#if (NGX_HAVE_KQUEUE)

    if (ngx_event_flags & NGX_USE_KQUEUE_EVENT)  {

        if (c->write->pending_eof) {
            return c->write->kq_errno;
        }

        return c->read->pending_eof ? c->read->kq_errno : 0;
    }

#endif

    err = 0;
    len = sizeof(int);

    /*
     * BSDs and Linux return 0 and set a pending error in err
     * Solaris returns -1 and sets errno
     */

    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, (void *) &err, &len) == -1) {
        err = ngx_socket_errno;
    }

    return err;
}


void
wag_transport_send(wag_transport_t *t, ngx_str_t *request)
{
    t->request = *request;
    t->sent = 0;

#if (NGX_OPENSSL)

    if (t->ssl && t->connection->ssl == NULL) {

        if (wag_tls_create(t->connection, t->ssl, &t->ssl_name) != NGX_OK) {
            wag_transport_fail(t, NGX_ERROR, "no ssl connection");
            return;
        }

        wag_transport_tls(t);
        return;
    }

#endif

    wag_transport_begin(t);
}


#if (NGX_OPENSSL)

/*
 * The handler of ngx_ssl_handshake() does not look at c->close, hence the
 * connection would outlive a worker that exits: this room sets its own.
 */

static void
wag_transport_tls(wag_transport_t *t)
{
    ngx_int_t          rc;
    ngx_connection_t  *c;

    c = t->connection;

    rc = ngx_ssl_handshake(c);

    if (rc == NGX_AGAIN) {
        c->read->handler = wag_transport_tls_handler;
        c->write->handler = wag_transport_tls_handler;
        return;
    }

    if (rc != NGX_OK || !c->ssl->handshaked) {
        wag_transport_fail(t, NGX_DECLINED,
                           c->read->error ? "ssl handshake failed"
                                          : "closed in ssl handshake");
        return;
    }

    if (t->ssl_verify
        && wag_tls_verify(c, &t->ssl_name, t->reason)
           != NGX_OK)
    {
        t->failed(t, NGX_DECLINED);
        return;
    }

    wag_transport_begin(t);
}


static void
wag_transport_tls_handler(ngx_event_t *ev)
{
    wag_transport_t   *t;
    ngx_connection_t  *c;

    c = ev->data;
    t = c->data;

    ngx_log_debug1(NGX_LOG_DEBUG_EVENT, ev->log, 0,
                   "wa_gateway transport tls handler: %V", t->name);

    if (c->close) {
        wag_transport_fail(t, NGX_ERROR, "worker is exiting");
        return;
    }

    wag_transport_tls(t);
}

#endif


static void
wag_transport_begin(wag_transport_t *t)
{
    ngx_connection_t  *c;

    c = t->connection;

    c->read->handler = wag_transport_read_handler;
    c->write->handler = wag_transport_write_handler;

    wag_transport_write_handler(c->write);
}


static void
wag_transport_write_handler(ngx_event_t *wev)
{
    ssize_t            n;
    wag_transport_t   *t;
    ngx_connection_t  *c;

    c = wev->data;
    t = c->data;

    ngx_log_debug1(NGX_LOG_DEBUG_EVENT, wev->log, 0,
                   "wa_gateway transport write handler: %V", t->name);

    while (t->sent < t->request.len) {

        n = c->send(c, t->request.data + t->sent, t->request.len - t->sent);

        if (n == NGX_ERROR) {
            wag_transport_fail(t, NGX_ABORT, NULL);
            return;
        }

        if (n == NGX_AGAIN) {
            break;
        }

        t->sent += n;
    }

    if (t->sent == t->request.len) {
        wev->handler = wag_transport_empty_handler;
    }

    if (ngx_handle_write_event(wev, 0) != NGX_OK) {
        wag_transport_fail(t, NGX_ERROR, "no event");
        return;
    }

    if (c->read->ready) {
        wag_transport_read_handler(c->read);
    }
}


static void
wag_transport_read_handler(ngx_event_t *rev)
{
    u_char             buf[WAG_TRANSPORT_SIZE];
    ssize_t            n;
    ngx_uint_t         reads;
    wag_transport_t   *t;
    ngx_connection_t  *c;

    c = rev->data;
    t = c->data;

    ngx_log_debug1(NGX_LOG_DEBUG_EVENT, rev->log, 0,
                   "wa_gateway transport read handler: %V", t->name);

    if (c->close) {
        wag_transport_fail(t, NGX_ERROR, "worker is exiting");
        return;
    }

    /* once in a turn, though there was an event as well */

    if (rev->posted) {
        ngx_delete_posted_event(rev);
    }

    for (reads = 0; /* void */ ; reads++) {

        if (reads == WAG_TRANSPORT_READS) {
            ngx_post_event(rev, &ngx_posted_next_events);
            return;
        }

        n = c->recv(c, buf, WAG_TRANSPORT_SIZE);

        if (n == NGX_AGAIN) {
            break;
        }

        if (n == NGX_ERROR) {
            wag_transport_fail(t, NGX_ABORT, NULL);
            return;
        }

        if (n == 0) {
            t->closed(t);
            return;
        }

        if (t->received(t, buf, buf + n) != NGX_AGAIN) {
            return;
        }
    }

    if (ngx_handle_read_event(rev, 0) != NGX_OK) {
        wag_transport_fail(t, NGX_ERROR, "no event");
    }
}


void
wag_transport_keep(wag_transport_t *t, ngx_msec_t timeout)
{
    ngx_connection_t  *c;

    c = t->connection;

    if (t->sent < t->request.len
        || c->read->eof
        || c->read->error
        || c->write->error
        || ngx_exiting
        || ngx_quit
        || ngx_terminate)
    {
        wag_transport_close(t);
        return;
    }

    c->read->handler = wag_transport_idle_handler;
    c->write->handler = wag_transport_empty_handler;

    if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
        wag_transport_close(t);
        return;
    }

    c->read->cancelable = 1;
    ngx_add_timer(c->read, timeout);

    if (c->read->ready) {
        wag_transport_idle_handler(c->read);
    }
}


ngx_int_t
wag_transport_reuse(wag_transport_t *t)
{
    ngx_connection_t  *c;

    c = t->connection;

    if (c == NULL) {
        return NGX_DECLINED;
    }

    if (c->read->timer_set) {
        ngx_del_timer(c->read);
    }

    /*
     * What came since belongs to no request, e.g. "408 Request Timeout", and
     * the event about it may still be on its way.
     */

    wag_transport_idle_handler(c->read);

    return t->connection ? NGX_OK : NGX_DECLINED;
}


/* as ngx_http_upstream_keepalive_close_handler() */

static void
wag_transport_idle_handler(ngx_event_t *rev)
{
    int                n;
    char               buf[1];
    wag_transport_t   *t;
    ngx_connection_t  *c;

    c = rev->data;
    t = c->data;

    ngx_log_debug1(NGX_LOG_DEBUG_EVENT, rev->log, 0,
                   "wa_gateway transport idle handler: %V", t->name);

    if (c->close || rev->timedout) {
        goto close;
    }

    n = recv(c->fd, buf, 1, MSG_PEEK);

    if (n == -1 && ngx_socket_errno == NGX_EAGAIN) {
        rev->ready = 0;

        if (ngx_handle_read_event(rev, 0) != NGX_OK) {
            goto close;
        }

        return;
    }

close:

    wag_transport_close(t);
}


static void
wag_transport_empty_handler(ngx_event_t *ev)
{
    ngx_log_debug0(NGX_LOG_DEBUG_EVENT, ev->log, 0,
                   "wa_gateway transport empty handler");
}


void
wag_transport_close(wag_transport_t *t)
{
    ngx_pool_t        *pool;
    ngx_connection_t  *c;

    c = t->connection;

    if (c == NULL) {
        return;
    }

#if (NGX_OPENSSL)

    if (c->ssl) {
        c->ssl->no_wait_shutdown = 1;
        c->ssl->no_send_shutdown = 1;

        (void) ngx_ssl_shutdown(c);
    }

#endif

    pool = c->pool;

    ngx_close_connection(c);
    ngx_destroy_pool(pool);

    t->connection = NULL;
}


static void
wag_transport_fail(wag_transport_t *t, ngx_int_t rc, const char *reason)
{
    if (reason && t->reason->len == 0) {
        wag_reason_set(t->reason, reason);
    }

    t->failed(t, rc);
}
