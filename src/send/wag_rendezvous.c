
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_rendezvous.h"


static uint64_t wag_rendezvous_mix(uint64_t n);
static uint64_t wag_rendezvous_cost(uint64_t hash);


#define WAG_RENDEZVOUS_FRACTION  32   /* bits behind the point of a cost */


/* FNV-1a of 64 bits, by Fowler, Noll and Vo */

uint64_t
wag_rendezvous_chat(ngx_uint_t type, ngx_str_t *id)
{
    size_t    i;
    uint64_t  hash;

    hash = 0xcbf29ce484222325ULL;
    hash = (hash ^ type) * 0x100000001b3ULL;

    for (i = 0; i < id->len; i++) {
        hash = (hash ^ id->data[i]) * 0x100000001b3ULL;
    }

    return wag_rendezvous_mix(hash);
}


void
wag_rendezvous_set(wag_rendezvous_t *place, uint64_t chat, uint64_t number,
    ngx_uint_t weight)
{
    place->number = number;
    place->weight = weight ? weight : 1;
    place->hash = wag_rendezvous_mix(chat ^ wag_rendezvous_mix(number));
}


/* the finalizer of splitmix64, by Steele, Lea and Flood */

static uint64_t
wag_rendezvous_mix(uint64_t n)
{
    n += 0x9e3779b97f4a7c15ULL;
    n = (n ^ (n >> 30)) * 0xbf58476d1ce4e5b9ULL;
    n = (n ^ (n >> 27)) * 0x94d049bb133111ebULL;

    return n ^ (n >> 31);
}


/*
 * Of a hash h in (0, 1) and a weight w, the largest w / -log h is first.  Of
 * equal weights that is the largest hash, so logarithms are for others only.
 */

ngx_uint_t
wag_rendezvous_before(wag_rendezvous_t *one, wag_rendezvous_t *two)
{
    uint64_t  a, b;

    if (one->weight != two->weight) {
        a = wag_rendezvous_cost(one->hash) * two->weight;
        b = wag_rendezvous_cost(two->hash) * one->weight;

        if (a != b) {
            return a < b;
        }
    }

    if (one->hash != two->hash) {
        return one->hash > two->hash;
    }

    return one->number > two->number;
}


/*
 * -log2((hash + 1) / 2^64), at most 64, with 32 bits behind the point: times a
 * weight of 20 bits it has room in 64.  A bit comes from each squaring.
 */

static uint64_t
wag_rendezvous_cost(uint64_t hash)
{
    uint64_t    log, mantissa;
    ngx_uint_t  i;

    if (hash == (uint64_t) -1) {
        return 0;
    }

    hash++;

    for (log = 63; (hash >> 63) == 0; log--) {
        hash <<= 1;
    }

    /* 1.31 bits: in [1, 2) */

    mantissa = hash >> 32;

    for (i = 0; i < WAG_RENDEZVOUS_FRACTION; i++) {
        mantissa = (mantissa * mantissa) >> 31;
        log <<= 1;

        if (mantissa >> 32) {
            mantissa >>= 1;
            log |= 1;
        }
    }

    return ((uint64_t) 64 << WAG_RENDEZVOUS_FRACTION) - log;
}
