
/*
 * Copyright (C) the wa_gateway authors
 */


#include "ngx_http_wa_gateway_module.h"
#include "ngx_http_wa_gateway_health.h"
#include "ngx_http_wa_gateway_mark.h"
#include "ngx_http_wa_gateway_roster.h"


/* weights that need more slots than this, or one a peer, are scaled down */

#define NGX_HTTP_WA_GATEWAY_ROSTER_SLOTS  65536

#define NGX_HTTP_WA_GATEWAY_ROSTER_STEPS  10    /* of a slow start */


static void ngx_http_wa_gateway_roster_tick(
    ngx_http_wa_gateway_upstream_t *us);
static void ngx_http_wa_gateway_roster_due(ngx_http_wa_gateway_upstream_t *us,
    ngx_msec_t at);
static void ngx_http_wa_gateway_roster_build(
    ngx_http_wa_gateway_upstream_t *us, ngx_uint_t tier);
static uint64_t ngx_http_wa_gateway_roster_weigh(
    ngx_http_wa_gateway_upstream_t *us, ngx_uint_t tier);
static uint64_t ngx_http_wa_gateway_roster_reduce(
    ngx_http_wa_gateway_roster_t *roster, uint64_t total);
static void ngx_http_wa_gateway_roster_lay(
    ngx_http_wa_gateway_roster_t *roster);
static void ngx_http_wa_gateway_roster_rank(
    ngx_http_wa_gateway_roster_t *roster);
static ngx_uint_t ngx_http_wa_gateway_roster_slot(
    ngx_http_wa_gateway_roster_t *roster, ngx_uint_t i, ngx_uint_t k);


ngx_int_t
ngx_http_wa_gateway_roster_create(ngx_conf_t *cf,
    ngx_http_wa_gateway_upstream_t *us)
{
    size_t                         size;
    uint64_t                       n[NGX_HTTP_WA_GATEWAY_TIERS];
    uint64_t                       w[NGX_HTTP_WA_GATEWAY_TIERS];
    uint32_t                      *p;
    ngx_uint_t                     i, tier;
    ngx_http_wa_gateway_roster_t  *roster;

    ngx_memzero(n, sizeof(n));
    ngx_memzero(w, sizeof(w));

    for (i = 0; i < us->npeers; i++) {
        tier = us->peers[i].tier;

        n[tier]++;
        w[tier] += us->peers[i].weight;
    }

    for (tier = 0; tier < NGX_HTTP_WA_GATEWAY_TIERS; tier++) {
        roster = &us->rosters[tier];

        if (us->policy.slow_start) {
            w[tier] *= NGX_HTTP_WA_GATEWAY_ROSTER_STEPS;
        }

        roster->max = ngx_min(w[tier], NGX_HTTP_WA_GATEWAY_ROSTER_SLOTS)
                      + n[tier];

        size = 2 * roster->max + 4 * n[tier] + 1;

        p = ngx_palloc(cf->pool, size * sizeof(uint32_t));
        if (p == NULL) {
            return NGX_ERROR;
        }

        roster->slots = p;
        roster->peers = roster->slots + roster->max;
        roster->weights = roster->peers + n[tier];
        roster->alike = roster->weights + n[tier];
        roster->ranks = roster->alike + n[tier];
        roster->starts = roster->ranks + n[tier];
    }

    return NGX_OK;
}


void
ngx_http_wa_gateway_roster_update(ngx_http_wa_gateway_upstream_t *us)
{
    ngx_http_wa_gateway_roster_refresh(us);

    if (us->timed && (ngx_msec_int_t) (ngx_current_msec - us->due) >= 0) {
        ngx_http_wa_gateway_roster_tick(us);
        ngx_http_wa_gateway_roster_refresh(us);
    }
}


/* what time alone moves: the end of an ejection and of a slow start */

static void
ngx_http_wa_gateway_roster_tick(ngx_http_wa_gateway_upstream_t *us)
{
    ngx_uint_t                       i;
    ngx_http_wa_gateway_news_t       news;
    ngx_http_wa_gateway_instance_t  *instance;

    ngx_memzero(&news, sizeof(ngx_http_wa_gateway_news_t));

    news.upstream = us;
    news.event = NGX_HTTP_WA_GATEWAY_TICK;

    for (i = 0; i < us->npeers; i++) {
        instance = us->peers[i].instance;

        if (instance->state != NGX_HTTP_WA_GATEWAY_UP
            && ngx_http_wa_gateway_health_over(&instance->health, &us->policy,
                                               ngx_current_msec))
        {
            news.peer = &us->peers[i];
            ngx_http_wa_gateway_mark_event(&news);
        }
    }
}


void
ngx_http_wa_gateway_roster_refresh(ngx_http_wa_gateway_upstream_t *us)
{
    ngx_uint_t  tier;

    if (us->generation == us->group->generation
        && (!us->timed || (ngx_msec_int_t) (ngx_current_msec - us->due) < 0))
    {
        return;
    }

    /* read first: what moves from here on makes the next request come again */

    us->generation = us->group->generation;
    us->timed = 0;

    ngx_memory_barrier();

    for (tier = 0; tier < NGX_HTTP_WA_GATEWAY_TIERS; tier++) {
        ngx_http_wa_gateway_roster_build(us, tier);
    }
}


static void
ngx_http_wa_gateway_roster_build(ngx_http_wa_gateway_upstream_t *us,
    ngx_uint_t tier)
{
    uint64_t                       total;
    ngx_http_wa_gateway_roster_t  *roster;

    roster = &us->rosters[tier];

    total = ngx_http_wa_gateway_roster_weigh(us, tier);

    if (roster->npeers == 0) {
        roster->nslots = 0;
        return;
    }

    roster->nslots = ngx_http_wa_gateway_roster_reduce(roster, total);

    ngx_http_wa_gateway_roster_lay(roster);
}


