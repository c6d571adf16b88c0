
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_store_link.h"


/* bytes of the buffers that are kept for the next calls */

#define WAG_STORE_LINK_SIZE  65536

/* bytes of an error that are shown */

#define WAG_STORE_LINK_ERROR  80


static void wag_store_link_open(wag_store_link_t *link);
static void wag_store_link_again(ngx_event_t *ev);
static void wag_store_link_connected(wag_transport_t *t, ngx_err_t err);
static void wag_store_link_begin(wag_store_link_t *link);
static void wag_store_link_logged_in(wag_store_call_t *call,
    wag_store_answer_t *answer);
static void wag_store_link_ready(wag_store_link_t *link);
static ngx_int_t wag_store_link_write(wag_store_link_t *link,
    wag_store_call_t *call, ngx_uint_t argc, ngx_str_t *argv);
static ngx_int_t wag_store_link_append(wag_store_link_t *link, u_char *data,
    size_t len);
static void wag_store_link_flush(ngx_event_t *ev);
static ngx_int_t wag_store_link_received(wag_transport_t *t, u_char *start,
    u_char *end);
static void wag_store_link_answered(wag_store_link_t *link);
static void wag_store_link_timer(ngx_event_t *ev);
static void wag_store_link_closed(wag_transport_t *t);
static void wag_store_link_failed(wag_transport_t *t, ngx_int_t rc);
static void wag_store_link_fail(wag_store_link_t *link);
static void wag_store_link_close(wag_store_link_t *link);


ngx_int_t
wag_store_link_start(wag_store_link_t *link)
{
    link->reader = wag_store_reader_create();
    if (link->reader == NULL) {
        return NGX_ERROR;
    }

    ngx_queue_init(&link->calls);

    link->transport.data = link;
    link->transport.name = &link->name;
    link->transport.log = &link->log;
    link->transport.reason = &link->reason;
    link->transport.connected = wag_store_link_connected;
    link->transport.received = wag_store_link_received;
    link->transport.closed = wag_store_link_closed;
    link->transport.failed = wag_store_link_failed;

    link->timer.handler = wag_store_link_timer;
    link->timer.data = link;
    link->timer.log = &link->log;

    link->again.handler = wag_store_link_again;
    link->again.data = link;
    link->again.log = &link->log;
    link->again.cancelable = 1;

    link->flush.handler = wag_store_link_flush;
    link->flush.data = link;
    link->flush.log = &link->log;

    wag_store_link_open(link);

    return NGX_OK;
}


void
wag_store_link_stop(wag_store_link_t *link)
{
    if (link->reader == NULL) {
        return;
    }

    wag_store_link_close(link);

    if (link->again.timer_set) {
        ngx_del_timer(&link->again);
    }

    wag_store_reader_free(link->reader);
    link->reader = NULL;

    if (link->coming.data) {
        ngx_free(link->coming.data);
    }

    if (link->going.data) {
        ngx_free(link->going.data);
    }

    ngx_memzero(&link->coming, sizeof(wag_store_bytes_t));
    ngx_memzero(&link->going, sizeof(wag_store_bytes_t));
}


static void
wag_store_link_open(wag_store_link_t *link)
{
    ngx_int_t    rc;
    ngx_addr_t  *addr;

    addr = &link->addrs[link->address++ % link->naddrs];

    link->reason.len = 0;
    link->coming.len = 0;
    link->going.len = 0;

    link->transport.request.len = 0;
    link->transport.sent = 0;

    if (wag_store_reader_reset(link->reader) != NGX_OK) {
        wag_reason_set(&link->reason, "no memory");
        wag_store_link_fail(link);
        return;
    }

    rc = wag_transport_open(&link->transport, addr);

    switch (rc) {

    case NGX_OK:
    case NGX_AGAIN:

        /* a worker that ends closes idle ones; here the last calls go out */

        link->transport.connection->idle = 0;

        if (rc == NGX_OK) {
            wag_store_link_begin(link);
            return;
        }

        link->timer.cancelable = 1;
        ngx_add_timer(&link->timer, link->timeout);
        return;

    case NGX_DECLINED:
        wag_reason_set(&link->reason, "refused the connection");
        break;

    default:
        wag_reason_set(&link->reason, "no connection can be made here");
    }

    wag_store_link_fail(link);
}


static void
wag_store_link_again(ngx_event_t *ev)
{
    if (ngx_terminate || ngx_quit) {
        return;
    }

    wag_store_link_open(ev->data);
}


