
#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_event_connect.h>

#include "ngx_http_wa_gateway_connect.h"
#include "ngx_http_wa_gateway_probe.h"


#define NGX_HTTP_WA_GATEWAY_PROBE_BUFFER  4096


static ngx_int_t ngx_http_wa_gateway_probe_open(
    ngx_http_wa_gateway_probe_t *p);
static ngx_int_t ngx_http_wa_gateway_probe_attach(
    ngx_http_wa_gateway_probe_t *p, ngx_connection_t *c);
static void ngx_http_wa_gateway_probe_opened(ngx_http_wa_gateway_probe_t *p);
static void ngx_http_wa_gateway_probe_connect_handler(ngx_event_t *ev);
static ngx_err_t ngx_http_wa_gateway_probe_test_connect(ngx_connection_t *c);
static void ngx_http_wa_gateway_probe_refused(ngx_http_wa_gateway_probe_t *p,
    ngx_err_t err);
static void ngx_http_wa_gateway_probe_write_handler(ngx_event_t *wev);
static void ngx_http_wa_gateway_probe_read_handler(ngx_event_t *rev);


void
ngx_http_wa_gateway_probe_connect(ngx_http_wa_gateway_probe_t *p)
{
    ngx_int_t  rc;

    while (p->addr < p->naddrs) {

        rc = ngx_http_wa_gateway_probe_open(p);

        if (rc == NGX_ERROR) {
            p->local = 1;
            break;
        }

        if (rc == NGX_OK || rc == NGX_AGAIN) {
            return;
        }

        p->addr++;
    }

    if (p->local) {

        /* an address we could not try says nothing of the instance */

        p->reason.len = 0;
    }

    ngx_http_wa_gateway_probe_finish(p, p->local ? NGX_ERROR : NGX_DECLINED,
                                     "no descriptor, memory or connection");
}


/*
 * NGX_AGAIN: connecting; NGX_OK: connected, and the check went on, maybe to
 * its end; NGX_DECLINED: the next address is to be tried; NGX_ERROR: a fault
 * of our own.
 */

static ngx_int_t
ngx_http_wa_gateway_probe_open(ngx_http_wa_gateway_probe_t *p)
{
    ngx_int_t               rc;
    ngx_err_t               err;
    ngx_addr_t             *addr;
    ngx_msec_int_t          left;
    ngx_peer_connection_t   pc;

    addr = &p->addrs[p->addr];

    ngx_memzero(&pc, sizeof(ngx_peer_connection_t));

    pc.sockaddr = addr->sockaddr;
    pc.socklen = addr->socklen;
    pc.name = &addr->name;
    pc.get = ngx_event_get_peer;
    pc.log = &p->log;
    pc.log_error = NGX_ERROR_INFO;

    rc = ngx_event_connect_peer(&pc);

    /* still of connect(): what follows it in ngx_event_connect_peer() works */
    err = ngx_socket_errno;

    if (rc == NGX_DECLINED) {
        ngx_http_wa_gateway_probe_refused(p, err);
        return NGX_DECLINED;
    }

    if (rc != NGX_OK && rc != NGX_AGAIN) {
        return NGX_ERROR;
    }

    if (ngx_http_wa_gateway_probe_attach(p, pc.connection) != NGX_OK) {
        return NGX_ERROR;
    }

    /* an address that does not answer leaves its share to those after it */

    left = (ngx_msec_int_t) (p->deadline - ngx_current_msec);
    left = ngx_max(left, 0) / (ngx_msec_int_t) (p->naddrs - p->addr);

    p->step = ngx_current_msec + left;
    p->expired = 0;

    ngx_http_wa_gateway_probe_arm(p);

    if (rc == NGX_OK) {
        ngx_http_wa_gateway_probe_opened(p);
    }

    return rc;
}


static ngx_int_t
ngx_http_wa_gateway_probe_attach(ngx_http_wa_gateway_probe_t *p,
    ngx_connection_t *c)
{
    c->log = &p->log;
    c->log->connection = c->number;

    c->pool = ngx_create_pool(512, c->log);
    if (c->pool == NULL) {
        ngx_close_connection(c);
        return NGX_ERROR;
    }

    /* the worker may exit at any moment of a check */

    c->data = p;
    c->idle = 1;

    c->read->handler = ngx_http_wa_gateway_probe_connect_handler;
    c->write->handler = ngx_http_wa_gateway_probe_connect_handler;

    p->connection = c;
    p->sent = 0;

    return NGX_OK;
}


