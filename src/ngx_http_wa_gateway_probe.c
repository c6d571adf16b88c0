
/*
 * Copyright (C) the wa_gateway authors
 */


#include "ngx_http_wa_gateway_connect.h"
#include "ngx_http_wa_gateway_probe.h"


/* all in ms; Node closes an idle connection after 5 seconds */

#define NGX_HTTP_WA_GATEWAY_PROBE_IDLE   4000

/* how often a check looks whether the event loop is late, and what is late */

#define NGX_HTTP_WA_GATEWAY_PROBE_TICK   1000
#define NGX_HTTP_WA_GATEWAY_PROBE_LATE   500

/* how long what has arrived already may take to be read */

#define NGX_HTTP_WA_GATEWAY_PROBE_GRACE  20


static void ngx_http_wa_gateway_probe_init(ngx_http_wa_gateway_probe_t *p);
static void ngx_http_wa_gateway_probe_connect(ngx_http_wa_gateway_probe_t *p);
static ngx_int_t ngx_http_wa_gateway_probe_open(
    ngx_http_wa_gateway_probe_t *p);
static void ngx_http_wa_gateway_probe_connected(
    ngx_http_wa_gateway_transport_t *t, ngx_err_t err);
static void ngx_http_wa_gateway_probe_refused(ngx_http_wa_gateway_probe_t *p,
    ngx_err_t err);
static void ngx_http_wa_gateway_probe_send(ngx_http_wa_gateway_probe_t *p);
static ngx_int_t ngx_http_wa_gateway_probe_received(
    ngx_http_wa_gateway_transport_t *t, u_char *start, u_char *end);
static ngx_int_t ngx_http_wa_gateway_probe_answer(
    ngx_http_wa_gateway_probe_t *p);
static void ngx_http_wa_gateway_probe_closed(
    ngx_http_wa_gateway_transport_t *t);
static void ngx_http_wa_gateway_probe_failed(
    ngx_http_wa_gateway_transport_t *t, ngx_int_t rc);
static void ngx_http_wa_gateway_probe_broken(ngx_http_wa_gateway_probe_t *p,
    const char *reason);
static void ngx_http_wa_gateway_probe_invalid(ngx_http_wa_gateway_probe_t *p);
static void ngx_http_wa_gateway_probe_finish(ngx_http_wa_gateway_probe_t *p,
    ngx_int_t rc, const char *reason);
