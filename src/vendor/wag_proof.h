
/*
 * Copyright (C) the wa_gateway authors
 *
 * What the answer to a send proves: that it was sent, or that nothing was.
 * Pure.
 */


#ifndef _WAG_PROOF_H_INCLUDED_
#define _WAG_PROOF_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_pick.h"
#include "wag_vendor.h"


#define WAG_PROOF_NONE     0
#define WAG_PROOF_SENT     1
#define WAG_PROOF_SESSION  2    /* unsent, because of the session */
#define WAG_PROOF_MESSAGE  3    /* ... of the message */
#define WAG_PROOF_PACED    4    /* ... of the pace */

/* bytes of an id, and of a value that is compared */

#define WAG_PROOF_TEXT_LEN  256

/* stands for a value that is not there */

#define WAG_PROOF_ABSENT    '-'


typedef struct {
    ngx_uint_t           path;         /* of the vendor's proof_paths */
    ngx_array_t          texts;        /* ngx_str_t: one of them */
} wag_proof_condition_t;


typedef struct {
    ngx_array_t         *statuses;     /* from, to */
    ngx_array_t          ids;          /* ngx_uint_t: of proof_paths */
    ngx_array_t          unless;       /* wag_proof_condition_t: not if any */
} wag_proof_sent_t;


typedef struct {
    ngx_uint_t           outcome;      /* WAG_PROOF_SESSION ... */
    ngx_array_t         *statuses;     /* from, to */
    ngx_array_t          conditions;   /* wag_proof_condition_t: all hold */
} wag_proof_unsent_t;


typedef struct {

    /* after wag_proof_end(), in pool */

    ngx_str_t            id;           /* of SENT, 256 bytes at most */
    unsigned             json:1;       /* it was one whole JSON text */

    /* after wag_proof_parse() */

    unsigned             begun:1;      /* there was more than blanks */

    /* private */

    unsigned             failed:1;
    unsigned             open:1;       /* begins as an object or array does */

    ngx_uint_t           status;
    wag_vendor_t        *vendor;
    wag_pick_t           pick;
} wag_proof_t;


/*
 * Prepares for the answer with this status; what is prepared is not to be
 * copied.  NGX_ERROR if there is no memory.
 */
ngx_int_t wag_proof_init(wag_proof_t *p, ngx_pool_t *pool,
    wag_vendor_t *vendor, ngx_uint_t status);

/*
 * Takes the next bytes of the answer's body, which may be anything.
 */
void wag_proof_parse(wag_proof_t *p, u_char *pos, u_char *last);

/*
 * There are no more bytes, or those that were are enough since the status
 * decides: WAG_PROOF_NONE ...
 */
ngx_uint_t wag_proof_end(wag_proof_t *p);

/*
 * Whether an answer with this status may prove that nothing was sent: NGX_OK:
 * it does, whatever its body; NGX_AGAIN: the body tells; NGX_DECLINED: it
 * does not.
 */
ngx_int_t wag_proof_needs_body(wag_vendor_t *vendor, ngx_uint_t status);

/*
 * Whether an answer with this status may tell that the session is not there,
 * or not connected.
 */
ngx_uint_t wag_proof_may_deny(wag_vendor_t *vendor, ngx_uint_t status);


#endif /* _WAG_PROOF_H_INCLUDED_ */
