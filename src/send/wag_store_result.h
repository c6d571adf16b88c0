
/*
 * Copyright (C) the wa_gateway authors
 *
 * What a store's scripts return.  Pure.
 */


#ifndef _WAG_STORE_RESULT_H_INCLUDED_
#define _WAG_STORE_RESULT_H_INCLUDED_


#include "wag_store_args.h"
#include "wag_store_reader.h"


typedef struct {
    ngx_uint_t           found;      /* STORE_NONE ... */
    ngx_uint_t           status;     /* of an answer; 0: none came */
    ngx_str_t            answer;     /* lies in the store's answer */

    uint64_t             serial;     /* of the store */
    wag_store_spent_t    spent;
    uint64_t             wait;       /* us, until it may be used */
    ngx_uint_t           reason;     /* 0: number, 1: recipient, 2: day */

    uint64_t             full;       /* us, until buckets are */
    uint64_t             to_full;
    uint64_t             day_next;
    ngx_uint_t           day_used;
} wag_store_found_t;


#define WAG_STORE_MET_READY     0
#define WAG_STORE_MET_SETTLING  1
#define WAG_STORE_MET_LOST      2


typedef struct {
    ngx_uint_t           state;      /* MET_READY ... */
    uint64_t             marker;
    uint64_t             serial;
    uint64_t             now;        /* ms, of the store's clock */
} wag_store_met_t;


/*
 * What an answer to a claim, to a meeting tells.  NGX_ERROR: it is none.
 */
ngx_int_t wag_store_result_claim(wag_store_answer_t *answer,
    wag_store_claim_t *claim, wag_store_found_t *found);
ngx_int_t wag_store_result_meet(wag_store_answer_t *answer,
    wag_store_met_t *met);


#endif /* _WAG_STORE_RESULT_H_INCLUDED_ */
