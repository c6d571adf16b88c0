
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_lookup.h"
#include "wag_lookups.h"


#define WAG_LOOKUPS_SPREAD  2   /* ms between the first ones of many */


struct wag_lookups_s {
    ngx_uint_t           n;
    ngx_uint_t           first;       /* slot */
    ngx_uint_t           step;        /* to the next one */
    wag_lookup_t       **lookups;     /* of these; NULL: no name */
};


static ngx_uint_t wag_lookups_wanted(wag_peer_t *peer);


ngx_int_t
wag_lookups_start(ngx_cycle_t *cycle, wag_upstream_t *us)
{
    wag_lookups_t  *lookups;

    if (us->names == NULL) {
        return NGX_OK;
    }

    lookups = ngx_pcalloc(cycle->pool, sizeof(wag_lookups_t));
    if (lookups == NULL) {
        return NGX_ERROR;
    }

    lookups->step = us->zone->in_flight->nworkers;
    lookups->first = (ngx_process == NGX_PROCESS_SINGLE) ? 0 : ngx_worker;

    if (lookups->first < us->nslots) {
        lookups->n = (us->nslots - lookups->first + lookups->step - 1)
                     / lookups->step;
    }

    lookups->lookups = ngx_pcalloc(cycle->pool, (lookups->n + 1)
                                                * sizeof(wag_lookup_t *));
    if (lookups->lookups == NULL) {
        return NGX_ERROR;
    }

    /* what the core says each time is told once, by the instance's state */

    *us->names->log = *cycle->log;

    if (!(us->names->log->log_level & NGX_LOG_DEBUG_ALL)) {
        us->names->log->log_level = ngx_min(cycle->log->log_level,
                                            NGX_LOG_ALERT);
    }

    us->lookups = lookups;

    wag_lookups_sync(us);

    return NGX_OK;
}


void
wag_lookups_sync(wag_upstream_t *us)
{
    ngx_uint_t       i, begun;
    wag_peer_t      *peer;
    wag_lookup_t   **lookup;
    wag_lookups_t   *lookups;

    lookups = us->lookups;

    if (lookups == NULL) {
        return;
    }

    begun = 0;

    for (i = 0; i < lookups->n; i++) {
        peer = &us->slots[lookups->first + i * lookups->step];
        lookup = &lookups->lookups[i];

        if (*lookup) {

            if (!wag_lookups_wanted(peer)) {
                wag_lookup_destroy(*lookup);
                *lookup = NULL;
            }

        } else if (wag_lookups_wanted(peer)) {

            *lookup = wag_lookup_create(us, peer,
                                        begun++ * WAG_LOOKUPS_SPREAD);
        }
    }
}


static ngx_uint_t
wag_lookups_wanted(wag_peer_t *peer)
{
    return (peer->incarnation & 1)
           && peer->server->domain.len
           && peer->instance->admin.state != WAG_ADMIN_REMOVING
           && peer->instance->admin.state != WAG_ADMIN_REMOVED;
}


void
wag_lookups_leave(wag_upstream_t *us, wag_peer_t *peer)
{
    wag_lookup_t   **lookup;
    wag_lookups_t   *lookups;

    lookups = us->lookups;

    if (lookups == NULL || peer->slot % lookups->step != lookups->first) {
        return;
    }

    lookup = &lookups->lookups[peer->slot / lookups->step];

    if (*lookup) {
        wag_lookup_destroy(*lookup);
        *lookup = NULL;
    }
}


void
wag_lookups_stop(wag_upstream_t *us)
{
    ngx_uint_t      i;
    wag_lookups_t  *lookups;

    lookups = us->lookups;

    if (lookups == NULL) {
        return;
    }

    us->lookups = NULL;

    for (i = 0; i < lookups->n; i++) {
        if (lookups->lookups[i]) {
            wag_lookup_destroy(lookups->lookups[i]);
        }
    }
}