static void
ngx_http_wa_gateway_probe_connect_handler(ngx_event_t *ev)
{
    ngx_err_t                     err;
    ngx_connection_t             *c;
    ngx_http_wa_gateway_probe_t  *p;

    c = ev->data;
    p = c->data;

    ngx_log_debug1(NGX_LOG_DEBUG_EVENT, ev->log, 0,
                   "wa_gateway probe connect handler: %V", p->name);

    if (c->close) {
        ngx_http_wa_gateway_probe_finish(p, NGX_ERROR, "worker is exiting");
        return;
    }

    err = ngx_http_wa_gateway_probe_test_connect(c);

    if (err == 0) {
        ngx_http_wa_gateway_probe_opened(p);
        return;
    }

    ngx_http_wa_gateway_probe_close(p);
    ngx_http_wa_gateway_probe_refused(p, err);

    p->addr++;

    ngx_http_wa_gateway_probe_connect(p);
}


static void
ngx_http_wa_gateway_probe_opened(ngx_http_wa_gateway_probe_t *p)
{
    p->connected = 1;
    p->local = 0;
    p->reason.len = 0;
    p->step = p->deadline;
    p->expired = 0;

    ngx_http_wa_gateway_probe_arm(p);

#if (NGX_OPENSSL)

    if (p->ssl != NULL) {
        ngx_http_wa_gateway_probe_ssl(p);
        return;
    }

#endif

    ngx_http_wa_gateway_probe_send(p);
}


/* as ngx_http_upstream_test_connect(), but gives the error */

static ngx_err_t
ngx_http_wa_gateway_probe_test_connect(ngx_connection_t *c)
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


static void
ngx_http_wa_gateway_probe_refused(ngx_http_wa_gateway_probe_t *p,
    ngx_err_t err)
{
    if (ngx_http_wa_gateway_connect_is_local(err, p->addrs[p->addr].sockaddr,
                                             p->naddrs))
    {
        p->local = 1;
        return;
    }

    /* the first address is what the name stands for, it gives the reason */

    if (p->reason.len == 0) {
        ngx_http_wa_gateway_reason_set(&p->reason,
                                     ngx_http_wa_gateway_connect_reason(err));
    }
}


void
ngx_http_wa_gateway_probe_send(ngx_http_wa_gateway_probe_t *p)
{
    ngx_connection_t  *c;

    c = p->connection;

    p->sent = 0;

    c->read->handler = ngx_http_wa_gateway_probe_read_handler;
    c->write->handler = ngx_http_wa_gateway_probe_write_handler;

    ngx_http_wa_gateway_probe_write_handler(c->write);
}


static void
ngx_http_wa_gateway_probe_write_handler(ngx_event_t *wev)
{
    ssize_t                       n;
    ngx_connection_t             *c;
    ngx_http_wa_gateway_probe_t  *p;

    c = wev->data;
    p = c->data;

    ngx_log_debug1(NGX_LOG_DEBUG_EVENT, wev->log, 0,
                   "wa_gateway probe write handler: %V", p->name);

    while (p->sent < p->request.len) {

        n = c->send(c, p->request.data + p->sent, p->request.len - p->sent);

        if (n == NGX_ERROR) {
            ngx_http_wa_gateway_probe_broken(p, "reset");
            return;
        }

        if (n == NGX_AGAIN) {
            break;
        }

        p->sent += n;
    }

    if (p->sent == p->request.len) {
        wev->handler = ngx_http_wa_gateway_probe_empty;
    }

    if (ngx_handle_write_event(wev, 0) != NGX_OK) {
        ngx_http_wa_gateway_probe_finish(p, NGX_ERROR, "no event");
        return;
    }

    if (c->read->ready) {
        ngx_http_wa_gateway_probe_read_handler(c->read);
    }
}


static void
ngx_http_wa_gateway_probe_read_handler(ngx_event_t *rev)
{
    u_char                        buf[NGX_HTTP_WA_GATEWAY_PROBE_BUFFER];
    ssize_t                       n;
    ngx_connection_t             *c;
    ngx_http_wa_gateway_probe_t  *p;

    c = rev->data;
    p = c->data;

    ngx_log_debug1(NGX_LOG_DEBUG_EVENT, rev->log, 0,
                   "wa_gateway probe read handler: %V", p->name);

    if (c->close) {
        ngx_http_wa_gateway_probe_finish(p, NGX_ERROR, "worker is exiting");
        return;
    }

    for ( ;; ) {

        n = c->recv(c, buf, NGX_HTTP_WA_GATEWAY_PROBE_BUFFER);

        if (n == NGX_AGAIN) {
            break;
        }

        if (n == NGX_ERROR) {
            ngx_http_wa_gateway_probe_broken(p, "reset");
            return;
        }

        if (n == 0) {
            ngx_http_wa_gateway_probe_closed(p);
            return;
        }

        if (ngx_http_wa_gateway_probe_take(p, buf, buf + n) != NGX_AGAIN) {
            return;
        }
    }

    if (ngx_handle_read_event(rev, 0) != NGX_OK) {
        ngx_http_wa_gateway_probe_finish(p, NGX_ERROR, "no event");
    }
}
