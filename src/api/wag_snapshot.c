
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_lock.h"
#include "wag_slot_table.h"
#include "wag_slots.h"
#include "wag_snapshot.h"
#include "wag_upstream.h"


static void wag_snapshot_view(wag_view_t *v);
static ngx_uint_t wag_snapshot_next(wag_upstream_t *us);
static ngx_int_t wag_snapshot_events(ngx_pool_t *pool, wag_upstream_t *us,
    wag_snapshot_t *s);


void
wag_snapshot_count(wag_upstream_t *us, ngx_uint_t *total, ngx_uint_t *healthy)
{
    ngx_uint_t  tier;

    wag_slot_table_refresh(us);

    *total = us->nservers;
    *healthy = 0;

    for (tier = 0; tier < WAG_TIERS; tier++) {
        *healthy += us->slot_tables[tier].nslots;
    }
}


wag_snapshot_t *
wag_snapshot_take(ngx_pool_t *pool, wag_upstream_t *us)
{
    ngx_uint_t        i, next;
    wag_view_t       *v;
    wag_snapshot_t   *s;
    ngx_slab_pool_t  *shpool;

    s = ngx_pcalloc(pool, sizeof(wag_snapshot_t));
    if (s == NULL) {
        return NULL;
    }

    s->views = ngx_palloc(pool, us->nservers * sizeof(wag_view_t));
    if (s->views == NULL) {
        return NULL;
    }

    wag_snapshot_count(us, &s->total, &s->healthy);

    s->upstream = us;
    s->now = wag_time();
    s->started = us->zone->root->started;
    s->uptime = ngx_current_msec - us->zone->root->origin;
    s->config_gen = us->zone->root->config_gen;

    next = wag_snapshot_next(us);
    shpool = us->zone->shpool;

    /* one record at a time: requests that mark an instance hardly wait */

    s->healthy = 0;

    for (i = 0; i < us->nservers; i++) {
        v = &s->views[i];
        v->peer = us->peers[i];

        if (v->peer->slot == next) {
            s->next = i;
        }

        wag_lock(shpool);
        v->record = *v->peer->instance;
        wag_unlock(shpool);

        wag_snapshot_view(v);

        s->healthy += v->healthy;
    }

    if (wag_snapshot_events(pool, us, s) != NGX_OK) {
        return NULL;
    }

    return s;
}


static void
wag_snapshot_view(wag_view_t *v)
{
    v->state = v->record.state;
    v->healthy = wag_available(&v->record);

    v->reason.len = v->record.reason_len;
    v->reason.data = v->record.reason;

    /* more given back than was held: see wag_in_flight_hold() */

    if ((ngx_atomic_int_t) v->record.in_flight < 0) {
        v->record.in_flight = 0;
    }

    if (v->peer->down) {
        v->healthy = 0;
        v->state = v->record.in_flight ? WAG_DRAINING : WAG_DOWN;
        ngx_str_set(&v->reason, "down in configuration");
    }
}


/* the slot whose turn it is */

static ngx_uint_t
wag_snapshot_next(wag_upstream_t *us)
{
    ngx_uint_t         tier, n;
    wag_slot_table_t  *table;

    for (tier = 0; tier < WAG_TIERS; tier++) {
        table = &us->slot_tables[tier];

        if (table->nturns) {
            n = us->group->cursor[tier] % table->nturns;
            return table->turns[n];
        }
    }

    return WAG_NO_SLOT;
}


static ngx_int_t
wag_snapshot_events(ngx_pool_t *pool, wag_upstream_t *us, wag_snapshot_t *s)
{
    ngx_uint_t    i, first;
    wag_group_t  *group;

    group = us->group;

    if (group->nevents == 0) {
        return NGX_OK;
    }

    s->events = ngx_palloc(pool, WAG_EVENTS * sizeof(wag_event_t));
    if (s->events == NULL) {
        return NGX_ERROR;
    }

    wag_lock(us->zone->shpool);

    s->nevents = ngx_min(group->nevents, WAG_EVENTS);
    first = group->nevents - s->nevents;

    for (i = 0; i < s->nevents; i++) {
        s->events[i] = group->events[(first + i) % WAG_EVENTS];
    }

    wag_unlock(us->zone->shpool);

    return NGX_OK;
}
