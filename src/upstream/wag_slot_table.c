
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_members.h"
#include "wag_peers.h"
#include "wag_slot_table.h"
#include "wag_state.h"
#include "wag_upstream.h"


/* weights that need more turns than this, or one a peer, are scaled down */

#define WAG_SLOT_TABLE_TURNS  65536

#define WAG_SLOT_TABLE_STEPS  10    /* of a slow start */


static void wag_slot_table_due(wag_upstream_t *us, ngx_msec_t at);
static void wag_slot_table_build(wag_upstream_t *us, ngx_uint_t tier);
static uint64_t wag_slot_table_collect_weights(wag_upstream_t *us,
    ngx_uint_t tier);
static uint64_t wag_slot_table_reduce(wag_slot_table_t *table, uint64_t total);
static void wag_slot_table_build_turns(wag_slot_table_t *table);
static void wag_slot_table_group_by_weight(wag_slot_table_t *table);
static ngx_uint_t wag_slot_table_turn(wag_slot_table_t *table, ngx_uint_t i,
    ngx_uint_t k);


ngx_int_t
wag_slot_table_create(ngx_conf_t *cf, wag_upstream_t *us)
{
    size_t             size;
    uint64_t           n[WAG_TIERS];
    uint64_t           w[WAG_TIERS];
    uint32_t          *p;
    ngx_uint_t         i, tier;
    wag_slot_table_t  *table;

    ngx_memzero(n, sizeof(n));
    ngx_memzero(w, sizeof(w));

    for (i = 0; i < us->nservers; i++) {
        tier = us->servers[i].tier;

        n[tier]++;
        w[tier] += us->servers[i].weight;
    }

    n[WAG_PRIMARY] += us->capacity;

    for (tier = 0; tier < WAG_TIERS; tier++) {
        table = &us->slot_tables[tier];

        if (us->policy.slow_start) {
            w[tier] *= WAG_SLOT_TABLE_STEPS;
        }

        /* weights may be set at run time */

        if (us->controlled || us->capacity) {
            w[tier] = WAG_SLOT_TABLE_TURNS;
        }

        table->max = ngx_min(w[tier], WAG_SLOT_TABLE_TURNS) + n[tier];

        size = 2 * table->max + 4 * n[tier] + 1;

        p = ngx_palloc(cf->pool, size * sizeof(uint32_t));
        if (p == NULL) {
            return NGX_ERROR;
        }

        table->turns = p;
        table->slots = table->turns + table->max;
        table->weights = table->slots + n[tier];
        table->same_weight = table->weights + n[tier];
        table->ranks = table->same_weight + n[tier];
        table->starts = table->ranks + n[tier];
    }

    return NGX_OK;
}


void
wag_slot_table_refresh(wag_upstream_t *us)
{
    ngx_uint_t  tier;

    if (us->state_epoch == us->group->state_epoch
        && (!us->timed || (ngx_msec_int_t) (ngx_current_msec - us->due) < 0))
    {
        return;
    }

    /* read first: what moves from here on makes the next request come again */

    us->state_epoch = us->group->state_epoch;
    us->timed = 0;

    ngx_memory_barrier();

    wag_members_refresh(us);

    if (us->members != us->group->members) {

        /* without memory for one of them the next request comes again */

        us->timed = 1;
        us->due = ngx_current_msec;
    }

    for (tier = 0; tier < WAG_TIERS; tier++) {
        wag_slot_table_build(us, tier);
    }
}


static void
wag_slot_table_build(wag_upstream_t *us, ngx_uint_t tier)
{
    uint64_t           total;
    wag_slot_table_t  *table;

    table = &us->slot_tables[tier];

    total = wag_slot_table_collect_weights(us, tier);

    if (table->nslots == 0) {
        table->nturns = 0;
        return;
    }

    table->nturns = wag_slot_table_reduce(table, total);

    wag_slot_table_build_turns(table);
}


