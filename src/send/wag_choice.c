
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_choice.h"
#include "wag_lock.h"


static wag_known_t *wag_choice_candidate(wag_choice_t *choice,
    wag_known_t *prev);
static wag_known_t *wag_choice_named(wag_choice_t *choice, wag_known_t *prev);
static ngx_uint_t wag_choice_is_named(wag_choice_t *choice);
static ngx_uint_t wag_choice_matches(wag_choice_t *choice, wag_known_t *known);
static ngx_uint_t wag_choice_is_unable(wag_choice_t *choice,
    wag_peer_t *peer);
static ngx_uint_t wag_choice_allows(wag_choice_t *choice, wag_known_t *known);
static ngx_uint_t wag_choice_is_limited(wag_choice_t *choice);
static ngx_uint_t wag_choice_is_free(wag_choice_t *choice);
static ngx_uint_t wag_choice_missing(wag_choice_t *choice);
static wag_known_t *wag_choice_any(wag_choice_t *choice,
    wag_choice_take_pt take, void *data);
static wag_known_t *wag_choice_of_rank(wag_choice_t *choice, ngx_uint_t rank,
    wag_choice_take_pt take, void *data);
static ngx_uint_t wag_choice_rank(wag_choice_t *choice, wag_known_t *known);
static wag_peer_t *wag_choice_fewest(wag_choice_t *choice, ngx_uint_t *n,
    ngx_uint_t *i);
static void wag_choice_unplace(wag_choice_t *choice, wag_peer_t *peer);
static ngx_uint_t wag_choice_can_place(wag_choice_t *choice, wag_peer_t *peer);


/* a session that is not ready has the rank of what its instance told */

#define WAG_CHOICE_RANKS  (WAG_SESSION_STOPPED + 1)


ngx_uint_t
wag_choice_look(wag_choice_t *choice)
{
    uint64_t      number;
    ngx_msec_t    rest;
    ngx_uint_t    n, ready, resting, several, forbidden;
    wag_known_t  *known;

    if (wag_choice_is_free(choice)) {
        return wag_known_ready(choice->upstream) ? WAG_CHOICE_SOME
                                                 : WAG_CHOICE_NONE;
    }

    n = 0;
    ready = 0;
    number = 0;
    resting = 0;
    several = 0;
    forbidden = 0;
    known = NULL;

    while ((known = wag_choice_candidate(choice, known))) {

        if (!wag_choice_allows(choice, known)) {
            forbidden = 1;
            continue;
        }

        n++;

        if (wag_known_is_ready(choice->upstream, known)) {
            rest = choice->send ? wag_known_rest(known) : 0;

            if (rest == 0) {
                ready++;

            } else if (resting == 0 || rest < choice->wait) {
                choice->wait = rest;
            }

            resting |= (rest != 0);
        }

        if (number == 0) {
            number = known->number;

        } else if (known->number && known->number != number) {
            several = 1;
        }

        if (several && ready) {
            break;
        }
    }

    if (n == 0) {

        if (forbidden || wag_choice_is_limited(choice)) {
            return WAG_CHOICE_FORBIDDEN;
        }

        if (!wag_choice_is_named(choice)) {
            return WAG_CHOICE_NONE;
        }

        return wag_choice_missing(choice) ? WAG_CHOICE_UNLISTED
                                          : WAG_CHOICE_UNKNOWN;
    }

    if (several && (!choice->send || choice->sender == WAG_SENDER_ONE)) {
        return WAG_CHOICE_AMBIGUOUS;
    }

    if (choice->send && ready == 0 && resting) {
        return WAG_CHOICE_PACED;
    }

    if (choice->send && ready == 0) {
        return wag_choice_is_named(choice) ? WAG_CHOICE_DOWN : WAG_CHOICE_NONE;
    }

    return WAG_CHOICE_SOME;
}


/* the next one that matches what was named */

static wag_known_t *
wag_choice_candidate(wag_choice_t *choice, wag_known_t *prev)
{
    while ((prev = wag_choice_named(choice, prev))) {

        if (wag_choice_matches(choice, prev)) {
            return prev;
        }
    }

    return NULL;
}