static void
wag_store_link_connected(wag_transport_t *t, ngx_err_t err)
{
    wag_store_link_t *link = t->data;

    if (link->timer.timer_set) {
        ngx_del_timer(&link->timer);
    }

    if (err) {
        wag_reason_set(&link->reason, (err == NGX_ECONNREFUSED)
                                      ? "refused the connection"
                                      : "cannot be reached");
        wag_store_link_fail(link);
        return;
    }

    wag_store_link_begin(link);
}


static void
wag_store_link_begin(wag_store_link_t *link)
{
    ngx_str_t   argv[3];
    ngx_uint_t  argc;

    ngx_log_debug1(NGX_LOG_DEBUG_EVENT, &link->log, 0,
                   "wa_gateway store connected: %V", &link->name);

    link->timer.cancelable = 0;

    if (link->password.len == 0) {
        wag_store_link_ready(link);
        return;
    }

    argc = 1;

    ngx_str_set(&argv[0], "AUTH");

    if (link->user.len) {
        argv[argc++] = link->user;
    }

    argv[argc++] = link->password;

    link->login.done = wag_store_link_logged_in;
    link->login.data = link;

    if (wag_store_link_write(link, &link->login, argc, argv) != NGX_OK) {
        wag_store_link_drop(link, "no memory");
    }
}


static void
wag_store_link_logged_in(wag_store_call_t *call, wag_store_answer_t *answer)
{
    if (answer == NULL) {
        return;
    }

    if (answer->error) {
        wag_store_link_refuse(call->data, "refused the login: ", answer);
        return;
    }

    wag_store_link_ready(call->data);
}


static void
wag_store_link_ready(wag_store_link_t *link)
{
    link->open = 1;
    link->opened(link);
}


ngx_int_t
wag_store_link_call(wag_store_link_t *link, wag_store_call_t *call,
    ngx_uint_t argc, ngx_str_t *argv)
{
    return link->open ? wag_store_link_write(link, call, argc, argv)
                      : NGX_DECLINED;
}


static ngx_int_t
wag_store_link_write(wag_store_link_t *link, wag_store_call_t *call,
    ngx_uint_t argc, ngx_str_t *argv)
{
    char       *command;
    ssize_t     len;
    ngx_int_t   rc;

    len = wag_store_reader_format(&command, argc, argv);

    if (len < 0) {
        return NGX_DECLINED;
    }

    rc = wag_store_link_append(link, (u_char *) command, len);

    free(command);

    if (rc != NGX_OK) {
        return NGX_DECLINED;
    }

    call->begun = ngx_current_msec;

    if (ngx_queue_empty(&link->calls)) {
        ngx_add_timer(&link->timer, link->timeout);
    }

    ngx_queue_insert_tail(&link->calls, &call->queue);

    /* all of one turn of the event loop go out together */

    if (!link->flush.posted) {
        ngx_post_event(&link->flush, &ngx_posted_events);
    }

    return NGX_OK;
}


static ngx_int_t
wag_store_link_append(wag_store_link_t *link, u_char *data, size_t len)
{
    u_char             *p;
    size_t              size;
    wag_store_bytes_t  *b;

    b = &link->coming;

    if (b->size - b->len < len) {
        size = ngx_max(2 * b->size, b->len + len);
        size = ngx_max(size, WAG_STORE_LINK_SIZE);

        p = ngx_alloc(size, &link->log);
        if (p == NULL) {
            return NGX_ERROR;
        }

        if (b->data) {
            ngx_memcpy(p, b->data, b->len);
            ngx_free(b->data);
        }

        b->data = p;
        b->size = size;
    }

    ngx_memcpy(b->data + b->len, data, len);
    b->len += len;

    return NGX_OK;
}


static void
wag_store_link_flush(ngx_event_t *ev)
{
    ngx_str_t           request;
    wag_store_link_t   *link;
    wag_store_bytes_t   bytes;

    link = ev->data;

    if (link->transport.connection == NULL
        || link->coming.len == 0
        || link->transport.sent < link->transport.request.len)
    {
        return;
    }

    bytes = link->going;
    link->going = link->coming;
    link->coming = bytes;
    link->coming.len = 0;

    request.data = link->going.data;
    request.len = link->going.len;

    wag_transport_send(&link->transport, &request);
}


