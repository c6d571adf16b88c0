
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_lock.h"
#include "wag_slot_table.h"
#include "wag_slots.h"
#include "wag_snapshot.h"
#include "wag_upstream.h"


static void wag_snapshot_add(wag_session_count_t *sum,
    wag_session_count_t *count);
static ngx_int_t wag_snapshot_view(ngx_pool_t *pool, wag_view_t *v);
static void wag_snapshot_admin(wag_view_t *v);
static ngx_uint_t wag_snapshot_next(wag_upstream_t *us);
static ngx_int_t wag_snapshot_events(ngx_pool_t *pool, wag_upstream_t *us,
    wag_snapshot_t *s);
static void wag_snapshot_own_events(wag_snapshot_t *s, wag_key_t *key);
static ngx_uint_t wag_snapshot_has(wag_snapshot_t *s, wag_event_t *event);


ngx_str_t  wag_snapshot_admins[] = {
    ngx_string("configured"),
    ngx_string("up"),
    ngx_string("drain"),
    ngx_string("down"),
    ngx_string("removing"),
    ngx_string("removed")
};


void
wag_snapshot_count(wag_upstream_t *us, ngx_uint_t *total, ngx_uint_t *healthy,
    wag_session_count_t *sessions)
{
    ngx_uint_t            i, tier;
    wag_peer_t           *peer;
    wag_session_count_t   count;

    wag_slot_table_refresh(us);

    *total = us->npeers;
    *healthy = 0;

    ngx_memzero(sessions, sizeof(wag_session_count_t));

    for (tier = 0; tier < WAG_TIERS; tier++) {
        *healthy += us->slot_tables[tier].nslots;
    }

    if (us->vendors == 0) {
        return;
    }

    for (i = 0; i < us->npeers; i++) {
        peer = us->peers[i];

        wag_session_view_count(us, peer, NULL, &count);
        wag_snapshot_add(sessions, &count);

        if (peer->server->vendor
            && !peer->down
            && wag_available(peer->instance)
            && count.states[WAG_SESSION_READY] == 0)
        {
            *healthy -= ngx_min(*healthy, 1);
        }
    }
}


static void
wag_snapshot_add(wag_session_count_t *sum, wag_session_count_t *count)
{
    ngx_uint_t  i;

    sum->total += count->total;

    for (i = 0; i < WAG_SESSION_STATES; i++) {
        sum->states[i] += count->states[i];
    }
}


wag_snapshot_t *
wag_snapshot_take(ngx_pool_t *pool, wag_upstream_t *us, wag_key_t *key)
{
    ngx_uint_t        i, next;
    wag_view_t       *v;
    wag_snapshot_t   *s;
    ngx_slab_pool_t  *shpool;

    s = ngx_pcalloc(pool, sizeof(wag_snapshot_t));
    if (s == NULL) {
        return NULL;
    }

    wag_slot_table_refresh(us);

    s->views = ngx_palloc(pool, us->npeers * sizeof(wag_view_t));
    if (s->views == NULL) {
        return NULL;
    }

    s->upstream = us;
    s->now = wag_time();
    s->started = us->zone->root->started;
    s->uptime = ngx_current_msec - us->zone->root->origin;
    s->config_gen = us->zone->root->config_gen;

    next = wag_snapshot_next(us);
    shpool = us->zone->shpool;

    /* one record at a time: requests that mark an instance hardly wait */

    for (i = 0; i < us->npeers; i++) {
        v = &s->views[s->total];
        v->peer = us->peers[i];

        /* or the one after it that is told of */

        if (v->peer->slot == next) {
            s->next = s->total;
        }

        wag_session_view_count(us, v->peer, key, &v->sessions);

        if (wag_keys_is_limited(key) && v->sessions.total == 0) {
            continue;
        }

        wag_lock(shpool);
        v->record = *v->peer->instance;
        wag_unlock(shpool);

        wag_snapshot_add(&s->sessions, &v->sessions);

        if (wag_snapshot_view(pool, v) != NGX_OK) {
            return NULL;
        }

        s->healthy += v->healthy;
        s->total++;
    }

    if (s->next == s->total) {
        s->next = 0;
    }

    if (wag_snapshot_events(pool, us, s) != NGX_OK) {
        return NULL;
    }

    if (wag_keys_is_limited(key)) {
        wag_snapshot_own_events(s, key);
    }

    return s;
}


