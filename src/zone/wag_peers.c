
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_addresses.h"
#include "wag_lock.h"
#include "wag_peers.h"
#include "wag_slots.h"


static wag_addrs_t *wag_peers_read(wag_upstream_t *us, wag_peer_t *peer);


ngx_int_t
wag_peers_create(wag_zone_t *zone, wag_upstream_t *us)
{
    ngx_uint_t     i;
    wag_peer_t    *peer;
    wag_addrs_t   *addrs;
    wag_server_t  *server;

    us->nslots = us->group->nslots;

    us->slots = ngx_pcalloc(zone->cycle->pool,
                            us->nslots * sizeof(wag_peer_t));
    if (us->slots == NULL) {
        return NGX_ERROR;
    }

    us->peers = ngx_palloc(zone->cycle->pool,
                           us->nslots * sizeof(wag_peer_t *));
    if (us->peers == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < us->nslots; i++) {
        peer = &us->slots[i];

        peer->slot = i;
        peer->instance = wag_slots_get(us->group, i);
        peer->tier = WAG_PRIMARY;
        peer->down = 1;

        ngx_queue_init(&peer->idle);
    }

    addrs = ngx_pcalloc(zone->cycle->pool,
                        us->nservers * sizeof(wag_addrs_t));
    if (addrs == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < us->nservers; i++) {
        server = &us->servers[i];
        peer = &us->slots[server->slot];

        addrs[i].naddrs = server->naddrs;
        addrs[i].addrs = server->addrs;

        peer->name = server->name;
        peer->server = server;
        peer->incarnation = peer->instance->incarnation;
        peer->tier = server->tier;
        peer->addrs = &addrs[i];

        wag_peers_admin(peer);
    }

    wag_peers_order(us);

    /* those that were added are taken over by each worker */

    us->members = us->group->members - 1;

    return NGX_OK;
}


void
wag_peers_order(wag_upstream_t *us)
{
    ngx_uint_t   i, n;
    wag_peer_t  *peer;

    n = 0;

    for (i = 0; i < us->nservers; i++) {
        peer = &us->slots[us->servers[i].slot];

        if (peer->server == &us->servers[i]
            && peer->instance->admin.state != WAG_ADMIN_REMOVED)
        {
            us->peers[n++] = peer;
        }
    }

    for (i = 0; us->capacity && i < us->nslots; i++) {
        peer = &us->slots[i];

        if ((peer->incarnation & 1) && peer->server->refs) {
            us->peers[n++] = peer;
        }
    }

    us->npeers = n;
}


wag_server_t *
wag_peers_ref_server(wag_server_t *server)
{
    if (server->refs) {
        server->refs++;
    }

    return server;
}


void
wag_peers_unref_server(wag_server_t *server)
{
    if (server->refs == 0 || --server->refs) {
        return;
    }

    if (server->list_addrs) {
        wag_addrs_unref(server->list_addrs);
    }

    if (server->key.len) {
        ngx_explicit_memzero(server->key.data, server->key.len);
    }

    ngx_destroy_pool(server->pool);
}


void
wag_peers_admin(wag_peer_t *peer)
{
    wag_admin_t   *admin;
    wag_server_t  *server;

    server = peer->server;
    admin = &peer->instance->admin;

    /* read first: what is set from here on is taken over the next time */

    peer->admin = admin->version;

    ngx_memory_barrier();

    peer->weight = (admin->weight != WAG_CONFIGURED) ? admin->weight
                                                     : server->weight;

    peer->max_conns = (admin->max_conns != WAG_CONFIGURED)
                      ? admin->max_conns : server->max_conns;

    peer->down = (admin->state != WAG_ADMIN_CONFIGURED)
                 ? (admin->state != WAG_ADMIN_UP) : server->down;
}


void
wag_peers_addrs(wag_upstream_t *us, wag_peer_t *peer)
{
    wag_addrs_t  *addrs;

    addrs = wag_peers_read(us, peer);

    if (addrs) {
        wag_addrs_unref(peer->addrs);

        peer->addrs = addrs;
        peer->address = 0;
    }
}


/* texts are not made of the addresses while the lock is held */

static wag_addrs_t *
wag_peers_read(wag_upstream_t *us, wag_peer_t *peer)
{
    u_char           *set;
    size_t            size;
    ngx_uint_t        version, whole;
    wag_addrs_t      *addrs;
    wag_addresses_t  *addresses;

    addresses = &peer->instance->identity.addresses;
    size = addresses->room;

    set = ngx_alloc(size, ngx_cycle->log);
    if (set == NULL) {
        return NULL;
    }

    wag_lock(us->zone->shpool);

    version = addresses->version;
    whole = (addresses->room == size);

    if (whole) {
        ngx_memcpy(set, wag_addresses_get(addresses), size);
    }

    wag_unlock(us->zone->shpool);

    /* the master has made more room meanwhile: the next one to come sees it */

    addrs = whole ? wag_addresses_list(set, ngx_cycle->log) : NULL;

    ngx_free(set);

    if (addrs) {
        addrs->version = version;
    }

    return addrs;
}
