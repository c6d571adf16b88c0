
/*
 * Copyright (C) the wa_gateway authors
 *
 * The names of instances, looked up again and again by nginx's resolver: each
 * by the worker whose share its slot is, for all of them.
 */


#ifndef _WAG_LOOKUPS_H_INCLUDED_
#define _WAG_LOOKUPS_H_INCLUDED_


#include "wag_upstream.h"


/*
 * In each worker, when its peers are there: begins with the names of its
 * share.  NGX_ERROR if there is no memory.
 */
ngx_int_t wag_lookups_start(ngx_cycle_t *cycle, wag_upstream_t *us);

/*
 * Begins with those that came since, and ends those that are gone.
 */
void wag_lookups_sync(wag_upstream_t *us);

/*
 * Ends that of an instance which leaves its slot; no harm if there is none.
 */
void wag_lookups_leave(wag_upstream_t *us, wag_peer_t *peer);

/*
 * Ends all.
 */
void wag_lookups_stop(wag_upstream_t *us);


#endif /* _WAG_LOOKUPS_H_INCLUDED_ */
