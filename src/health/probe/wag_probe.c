
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_connect_error.h"
#include "wag_probe.h"


/* all in ms; Node closes an idle connection after 5 seconds */

#define WAG_PROBE_IDLE   4000

/* how often a check looks whether the event loop is late, and what is late */

#define WAG_PROBE_TICK   1000
#define WAG_PROBE_LATE   500

/* how long what has arrived already may take to be read */

#define WAG_PROBE_GRACE  20


static void wag_probe_init(wag_probe_t *p);
static void wag_probe_connect(wag_probe_t *p);
static ngx_int_t wag_probe_open(wag_probe_t *p);
static void wag_probe_connected(wag_transport_t *t, ngx_err_t err);
static void wag_probe_refused(wag_probe_t *p, ngx_err_t err);
static void wag_probe_send(wag_probe_t *p);
static ngx_int_t wag_probe_received(wag_transport_t *t, u_char *start,
    u_char *end);
static ngx_int_t wag_probe_answer(wag_probe_t *p);
static void wag_probe_closed(wag_transport_t *t);
static void wag_probe_failed(wag_transport_t *t, ngx_int_t rc);
static void wag_probe_broken(wag_probe_t *p, const char *reason);
static void wag_probe_invalid(wag_probe_t *p);
static void wag_probe_finish(wag_probe_t *p, ngx_int_t rc, const char *reason);
static void wag_probe_done(wag_probe_t *p);
static void wag_probe_timer_handler(ngx_event_t *ev);
static void wag_probe_expire(wag_probe_t *p);
static void wag_probe_arm(wag_probe_t *p);
static u_char *wag_probe_log_error(ngx_log_t *log, u_char *buf, size_t len);


void
wag_probe_start(wag_probe_t *p)
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

    wag_probe_init(p);

    if (wag_transport_reuse(&p->transport) == NGX_OK) {
        p->connected = 1;
        p->reused = 1;

        wag_transport_send(&p->transport, &p->request);

    } else {
        wag_probe_connect(p);
    }

    p->starting = 0;
}


void
wag_probe_cancel(wag_probe_t *p)
{
    ngx_log_debug1(NGX_LOG_DEBUG_EVENT, p->parent, 0,
                   "wa_gateway probe cancel: %V", p->name);

    p->active = 0;
    p->finished = 0;

    if (p->timer.timer_set) {
        ngx_del_timer(&p->timer);
    }

    wag_transport_close(&p->transport);

    if (p->pool != NULL) {
        ngx_destroy_pool(p->pool);
        p->pool = NULL;
    }
}


static void
wag_probe_init(wag_probe_t *p)
{
    p->ident = (ngx_socket_t) -1;

    p->timer.data = p;
    p->timer.handler = wag_probe_timer_handler;
    p->timer.log = p->parent;
    p->timer.cancelable = 1;

    p->transport.data = p;
    p->transport.name = p->name;
    p->transport.log = &p->log;
    p->transport.reason = &p->reason;
    p->transport.connected = wag_probe_connected;
    p->transport.received = wag_probe_received;
    p->transport.closed = wag_probe_closed;
    p->transport.failed = wag_probe_failed;

    /*
     * The caller tells about an instance that is down, once; what nginx core
     * says each time is kept out of the log.
     */

    p->log = *p->parent;
    p->log.handler = wag_probe_log_error;
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

    wag_probe_arm(p);
}


/* from the current address on, until one connects or may yet */

