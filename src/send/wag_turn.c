
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_turn.h"


/* odd, and of many bits: 2^64 by the golden ratio */

#define WAG_TURN_FACTOR  0x9e3779b97f4a7c15ULL


static uint32_t wag_turn_filter(wag_choice_t *choice);


ngx_uint_t
wag_turn_next(wag_choice_t *choice)
{
    uint32_t     filter;
    ngx_uint_t   i;
    wag_turn_t  *turns, *turn;

    filter = wag_turn_filter(choice);
    turns = choice->upstream->group->sessions.turns;

    for (i = 0; i < WAG_TURNS; i++) {
        turn = &turns[(filter + i) % WAG_TURNS];

        if (turn->filter == 0) {
            (void) ngx_atomic_cmp_set(&turn->filter, 0, filter);
        }

        if (turn->filter == filter) {
            return ngx_atomic_fetch_add(&turn->cursor, 1);
        }
    }

    /* those of two that share a cursor could be every other one for ever */

    return ngx_random();
}


/* the same in another configuration */

static uint32_t
wag_turn_filter(wag_choice_t *choice)
{
    uint64_t       hash, part[7];
    wag_key_t     *key;
    ngx_uint_t     i;
    wag_vendor_t  *vendor;

    key = choice->key;
    vendor = choice->vendor;

    part[0] = key ? ngx_crc32_short(key->data, key->len) : 0;
    part[1] = vendor ? wag_vendor_hash(&vendor->name) : 0;
    part[2] = choice->unable;
    part[3] = ngx_crc32_short(choice->name.data, choice->name.len);
    part[4] = ngx_crc32_short(choice->shown.data, choice->shown.len);
    part[5] = choice->number;
    part[6] = choice->peer ? choice->peer->slot + 1 : 0;

    hash = 0;

    for (i = 0; i < 7; i++) {
        hash = (hash ^ part[i]) * WAG_TURN_FACTOR;
        hash ^= hash >> 32;
    }

    return ngx_max((uint32_t) hash, 1);
}
