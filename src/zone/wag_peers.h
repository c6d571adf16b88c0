
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
 * The order of those that are there, as it is shown and as turns are taken:
 * the servers of the configuration, then those that were added, by slot.
 */
void wag_peers_order(wag_upstream_t *us);

/*
 * Whether the instance that a peer stands for is no longer in its slot.
 */
#define wag_peers_gone(peer)                                                  \
    ((peer)->incarnation != (peer)->instance->incarnation)

/*
 * Takes over what was set at run time: weight, max_conns, whether the
 * instance is in use at all.
 */
void wag_peers_admin(wag_peer_t *peer);

#define wag_peers_refresh_admin(peer)                                         \
    if ((peer)->admin != (peer)->instance->admin.version) {                   \
        wag_peers_admin(peer);                                                \
    }

/*
 * Takes over the addresses that the record has by now; if there is no memory
 * for them, those from before stay.
 */
void wag_peers_addrs(wag_upstream_t *us, wag_peer_t *peer);

#define wag_peers_refresh_addrs(us, peer)                                     \
    if ((peer)->addrs->version                                                \
        != (peer)->instance->identity.addresses.version)                      \
    {                                                                         \
        wag_peers_addrs(us, peer);                                            \
    }

/*
 * Who keeps a server that was added at run time, and who no longer does.
 */
wag_server_t *wag_peers_ref_server(wag_server_t *server);
void wag_peers_unref_server(wag_server_t *server);

/*
 * Who keeps a list of addresses, and who no longer does.
 */
static ngx_inline wag_addrs_t *
wag_addrs_ref(wag_addrs_t *addrs)
{
    if (addrs->refs) {
        addrs->refs++;
    }

    return addrs;
}


static ngx_inline void
wag_addrs_unref(wag_addrs_t *addrs)
{
    if (addrs->refs && --addrs->refs == 0) {
        ngx_free(addrs);
    }
}


#endif /* _WAG_PEERS_H_INCLUDED_ */
