
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_compat.h"
#include "wag_lock.h"
#include "wag_store_zone.h"


#define WAG_STORE_ZONE_SIZE  (8 * ngx_pagesize)


static ngx_int_t wag_store_zone_init(ngx_shm_zone_t *shm_zone, void *data);


/* only its address matters */

static ngx_uint_t  wag_store_zone_tag;


wag_store_zone_t *
wag_store_zone_add(ngx_conf_t *cf, ngx_str_t *name)
{
    ngx_shm_zone_t    *shm_zone;
    wag_store_zone_t  *zone;

    shm_zone = ngx_shared_memory_add(cf, name, WAG_STORE_ZONE_SIZE,
                                     &wag_store_zone_tag);
    if (shm_zone == NULL) {
        return NULL;
    }

    if (shm_zone->data) {
        return shm_zone->data;
    }

    zone = ngx_pcalloc(cf->pool, sizeof(wag_store_zone_t));
    if (zone == NULL) {
        return NULL;
    }

    zone->shm_zone = shm_zone;

    shm_zone->init = wag_store_zone_init;
    shm_zone->data = zone;

    return zone;
}


static ngx_int_t
wag_store_zone_init(ngx_shm_zone_t *shm_zone, void *data)
{
    wag_store_zone_t *ozone = data;

    wag_store_zone_t  *zone;

    zone = shm_zone->data;
    zone->shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    if (ozone) {
        zone->shared = ozone->shared;
        return NGX_OK;
    }

    if (shm_zone->shm.exists) {
        zone->shared = zone->shpool->data;
        return NGX_OK;
    }

    zone->shared = ngx_slab_calloc(zone->shpool, sizeof(wag_store_shared_t));
    if (zone->shared == NULL) {
        return NGX_ERROR;
    }

    zone->shared->since = ngx_time();
    zone->shpool->data = zone->shared;

    return NGX_OK;
}


ngx_uint_t
wag_store_zone_up(wag_store_zone_t *zone)
{
    ngx_atomic_uint_t    was;
    wag_store_shared_t  *shared;

    shared = zone->shared;
    was = shared->up;

    if (was == WAG_STORE_UP
        || !ngx_atomic_cmp_set(&shared->up, was, WAG_STORE_UP))
    {
        return 0;
    }

    shared->since = ngx_time();
    shared->lost = 0;

    return 1;
}


ngx_uint_t
wag_store_zone_down(wag_store_zone_t *zone, wag_reason_t *reason)
{
    ngx_atomic_uint_t    was;
    wag_store_shared_t  *shared;

    shared = zone->shared;
    was = shared->up;

    wag_lock(zone->shpool);

    shared->reason = *reason;

    wag_unlock(zone->shpool);

    if (was == WAG_STORE_DOWN
        || !ngx_atomic_cmp_set(&shared->up, was, WAG_STORE_DOWN))
    {
        return 0;
    }

    shared->since = ngx_time();

    return 1;
}


/* a worker of before may have had the same place */

void
wag_store_zone_ready(wag_store_zone_t *zone, ngx_uint_t ready)
{
    ngx_atomic_t  *place;

    place = &zone->shared->ready[ngx_worker % WAG_STORE_WORKERS];

    if (ready) {
        *place = ngx_pid;

    } else {
        (void) ngx_atomic_cmp_set(place, ngx_pid, 0);
    }
}


void
wag_store_zone_met(wag_store_zone_t *zone, uint64_t marker, uint64_t serial)
{
    zone->shared->serial = serial;
    zone->shared->marker = marker;
}


void
wag_store_zone_told(wag_store_zone_t *zone, uint64_t serial)
{
    ngx_atomic_uint_t  known;

    do {
        known = zone->shared->serial;

    } while (known < serial
             && !ngx_atomic_cmp_set(&zone->shared->serial, known, serial));
}


void
wag_store_zone_answered(wag_store_zone_t *zone, ngx_msec_t msec)
{
    (void) wag_fetch_add(&zone->shared->latency[wag_latency_bucket(msec)], 1);
}


void
wag_store_zone_figures(wag_store_zone_t *zone, wag_store_figures_t *figures)
{
    ngx_uint_t           i;
    ngx_atomic_uint_t    pid;
    wag_store_shared_t  *shared;

    shared = zone->shared;

    figures->up = (shared->up == WAG_STORE_UP);
    figures->since = (time_t) shared->since;
    figures->workers = 0;

    for (i = 0; i < WAG_STORE_WORKERS; i++) {
        pid = shared->ready[i];

        if (pid && (kill((ngx_pid_t) pid, 0) == 0 || ngx_errno != ESRCH)) {
            figures->workers++;
        }
    }

    wag_lock(zone->shpool);

    figures->reason = shared->reason;

    wag_unlock(zone->shpool);

    if (figures->up) {
        figures->reason.len = 0;
    }
}