static void ngx_http_wa_gateway_probe_done(ngx_http_wa_gateway_probe_t *p);
static void ngx_http_wa_gateway_probe_timer_handler(ngx_event_t *ev);
static void ngx_http_wa_gateway_probe_expire(ngx_http_wa_gateway_probe_t *p);
static void ngx_http_wa_gateway_probe_arm(ngx_http_wa_gateway_probe_t *p);
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

    if (ngx_http_wa_gateway_transport_reuse(&p->transport) == NGX_OK) {
        p->connected = 1;
        p->reused = 1;

        ngx_http_wa_gateway_transport_send(&p->transport, &p->request);

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

    ngx_http_wa_gateway_transport_close(&p->transport);

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

    p->transport.data = p;
    p->transport.name = p->name;
    p->transport.log = &p->log;
    p->transport.reason = &p->reason;
    p->transport.connected = ngx_http_wa_gateway_probe_connected;
    p->transport.received = ngx_http_wa_gateway_probe_received;
    p->transport.closed = ngx_http_wa_gateway_probe_closed;
    p->transport.failed = ngx_http_wa_gateway_probe_failed;

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


/* from the current address on, until one connects or may yet */

static void
ngx_http_wa_gateway_probe_connect(ngx_http_wa_gateway_probe_t *p)
{
    ngx_int_t  rc;

    while (p->addr < p->naddrs) {

        rc = ngx_http_wa_gateway_probe_open(p);

        if (rc == NGX_OK) {
            ngx_http_wa_gateway_probe_send(p);
            return;
        }

        if (rc == NGX_AGAIN) {
            return;
        }

        if (rc == NGX_ERROR) {
            p->local = 1;
            break;
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


/* as ngx_http_wa_gateway_transport_open() */

static ngx_int_t
ngx_http_wa_gateway_probe_open(ngx_http_wa_gateway_probe_t *p)
{
    ngx_int_t       rc;
    ngx_msec_int_t  left;

    rc = ngx_http_wa_gateway_transport_open(&p->transport,
                                            &p->addrs[p->addr]);

    if (rc == NGX_DECLINED) {
        ngx_http_wa_gateway_probe_refused(p, p->transport.err);
    }

    if (rc != NGX_OK && rc != NGX_AGAIN) {
        return rc;
    }

    /* an address that does not answer leaves its share to those after it */

    left = (ngx_msec_int_t) (p->deadline - ngx_current_msec);
    left = ngx_max(left, 0) / (ngx_msec_int_t) (p->naddrs - p->addr);

    p->step = ngx_current_msec + left;
    p->expired = 0;

    ngx_http_wa_gateway_probe_arm(p);

    return rc;
}


static void
ngx_http_wa_gateway_probe_connected(ngx_http_wa_gateway_transport_t *t,
    ngx_err_t err)
{
    ngx_http_wa_gateway_probe_t *p = t->data;

    if (err == 0) {
        ngx_http_wa_gateway_probe_send(p);
        return;
    }

    ngx_http_wa_gateway_probe_refused(p, err);

    p->addr++;

    ngx_http_wa_gateway_probe_connect(p);
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


static void
ngx_http_wa_gateway_probe_send(ngx_http_wa_gateway_probe_t *p)
{
    p->connected = 1;
    p->local = 0;
    p->reason.len = 0;
    p->step = p->deadline;
    p->expired = 0;

    ngx_http_wa_gateway_probe_arm(p);

    ngx_http_wa_gateway_transport_send(&p->transport, &p->request);
}


static ngx_int_t
ngx_http_wa_gateway_probe_received(ngx_http_wa_gateway_transport_t *t,
    u_char *start, u_char *end)
{
    ngx_http_wa_gateway_probe_t *p = t->data;

    ngx_int_t  rc;

    /* not before: thousands of checks that wait take no memory */

    if (p->answer == NULL && ngx_http_wa_gateway_probe_answer(p) != NGX_OK) {
        ngx_http_wa_gateway_probe_finish(p, NGX_ERROR, "no memory");
        return NGX_DONE;
    }

    rc = ngx_http_wa_gateway_http_parse(p->answer, start, end);

    if (rc == NGX_OK) {
        ngx_http_wa_gateway_probe_finish(p, NGX_OK, NULL);
        return NGX_DONE;
    }

    if (rc == NGX_ERROR) {
        ngx_http_wa_gateway_probe_invalid(p);
        return NGX_DONE;
    }

    return NGX_AGAIN;
}


static ngx_int_t
ngx_http_wa_gateway_probe_answer(ngx_http_wa_gateway_probe_t *p)
{
    ngx_str_t                    header, body;
    ngx_http_wa_gateway_http_t  *h;

    p->pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE, &p->log);
    if (p->pool == NULL) {
        return NGX_ERROR;
    }

    h = ngx_palloc(p->pool, sizeof(ngx_http_wa_gateway_http_t));
    if (h == NULL) {
        return NGX_ERROR;
    }

    header.len = NGX_HTTP_WA_GATEWAY_HTTP_HEADER_SIZE;
    header.data = ngx_palloc(p->pool, header.len);

    body.len = NGX_HTTP_WA_GATEWAY_HTTP_BODY_SIZE + 1;
    body.data = ngx_palloc(p->pool, body.len);

    if (header.data == NULL || body.data == NULL) {
        return NGX_ERROR;
    }

    ngx_http_wa_gateway_http_init(h, &header, &body,
                                  NGX_HTTP_WA_GATEWAY_HTTP_DRAIN_SIZE,
                                  p->head);

    p->answer = h;

    return NGX_OK;
}


/* which may be the end of the answer */

static void
ngx_http_wa_gateway_probe_closed(ngx_http_wa_gateway_transport_t *t)
{
    ngx_http_wa_gateway_probe_t *p = t->data;

    if (p->answer == NULL) {
        ngx_http_wa_gateway_probe_broken(p, "closed before answer");
        return;
    }

    if (ngx_http_wa_gateway_http_eof(p->answer) == NGX_OK) {
        ngx_http_wa_gateway_probe_finish(p, NGX_OK, NULL);
        return;
    }

    ngx_http_wa_gateway_probe_invalid(p);
}


static void
ngx_http_wa_gateway_probe_failed(ngx_http_wa_gateway_transport_t *t,
    ngx_int_t rc)
{
    ngx_http_wa_gateway_probe_t *p = t->data;

    if (rc == NGX_ABORT) {
        ngx_http_wa_gateway_probe_broken(p, "reset");
        return;
    }

    ngx_http_wa_gateway_probe_finish(p, rc, NULL);
}


static void
ngx_http_wa_gateway_probe_broken(ngx_http_wa_gateway_probe_t *p,
    const char *reason)
{
    if (!p->reused || p->answer != NULL) {
        ngx_http_wa_gateway_probe_finish(p, NGX_DECLINED, reason);
        return;
    }

    /* the kept connection was stale: this says nothing of the instance */

    ngx_http_wa_gateway_transport_close(&p->transport);

    p->connected = 0;
    p->reused = 0;

    ngx_http_wa_gateway_probe_connect(p);
}


static void
ngx_http_wa_gateway_probe_invalid(ngx_http_wa_gateway_probe_t *p)
{
    ngx_http_wa_gateway_reason_set(&p->reason, "invalid answer: ");
    ngx_http_wa_gateway_reason_add(&p->reason, p->answer->error);

    ngx_http_wa_gateway_probe_finish(p, NGX_DECLINED, NULL);
}


/* the end, with a reason unless there is one or rc is NGX_OK */

static void
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

    if (rc == NGX_OK && p->keepalive && p->answer->keepalive) {
        ngx_http_wa_gateway_transport_keep(&p->transport,
                                           NGX_HTTP_WA_GATEWAY_PROBE_IDLE);

    } else {
        ngx_http_wa_gateway_transport_close(&p->transport);
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

    ngx_http_wa_gateway_probe_expire(p);
}


static void
ngx_http_wa_gateway_probe_expire(ngx_http_wa_gateway_probe_t *p)
{
    if (p->reason.len == 0) {
        ngx_http_wa_gateway_reason_set(&p->reason, "timeout");
    }

    if (p->connected || p->addr + 1 >= p->naddrs
        || (ngx_msec_int_t) (p->deadline - ngx_current_msec) <= 0)
    {
        ngx_http_wa_gateway_probe_finish(p, p->local ? NGX_ERROR
                                                     : NGX_DECLINED, NULL);
        return;
    }

    ngx_http_wa_gateway_transport_close(&p->transport);

    p->addr++;

    ngx_http_wa_gateway_probe_connect(p);
}


static void
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


static u_char *
ngx_http_wa_gateway_probe_log_error(ngx_log_t *log, u_char *buf, size_t len)
{
    ngx_http_wa_gateway_probe_t  *p;

    p = log->data;

    return ngx_snprintf(buf, len, " while checking %V", p->name);
}
