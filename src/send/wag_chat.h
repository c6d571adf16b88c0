
/*
 * Copyright (C) the wa_gateway authors
 *
 * The numbers of all known candidates, ready or not, in the order in which
 * they are a chat's: one that has no number is none of these.
 */


#ifndef _WAG_CHAT_H_INCLUDED_
#define _WAG_CHAT_H_INCLUDED_


#include "wag_candidate.h"
#include "wag_rendezvous.h"


/*
 * Whether a choice is made by its chat.
 */
#define wag_chat_chooses(choice)                                              \
    ((choice)->send && (choice)->chats                                        \
     && ((choice)->sender == WAG_SENDER_CHAT                                  \
         || (choice)->sender == WAG_SENDER_CHAT_STRICT))

/*
 * Moves "place" on to the next number, from one whose number is 0 to the
 * first.  Returns 0 if there is none.
 */
ngx_uint_t wag_chat_next(wag_choice_t *choice, wag_rendezvous_t *place);


#endif /* _WAG_CHAT_H_INCLUDED_ */