static uint64_t
ngx_http_wa_gateway_roster_weigh(ngx_http_wa_gateway_upstream_t *us,
    ngx_uint_t tier)
{
    uint64_t                         total;
    ngx_uint_t                       i, n, step;
    ngx_http_wa_gateway_peer_t      *peer;
    ngx_http_wa_gateway_health_t    *health;
    ngx_http_wa_gateway_roster_t    *roster;

    roster = &us->rosters[tier];

    step = us->policy.slow_start ? NGX_HTTP_WA_GATEWAY_ROSTER_STEPS : 1;
    total = 0;
    n = 0;

    for (i = 0; i < us->npeers; i++) {
        peer = &us->peers[i];

        if (peer->tier != tier || peer->down) {
            continue;
        }

        health = &peer->instance->health;

        if (!ngx_http_wa_gateway_available(peer->instance)) {

            if (!us->policy.checked) {
                ngx_http_wa_gateway_roster_due(us, health->until);
            }

            continue;
        }

        if (peer->instance->state == NGX_HTTP_WA_GATEWAY_SLOW_START) {
            ngx_http_wa_gateway_roster_due(us, ngx_current_msec + 1
                                           + us->policy.slow_start / step);
        }

        roster->peers[n] = i;
        roster->weights[n] = peer->weight;

        if (step > 1) {
            roster->weights[n] *= ngx_http_wa_gateway_health_share(health,
                                              &us->policy, ngx_current_msec);
        }

        total += roster->weights[n];
        n++;
    }

    roster->npeers = n;

    return total;
}


static void
ngx_http_wa_gateway_roster_due(ngx_http_wa_gateway_upstream_t *us,
    ngx_msec_t at)
{
    if (!us->timed || (ngx_msec_int_t) (at - us->due) < 0) {
        us->due = at;
        us->timed = 1;
    }
}


/* weights without their common divisor, within the room there is */

static uint64_t
ngx_http_wa_gateway_roster_reduce(ngx_http_wa_gateway_roster_t *roster,
    uint64_t total)
{
    uint64_t    sum;
    uint32_t    a, b, t;
    ngx_uint_t  i;

    a = roster->weights[0];

    for (i = 1; i < roster->npeers && a != 1; i++) {
        for (b = roster->weights[i]; b; b = t) {
            t = a % b;
            a = b;
        }
    }

    total /= a;
    sum = 0;

    for (i = 0; i < roster->npeers; i++) {
        roster->weights[i] /= a;

        if (total > roster->max) {
            roster->weights[i] = (uint64_t) roster->weights[i]
                                 * (roster->max - roster->npeers) / total;

            if (roster->weights[i] == 0) {
                roster->weights[i] = 1;
            }
        }

        sum += roster->weights[i];
    }

    return sum;
}


/* a counting sort of all turns by the slot they are due at */

static void
ngx_http_wa_gateway_roster_lay(ngx_http_wa_gateway_roster_t *roster)
{
    uint32_t    *starts;
    ngx_uint_t   i, k, n, at;

    n = roster->nslots;
    starts = roster->starts;

    ngx_http_wa_gateway_roster_rank(roster);

    ngx_memzero(starts, (n + 1) * sizeof(uint32_t));

    for (i = 0; i < roster->npeers; i++) {
        for (k = 0; k < roster->weights[i]; k++) {
            starts[ngx_http_wa_gateway_roster_slot(roster, i, k) + 1]++;
        }
    }

    for (i = 0; i < n; i++) {
        starts[i + 1] += starts[i];
    }

    for (i = 0; i < roster->npeers; i++) {
        for (k = 0; k < roster->weights[i]; k++) {
            at = ngx_http_wa_gateway_roster_slot(roster, i, k);
            roster->slots[starts[at]++] = roster->peers[i];
        }
    }
}


/* peers of the same weight take their turns one after the other */

static void
ngx_http_wa_gateway_roster_rank(ngx_http_wa_gateway_roster_t *roster)
{
    uint32_t    *count;
    ngx_uint_t   i;

    /* by weight, which is at most the number of slots */

    count = roster->starts;

    ngx_memzero(count, (roster->nslots + 1) * sizeof(uint32_t));

    for (i = 0; i < roster->npeers; i++) {
        roster->ranks[i] = count[roster->weights[i]]++;
    }

    for (i = 0; i < roster->npeers; i++) {
        roster->alike[i] = count[roster->weights[i]];
    }
}


/*
 * Turn k of a peer of weight w, number r of the a peers with that weight, is
 * due at (2(ka + r) + 1) / 2aw of the round: the turns of each peer and of
 * each weight are spread evenly.
 */

static ngx_uint_t
ngx_http_wa_gateway_roster_slot(ngx_http_wa_gateway_roster_t *roster,
    ngx_uint_t i, ngx_uint_t k)
{
    uint64_t  turn, turns;

    turn = (uint64_t) k * roster->alike[i] + roster->ranks[i];
    turns = (uint64_t) roster->weights[i] * roster->alike[i];

    return (2 * turn + 1) * roster->nslots / (2 * turns);
}


ngx_http_wa_gateway_peer_t *
ngx_http_wa_gateway_roster_next(ngx_http_wa_gateway_upstream_t *us,
    ngx_uint_t tier)
{
    ngx_uint_t                     n;
    ngx_http_wa_gateway_roster_t  *roster;

    roster = &us->rosters[tier];

    n = ngx_atomic_fetch_add(&us->group->cursor[tier], 1) % roster->nslots;

    return &us->peers[roster->slots[n]];
}
