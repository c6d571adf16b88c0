
/*
 * Copyright (C) the wa_gateway authors
 *
 * The addresses that a probe goes to: those that its instance has by now.
 */


#ifndef _WAG_REACH_H_INCLUDED_
#define _WAG_REACH_H_INCLUDED_


#include "wag_probe.h"
#include "wag_upstream.h"


/*
 * To be called before a probe is started, at the port that is given or, if it
 * is 0, at the instance's own.  "held" is where the caller keeps the list
 * between its probes, NULL at first.  If the addresses are others than those
 * of the probe before, its connection is closed.  Without memory they stay.
 */
void wag_reach(wag_upstream_t *us, wag_peer_t *peer, ngx_uint_t port,
    wag_probe_t *p, wag_addrs_t **held);

/*
 * Ends it, once the probe is cancelled.
 */
void wag_reach_free(wag_addrs_t **held);


#endif /* _WAG_REACH_H_INCLUDED_ */
