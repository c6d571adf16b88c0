
/*
 * Copyright (C) the wa_gateway authors
 *
 * Which of several numbers a chat belongs to: highest random weight hashing
 * (Thaler and Ravishankar, 1998).  The loss of a number moves its own chats
 * alone.  Integers only, so that all workers, builds and gateways agree.
 * Pure.
 */


#ifndef _WAG_RENDEZVOUS_H_INCLUDED_
#define _WAG_RENDEZVOUS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef struct {
    uint64_t             number;
    uint64_t             hash;     /* of chat and number */
    uint64_t             weight;   /* 1 to 1,000,000 */
} wag_rendezvous_t;


/*
 * The hash of a chat: its type and its id, as they are when normalised.
 */
uint64_t wag_rendezvous_chat(ngx_uint_t type, ngx_str_t *id);

/*
 * A number's place in the order of a chat.
 */
void wag_rendezvous_set(wag_rendezvous_t *place, uint64_t chat,
    uint64_t number, ngx_uint_t weight);

/*
 * Whether "one" comes before "two", which are of the same chat.
 */
ngx_uint_t wag_rendezvous_before(wag_rendezvous_t *one,
    wag_rendezvous_t *two);


#endif /* _WAG_RENDEZVOUS_H_INCLUDED_ */
