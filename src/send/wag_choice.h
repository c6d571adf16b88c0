
/*
 * Copyright (C) the wa_gateway authors
 *
 * Which session a request goes to, among those that match what it names.
 */


#ifndef _WAG_CHOICE_H_INCLUDED_
#define _WAG_CHOICE_H_INCLUDED_


#include "wag_candidate.h"


/* what there is to choose from */

#define WAG_CHOICE_SOME       0
#define WAG_CHOICE_UNKNOWN    1   /* nobody has it */
#define WAG_CHOICE_UNLISTED   2   /* nobody who was asked yet has it */
#define WAG_CHOICE_DOWN       3   /* it is known, and cannot send */
#define WAG_CHOICE_NONE       4   /* none can send */
#define WAG_CHOICE_AMBIGUOUS  5   /* several numbers */
#define WAG_CHOICE_FORBIDDEN  6   /* to this key */
#define WAG_CHOICE_PACED      7   /* all that could send rest */


/*
 * Whether an instance may be asked for a session, NULL if it is for none, with
 * all that this takes; "data" is of the caller.  NGX_OK; NGX_DECLINED: it was
 * tried or does not fit; NGX_BUSY: not now.
 */
typedef ngx_int_t (*wag_choice_take_pt)(void *data, wag_peer_t *peer,
    wag_known_t *known);


/*
 * What there is: CHOICE_SOME ...  wag_known_refresh() comes before.
 */
ngx_uint_t wag_choice_look(wag_choice_t *choice);

/*
 * The session whose turn it is, of those that may be asked; NULL if there is
 * none.
 */
wag_known_t *wag_choice_next(wag_choice_t *choice, wag_choice_take_pt take,
    void *data);

/*
 * Whether there is one that may be asked; "may" takes nothing.
 */
ngx_uint_t wag_choice_has(wag_choice_t *choice, wag_choice_take_pt may,
    void *data);


#endif /* _WAG_CHOICE_H_INCLUDED_ */