static ngx_int_t
wag_store_link_received(wag_transport_t *t, u_char *start, u_char *end)
{
    wag_store_link_t *link = t->data;

    ngx_int_t          rc;
    ngx_connection_t  *c;

    c = t->connection;

    if (wag_store_reader_feed(link->reader, start, end) != NGX_OK) {
        wag_store_link_drop(link, "answers more than it was asked");
        return NGX_OK;
    }

    for ( ;; ) {
        rc = wag_store_reader_next(link->reader);

        if (rc == NGX_AGAIN) {
            break;
        }

        if (rc == NGX_ERROR || ngx_queue_empty(&link->calls)) {
            wag_store_link_drop(link, "answers what is no answer");
            return NGX_OK;
        }

        wag_store_link_answered(link);

        if (t->connection != c) {
            return NGX_OK;
        }
    }

    if (link->coming.len && !link->flush.posted) {
        ngx_post_event(&link->flush, &ngx_posted_events);
    }

    return NGX_AGAIN;
}


static void
wag_store_link_answered(wag_store_link_t *link)
{
    ngx_queue_t       *q;
    ngx_msec_int_t     left;
    wag_store_call_t  *call, *next;

    q = ngx_queue_head(&link->calls);
    call = ngx_queue_data(q, wag_store_call_t, queue);

    ngx_queue_remove(q);

    if (ngx_queue_empty(&link->calls)) {
        ngx_del_timer(&link->timer);

    } else {
        q = ngx_queue_head(&link->calls);
        next = ngx_queue_data(q, wag_store_call_t, queue);

        left = next->begun + link->timeout - ngx_current_msec;

        ngx_add_timer(&link->timer, ngx_max(left, 1));
    }

    call->done(call, &link->reader->answer);
}


static void
wag_store_link_timer(ngx_event_t *ev)
{
    wag_store_link_t  *link;

    link = ev->data;

    wag_store_link_drop(link, ngx_queue_empty(&link->calls)
                              ? "no connection in time"
                              : "no answer in time");
}


static void
wag_store_link_closed(wag_transport_t *t)
{
    wag_store_link_drop(t->data, "closed the connection");
}


static void
wag_store_link_failed(wag_transport_t *t, ngx_int_t rc)
{
    wag_store_link_t *link = t->data;

    if (link->reason.len == 0) {
        wag_reason_set(&link->reason, "the connection broke");
    }

    wag_store_link_fail(link);
}


void
wag_store_link_drop(wag_store_link_t *link, const char *reason)
{
    wag_reason_set(&link->reason, reason);

    wag_store_link_fail(link);
}


void
wag_store_link_refuse(wag_store_link_t *link, const char *reason,
    wag_store_answer_t *answer)
{
    wag_reason_set(&link->reason, reason);
    wag_reason_add_value(&link->reason, &answer->values[0].text,
                         WAG_STORE_LINK_ERROR);

    wag_store_link_fail(link);
}


static void
wag_store_link_fail(wag_store_link_t *link)
{
    wag_store_link_close(link);

    link->lost(link, &link->reason);

    if (!link->again.timer_set) {
        ngx_add_timer(&link->again, link->pause);
    }
}


static void
wag_store_link_close(wag_store_link_t *link)
{
    ngx_queue_t        calls, *q;
    struct linger      linger;
    wag_store_call_t  *call;

    link->open = 0;

    if (link->timer.timer_set) {
        ngx_del_timer(&link->timer);
    }

    if (link->flush.posted) {
        ngx_delete_posted_event(&link->flush);
    }

    if (link->transport.connection) {

        /*
         * What the system has not sent must not come to the store later, after
         * it was told that this call is given up.
         */

        linger.l_onoff = 1;
        linger.l_linger = 0;

        if (setsockopt(link->transport.connection->fd, SOL_SOCKET, SO_LINGER,
                       (const void *) &linger, sizeof(struct linger))
            == -1)
        {
            ngx_log_error(NGX_LOG_ALERT, &link->log, ngx_socket_errno,
                          "setsockopt(SO_LINGER) failed");
        }

        wag_transport_close(&link->transport);
    }

    if (ngx_queue_empty(&link->calls)) {
        return;
    }

    ngx_queue_init(&calls);
    ngx_queue_add(&calls, &link->calls);
    ngx_queue_init(&link->calls);

    while (!ngx_queue_empty(&calls)) {
        q = ngx_queue_head(&calls);
        call = ngx_queue_data(q, wag_store_call_t, queue);

        ngx_queue_remove(q);

        call->done(call, NULL);
    }
}
