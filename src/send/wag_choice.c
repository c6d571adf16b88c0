
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_chat.h"
#include "wag_choice.h"
#include "wag_turn.h"


static ngx_uint_t wag_choice_has_one(wag_choice_t *choice,
    wag_choice_take_pt may, void *data);
static ngx_uint_t wag_choice_look_chat(wag_choice_t *choice);
static ngx_uint_t wag_choice_is_free(wag_choice_t *choice);
static ngx_uint_t wag_choice_missing(wag_choice_t *choice);
static wag_known_t *wag_choice_chat(wag_choice_t *choice,
    wag_choice_take_pt take, void *data);
static ngx_int_t wag_choice_ask(void *data, wag_peer_t *peer,
    wag_known_t *known);
static ngx_int_t wag_choice_waits(wag_choice_t *choice, ngx_msec_t *wait);
static wag_known_t *wag_choice_any(wag_choice_t *choice,
    wag_choice_take_pt take, void *data);
static wag_known_t *wag_choice_some(wag_choice_t *choice,
    wag_choice_take_pt take, void *data);
static ngx_uint_t wag_choice_may(wag_choice_t *choice, wag_known_t *known);
static wag_known_t *wag_choice_of_rank(wag_choice_t *choice, ngx_uint_t rank,
    wag_choice_take_pt take, void *data);
static ngx_uint_t wag_choice_rank(wag_choice_t *choice, wag_known_t *known);


/* a session that is not ready has the rank of what its instance told */

#define WAG_CHOICE_RANKS  (WAG_SESSION_STOPPED + 1)


/* who is asked, and whether one of them can only not be asked now */

typedef struct {
    wag_choice_take_pt   take;
    void                *data;
    ngx_uint_t           busy;
} wag_choice_asked_t;


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

    while ((known = wag_candidate_next(choice, known))) {

        if (!wag_candidate_allows(choice, known)) {
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

        if (forbidden || wag_candidate_is_limited(choice)) {
            return WAG_CHOICE_FORBIDDEN;
        }

        if (!wag_candidate_is_named(choice)) {
            return WAG_CHOICE_NONE;
        }

        return wag_choice_missing(choice) ? WAG_CHOICE_UNLISTED
                                          : WAG_CHOICE_UNKNOWN;
    }

    if (wag_chat_chooses(choice)) {
        return wag_choice_look_chat(choice);
    }

    if (several && (!choice->send || choice->sender == WAG_SENDER_ONE)) {
        return WAG_CHOICE_AMBIGUOUS;
    }

    if (choice->send && ready == 0 && resting) {
        return WAG_CHOICE_PACED;
    }

    if (choice->send && ready == 0) {
        return wag_candidate_is_named(choice) ? WAG_CHOICE_DOWN
                                              : WAG_CHOICE_NONE;
    }

    return WAG_CHOICE_SOME;
}


/* a number that rests is ready, so its chats stay with it */

static ngx_uint_t
wag_choice_look_chat(wag_choice_t *choice)
{
    ngx_int_t         rc;
    wag_choice_t      one;
    wag_rendezvous_t  place;

    one = *choice;
    place.number = 0;

    while (wag_chat_next(choice, &place)) {
        one.number = place.number;

        rc = wag_choice_waits(&one, &choice->wait);

        if (rc != NGX_DECLINED) {
            return (rc == NGX_OK) ? WAG_CHOICE_SOME : WAG_CHOICE_PACED;
        }

        if (choice->sender == WAG_SENDER_CHAT_STRICT) {
            return WAG_CHOICE_DOWN;
        }
    }

    return wag_candidate_is_named(choice) ? WAG_CHOICE_DOWN : WAG_CHOICE_NONE;
}


/*
 * Of candidates that are ready: NGX_OK: one does not rest; NGX_BUSY: all do,
 * the first one for "wait" ms more; NGX_DECLINED: there is none.
 */