ngx_int_t
wag_snapshot_sessions(ngx_pool_t *pool, wag_snapshot_t *s)
{
    ngx_uint_t       i, looked;
    wag_upstream_t  *us;

    us = s->upstream;

    if (ngx_array_init(&s->session_views, pool,
                       ngx_max(s->sessions.total, 1),
                       sizeof(wag_session_view_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (s->sessions.total > us->metric_sessions) {
        return NGX_OK;
    }

    for (i = 0; i < us->npeers; i++) {
        if (wag_session_view_take(us, us->peers[i], NULL,
                                  &s->session_views, &looked)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* the peer may be another one's when this is told */

static ngx_int_t
wag_snapshot_view(ngx_pool_t *pool, wag_view_t *v)
{
    v->name = v->peer->name;
    v->weight = v->peer->weight;
    v->max_conns = v->peer->max_conns;
    v->vendor = v->peer->server->vendor;

    if (v->peer->server->refs) {

        v->name.data = ngx_pstrdup(pool, &v->peer->name);
        if (v->name.data == NULL) {
            return NGX_ERROR;
        }
    }

    v->state = v->record.state;
    v->healthy = wag_available(&v->record);

    if (v->vendor && v->sessions.states[WAG_SESSION_READY] == 0) {
        v->healthy = 0;
    }

    v->reason.len = v->record.reason_len;
    v->reason.data = v->record.reason;

    /* of a killed worker more may be given back than it had, for a moment */

    if ((ngx_atomic_int_t) v->record.in_flight < 0) {
        v->record.in_flight = 0;
    }

    if (v->peer->down) {
        wag_snapshot_admin(v);
    }

    return NGX_OK;
}


static void
wag_snapshot_admin(wag_view_t *v)
{
    v->healthy = 0;
    v->state = v->record.in_flight ? WAG_DRAINING : WAG_DOWN;

    switch (v->record.admin.state) {

    case WAG_ADMIN_DRAIN:
        ngx_str_set(&v->reason, "drained at run time");
        break;

    case WAG_ADMIN_DOWN:
        ngx_str_set(&v->reason, "down at run time");
        break;

    case WAG_ADMIN_REMOVING:
        ngx_str_set(&v->reason, "being removed");
        break;

    default:
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
    ngx_uint_t             n, of_instances, of_sessions;
    wag_group_t           *group;
    wag_session_event_t   *event;
    wag_session_events_t  *events;

    group = us->group;
    events = group->sessions.events;

    event = ngx_palloc(pool, 2 * WAG_EVENTS * sizeof(wag_session_event_t));
    if (event == NULL) {
        return NGX_ERROR;
    }

    s->events = event;

    wag_lock(us->zone->shpool);

    of_instances = group->nevents - ngx_min(group->nevents, WAG_EVENTS);
    of_sessions = events ? events->n - ngx_min(events->n, WAG_EVENTS) : 0;

    /* both are in order of time */

    for ( ;; ) {

        n = of_instances % WAG_EVENTS;

        if (events && of_sessions < events->n
            && (of_instances == group->nevents
                || events->events[of_sessions % WAG_EVENTS].event.time
                   < group->events[n].time))
        {
            *event++ = events->events[of_sessions++ % WAG_EVENTS];

        } else if (of_instances < group->nevents) {
            event->event = group->events[n];
            event->len = 0;

            event++;
            of_instances++;

        } else {
            break;
        }
    }

    wag_unlock(us->zone->shpool);

    s->nevents = event - s->events;

    return NGX_OK;
}


static void
wag_snapshot_own_events(wag_snapshot_t *s, wag_key_t *key)
{
    ngx_str_t             session;
    ngx_uint_t            i, n;
    wag_session_event_t  *event;

    event = s->events;
    n = 0;

    for (i = 0; i < s->nevents; i++) {

        session.len = event[i].len;
        session.data = event[i].session;

        if (session.len ? wag_keys_allows(key, &session, event[i].number)
                        : wag_snapshot_has(s, &event[i].event))
        {
            event[n++] = event[i];
        }
    }

    s->nevents = n;
}


/* whether the instance of an event is told of */

static ngx_uint_t
wag_snapshot_has(wag_snapshot_t *s, wag_event_t *event)
{
    ngx_str_t   *name;
    ngx_uint_t   i;

    for (i = 0; i < s->total; i++) {
        name = &s->views[i].name;

        if (name->len == event->name_len
            && ngx_memcmp(name->data, event->name, name->len) == 0)
        {
            return 1;
        }
    }

    return 0;
}
