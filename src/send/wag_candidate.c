
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_candidate.h"
#include "wag_known_find.h"


static wag_known_t *wag_candidate_by_name(wag_choice_t *choice,
    wag_known_t *prev);
static ngx_uint_t wag_candidate_is_unable(wag_choice_t *choice,
    wag_peer_t *peer);


wag_known_t *
wag_candidate_next(wag_choice_t *choice, wag_known_t *prev)
{
    while ((prev = wag_candidate_by_name(choice, prev))) {

        if (wag_candidate_matches(choice, prev)) {
            return prev;
        }
    }

    return NULL;
}


static wag_known_t *
wag_candidate_by_name(wag_choice_t *choice, wag_known_t *prev)
{
    wag_upstream_t  *us;

    us = choice->upstream;

    if (choice->name.len) {
        return wag_known_find_name(us, &choice->name, prev);
    }

    if (choice->shown.len) {
        return wag_known_find_shown(us, &choice->shown, prev);
    }

    if (choice->number) {
        return wag_known_find_number(us, choice->number, prev);
    }

    return wag_known_next(us, prev);
}


ngx_uint_t
wag_candidate_is_named(wag_choice_t *choice)
{
    return choice->name.len || choice->shown.len || choice->number
           || choice->peer;
}


ngx_uint_t
wag_candidate_matches(wag_choice_t *choice, wag_known_t *known)
{
    wag_peer_t      *peer;
    wag_upstream_t  *us;

    us = choice->upstream;
    peer = &us->slots[known->slot];

    return wag_candidate_is_at(choice, peer)
           && (choice->vendor == NULL
               || choice->vendor == peer->server->vendor)
           && (choice->number == 0 || choice->number == known->number)
           && (choice->shown.len == 0 || choice->name.len == 0
               || wag_known_is_shown_as(us, known, &choice->shown))
           && !wag_known_is_copy(us, known)
           && (choice->unable == 0 || !wag_candidate_is_unable(choice, peer));
}


static ngx_uint_t
wag_candidate_is_unable(wag_choice_t *choice, wag_peer_t *peer)
{
    ngx_uint_t      i;
    wag_vendor_t  **kind;

    kind = choice->upstream->kinds.elts;

    for (i = 0; kind[i] != peer->server->vendor; i++) { /* void */ }

    return (choice->unable & ((uint32_t) 1 << i)) != 0;
}


ngx_uint_t
wag_candidate_allows(wag_choice_t *choice, wag_known_t *known)
{
    u_char     buf[WAG_SESSION_NAME_LEN];
    ngx_str_t  shown;

    if (!wag_candidate_is_limited(choice)) {
        return 1;
    }

    shown.data = buf;
    shown.len = wag_known_shown(choice->upstream, known, buf);

    return wag_keys_allows(choice->key, &shown, known->number);
}


ngx_uint_t
wag_candidate_is_limited(wag_choice_t *choice)
{
    return choice->key && wag_keys_is_limited(choice->key);
}