static ngx_int_t
wag_choice_waits(wag_choice_t *choice, ngx_msec_t *wait)
{
    ngx_int_t     rc;
    ngx_msec_t    rest;
    wag_known_t  *known;

    rc = NGX_DECLINED;
    known = NULL;

    while ((known = wag_candidate_next(choice, known))) {

        if (!wag_known_is_ready(choice->upstream, known)
            || !wag_candidate_allows(choice, known))
        {
            continue;
        }

        rest = wag_known_rest(known);

        if (rest == 0) {
            return NGX_OK;
        }

        if (rc == NGX_DECLINED || rest < *wait) {
            *wait = rest;
        }

        rc = NGX_BUSY;
    }

    return rc;
}


/* any session will do, so that none has to be looked at */

static ngx_uint_t
wag_choice_is_free(wag_choice_t *choice)
{
    return choice->send
           && !choice->scarce
           && choice->sender != WAG_SENDER_ONE
           && !wag_chat_chooses(choice)
           && !wag_candidate_is_named(choice)
           && (choice->vendor == NULL || choice->upstream->kinds.nelts == 1)
           && choice->unable == 0
           && !wag_candidate_is_limited(choice);
}


/* an instance that may have it was never asked with success */

static ngx_uint_t
wag_choice_missing(wag_choice_t *choice)
{
    ngx_uint_t       i;
    wag_peer_t      *peer;
    wag_upstream_t  *us;

    us = choice->upstream;

    for (i = 0; i < us->npeers; i++) {
        peer = us->peers[i];

        if (peer->server->vendor
            && !peer->down
            && peer->instance->listed == 0
            && wag_candidate_is_at(choice, peer)
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

    if (wag_chat_chooses(choice)) {
        return wag_choice_chat(choice, take, data);
    }

    if (wag_choice_is_free(choice)) {
        return wag_choice_any(choice, take, data);
    }

    if (choice->send && !wag_candidate_is_named(choice)) {
        return wag_choice_some(choice, take, data);
    }

    for (rank = 0; rank < WAG_CHOICE_RANKS; rank++) {

        known = wag_choice_of_rank(choice, rank, take, data);

        if (known || choice->send) {
            return known;
        }
    }

    return NULL;
}


/*
 * The first number in the chat's order that is ready, though it may have to
 * wait.  Only where all of its instances were tried, and nothing was sent, it
 * is the next one's turn.
 */

static wag_known_t *
wag_choice_chat(wag_choice_t *choice, wag_choice_take_pt take, void *data)
{
    ngx_msec_t           wait;
    wag_known_t         *known;
    wag_choice_t         one;
    wag_rendezvous_t     place;
    wag_choice_asked_t   asked;

    asked.take = take;
    asked.data = data;
    asked.busy = 0;

    one = *choice;
    place.number = 0;

    while (wag_chat_next(choice, &place)) {
        one.number = place.number;

        known = wag_choice_of_rank(&one, WAG_SESSION_READY, wag_choice_ask,
                                   &asked);

        if (known
            || asked.busy
            || choice->sender == WAG_SENDER_CHAT_STRICT
            || wag_choice_waits(&one, &wait) == NGX_BUSY)
        {
            return known;
        }
    }

    return NULL;
}


static ngx_int_t
wag_choice_ask(void *data, wag_peer_t *peer, wag_known_t *known)
{
    wag_choice_asked_t *asked = data;

    ngx_int_t  rc;

    rc = asked->take(asked->data, peer, known);

    if (rc == NGX_BUSY) {
        asked->busy = 1;
    }

    return rc;
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

        if (wag_choice_may(choice, known)
            && take(data, &us->slots[known->slot], known) == NGX_OK)
        {
            return known;
        }

        known = wag_known_ready_after(us, known);
    }

    return NULL;
}


/* the turn is counted among those that may: those between them take none */

static wag_known_t *
wag_choice_some(wag_choice_t *choice, wag_choice_take_pt take, void *data)
{
    ngx_uint_t       i, n, m, turns;
    wag_known_t     *known, *first;
    wag_upstream_t  *us;

    us = choice->upstream;
    turns = wag_known_ready(us);
    first = wag_known_ready_from(us, 0);

    for (n = 0, i = 0, known = first; i < turns; i++) {
        n += wag_choice_may(choice, known);
        known = wag_known_ready_after(us, known);
    }

    if (n == 0) {
        return NULL;
    }

    m = wag_turn_next(choice) % n;

    for (i = 0, known = first; i < turns && m; i++) {
        m -= wag_choice_may(choice, known);
        known = wag_known_ready_after(us, known);
    }

    for (i = 0; i < turns; i++) {

        if (wag_choice_may(choice, known)
            && take(data, &us->slots[known->slot], known) == NGX_OK)
        {
            return known;
        }

        known = wag_known_ready_after(us, known);
    }

    return NULL;
}


/* of those that are ready */

static ngx_uint_t
wag_choice_may(wag_choice_t *choice, wag_known_t *known)
{
    return wag_known_rest(known) == 0
           && wag_candidate_matches(choice, known)
           && wag_candidate_allows(choice, known);
}


/* one after the other where there are several, in turn if they are ready */

static wag_known_t *
wag_choice_of_rank(wag_choice_t *choice, ngx_uint_t rank,
    wag_choice_take_pt take, void *data)
{
    ngx_uint_t       i, n, first, round;
    wag_known_t     *known, *only;
    wag_upstream_t  *us;

    us = choice->upstream;
    known = NULL;
    only = NULL;
    n = 0;

    while ((known = wag_candidate_next(choice, known))) {
        if (wag_choice_rank(choice, known) == rank) {
            only = known;
            n++;
        }
    }

    if (n == 0) {
        return NULL;
    }

    if (n == 1) {
        return (take(data, &us->slots[only->slot], only) == NGX_OK) ? only
                                                                    : NULL;
    }

    first = (rank == WAG_SESSION_READY) ? wag_turn_next(choice) % n : 0;

    for (round = 0; round < 2; round++) {

        for (i = 0, known = NULL;
             (known = wag_candidate_next(choice, known));
             /* void */ )
        {
            if (wag_choice_rank(choice, known) != rank) {
                continue;
            }

            if ((i++ < first) == (round == 1)
                && take(data, &us->slots[known->slot], known) == NGX_OK)
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
        return wag_candidate_allows(choice, known) ? WAG_SESSION_READY
                                                : WAG_CHOICE_RANKS;
    }

    if (choice->send
        || peer->down
        || !wag_available(peer->instance)
        || !wag_candidate_allows(choice, known))
    {
        return WAG_CHOICE_RANKS;
    }

    return (known->told == WAG_SESSION_READY) ? WAG_SESSION_DOWN : known->told;
}


ngx_uint_t
wag_choice_has(wag_choice_t *choice, wag_choice_take_pt may, void *data)
{
    ngx_msec_t        wait;
    wag_choice_t      one;
    wag_rendezvous_t  place;

    if (!wag_chat_chooses(choice)) {
        return wag_choice_has_one(choice, may, data);
    }

    one = *choice;
    place.number = 0;

    while (wag_chat_next(choice, &place)) {
        one.number = place.number;

        if (wag_choice_has_one(&one, may, data)) {
            return 1;
        }

        if (choice->sender == WAG_SENDER_CHAT_STRICT
            || wag_choice_waits(&one, &wait) == NGX_BUSY)
        {
            break;
        }
    }

    return 0;
}


static ngx_uint_t
wag_choice_has_one(wag_choice_t *choice, wag_choice_take_pt may, void *data)
{
    wag_known_t  *known;

    known = NULL;

    while ((known = wag_candidate_next(choice, known))) {
        if (wag_choice_rank(choice, known) < WAG_CHOICE_RANKS
            && may(data, &choice->upstream->slots[known->slot], known)
               == NGX_OK)
        {
            return 1;
        }
    }

    return 0;
}
