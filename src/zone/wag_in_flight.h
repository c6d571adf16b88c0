
/*
 * Copyright (C) the wa_gateway authors
 *
 * The in-flight table of one configuration: what each of its workers has in
 * flight.  All of it but hold and release is called with shpool->mutex held.
 */


#ifndef _WAG_IN_FLIGHT_H_INCLUDED_
#define _WAG_IN_FLIGHT_H_INCLUDED_


#include "wag_upstream.h"


/* the counts of a worker */

#define wag_in_flight_row(table, worker)                                      \
    (&(table)->counts[(worker) * (table)->row])


typedef struct {
    ngx_atomic_uint_t    n;        /* in flight */
    ngx_atomic_uint_t    steps;    /* taken by all */
    ngx_atomic_uint_t    moves;    /* not 0: one is between two of them */
} wag_in_flight_sum_t;


/*
 * What the in-flight table of a configuration takes of a zone that has no
 * other slots than its own, in bytes.
 */
size_t wag_in_flight_size(wag_zone_t *zone);

/*
 * Opens the in-flight table of the workers to come, for all the slots that
 * upstreams have by now.  NGX_ERROR if the zone is full.
 */
ngx_int_t wag_in_flight_open(wag_zone_t *zone);

/*
 * Whether any worker has a request in flight in a slot: by what each of them
 * counts, which a killed one leaves right.
 */
ngx_uint_t wag_in_flight_any(wag_root_t *root, wag_group_t *group,
    ngx_uint_t slot);

/*
 * What all workers count of a slot, each as it is when it is read.
 */
void wag_in_flight_sum(wag_root_t *root, wag_group_t *group, ngx_uint_t slot,
    wag_in_flight_sum_t *sum);

/*
 * How many slots of an upstream the workers know.
 */
ngx_uint_t wag_in_flight_slots(wag_root_t *root, wag_group_t *group);

/*
 * Frees the in-flight tables that no worker keeps.  Returns the oldest
 * configuration that some worker still runs.
 */
ngx_uint_t wag_in_flight_sweep(wag_zone_t *zone);

/*
 * Counts a request in flight.  NGX_BUSY if max_conns are in flight already, or
 * if the slot is not this instance's any more.
 */
ngx_int_t wag_in_flight_hold(wag_peer_t *peer);
void wag_in_flight_release(wag_peer_t *peer);


#endif /* _WAG_IN_FLIGHT_H_INCLUDED_ */
