
/*
 * Copyright (C) the wa_gateway authors
 *
 * Checks in the shared record: whose turn it is, and what came of it.
 */


#ifndef _WAG_CLAIM_H_INCLUDED_
#define _WAG_CLAIM_H_INCLUDED_


#include "wag_upstream.h"


typedef struct {
    ngx_uint_t           known;    /* 0: a local error, nothing was learnt */
    ngx_uint_t           passed;
    ngx_uint_t           status;   /* of the answer, 0: none */
    ngx_msec_t           time;     /* ms it took */
    ngx_str_t            reason;   /* if it did not pass */
} wag_verdict_t;


/*
 * Takes the right to check an instance.  NGX_BUSY while another worker that
 * is alive has it: one of an old configuration, which is about to leave.
 */
ngx_int_t wag_claim_take(wag_upstream_t *us, wag_peer_t *peer);

/*
 * Gives the right back with the verdict, and tells the state machine.
 * Returns the number of failures in a row.
 */
ngx_uint_t wag_claim_release(wag_upstream_t *us, wag_peer_t *peer,
    wag_verdict_t *verdict);

/*
 * Sets the next turn in the record, unless it moved since it was "known":
 * traffic that takes an instance out moves it.  Returns what holds then.
 */
ngx_msec_t wag_claim_schedule(wag_upstream_t *us, wag_peer_t *peer,
    ngx_msec_t known, ngx_msec_t turn);

/*
 * Whether what is asked has changed since the instance was last checked, or
 * it never was; remembers what is asked now.
 */
ngx_uint_t wag_claim_check_changed(wag_upstream_t *us, wag_peer_t *peer);


#endif /* _WAG_CLAIM_H_INCLUDED_ */
