
/*
 * Copyright (C) the wa_gateway authors
 *
 * What keeps claims of sends besides the zone, and takes its time for that: a
 * journal on a disk, a store on the network.  An upstream has one keeper at
 * most.  The zone is asked first and answers at once; what is claimed there
 * waits for the keeper before anything is written.
 */


#ifndef _WAG_KEEPER_H_INCLUDED_
#define _WAG_KEEPER_H_INCLUDED_


#include "wag_marks.h"


typedef struct wag_keeper_s        wag_keeper_t;
typedef struct wag_keeper_claim_s  wag_keeper_claim_t;


/* what a keeper is asked for, in memory of the request */

struct wag_keeper_claim_s {
    wag_marks_key_t     *key;      /* claimed in the zone, unless "look" */
    ngx_uint_t           look;     /* it is not to be claimed */
    ngx_log_t           *log;

    /* what came of it */

    ngx_uint_t           found;    /* MARK_NONE: claimed, or not there */
    ngx_uint_t           status;   /* of an answer of before */
    ngx_str_t            answer;   /* ditto, as it is stored; while it tells */

    void               (*told)(wag_keeper_claim_t *claim);
    void                *asked;    /* the keeper's own */
};


/* what came of a claim, to be kept */

typedef struct {
    ngx_uint_t           state;    /* MARK_NONE: it is given up */
    ngx_uint_t           status;   /* of the answer */
    u_char              *answer;   /* as it is stored; len is 0: none */
    size_t               len;
    ngx_str_t            message;  /* its id; empty: not known */
} wag_keeper_end_t;


struct wag_keeper_s {

    /*
     * NGX_OK: claim->found is there; NGX_AGAIN: claim->told() is called in
     * this worker when it is, from the event loop and never from within;
     * NGX_ERROR: it cannot be asked, nothing is claimed.
     */
    ngx_int_t          (*ask)(wag_keeper_t *keeper,
                              wag_keeper_claim_t *claim);

    /*
     * After NGX_AGAIN, and before told(): nobody waits any more, claim->told()
     * must not be called, the memory goes away.  What is or will be claimed
     * is given up by the keeper, without an end().
     */
    void               (*cancel)(wag_keeper_t *keeper,
                                 wag_keeper_claim_t *claim);

    /*
     * What came of a key that was claimed.  Nobody waits for that.
     */
    void               (*end)(wag_keeper_t *keeper, wag_marks_key_t *key,
                              wag_keeper_end_t *end);

    ngx_msec_t           patience;   /* ms that a request waits at most */
    ngx_uint_t           shared;     /* others claim there, too */
    void                *data;
};


#endif /* _WAG_KEEPER_H_INCLUDED_ */
