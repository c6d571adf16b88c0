
/*
 * Copyright (C) the wa_gateway authors
 *
 * Asks an instance for the QR code of one session, or to start it, for
 * somebody who waits for the answer.
 */


#ifndef _WAG_LOGIN_H_INCLUDED_
#define _WAG_LOGIN_H_INCLUDED_


#include "wag_probe.h"
#include "wag_upstream.h"
#include "wag_vendor.h"


typedef struct wag_login_s  wag_login_t;


struct wag_login_s {
    wag_probe_t            probe;
    ngx_event_t            event;

    /* set by the caller; texts and pool outlive it */

    wag_upstream_t        *upstream;
    wag_peer_t            *peer;
    ngx_pool_t            *pool;
    ngx_log_t             *log;
    ngx_str_t              session;
    ngx_str_t              token;
    void                 (*done)(wag_login_t *login);
    void                  *data;

    /* the outcome, valid from done() on */

    ngx_int_t              rc;
    const char            *failed;     /* why, after NGX_DECLINED */
    ngx_uint_t             status;     /* of the answer, 0: none */
    const char            *type;       /* of the image; NULL: none */
    ngx_str_t              image;
    ngx_str_t              code;       /* to be typed; empty: none */

    /* private */

    wag_server_t          *server;
    wag_addrs_t           *addrs;
    wag_vendor_question_t *asked;
    wag_vendor_question_t  linked;     /* the image that a link leads to */
    ngx_uint_t             form;       /* of what is wanted */
    ngx_str_t              body;
    unsigned               cut:1;
    u_char                 reason[WAG_REASON_LEN + 1];
};


/*
 * Asks for the code, or to start the session; what its vendor's file has no
 * word for is done at once.  NGX_OK: done() will be called once, from the
 * event loop, when "rc" is
 *
 *     NGX_OK        the instance did it; there may be no code yet;
 *     NGX_DECLINED  it did not, "failed" tells why;
 *     NGX_ERROR     a local error: nothing is known of the instance.
 *
 * NGX_ERROR: no memory, or a name that cannot stand in a request.
 */
ngx_int_t wag_login_code(wag_login_t *login);
ngx_int_t wag_login_start(wag_login_t *login);

/*
 * Ends it without done(), and gives up what it holds; once, also after done().
 */
void wag_login_cancel(wag_login_t *login);


#endif /* _WAG_LOGIN_H_INCLUDED_ */
