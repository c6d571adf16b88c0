
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_chat.h"
#include "wag_known_find.h"


static ngx_uint_t wag_chat_is_one(wag_choice_t *choice, uint64_t number);


ngx_uint_t
wag_chat_next(wag_choice_t *choice, wag_rendezvous_t *place)
{
    ngx_uint_t           i, n;
    wag_rendezvous_t     next, found;
    wag_known_number_t  *number;

    ngx_memzero(&found, sizeof(wag_rendezvous_t));

    number = wag_known_find_numbers(choice->upstream, &n);

    for (i = 0; i < n; i++) {

        wag_rendezvous_set(&next, choice->chat, number[i].number,
                           number[i].weight);

        if ((found.number == 0 || wag_rendezvous_before(&next, &found))
            && (place->number == 0 || wag_rendezvous_before(place, &next))
            && wag_chat_is_one(choice, next.number))
        {
            found = next;
        }
    }

    *place = found;

    return found.number != 0;
}


/* a number of a candidate that the key may use */

static ngx_uint_t
wag_chat_is_one(wag_choice_t *choice, uint64_t number)
{
    wag_known_t   *known;
    wag_choice_t   one;

    if (choice->number && choice->number != number) {
        return 0;
    }

    one = *choice;
    one.number = number;

    known = NULL;

    while ((known = wag_candidate_next(&one, known))) {
        if (wag_candidate_allows(choice, known)) {
            return 1;
        }
    }

    return 0;
}