static uint64_t
wag_slot_table_collect_weights(wag_upstream_t *us, ngx_uint_t tier)
{
    uint64_t           total;
    ngx_uint_t         i, n, step;
    wag_peer_t        *peer;
    wag_slot_table_t  *table;

    table = &us->slot_tables[tier];

    step = us->policy.slow_start ? WAG_SLOT_TABLE_STEPS : 1;
    total = 0;
    n = 0;

    for (i = 0; i < us->npeers; i++) {
        peer = us->peers[i];

        if (peer->tier != tier) {
            continue;
        }

        wag_peers_refresh_admin(peer);

        if (peer->down || !wag_available(peer->instance)) {
            continue;
        }

        /* those of a name; without memory to hold them it has no turn */

        wag_peers_refresh_addrs(us, peer);

        if (peer->addrs->naddrs == 0) {
            continue;
        }

        if (peer->instance->state == WAG_SLOW_START) {
            wag_slot_table_due(us, ngx_current_msec + 1
                               + us->policy.slow_start / step);
        }

        table->slots[n] = peer->slot;
        table->weights[n] = peer->weight;

        if (step > 1) {
            table->weights[n] *= wag_state_share(&peer->instance->health,
                                                 &us->policy,
                                                 ngx_current_msec);
        }

        total += table->weights[n];
        n++;
    }

    table->nslots = n;

    return total;
}


static void
wag_slot_table_due(wag_upstream_t *us, ngx_msec_t at)
{
    if (!us->timed || (ngx_msec_int_t) (at - us->due) < 0) {
        us->due = at;
        us->timed = 1;
    }
}


/* weights without their common divisor, within the room there is */

static uint64_t
wag_slot_table_reduce(wag_slot_table_t *table, uint64_t total)
{
    uint64_t    sum;
    uint32_t    a, b, t;
    ngx_uint_t  i;

    a = table->weights[0];

    for (i = 1; i < table->nslots && a != 1; i++) {
        for (b = table->weights[i]; b; b = t) {
            t = a % b;
            a = b;
        }
    }

    total /= a;
    sum = 0;

    for (i = 0; i < table->nslots; i++) {
        table->weights[i] /= a;

        if (total > table->max) {
            table->weights[i] = (uint64_t) table->weights[i]
                                 * (table->max - table->nslots) / total;

            if (table->weights[i] == 0) {
                table->weights[i] = 1;
            }
        }

        sum += table->weights[i];
    }

    return sum;
}


/* a counting sort of all turns by where in the round they are due */

static void
wag_slot_table_build_turns(wag_slot_table_t *table)
{
    uint32_t   *starts;
    ngx_uint_t  i, k, n, at;

    n = table->nturns;
    starts = table->starts;

    wag_slot_table_group_by_weight(table);

    ngx_memzero(starts, (n + 1) * sizeof(uint32_t));

    for (i = 0; i < table->nslots; i++) {
        for (k = 0; k < table->weights[i]; k++) {
            starts[wag_slot_table_turn(table, i, k) + 1]++;
        }
    }

    for (i = 0; i < n; i++) {
        starts[i + 1] += starts[i];
    }

    for (i = 0; i < table->nslots; i++) {
        for (k = 0; k < table->weights[i]; k++) {
            at = wag_slot_table_turn(table, i, k);
            table->turns[starts[at]++] = table->slots[i];
        }
    }
}


/* peers of the same weight take their turns one after the other */

static void
wag_slot_table_group_by_weight(wag_slot_table_t *table)
{
    uint32_t   *count;
    ngx_uint_t  i;

    /* by weight, which is at most the number of turns */

    count = table->starts;

    ngx_memzero(count, (table->nturns + 1) * sizeof(uint32_t));

    for (i = 0; i < table->nslots; i++) {
        table->ranks[i] = count[table->weights[i]]++;
    }

    for (i = 0; i < table->nslots; i++) {
        table->same_weight[i] = count[table->weights[i]];
    }
}


/*
 * Turn k of a peer of weight w, number r of the a peers with that weight, is
 * due at (2(ka + r) + 1) / 2aw of the round: the turns of each peer and of
 * each weight are spread evenly.
 */

static ngx_uint_t
wag_slot_table_turn(wag_slot_table_t *table, ngx_uint_t i, ngx_uint_t k)
{
    uint64_t  turn, turns;

    turn = (uint64_t) k * table->same_weight[i] + table->ranks[i];
    turns = (uint64_t) table->weights[i] * table->same_weight[i];

    return (2 * turn + 1) * table->nturns / (2 * turns);
}


wag_peer_t *
wag_slot_table_next(wag_upstream_t *us, ngx_uint_t tier)
{
    ngx_uint_t         n;
    wag_slot_table_t  *table;

    table = &us->slot_tables[tier];

    n = ngx_atomic_fetch_add(&us->group->cursor[tier], 1) % table->nturns;

    return &us->slots[table->turns[n]];
}
