
/*
 * Copyright (C) the wa_gateway authors
 *
 * Workers come, go and are killed: what they had in flight is given back.  All
 * of it is called with shpool->mutex held.
 */


#ifndef _WAG_WORKERS_H_INCLUDED_
#define _WAG_WORKERS_H_INCLUDED_


#include "wag_upstream.h"


/*
 * A worker comes and goes.  Both give back what the one before it with the
 * same number, or it itself, still had in flight.
 */
void wag_workers_enter(wag_zone_t *zone);
void wag_workers_leave(wag_zone_t *zone);

/*
 * Gives back what workers that are no more had in flight, and counts again
 * where one of them was killed while it counted.
 */
void wag_workers_reclaim(wag_zone_t *zone);


#endif /* _WAG_WORKERS_H_INCLUDED_ */