static wag_known_t *
wag_choice_named(wag_choice_t *choice, wag_known_t *prev)
{
    wag_upstream_t  *us;

    us = choice->upstream;

    if (choice->name.len) {
        return wag_known_by_name(us, &choice->name, prev);
    }

    if (choice->shown.len) {
        return wag_known_by_shown(us, &choice->shown, prev);
    }

    if (choice->number) {
        return wag_known_by_number(us, choice->number, prev);
    }

    return wag_known_next(us, prev);
}


static ngx_uint_t
wag_choice_is_named(wag_choice_t *choice)
{
    return choice->name.len || choice->shown.len || choice->number
           || choice->peer;
}


static ngx_uint_t
wag_choice_matches(wag_choice_t *choice, wag_known_t *known)
{
    wag_peer_t      *peer;
    wag_upstream_t  *us;

    us = choice->upstream;
    peer = &us->slots[known->slot];

    return (choice->peer == NULL || choice->peer == peer)
           && (choice->vendor == NULL
               || choice->vendor == peer->server->vendor)
           && (choice->number == 0 || choice->number == known->number)
           && (choice->shown.len == 0 || choice->name.len == 0
               || wag_known_is_shown_as(us, known, &choice->shown))
           && !wag_known_is_copy(us, known)
           && (choice->unable == 0 || !wag_choice_is_unable(choice, peer));
}


static ngx_uint_t
wag_choice_is_unable(wag_choice_t *choice, wag_peer_t *peer)
{
    ngx_uint_t      i;
    wag_vendor_t  **kind;

    kind = choice->upstream->kinds.elts;

    for (i = 0; kind[i] != peer->server->vendor; i++) { /* void */ }

    return (choice->unable & ((uint32_t) 1 << i)) != 0;
}


static ngx_uint_t
wag_choice_allows(wag_choice_t *choice, wag_known_t *known)
{
    u_char     buf[WAG_SESSION_NAME_LEN];
    ngx_str_t  shown;

    if (!wag_choice_is_limited(choice)) {
        return 1;
    }

    shown.data = buf;
    shown.len = wag_known_shown(choice->upstream, known, buf);

    return wag_keys_allows(choice->key, &shown, known->number);
}


static ngx_uint_t
wag_choice_is_limited(wag_choice_t *choice)
{
    return choice->key && wag_keys_is_limited(choice->key);
}


/* any session will do, so that none has to be looked at */

static ngx_uint_t
wag_choice_is_free(wag_choice_t *choice)
{
    return choice->send
           && !choice->scarce
           && choice->sender == WAG_SENDER_ANY
           && !wag_choice_is_named(choice)
           && (choice->vendor == NULL || choice->upstream->kinds.nelts == 1)
           && choice->unable == 0
           && !wag_choice_is_limited(choice);
}


/* an instance that may have it was never asked with success */

static ngx_uint_t
wag_choice_missing(wag_choice_t *choice)
{
    ngx_uint_t       i;
    wag_peer_t      *peer;
    wag_upstream_t  *us;

    us = choice->upstream;

    for (i = 0; i < us->nservers; i++) {
        peer = us->peers[i];

        if (peer->server->vendor
            && !peer->down
            && peer->instance->listed == 0
            && (choice->peer == NULL || choice->peer == peer)
            && (choice->vendor == NULL
                || choice->vendor == peer->server->vendor))
        {
            return 1;
        }
    }

    return 0;
}


wag_known_t *
wag_choice_next(wag_choice_t *choice, wag_choice_take_pt take, void *data)
{
    ngx_uint_t    rank;
    wag_known_t  *known;

    if (choice->send && !wag_choice_is_named(choice)) {
        return wag_choice_any(choice, take, data);
    }

    for (rank = 0; rank < WAG_CHOICE_RANKS; rank++) {

        known = wag_choice_of_rank(choice, rank, take, data);

        if (known || choice->send) {
            return known;
        }
    }

    return NULL;
}


static wag_known_t *
wag_choice_any(wag_choice_t *choice, wag_choice_take_pt take, void *data)
{
    ngx_uint_t       n, turns;
    wag_known_t     *known;
    wag_upstream_t  *us;

    us = choice->upstream;

    n = ngx_atomic_fetch_add(&us->group->sessions.cursor, 1);
    known = wag_known_ready_from(us, n);

    for (turns = wag_known_ready(us); turns; turns--) {

        if (wag_known_rest(known) == 0
            && wag_choice_matches(choice, known)
            && wag_choice_allows(choice, known)
            && take(data, &us->slots[known->slot]) == NGX_OK)
        {
            return known;
        }

        known = wag_known_ready_after(us, known);
    }

    return NULL;
}


