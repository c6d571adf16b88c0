
#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_http_wa_gateway_probe.h"


static void ngx_http_wa_gateway_probe_init(ngx_http_wa_gateway_probe_t *p);
static void ngx_http_wa_gateway_probe_reuse(ngx_http_wa_gateway_probe_t *p);
static void ngx_http_wa_gateway_probe_done(ngx_http_wa_gateway_probe_t *p);
static void ngx_http_wa_gateway_probe_keep(ngx_http_wa_gateway_probe_t *p);
static void ngx_http_wa_gateway_probe_idle_handler(ngx_event_t *rev);
static void ngx_http_wa_gateway_probe_timer_handler(ngx_event_t *ev);
static void ngx_http_wa_gateway_probe_deadline(ngx_http_wa_gateway_probe_t *p);
static u_char *ngx_http_wa_gateway_probe_log_error(ngx_log_t *log,
    u_char *buf, size_t len);


void
ngx_http_wa_gateway_probe_start(ngx_http_wa_gateway_probe_t *p)
{
    ngx_log_debug1(NGX_LOG_DEBUG_EVENT, p->parent, 0,
                   "wa_gateway probe start: %V", p->name);

    if (p->active) {
        ngx_log_error(NGX_LOG_ALERT, p->parent, 0,
                      "wa_gateway probe of %V is already active", p->name);
        return;
    }

    p->active = 1;
    p->starting = 1;

    ngx_http_wa_gateway_probe_init(p);

    if (p->connection != NULL) {
        ngx_http_wa_gateway_probe_reuse(p);

    } else {
        ngx_http_wa_gateway_probe_connect(p);
    }

    p->starting = 0;
}


void
ngx_http_wa_gateway_probe_cancel(ngx_http_wa_gateway_probe_t *p)
{
    ngx_log_debug1(NGX_LOG_DEBUG_EVENT, p->parent, 0,
                   "wa_gateway probe cancel: %V", p->name);

    p->active = 0;
    p->finished = 0;

    if (p->timer.timer_set) {
        ngx_del_timer(&p->timer);
    }

    ngx_http_wa_gateway_probe_close(p);

    if (p->pool != NULL) {
        ngx_destroy_pool(p->pool);
        p->pool = NULL;
    }
}


static void
ngx_http_wa_gateway_probe_init(ngx_http_wa_gateway_probe_t *p)
{
    p->ident = (ngx_socket_t) -1;

    p->timer.data = p;
    p->timer.handler = ngx_http_wa_gateway_probe_timer_handler;
    p->timer.log = p->parent;
    p->timer.cancelable = 1;

    /*
     * The caller tells about an instance that is down, once; what nginx core
     * says each time is kept out of the log.
     */

    p->log = *p->parent;
    p->log.handler = ngx_http_wa_gateway_probe_log_error;
    p->log.data = p;
    p->log.action = NULL;
    p->log.connection = 0;

    if (!(p->log.log_level & NGX_LOG_DEBUG_ALL)) {
        p->log.log_level = ngx_min(p->log.log_level, NGX_LOG_ALERT);
    }

    p->rc = NGX_AGAIN;
    p->addr = 0;
    p->answer = NULL;
    p->reason.len = 0;
    p->response_time = 0;

    p->connected = 0;
    p->reused = 0;
    p->expired = 0;
    p->local = 0;
    p->finished = 0;

    p->start = ngx_current_msec;
    p->deadline = ngx_current_msec + p->timeout;
    p->step = p->deadline;

    ngx_http_wa_gateway_probe_arm(p);
}


static void
ngx_http_wa_gateway_probe_reuse(ngx_http_wa_gateway_probe_t *p)
{
    ngx_connection_t  *c;

    c = p->connection;

    if (c->read->timer_set) {
        ngx_del_timer(c->read);
    }

    /*
     * What came since belongs to no request, e.g. "408 Request Timeout", and
     * the event about it may still be on its way.
     */

    ngx_http_wa_gateway_probe_idle_handler(c->read);

    if (p->connection == NULL) {
        ngx_http_wa_gateway_probe_connect(p);
        return;
    }

    p->connected = 1;
    p->reused = 1;

    ngx_http_wa_gateway_probe_send(p);
}


void
ngx_http_wa_gateway_probe_broken(ngx_http_wa_gateway_probe_t *p,
    const char *reason)
{
    if (!p->reused || p->answer != NULL) {
        ngx_http_wa_gateway_probe_finish(p, NGX_DECLINED, reason);
        return;
    }

    /* the kept connection was stale: this says nothing of the instance */

    ngx_http_wa_gateway_probe_close(p);

    p->connected = 0;
    p->reused = 0;

    ngx_http_wa_gateway_probe_connect(p);
}


void
ngx_http_wa_gateway_probe_finish(ngx_http_wa_gateway_probe_t *p, ngx_int_t rc,
    const char *reason)
{
    if (rc == NGX_OK) {
        p->reason.len = 0;

    } else if (p->reason.len == 0) {
        ngx_http_wa_gateway_reason_set(&p->reason, reason);
    }

    p->rc = rc;
    p->response_time = ngx_current_msec - p->start;

    if (rc == NGX_OK) {
        ngx_http_wa_gateway_probe_keep(p);

    } else {
        ngx_http_wa_gateway_probe_close(p);
    }

    if (p->timer.timer_set) {
        ngx_del_timer(&p->timer);
    }

    if (p->starting) {

        /* the caller is still in start(), let it return first */

        p->finished = 1;
        ngx_add_timer(&p->timer, 0);

        return;
    }

    ngx_http_wa_gateway_probe_done(p);
}


