
/*
 * Copyright (C) the wa_gateway authors
 *
 * A connection of the gateway's own to one address: connect, TLS, send,
 * receive, rest until the next use.  It knows nothing of what is said over
 * it, and tells by callbacks how that goes.
 */


#ifndef _WAG_TRANSPORT_H_INCLUDED_
#define _WAG_TRANSPORT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_event_connect.h>

#include "wag_reason.h"


typedef struct wag_transport_s
    wag_transport_t;


/* The caller fills the first part; the connection may serve several turns. */

struct wag_transport_s {
    void                *data;     /* of the caller */
    ngx_str_t           *name;     /* for log lines */
    ngx_log_t           *log;
    wag_reason_t        *reason;   /* set where it fails */

#if (NGX_OPENSSL)
    ngx_ssl_t           *ssl;        /* NULL: no TLS */
    ngx_str_t            ssl_name;   /* without a port */
#endif

    unsigned             ssl_verify:1;

    /*
     * What open() with NGX_AGAIN came to: 0, or an error of connect(), after
     * which there is no connection any more.
     */
    void               (*connected)(wag_transport_t *t, ngx_err_t err);

    /* bytes that came; NGX_AGAIN: more are wanted, else the turn is over */
    ngx_int_t          (*received)(wag_transport_t *t, u_char *start,
                                   u_char *end);

    /* the other side closed */
    void               (*closed)(wag_transport_t *t);

    /*
     * NGX_DECLINED: TLS did not come about; NGX_ERROR: a local error, or the
     * worker is exiting; NGX_ABORT: the connection broke.
     */
    void               (*failed)(wag_transport_t *t, ngx_int_t rc);

    /* private */

    ngx_connection_t    *connection;
    ngx_err_t            err;   /* of connect() */
    ngx_str_t            request;
    size_t               sent;
};


/*
 * Connects to an address.  NGX_OK: connected; NGX_AGAIN: connected() tells;
 * NGX_DECLINED: it was refused, with t->err; NGX_ERROR: a local error.
 */
ngx_int_t wag_transport_open(wag_transport_t *t, ngx_addr_t *addr);

/*
 * Sends a request over the open connection, after a TLS handshake if that is
 * wanted and was not made yet, and then receives.  Callbacks may be called
 * from within.
 */
void wag_transport_send(wag_transport_t *t, ngx_str_t *request);

/*
 * Lets the connection rest for at most timeout ms; it is closed at once if
 * that is not possible, and when the other side speaks or closes.
 */
void wag_transport_keep(wag_transport_t *t, ngx_msec_t timeout);

/*
 * Takes a resting connection for the next request: NGX_OK, or NGX_DECLINED
 * if there is none that can be used.
 */
ngx_int_t wag_transport_reuse(wag_transport_t *t);

/*
 * Closes the connection, if there is one.
 */
void wag_transport_close(wag_transport_t *t);


#endif /* _WAG_TRANSPORT_H_INCLUDED_ */