/* one after the other where there are several, in turn if they are ready */

static wag_known_t *
wag_choice_of_rank(wag_choice_t *choice, ngx_uint_t rank,
    wag_choice_take_pt take, void *data)
{
    ngx_uint_t       i, n, first, round;
    wag_known_t     *known;
    wag_upstream_t  *us;

    us = choice->upstream;
    known = NULL;
    n = 0;

    while ((known = wag_choice_candidate(choice, known))) {
        n += (wag_choice_rank(choice, known) == rank);
    }

    if (n == 0) {
        return NULL;
    }

    first = (n > 1 && rank == WAG_SESSION_READY)
            ? ngx_atomic_fetch_add(&us->group->sessions.cursor, 1) % n : 0;

    for (round = 0; round < 2; round++) {

        for (i = 0, known = NULL;
             (known = wag_choice_candidate(choice, known));
             /* void */ )
        {
            if (wag_choice_rank(choice, known) != rank) {
                continue;
            }

            if ((i++ < first) == (round == 1)
                && take(data, &us->slots[known->slot]) == NGX_OK)
            {
                return known;
            }
        }
    }

    return NULL;
}


static ngx_uint_t
wag_choice_rank(wag_choice_t *choice, wag_known_t *known)
{
    wag_peer_t  *peer;

    peer = &choice->upstream->slots[known->slot];

    if (wag_known_is_ready(choice->upstream, known)
        && (!choice->send || wag_known_rest(known) == 0))
    {
        return wag_choice_allows(choice, known) ? WAG_SESSION_READY
                                                : WAG_CHOICE_RANKS;
    }

    if (choice->send
        || peer->down
        || !wag_available(peer->instance)
        || !wag_choice_allows(choice, known))
    {
        return WAG_CHOICE_RANKS;
    }

    return (known->told == WAG_SESSION_READY) ? WAG_SESSION_DOWN : known->told;
}


ngx_uint_t
wag_choice_has(wag_choice_t *choice, wag_choice_take_pt may, void *data)
{
    wag_known_t  *known;

    known = NULL;

    while ((known = wag_choice_candidate(choice, known))) {
        if (wag_choice_rank(choice, known) < WAG_CHOICE_RANKS
            && may(data, &choice->upstream->slots[known->slot]) == NGX_OK)
        {
            return 1;
        }
    }

    return 0;
}


wag_peer_t *
wag_choice_place(wag_choice_t *choice, wag_choice_take_pt take, void *data)
{
    ngx_uint_t   n, i;
    wag_peer_t  *peer;

    n = 0;
    i = 0;

    for ( ;; ) {
        peer = wag_choice_fewest(choice, &n, &i);

        if (peer == NULL || take(data, peer) == NGX_OK) {
            return peer;
        }

        wag_choice_unplace(choice, peer);
    }
}


/*
 * The first one from n sessions and server i on.  The lock is for those who
 * look at the same time: each counts what the others have placed.
 */

static wag_peer_t *
wag_choice_fewest(wag_choice_t *choice, ngx_uint_t *n, ngx_uint_t *i)
{
    ngx_uint_t       k, count, least, at;
    wag_peer_t      *peer, *found;
    wag_upstream_t  *us;

    us = choice->upstream;
    found = NULL;
    least = 0;
    at = 0;

    wag_lock(us->zone->shpool);

    for (k = 0; k < us->nservers; k++) {
        peer = us->peers[k];

        count = wag_known_of_slot(us, peer->slot) + peer->instance->placed;

        if (count < *n || (count == *n && k < *i)
            || (found && count >= least)
            || !wag_choice_can_place(choice, peer))
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


static void
wag_choice_unplace(wag_choice_t *choice, wag_peer_t *peer)
{
    wag_lock(choice->upstream->zone->shpool);

    if (peer->instance->placed) {
        peer->instance->placed--;
    }

    wag_unlock(choice->upstream->zone->shpool);
}


static ngx_uint_t
wag_choice_can_place(wag_choice_t *choice, wag_peer_t *peer)
{
    return peer->server->vendor
           && !peer->down
           && wag_available(peer->instance)
           && (choice->peer == NULL || choice->peer == peer)
           && (choice->vendor == NULL
               || choice->vendor == peer->server->vendor);
}
