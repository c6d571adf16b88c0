
/*
 * Copyright (C) the wa_gateway authors
 *
 * The sessions of an upstream as a worker knows them: all of them, and those
 * that can send, in order.
 */


#ifndef _WAG_KNOWN_H_INCLUDED_
#define _WAG_KNOWN_H_INCLUDED_


#include "wag_upstream.h"


/* what they are found by */

#define WAG_KNOWN_NAME    0   /* as the vendor has it */
#define WAG_KNOWN_LABEL   1   /* the second name of one that is secret */
#define WAG_KNOWN_HASH    2   /* 12 hex digits, of one that is secret */
#define WAG_KNOWN_NUMBER  3
#define WAG_KNOWN_KEYS    4


/* numbers in chains are from 1 on, 0 ends them */

typedef struct {
    wag_session_t       *record;
    ngx_uint_t           incarnation;   /* even: not in use */
    uint64_t             number;        /* 0: not known */
    uint32_t             slot;

    uint32_t             next[WAG_KNOWN_KEYS];
    uint32_t             hash[WAG_KNOWN_KEYS];

    uint8_t              told;          /* SESSION_READY ... STOPPED */
    uint8_t              can_send;      /* as its record says */
    uint8_t              secret;
    uint8_t              name_len;
    uint8_t              second_len;    /* of label or token */
    u_char               text[WAG_SESSION_TEXT_LEN];
} wag_known_t;


typedef struct {
    uint64_t             number;
    ngx_uint_t           weight;
} wag_known_number_t;


/* what a worker has of an upstream; only these rooms look into it */

struct wag_knowns_s {
    wag_known_t         *entries;    /* by the numbers of records, from 0 */
    ngx_uint_t           n;
    ngx_atomic_uint_t    epoch;      /* of the table, as far as copied */
    ngx_uint_t           state_epoch;
    ngx_uint_t           members;    /* of the peers when copied */

    uint32_t            *buckets[WAG_KNOWN_KEYS];
    ngx_uint_t           mask;

    uintptr_t           *ready;      /* a bit for each that can send */
    ngx_uint_t           nready;
    uint32_t            *counts;     /* of sessions, by slot */

    wag_known_number_t  *numbers;    /* each once */
    ngx_uint_t           nnumbers;
    ngx_uint_t           numbered;   /* unsigned  numbered:1; they are so */
};


#define WAG_KNOWN_BITS  (8 * sizeof(uintptr_t))

#define wag_known_word(n)  ((n) / WAG_KNOWN_BITS)
#define wag_known_bit(n)   ((uintptr_t) 1 << (n) % WAG_KNOWN_BITS)

#define wag_known_index(knowns, known)                                        \
    ((ngx_uint_t) ((known) - (knowns)->entries))

/* hashes of what they are found by */

#define wag_known_crc(text)                                                   \
    ngx_crc32_short((text)->data, (text)->len)

#define wag_known_crc_number(number)                                          \
    ngx_crc32_short((u_char *) &(number), sizeof(uint64_t))

/* its name */

#define wag_known_name(known, name)                                           \
    ((name)->data = (known)->text, (name)->len = (known)->name_len)


/*
 * All of them, in the table's order.
 */
wag_known_t *wag_known_next(wag_upstream_t *us, wag_known_t *prev);

/*
 * How many can send now; and the one of those that comes at or after number
 * n of them, going round: the same in all workers.
 */
ngx_uint_t wag_known_ready(wag_upstream_t *us);
wag_known_t *wag_known_ready_from(wag_upstream_t *us, ngx_uint_t n);
wag_known_t *wag_known_ready_after(wag_upstream_t *us, wag_known_t *known);

/*
 * Whether this one can send now.
 */
ngx_uint_t wag_known_is_ready(wag_upstream_t *us, wag_known_t *known);

/*
 * How long it rests, in ms, as its server said that it is throttled; 0: it
 * does not.
 */
ngx_msec_t wag_known_rest(wag_known_t *known);

/*
 * How many sessions a slot has.
 */
ngx_uint_t wag_known_of_slot(wag_upstream_t *us, ngx_uint_t slot);

/*
 * Its token, empty if there is none.
 */
void wag_known_token(wag_known_t *known, ngx_str_t *token);


#endif /* _WAG_KNOWN_H_INCLUDED_ */
