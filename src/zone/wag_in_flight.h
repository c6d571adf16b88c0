
/*
 * Copyright (C) the wa_gateway authors
 *
 * The in-flight table of one configuration: what each of its workers has in
 * flight.  All of it is called with shpool->mutex held.
 */


#ifndef _WAG_IN_FLIGHT_H_INCLUDED_
#define _WAG_IN_FLIGHT_H_INCLUDED_


#include "wag_upstream.h"


/*
 * What an in-flight table takes of the zone, in bytes.
 */
size_t wag_in_flight_size(wag_zone_t *zone);

/*
 * Opens the in-flight table of the workers to come.  NGX_ERROR if the zone is
 * full.
 */
ngx_int_t wag_in_flight_open(wag_zone_t *zone);

/*
 * A worker comes and goes.  Both give back what the one before it with the
 * same number, or it itself, still had in flight.
 */
void wag_in_flight_enter(wag_zone_t *zone);
void wag_in_flight_leave(wag_zone_t *zone);

/*
 * Gives back what workers that are no more had in flight.
 */
void wag_in_flight_reclaim_dead_workers(wag_zone_t *zone);

/*
 * Frees the in-flight tables that no worker keeps.  Returns the oldest
 * configuration that some worker still runs.
 */
ngx_uint_t wag_in_flight_sweep(wag_zone_t *zone);


#endif /* _WAG_IN_FLIGHT_H_INCLUDED_ */
