
/*
 * Copyright (C) the wa_gateway authors
 *
 * The name of one instance, looked up again and again by nginx's resolver;
 * what it finds goes into the record, for all workers.
 */


#ifndef _WAG_LOOKUP_H_INCLUDED_
#define _WAG_LOOKUP_H_INCLUDED_


#include "wag_upstream.h"


typedef struct wag_lookup_s  wag_lookup_t;


/*
 * Begins in so many ms with the name that a peer's instance has; it ends with
 * wag_lookup_destroy() only.  NULL if there is no memory.
 */
wag_lookup_t *wag_lookup_create(wag_upstream_t *us, wag_peer_t *peer,
    ngx_msec_t delay);
void wag_lookup_destroy(wag_lookup_t *lookup);


#endif /* _WAG_LOOKUP_H_INCLUDED_ */
