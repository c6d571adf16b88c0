
/*
 * Copyright (C) the wa_gateway authors
 *
 * One check of an instance: address by address until one connects, a request,
 * an answer, and all of it in time.
 */


#ifndef _WAG_PROBE_H_INCLUDED_
#define _WAG_PROBE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "wag_http.h"
#include "wag_reason.h"
#include "wag_transport.h"


typedef struct wag_probe_s  wag_probe_t;

typedef void (*wag_probe_done_pt)(wag_probe_t *p, ngx_int_t rc);


typedef struct {
    ngx_str_t            method;
    ngx_str_t            uri;
    ngx_str_t            host;
    ngx_str_t            user_agent;
    ngx_str_t            body;      /* JSON, of a POST; empty: none */
    ngx_array_t         *headers;   /* ngx_keyval_t or NULL */
    unsigned             keepalive:1;
} wag_request_t;


/*
 * One checked instance.  The caller zeroes it, fills the first part, and
 * keeps it and what it points to until the last check is done or cancelled;
 * it may be used for any number of checks, one at a time.
 */

struct wag_probe_s {
    void                *data;    /* of the caller */
    ngx_str_t           *name;    /* for log lines */
    ngx_addr_t          *addrs;   /* of one instance */

    /* ngx_event_ident() reads it: -1, where a connection has its fd */
    ngx_socket_t         ident;

    ngx_uint_t           naddrs;
    ngx_str_t            request;
    ngx_msec_t           timeout;   /* ms, the whole check */
    ngx_log_t           *parent;    /* log */
    wag_probe_done_pt    done;

    /* of which the caller sets ssl, ssl_name and ssl_verify */
    wag_transport_t      transport;

    /* gets the body as it comes; else the start of it is kept */
    void               (*sink)(void *data, u_char *start, size_t len);
    off_t                max;        /* bytes of a body that are read */

    unsigned             keepalive:1;
    unsigned             head:1;

    /* the result, valid within done() */

    wag_http_t          *answer;
    wag_reason_t         reason;
    ngx_msec_t           response_time;

    /* private */

    unsigned             active:1;
    unsigned             starting:1;
    unsigned             connected:1;
    unsigned             reused:1;
    unsigned             expired:1;
    unsigned             local:1;
    unsigned             finished:1;

    ngx_pool_t          *pool;
    ngx_uint_t           addr;
    ngx_int_t            rc;

    ngx_event_t          timer;
    ngx_msec_t           start;
    ngx_msec_t           due;    /* of the timer */
    ngx_msec_t           deadline;
    ngx_msec_t           step;   /* of one address */

    ngx_log_t            log;
};


/*
 * Starts a check.  done() is called exactly once, never from within this
 * function, unless the check is cancelled:
 *
 *     NGX_OK        there is an answer, it took response_time ms;
 *     NGX_DECLINED  the instance failed, "reason" tells how;
 *     NGX_ERROR     we failed: no descriptor, memory or worker connection,
 *                   or the worker is exiting; says nothing of the instance.
 *
 * done() may start the next check or cancel the probe, but not free it.
 * The time the worker lost, be it stopped or busy, is added to the timeout.
 */
void wag_probe_start(wag_probe_t *p);

/* Ends a check without done(), and closes the kept connection. */
void wag_probe_cancel(wag_probe_t *p);

/*
 * Makes the bytes of a request, RFC 9112, at configuration time.  Headers
 * given replace the default ones; those of framing and of the connection
 * are refused.  NGX_OK; NGX_DECLINED, "err" names the bad value; NGX_ERROR
 * if there is no memory.
 */
ngx_int_t wag_request_make(ngx_pool_t *pool, wag_request_t *r,
    ngx_str_t *request, ngx_str_t *err);


#endif /* _WAG_PROBE_H_INCLUDED_ */
