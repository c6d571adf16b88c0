
/*
 * Copyright (C) the wa_gateway authors
 */


#include "ngx_http_wa_gateway_module.h"
#include "ngx_http_wa_gateway_lock.h"
#include "ngx_http_wa_gateway_roster.h"
#include "ngx_http_wa_gateway_snapshot.h"


static void ngx_http_wa_gateway_snapshot_view(ngx_http_wa_gateway_view_t *v);
static ngx_uint_t ngx_http_wa_gateway_snapshot_next(
    ngx_http_wa_gateway_upstream_t *us);
static ngx_int_t ngx_http_wa_gateway_snapshot_events(ngx_pool_t *pool,
    ngx_http_wa_gateway_upstream_t *us, ngx_http_wa_gateway_snapshot_t *s);


void
ngx_http_wa_gateway_snapshot_count(ngx_http_wa_gateway_upstream_t *us,
    ngx_uint_t *total, ngx_uint_t *healthy)
{
    ngx_uint_t  tier;

    ngx_http_wa_gateway_roster_refresh(us);

    *total = us->npeers;
    *healthy = 0;

    for (tier = 0; tier < NGX_HTTP_WA_GATEWAY_TIERS; tier++) {
        *healthy += us->rosters[tier].npeers;
    }
}


ngx_http_wa_gateway_snapshot_t *
ngx_http_wa_gateway_snapshot_take(ngx_pool_t *pool,
    ngx_http_wa_gateway_upstream_t *us)
{
    ngx_uint_t                       i;
    ngx_slab_pool_t                 *shpool;
    ngx_http_wa_gateway_view_t      *v;
    ngx_http_wa_gateway_snapshot_t  *s;

    s = ngx_pcalloc(pool, sizeof(ngx_http_wa_gateway_snapshot_t));
    if (s == NULL) {
        return NULL;
    }

    s->views = ngx_palloc(pool,
                          us->npeers * sizeof(ngx_http_wa_gateway_view_t));
    if (s->views == NULL) {
        return NULL;
    }

    ngx_http_wa_gateway_snapshot_count(us, &s->total, &s->healthy);

    s->upstream = us;
    s->now = ngx_http_wa_gateway_time();
    s->started = us->zone->root->started;
    s->uptime = ngx_current_msec - us->zone->root->origin;
    s->generation = us->zone->root->generation;
    s->next = ngx_http_wa_gateway_snapshot_next(us);

    shpool = us->zone->shpool;

    /* one record at a time: requests that mark an instance hardly wait */

    s->healthy = 0;

    for (i = 0; i < us->npeers; i++) {
        v = &s->views[i];
        v->peer = &us->peers[i];

        ngx_http_wa_gateway_lock(shpool);
        v->record = *v->peer->instance;
        ngx_http_wa_gateway_unlock(shpool);

        ngx_http_wa_gateway_snapshot_view(v);

        s->healthy += v->healthy;
    }

    if (ngx_http_wa_gateway_snapshot_events(pool, us, s) != NGX_OK) {
        return NULL;
    }

    return s;
}


static void
ngx_http_wa_gateway_snapshot_view(ngx_http_wa_gateway_view_t *v)
{
    v->state = v->record.state;
    v->healthy = ngx_http_wa_gateway_available(&v->record);

    v->reason.len = v->record.reason_len;
    v->reason.data = v->record.reason;

    /* more given back than was held: see ngx_http_wa_gateway_zone_hold() */

    if ((ngx_atomic_int_t) v->record.in_flight < 0) {
        v->record.in_flight = 0;
    }

    if (v->peer->down) {
        v->healthy = 0;
        v->state = v->record.in_flight ? NGX_HTTP_WA_GATEWAY_DRAINING
                                       : NGX_HTTP_WA_GATEWAY_DOWN;
        ngx_str_set(&v->reason, "down in configuration");
    }
}


static ngx_uint_t
ngx_http_wa_gateway_snapshot_next(ngx_http_wa_gateway_upstream_t *us)
{
    ngx_uint_t                     tier, n;
    ngx_http_wa_gateway_roster_t  *roster;

    for (tier = 0; tier < NGX_HTTP_WA_GATEWAY_TIERS; tier++) {
        roster = &us->rosters[tier];

        if (roster->nslots) {
            n = us->group->cursor[tier] % roster->nslots;
            return roster->slots[n];
        }
    }

    return 0;
}


static ngx_int_t
ngx_http_wa_gateway_snapshot_events(ngx_pool_t *pool,
    ngx_http_wa_gateway_upstream_t *us, ngx_http_wa_gateway_snapshot_t *s)
{
    ngx_uint_t                    i, first;
    ngx_http_wa_gateway_group_t  *group;

    group = us->group;

    if (group->nevents == 0) {
        return NGX_OK;
    }

    s->events = ngx_palloc(pool, NGX_HTTP_WA_GATEWAY_EVENTS
                                 * sizeof(ngx_http_wa_gateway_event_t));
    if (s->events == NULL) {
        return NGX_ERROR;
    }

    ngx_http_wa_gateway_lock(us->zone->shpool);

    s->nevents = ngx_min(group->nevents, NGX_HTTP_WA_GATEWAY_EVENTS);
    first = group->nevents - s->nevents;

    for (i = 0; i < s->nevents; i++) {
        s->events[i] = group->events[(first + i) % NGX_HTTP_WA_GATEWAY_EVENTS];
    }

    ngx_http_wa_gateway_unlock(us->zone->shpool);

    return NGX_OK;
}
