
/*
 * Copyright (C) the wa_gateway authors
 *
 * What a zone that is new takes over from those of the configuration before:
 * nginx reuses memory only for a zone of the same name and size.
 */


#ifndef _WAG_INHERIT_H_INCLUDED_
#define _WAG_INHERIT_H_INCLUDED_


#include "wag_upstream.h"


/*
 * Takes over when the gateway was started, and the number of configurations.
 */
void wag_inherit_root(wag_zone_t *zone);

/*
 * Looks in other zones for an upstream that is new in this one, and takes
 * over its counters and events and the records of its instances, but not what
 * is in flight: that is given back where it was taken.
 */
void wag_inherit_upstream(wag_zone_t *zone, wag_upstream_t *us);


#endif /* _WAG_INHERIT_H_INCLUDED_ */
