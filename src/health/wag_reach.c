
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_addresses.h"
#include "wag_peers.h"
#include "wag_reach.h"


void
wag_reach(wag_upstream_t *us, wag_peer_t *peer, ngx_uint_t port,
    wag_probe_t *p, wag_addrs_t **held)
{
    wag_addrs_t  *addrs;

    wag_peers_refresh_addrs(us, peer);

    if (*held && (*held)->version == peer->addrs->version) {
        return;
    }

    addrs = port ? wag_addresses_at(peer->addrs, port, ngx_cycle->log)
                 : wag_addrs_ref(peer->addrs);

    if (addrs == NULL) {
        return;
    }

    if (*held) {
        wag_probe_cancel(p);
        wag_addrs_unref(*held);
    }

    *held = addrs;

    p->addrs = addrs->addrs;
    p->naddrs = addrs->naddrs;
}


void
wag_reach_free(wag_addrs_t **held)
{
    if (*held) {
        wag_addrs_unref(*held);
        *held = NULL;
    }
}
