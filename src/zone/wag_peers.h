
/*
 * Copyright (C) the wa_gateway authors
 *
 * What a worker keeps of the slots of an upstream.
 */


#ifndef _WAG_PEERS_H_INCLUDED_
#define _WAG_PEERS_H_INCLUDED_


#include "wag_upstream.h"


/*
 * Makes the peers of an upstream whose servers have their slots, from the
 * cycle's pool.  NGX_ERROR if there is no memory.
 */
ngx_int_t wag_peers_create(wag_zone_t *zone, wag_upstream_t *us);

/*
 * Takes over what was set at run time: weight, max_conns, whether the
 * instance is in use at all.
 */
void wag_peers_admin(wag_peer_t *peer);

/*
 * The addresses of a peer as the record has them now, with one more reference,
 * and gives one back.  If there is no memory for new ones: those from before.
 */
wag_addrs_t *wag_peers_addrs(wag_upstream_t *us, wag_peer_t *peer);
void wag_peers_release_addrs(wag_addrs_t *addrs);


#endif /* _WAG_PEERS_H_INCLUDED_ */
