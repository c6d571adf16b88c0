
/*
 * Copyright (C) the wa_gateway authors
 *
 * Reads the state file.  By the master, when an upstream gets its zone.
 */


#ifndef _WAG_KEPT_READ_H_INCLUDED_
#define _WAG_KEPT_READ_H_INCLUDED_


#include "wag_upstream.h"


/*
 * Reads the file of an upstream, from the cycle's pool, and puts what it has
 * into the records.  One that is damaged is set aside, and nothing of it is
 * used.  The zone's lock is held by who puts, not by who reads.
 */
void wag_kept_read(wag_upstream_t *us);
void wag_kept_read_put(wag_upstream_t *us);


#endif /* _WAG_KEPT_READ_H_INCLUDED_ */
