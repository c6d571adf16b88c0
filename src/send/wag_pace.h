
/*
 * Copyright (C) the wa_gateway authors
 *
 * The budgets of numbers, and of numbers and recipients: what a send takes,
 * gives back, and what is left.
 */


#ifndef _WAG_PACE_H_INCLUDED_
#define _WAG_PACE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "wag_pace_table.h"
#include "wag_recipient.h"
#include "wag_upstream.h"


/* "wa_gateway_pace" */

struct wag_pace_s {
    wag_pace_zone_t     *zone;
    wag_bucket_rule_t    number;
    wag_bucket_rule_t    recipient;
    uint64_t             period;       /* of number=, in microseconds */
    uint64_t             to_period;    /* of recipient= */
    ngx_uint_t           count;        /* in a period */
    ngx_uint_t           to_count;
    ngx_uint_t           day;          /* 0: no limit */
    ngx_uint_t           day_start;    /* s after midnight */
    ngx_msec_t           wait;         /* ms, at most */
    ngx_msec_t           jitter;       /* ms */

    ngx_str_t            policy;       /* as RateLimit-Policy tells it */
    ngx_str_t            to_policy;    /* with the recipient's */
};


/* what a send has taken, or would like to take */

typedef struct {
    uint64_t             number;       /* or what stands for it */
    u_char               to[WAG_PACE_TO_LEN];
    unsigned             has_to:1;

    uint32_t             seq;
    uint32_t             to_seq;
    uint32_t             day;
} wag_pace_claim_t;


/* what is left of a budget; of those without a limit nothing is set */

typedef struct {
    ngx_uint_t           left;
    ngx_uint_t           to_left;
    ngx_uint_t           day_left;
    ngx_uint_t           waiting;
    ngx_msec_t           full;         /* ms until it is */
    ngx_msec_t           to_full;
    ngx_msec_t           day_next;     /* ms */
} wag_pace_view_t;


/*
 * What stands for a number that is not known: its instance and its name, if
 * that has one.
 */
uint64_t wag_pace_number(ngx_str_t *instance, ngx_str_t *session);

/*
 * Sets the recipient of a claim: its digits alone, for there are servers that
 * drop what is around them, and a client may write there what it likes.
 */
void wag_pace_to(wag_pace_claim_t *claim, wag_recipient_t *to);

/*
 * Takes from the budgets of a claim: its turn is in "wait" ms, at most "max".
 * NGX_OK, "view" is what is left then; NGX_BUSY: not before "wait" ms,
 * "reason" tells why, PACED_NUMBER ...
 */
ngx_int_t wag_pace_claim(wag_pace_t *pace, wag_pace_claim_t *claim,
    ngx_msec_t max, ngx_msec_t *wait, ngx_uint_t *reason,
    wag_pace_view_t *view);

/*
 * Gives it back: nothing was sent.
 */
void wag_pace_return(wag_pace_t *pace, wag_pace_claim_t *claim);

/*
 * What is left for such a claim.
 */
void wag_pace_look(wag_pace_t *pace, wag_pace_claim_t *claim,
    wag_pace_view_t *view);


#endif /* _WAG_PACE_H_INCLUDED_ */
