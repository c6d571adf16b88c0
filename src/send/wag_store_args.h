
/*
 * Copyright (C) the wa_gateway authors
 *
 * The arguments of a call of a store's script.  Pure.
 */


#ifndef _WAG_STORE_ARGS_H_INCLUDED_
#define _WAG_STORE_ARGS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_bucket.h"
#include "wag_digest.h"
#include "wag_siphash.h"
#include "wag_store_script.h"


/* numbers that one claim chooses from, at most */

#define WAG_STORE_NUMBERS  32

#define WAG_STORE_ARGS      96

#define WAG_STORE_PREFIX_LEN  64
#define WAG_STORE_SCOPE_LEN   256
#define WAG_STORE_TO_LEN      16


/* what all calls of a worker have in common */

typedef struct {
    ngx_str_t            prefix;
    uint64_t             marker;     /* of the store; 0: not known */
    uint64_t             self;       /* this worker, in tokens */
    uint64_t             holder;     /* ditto, since the store was started */
    ngx_msec_t           forget;     /* ms, after which nothing matters */
} wag_store_names_t;


typedef struct {
    wag_bucket_rule_t    number;
    wag_bucket_rule_t    recipient;
    ngx_uint_t           day;        /* messages; 0: no limit */
    ngx_int_t            shift;      /* s, of the day from UTC's */
    uint64_t             jitter;     /* us, drawn already */
    uint64_t             wait;       /* us, at most */
} wag_store_rules_t;


/* what a claim took of budgets, to be given back */

typedef struct {
    uint64_t             number;     /* 0: nothing */
    u_char               to[WAG_STORE_TO_LEN];
    int64_t              seq;
    int64_t              birth;      /* tells the bucket from a later one */
    int64_t              day;
    int64_t              to_seq;
    int64_t              to_birth;
    unsigned             has_to:1;
} wag_store_spent_t;


typedef struct {
    u_char               id[WAG_DIGEST_LEN];
    u_char               request[WAG_SIPHASH_LEN];
    ngx_msec_t           ttl;
    uint64_t             deadline;   /* ms of the store: not after that */
    uint64_t             serial;     /* of the token of this claim */
    unsigned             keyed:1;
    unsigned             look:1;     /* nothing is claimed or spent */

    ngx_str_t            scope;      /* of budgets */
    wag_store_rules_t    rules;
    ngx_uint_t           nnumbers;   /* 0: no budget is wanted */
    uint64_t             numbers[WAG_STORE_NUMBERS];
    u_char               to[WAG_STORE_TO_LEN];
    unsigned             has_to:1;
} wag_store_claim_t;


typedef struct {
    u_char               id[WAG_DIGEST_LEN];
    uint64_t             serial;     /* of the token of the claim */
    ngx_uint_t           state;      /* STORE_NONE: given up */
    ngx_uint_t           status;
    ngx_str_t            answer;
    ngx_msec_t           ttl;
    unsigned             keyed:1;

    ngx_str_t            scope;
    wag_store_rules_t    rules;
    wag_store_spent_t    spent;      /* to be given back */
} wag_store_end_t;


/* a worker meets the store */

typedef struct {
    uint64_t             known;      /* marker; 0: none */
    uint64_t             serial;     /* at least, of the store */
    uint64_t             proposed;   /* marker of a store that has none */
    ngx_str_t            run;
    ngx_msec_t           settle;     /* ms after a restart */
    ngx_msec_t           lease;      /* ms */
} wag_store_meet_t;


/* the arguments of a call, and what they lie in */

typedef struct {
    ngx_uint_t           argc;
    ngx_str_t            argv[WAG_STORE_ARGS];
    u_char              *last;
    u_char               buf[(2 * WAG_STORE_NUMBERS + 4)
                             * (WAG_STORE_PREFIX_LEN + WAG_STORE_SCOPE_LEN
                                + 128)];
} wag_store_args_t;


/*
 * The arguments of a call; argv[0] and [1], EVALSHA and what of, are left to
 * whoever calls.
 */
void wag_store_args_claim(wag_store_args_t *args, wag_store_names_t *names,
    wag_store_claim_t *claim);
void wag_store_args_end(wag_store_args_t *args, wag_store_names_t *names,
    wag_store_end_t *end);
void wag_store_args_meet(wag_store_args_t *args, wag_store_names_t *names,
    wag_store_meet_t *meet);


#endif /* _WAG_STORE_ARGS_H_INCLUDED_ */
