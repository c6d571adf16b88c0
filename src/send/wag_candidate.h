
/*
 * Copyright (C) the wa_gateway authors
 *
 * The sessions that a request may go to: all, or those that match the session,
 * number or instance that it names.
 */


#ifndef _WAG_CANDIDATE_H_INCLUDED_
#define _WAG_CANDIDATE_H_INCLUDED_


#include "wag_keys.h"
#include "wag_known.h"
#include "wag_vendor.h"


typedef struct {
    wag_upstream_t      *upstream;
    ngx_str_t            name;       /* as its vendor has it; len 0: any */
    ngx_str_t            shown;      /* as it is shown; ditto */
    uint64_t             number;     /* 0: any */
    wag_peer_t          *peer;       /* NULL: any */
    ngx_uint_t           incarnation;   /* of the peer */
    wag_vendor_t        *vendor;     /* NULL: any */
    wag_key_t           *key;        /* NULL: all are allowed */
    ngx_uint_t           sender;     /* SENDER_ANY ... */
    uint64_t             chat;       /* hash, of SENDER_CHAT and _STRICT */
    uint32_t             unable;     /* a bit for each of us->kinds */
    ngx_msec_t           wait;       /* ms, of CHOICE_PACED */
    unsigned             send:1;     /* it must be ready */
    unsigned             chats:1;    /* the chat is known */
    unsigned             scarce:1;   /* those that are ready were no use */
} wag_choice_t;


/* whether it may be at this instance: that of a peer may be another by now */

#define wag_candidate_is_at(choice, p)                                        \
    ((choice)->peer == NULL                                                   \
     || ((choice)->peer == (p)                                                \
         && (choice)->incarnation == (p)->incarnation))


/*
 * The next one after "prev", the first if that is NULL.
 */
wag_known_t *wag_candidate_next(wag_choice_t *choice, wag_known_t *prev);

/*
 * Whether any of them is named at all.
 */
ngx_uint_t wag_candidate_is_named(wag_choice_t *choice);

/*
 * Whether a session of that name is one, and whether the key may use it.
 */
ngx_uint_t wag_candidate_matches(wag_choice_t *choice, wag_known_t *known);
ngx_uint_t wag_candidate_allows(wag_choice_t *choice, wag_known_t *known);

/*
 * Whether there are some that the key may not use.
 */
ngx_uint_t wag_candidate_is_limited(wag_choice_t *choice);


#endif /* _WAG_CANDIDATE_H_INCLUDED_ */
