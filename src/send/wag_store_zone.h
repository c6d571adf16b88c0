
/*
 * Copyright (C) the wa_gateway authors
 *
 * What all workers of a gateway know of a store, also those of the next
 * configuration: what it was when it was met, whether it is up, figures.
 */


#ifndef _WAG_STORE_ZONE_H_INCLUDED_
#define _WAG_STORE_ZONE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "wag_latency.h"
#include "wag_reason.h"


#define WAG_STORE_DOWN     1
#define WAG_STORE_UP       2

#define WAG_STORE_WORKERS  256


typedef struct {
    ngx_atomic_t         marker;     /* of the store; 0: never met */
    ngx_atomic_t         serial;     /* the highest that was told */
    ngx_atomic_t         up;         /* STORE_UP, _DOWN; 0: not known */
    ngx_atomic_t         lost;       /* it came back without its data */
    ngx_atomic_t         since;      /* s since the Epoch */

    ngx_atomic_t         calls;
    ngx_atomic_t         failed;     /* of these: no answer, or an error */
    ngx_atomic_t         refused;    /* sends, since it was down */
    ngx_atomic_t         alone;      /* sends, on_error=local */
    ngx_atomic_t         dropped;    /* ends of sends, not told */
    ngx_atomic_t         ready[WAG_STORE_WORKERS];   /* their pids; or 0 */
    wag_latency_t        latency[WAG_LATENCY_BUCKETS];

    wag_reason_t         reason;     /* with the lock */
} wag_store_shared_t;


typedef struct {
    ngx_shm_zone_t      *shm_zone;
    ngx_slab_pool_t     *shpool;
    wag_store_shared_t  *shared;
    void                *store;      /* of the configuration */
} wag_store_zone_t;


/* what is told of it */

typedef struct {
    ngx_uint_t           up;
    time_t               since;
    ngx_uint_t           workers;    /* that may ask it */
    wag_reason_t         reason;     /* if it is down */
} wag_store_figures_t;


/*
 * Finds or adds the zone of this name.  NULL after an error, which is logged.
 */
wag_store_zone_t *wag_store_zone_add(ngx_conf_t *cf, ngx_str_t *name);

/*
 * What this worker finds.  1: nobody did before, and it is to be told.
 */
ngx_uint_t wag_store_zone_up(wag_store_zone_t *zone);
ngx_uint_t wag_store_zone_down(wag_store_zone_t *zone, wag_reason_t *reason);

/*
 * Whether this worker may ask it.
 */
void wag_store_zone_ready(wag_store_zone_t *zone, ngx_uint_t ready);

/*
 * All that is known of it from now on.
 */
void wag_store_zone_met(wag_store_zone_t *zone, uint64_t marker,
    uint64_t serial);

/*
 * A claim has this serial of the store.
 */
void wag_store_zone_told(wag_store_zone_t *zone, uint64_t serial);

/*
 * It answered within so many ms.
 */
void wag_store_zone_answered(wag_store_zone_t *zone, ngx_msec_t msec);

void wag_store_zone_figures(wag_store_zone_t *zone,
    wag_store_figures_t *figures);


#define wag_store_zone_count(zone, figure)                                    \
    (void) ngx_atomic_fetch_add(&(zone)->shared->figure, 1)


#endif /* _WAG_STORE_ZONE_H_INCLUDED_ */
