
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_home.h"
#include "wag_lock.h"


static wag_peer_t *wag_home_fewest(wag_choice_t *choice, ngx_uint_t *n,
    ngx_uint_t *i);
static void wag_home_return(wag_choice_t *choice, wag_peer_t *peer);
static ngx_uint_t wag_home_may_be(wag_choice_t *choice, wag_peer_t *peer);


wag_peer_t *
wag_home_next(wag_choice_t *choice, wag_choice_take_pt take, void *data)
{
    ngx_uint_t   n, i;
    wag_peer_t  *peer;

    n = 0;
    i = 0;

    for ( ;; ) {
        peer = wag_home_fewest(choice, &n, &i);

        if (peer == NULL || take(data, peer, NULL) == NGX_OK) {
            return peer;
        }

        wag_home_return(choice, peer);
    }
}


/*
 * The first one from n sessions and server i on.  The lock is for those who
 * look at the same time: each counts what the others have placed.
 */

static wag_peer_t *
wag_home_fewest(wag_choice_t *choice, ngx_uint_t *n, ngx_uint_t *i)
{
    ngx_uint_t       k, count, least, at;
    wag_peer_t      *peer, *found;
    wag_upstream_t  *us;

    us = choice->upstream;
    found = NULL;
    least = 0;
    at = 0;

    wag_lock(us->zone->shpool);

    for (k = 0; k < us->npeers; k++) {
        peer = us->peers[k];

        count = wag_known_of_slot(us, peer->slot)
                + peer->instance->placed - peer->instance->placed_known;

        if (count < *n || (count == *n && k < *i)
            || (found && count >= least)
            || !wag_home_may_be(choice, peer))
        {
            continue;
        }

        found = peer;
        least = count;
        at = k;
    }

    if (found) {
        found->instance->placed++;
    }

    wag_unlock(us->zone->shpool);

    *n = least;
    *i = at + 1;

    return found;
}


/* it will be in no list: as good as listed */

static void
wag_home_return(wag_choice_t *choice, wag_peer_t *peer)
{
    wag_lock(choice->upstream->zone->shpool);

    if (peer->instance->placed != peer->instance->placed_known) {
        peer->instance->placed_known++;
    }

    wag_unlock(choice->upstream->zone->shpool);
}


static ngx_uint_t
wag_home_may_be(wag_choice_t *choice, wag_peer_t *peer)
{
    return peer->server->vendor
           && !peer->down
           && wag_available(peer->instance)
           && wag_candidate_is_at(choice, peer)
           && (choice->vendor == NULL
               || choice->vendor == peer->server->vendor);
}
