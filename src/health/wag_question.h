
/*
 * Copyright (C) the wa_gateway authors
 *
 * Asks an instance about one session: for its token, its state, its number, as
 * far as its vendor says that the list does not tell.
 */


#ifndef _WAG_QUESTION_H_INCLUDED_
#define _WAG_QUESTION_H_INCLUDED_


#include "wag_list.h"
#include "wag_pick.h"
#include "wag_probe.h"
#include "wag_upstream.h"
#include "wag_vendor.h"


typedef struct wag_question_s  wag_question_t;


struct wag_question_s {
    wag_probe_t            probe;
    ngx_queue_t            queue;      /* of the caller */

    /* set by the caller */

    wag_upstream_t        *upstream;
    wag_peer_t            *peer;
    wag_vendor_t          *vendor;
    wag_item_t            *item;
    void                 (*done)(wag_question_t *question);
    void                  *data;

    /* private */

    wag_vendor_question_t *wanted;     /* state or number */
    wag_vendor_question_t *asked;      /* that, or the token for it */
    ngx_int_t              rc;         /* of reading the answer */
    ngx_pool_t            *pool;       /* of one answer */
    wag_pick_t            *pick;
    wag_addrs_t           *addrs;
    ngx_str_t              token;
    u_char                 room[WAG_SESSION_TEXT_LEN];   /* for it */
    u_char                 word[WAG_SESSION_TEXT_LEN];   /* of a state */
    unsigned               renewed:1;  /* it was asked for */
};


/*
 * Asks, for all of it or for the number alone; what is learnt goes to
 * "session".  NGX_OK: done() will be called once; NGX_ERROR: no memory, or a
 * name that cannot stand in a request.
 */
ngx_int_t wag_question_start(wag_question_t *question);
ngx_int_t wag_question_number(wag_question_t *question);

/*
 * Ends it without done(), and gives up what it holds.
 */
void wag_question_cancel(wag_question_t *question);

/*
 * The request to an instance for what a vendor's file says, from pool.
 * NGX_OK; NGX_DECLINED, "err" names what cannot stand in a request; NGX_ERROR
 * if there is no memory.
 */
ngx_int_t wag_question_request(ngx_pool_t *pool, wag_server_t *server,
    wag_vendor_question_t *asked, ngx_array_t *headers, ngx_str_t *session,
    ngx_str_t *token, ngx_str_t *request, ngx_str_t *err);


#endif /* _WAG_QUESTION_H_INCLUDED_ */
