
/*
 * Copyright (C) the wa_gateway authors
 *
 * The sessions of an upstream as a worker knows them: a copy of the table that
 * follows its changes, found by name, by what is shown and by number.
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


/*
 * Takes over what moved since it was asked last.  Makes the copy first if
 * there is none; NGX_ERROR if there is no memory for it.
 */
ngx_int_t wag_known_refresh(wag_upstream_t *us);

/*
 * The next session after "prev", the first if it is NULL: with this name, or
 * shown as this, or of this number.  Both names as bytes, case respected.
 */
wag_known_t *wag_known_by_name(wag_upstream_t *us, ngx_str_t *name,
    wag_known_t *prev);
wag_known_t *wag_known_by_number(wag_upstream_t *us, uint64_t number,
    wag_known_t *prev);

/*
 * All numbers, each once, with the weight of its instance, of several the
 * greatest; made anew where sessions or states moved.
 */
wag_known_number_t *wag_known_numbers(wag_upstream_t *us, ngx_uint_t *n);

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
 * Its name; its token, empty if there is none; and what is shown of it, at
 * most WAG_SESSION_NAME_LEN bytes: its name, or for one that is secret its
 * label, if no other has that, else the digits of its hash.
 */
void wag_known_name(wag_known_t *known, ngx_str_t *name);
void wag_known_token(wag_known_t *known, ngx_str_t *token);
size_t wag_known_shown(wag_upstream_t *us, wag_known_t *known, u_char *buf);

/*
 * Whether it is shown as this, and whether another instance of its vendor
 * runs a session that is only stored here.
 */
ngx_uint_t wag_known_is_shown_as(wag_upstream_t *us, wag_known_t *known,
    ngx_str_t *shown);
ngx_uint_t wag_known_is_copy(wag_upstream_t *us, wag_known_t *known);

/*
 * The next one after "prev" that is shown as this.
 */
wag_known_t *wag_known_by_shown(wag_upstream_t *us, ngx_str_t *shown,
    wag_known_t *prev);


#endif /* _WAG_KNOWN_H_INCLUDED_ */