static void
wag_probe_connect(wag_probe_t *p)
{
    ngx_int_t  rc;

    while (p->addr < p->naddrs) {

        rc = wag_probe_open(p);

        if (rc == NGX_OK) {
            wag_probe_send(p);
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

    wag_probe_finish(p, p->local ? NGX_ERROR : NGX_DECLINED,
                     "no descriptor, memory or connection");
}


/* as wag_transport_open() */

static ngx_int_t
wag_probe_open(wag_probe_t *p)
{
    ngx_int_t       rc;
    ngx_msec_int_t  left;

    rc = wag_transport_open(&p->transport, &p->addrs[p->addr]);

    if (rc == NGX_DECLINED) {
        wag_probe_refused(p, p->transport.err);
    }

    if (rc != NGX_OK && rc != NGX_AGAIN) {
        return rc;
    }

    /* an address that does not answer leaves its share to those after it */

    left = (ngx_msec_int_t) (p->deadline - ngx_current_msec);
    left = ngx_max(left, 0) / (ngx_msec_int_t) (p->naddrs - p->addr);

    p->step = ngx_current_msec + left;
    p->expired = 0;

    wag_probe_arm(p);

    return rc;
}


static void
wag_probe_connected(wag_transport_t *t, ngx_err_t err)
{
    wag_probe_t *p = t->data;

    if (err == 0) {
        wag_probe_send(p);
        return;
    }

    wag_probe_refused(p, err);

    p->addr++;

    wag_probe_connect(p);
}


static void
wag_probe_refused(wag_probe_t *p, ngx_err_t err)
{
    if (wag_connect_error_is_local(err, p->addrs[p->addr].sockaddr, p->naddrs))
    {
        p->local = 1;
        return;
    }

    /* the first address is what the name stands for, it gives the reason */

    if (p->reason.len == 0) {
        wag_reason_set(&p->reason, wag_connect_error_reason(err));
    }
}


static void
wag_probe_send(wag_probe_t *p)
{
    p->connected = 1;
    p->local = 0;
    p->reason.len = 0;
    p->step = p->deadline;
    p->expired = 0;

    wag_probe_arm(p);

    wag_transport_send(&p->transport, &p->request);
}


static ngx_int_t
wag_probe_received(wag_transport_t *t, u_char *start, u_char *end)
{
    wag_probe_t *p = t->data;

    ngx_int_t  rc;

    /* not before: thousands of checks that wait take no memory */

    if (p->answer == NULL && wag_probe_answer(p) != NGX_OK) {
        wag_probe_finish(p, NGX_ERROR, "no memory");
        return NGX_DONE;
    }

    rc = wag_http_parse(p->answer, start, end);

    if (rc == NGX_OK) {
        wag_probe_finish(p, NGX_OK, NULL);
        return NGX_DONE;
    }

    if (rc == NGX_ERROR) {
        wag_probe_invalid(p);
        return NGX_DONE;
    }

    return NGX_AGAIN;
}


static ngx_int_t
wag_probe_answer(wag_probe_t *p)
{
    ngx_str_t    header, body;
    wag_http_t  *h;

    p->pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE, &p->log);
    if (p->pool == NULL) {
        return NGX_ERROR;
    }

    h = ngx_palloc(p->pool, sizeof(wag_http_t));
    if (h == NULL) {
        return NGX_ERROR;
    }

    header.len = WAG_HTTP_HEADER_SIZE;
    header.data = ngx_palloc(p->pool, header.len);

    body.len = (p->sink ? 0 : WAG_HTTP_BODY_SIZE) + 1;
    body.data = ngx_palloc(p->pool, body.len);

    if (header.data == NULL || body.data == NULL) {
        return NGX_ERROR;
    }

    wag_http_init(h, &header, &body, p->max ? p->max : WAG_HTTP_DRAIN_SIZE,
                  p->head);

    h->sink = p->sink;
    h->data = p->data;

    p->answer = h;

    return NGX_OK;
}


/* which may be the end of the answer */

static void
wag_probe_closed(wag_transport_t *t)
{
    wag_probe_t *p = t->data;

    if (p->answer == NULL) {
        wag_probe_broken(p, "closed before answer");
        return;
    }

    if (wag_http_eof(p->answer) == NGX_OK) {
        wag_probe_finish(p, NGX_OK, NULL);
        return;
    }

    wag_probe_invalid(p);
}


static void
wag_probe_failed(wag_transport_t *t, ngx_int_t rc)
{
    wag_probe_t *p = t->data;

    if (rc == NGX_ABORT) {
        wag_probe_broken(p, "reset");
        return;
    }

    wag_probe_finish(p, rc, NULL);
}


static void
wag_probe_broken(wag_probe_t *p, const char *reason)
{
    if (!p->reused || p->answer != NULL) {
        wag_probe_finish(p, NGX_DECLINED, reason);
        return;
    }

    /* the kept connection was stale: this says nothing of the instance */

    wag_transport_close(&p->transport);

    p->connected = 0;
    p->reused = 0;

    wag_probe_connect(p);
}


static void
wag_probe_invalid(wag_probe_t *p)
{
    wag_reason_set(&p->reason, "invalid answer: ");
    wag_reason_add(&p->reason, p->answer->error);

    wag_probe_finish(p, NGX_DECLINED, NULL);
}


/* the end, with a reason unless there is one or rc is NGX_OK */

static void
wag_probe_finish(wag_probe_t *p, ngx_int_t rc, const char *reason)
{
    if (rc == NGX_OK) {
        p->reason.len = 0;

    } else if (p->reason.len == 0) {
        wag_reason_set(&p->reason, reason);
    }

    p->rc = rc;
    p->response_time = ngx_current_msec - p->start;

    if (rc == NGX_OK && p->keepalive && p->answer->keepalive) {
        wag_transport_keep(&p->transport, WAG_PROBE_IDLE);

    } else {
        wag_transport_close(&p->transport);
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

    wag_probe_done(p);
}


static void
wag_probe_done(wag_probe_t *p)
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
wag_probe_timer_handler(ngx_event_t *ev)
{
    wag_probe_t    *p;
    ngx_msec_int_t  late;

    p = ev->data;

    ngx_log_debug1(NGX_LOG_DEBUG_EVENT, ev->log, 0,
                   "wa_gateway probe timer handler: %V", p->name);

    ev->timedout = 0;

    if (p->finished) {
        wag_probe_done(p);
        return;
    }

    late = (ngx_msec_int_t) (ngx_current_msec - p->due);

    if (late > WAG_PROBE_LATE) {
        late += WAG_PROBE_LATE;

        p->deadline += late;
        p->step += late;
        p->expired = 0;
    }

    if ((ngx_msec_int_t) (p->step - ngx_current_msec) > 0) {
        wag_probe_arm(p);
        return;
    }

    /*
     * Timers may expire before what has arrived is read, e.g. if epoll_wait()
     * was interrupted: the loop makes one more turn before the end.
     */

    if (!p->expired) {
        p->expired = 1;
        wag_probe_arm(p);
        return;
    }

    wag_probe_expire(p);
}


static void
wag_probe_expire(wag_probe_t *p)
{
    if (p->reason.len == 0) {
        wag_reason_set(&p->reason, "timeout");
    }

    if (p->connected || p->addr + 1 >= p->naddrs
        || (ngx_msec_int_t) (p->deadline - ngx_current_msec) <= 0)
    {
        wag_probe_finish(p, p->local ? NGX_ERROR : NGX_DECLINED, NULL);
        return;
    }

    wag_transport_close(&p->transport);

    p->addr++;

    wag_probe_connect(p);
}


static void
wag_probe_arm(wag_probe_t *p)
{
    ngx_msec_int_t  timer;

    timer = (ngx_msec_int_t) (p->step - ngx_current_msec);
    timer = ngx_min(timer, WAG_PROBE_TICK);

    if (p->expired) {
        timer = WAG_PROBE_GRACE;
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
wag_probe_log_error(ngx_log_t *log, u_char *buf, size_t len)
{
    wag_probe_t  *p;

    p = log->data;

    return ngx_snprintf(buf, len, " while checking %V", p->name);
}