static void
ngx_http_wa_gateway_probe_done(ngx_http_wa_gateway_probe_t *p)
{
    ngx_pool_t  *pool;

    ngx_log_debug3(NGX_LOG_DEBUG_EVENT, p->parent, 0,
                   "wa_gateway probe done: %V %i in %M", p->name, p->rc,
                   p->response_time);

    pool = p->pool;

    p->pool = NULL;
    p->active = 0;
    p->finished = 0;

    p->done(p, p->rc);

    /* done() could start the next check, p->pool is of that one now */

    if (pool != NULL) {
        ngx_destroy_pool(pool);
    }
}


static void
ngx_http_wa_gateway_probe_keep(ngx_http_wa_gateway_probe_t *p)
{
    ngx_connection_t  *c;

    c = p->connection;

    if (!p->keepalive
        || !p->answer->keepalive
        || p->sent < p->request.len
        || c->read->eof
        || c->read->error
        || c->write->error
        || ngx_exiting
        || ngx_quit
        || ngx_terminate)
    {
        ngx_http_wa_gateway_probe_close(p);
        return;
    }

    c->read->handler = ngx_http_wa_gateway_probe_idle_handler;
    c->write->handler = ngx_http_wa_gateway_probe_empty;

    if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
        ngx_http_wa_gateway_probe_close(p);
        return;
    }

    c->read->cancelable = 1;
    ngx_add_timer(c->read, NGX_HTTP_WA_GATEWAY_PROBE_IDLE);

    if (c->read->ready) {
        ngx_http_wa_gateway_probe_idle_handler(c->read);
    }
}


/* as ngx_http_upstream_keepalive_close_handler() */

static void
ngx_http_wa_gateway_probe_idle_handler(ngx_event_t *rev)
{
    int                           n;
    char                          buf[1];
    ngx_connection_t             *c;
    ngx_http_wa_gateway_probe_t  *p;

    c = rev->data;
    p = c->data;

    ngx_log_debug1(NGX_LOG_DEBUG_EVENT, rev->log, 0,
                   "wa_gateway probe idle handler: %V", p->name);

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

    ngx_http_wa_gateway_probe_close(p);
}


void
ngx_http_wa_gateway_probe_close(ngx_http_wa_gateway_probe_t *p)
{
    ngx_pool_t        *pool;
    ngx_connection_t  *c;

    c = p->connection;

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

    p->connection = NULL;
}


/*
 * The timer ticks: each tick that comes late tells how long the worker was
 * stopped or busy, and by that time all bounds are moved.
 */

static void
ngx_http_wa_gateway_probe_timer_handler(ngx_event_t *ev)
{
    ngx_msec_int_t                late;
    ngx_http_wa_gateway_probe_t  *p;

    p = ev->data;

    ngx_log_debug1(NGX_LOG_DEBUG_EVENT, ev->log, 0,
                   "wa_gateway probe timer handler: %V", p->name);

    ev->timedout = 0;

    if (p->finished) {
        ngx_http_wa_gateway_probe_done(p);
        return;
    }

    late = (ngx_msec_int_t) (ngx_current_msec - p->due);

    if (late > NGX_HTTP_WA_GATEWAY_PROBE_LATE) {
        late += NGX_HTTP_WA_GATEWAY_PROBE_LATE;

        p->deadline += late;
        p->step += late;
        p->expired = 0;
    }

    if ((ngx_msec_int_t) (p->step - ngx_current_msec) > 0) {
        ngx_http_wa_gateway_probe_arm(p);
        return;
    }

    /*
     * Timers may expire before what has arrived is read, e.g. if epoll_wait()
     * was interrupted: the loop makes one more turn before the end.
     */

    if (!p->expired) {
        p->expired = 1;
        ngx_http_wa_gateway_probe_arm(p);
        return;
    }

    ngx_http_wa_gateway_probe_deadline(p);
}


static void
ngx_http_wa_gateway_probe_deadline(ngx_http_wa_gateway_probe_t *p)
{
    if (p->reason.len == 0) {
        ngx_http_wa_gateway_reason_set(&p->reason, "timeout");
    }

    if (p->connected || p->addr + 1 >= p->naddrs
        || (ngx_msec_int_t) (p->deadline - ngx_current_msec) <= 0)
    {
        ngx_http_wa_gateway_probe_finish(p, p->local ? NGX_ERROR
                                                     : NGX_DECLINED,
                                         "timeout");
        return;
    }

    ngx_http_wa_gateway_probe_close(p);

    p->addr++;

    ngx_http_wa_gateway_probe_connect(p);
}


void
ngx_http_wa_gateway_probe_arm(ngx_http_wa_gateway_probe_t *p)
{
    ngx_msec_int_t  timer;

    timer = (ngx_msec_int_t) (p->step - ngx_current_msec);
    timer = ngx_min(timer, NGX_HTTP_WA_GATEWAY_PROBE_TICK);

    if (p->expired) {
        timer = NGX_HTTP_WA_GATEWAY_PROBE_GRACE;
    }

    if (timer < 0) {
        timer = 0;
    }

    if (p->timer.timer_set) {
        ngx_del_timer(&p->timer);
    }

    p->due = ngx_current_msec + timer;

    ngx_add_timer(&p->timer, (ngx_msec_t) timer);
}


void
ngx_http_wa_gateway_probe_empty(ngx_event_t *ev)
{
    ngx_log_debug0(NGX_LOG_DEBUG_EVENT, ev->log, 0,
                   "wa_gateway probe empty handler");
}


static u_char *
ngx_http_wa_gateway_probe_log_error(ngx_log_t *log, u_char *buf, size_t len)
{
    ngx_http_wa_gateway_probe_t  *p;

    p = log->data;

    return ngx_snprintf(buf, len, " while checking %V", p->name);
}
