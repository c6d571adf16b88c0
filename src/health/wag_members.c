
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_addresses.h"
#include "wag_check.h"
#include "wag_discovery.h"
#include "wag_lock.h"
#include "wag_members.h"
#include "wag_peers.h"
#include "wag_table.h"
#include "wag_url.h"
#include "wag_vendor.h"


#define WAG_MEMBERS_POOL  1024


/* what lies in a slot, copied while the lock is held */

typedef struct {
    ngx_uint_t           incarnation;
    uint32_t             vendor;
    ngx_str_t            name;
    ngx_str_t            key;
    ngx_uint_t           version;   /* of the addresses */
    ngx_uint_t           named;     /* they are looked up */
    u_char               name_data[WAG_NAME_LEN];
    u_char               key_data[WAG_KEY_ROOM];
    u_char               set[WAG_ADDRESSES_ROOM];
} wag_member_record_t;


static void wag_members_leave(wag_upstream_t *us, wag_peer_t *peer);
static ngx_int_t wag_members_copy(wag_upstream_t *us, wag_peer_t *peer,
    wag_member_record_t *m);
static ngx_int_t wag_members_join(wag_upstream_t *us, wag_peer_t *peer);
static ngx_int_t wag_members_server(wag_upstream_t *us, wag_member_record_t *m,
    wag_server_t **made);
static ngx_int_t wag_members_ask(wag_upstream_t *us, wag_server_t *server);
static ngx_int_t wag_members_guard(wag_upstream_t *us);
static void wag_members_cleanup(void *data);


/*
 * A peer whose instance left keeps its server until another takes its place,
 * which is not before the last request to it is over.
 */

void
wag_members_take(wag_upstream_t *us)
{
    ngx_int_t    rc;
    ngx_uint_t   i, n, members;
    wag_peer_t  *peer;

    /* read first: what moves from here on is taken over the next time */

    members = us->group->members;

    ngx_memory_barrier();

    n = 0;
    rc = NGX_OK;

    for (i = 0; i < us->nslots; i++) {
        peer = &us->slots[i];

        if ((peer->incarnation & 1) && wag_peers_gone(peer)) {
            wag_members_leave(us, peer);
        }

        if (peer->incarnation & 1) {
            wag_peers_admin(peer);

            n += (peer->server->refs != 0);
        }
    }

    for (i = 0; i < us->nslots && n < us->capacity; i++) {
        peer = &us->slots[i];

        if ((peer->incarnation & 1)
            || !wag_used(peer->instance)
            || !peer->instance->added)
        {
            continue;
        }

        switch (wag_members_join(us, peer)) {

        case NGX_OK:
            n++;
            break;

        case NGX_DECLINED:
            break;

        default: /* NGX_ERROR */
            rc = NGX_ERROR;
        }
    }

    wag_peers_order(us);

    /* without memory it is tried again with the next request */

    us->members = (rc == NGX_OK) ? members : members - 1;
}


static void
wag_members_leave(wag_upstream_t *us, wag_peer_t *peer)
{
    ngx_uint_t  i;

    for (i = 0; i < 2; i++) {
        if (us->leave[i]) {
            us->leave[i](us, peer);
        }
    }

    peer->incarnation = 0;
    peer->down = 1;

#if (NGX_HTTP_SSL)

    if (peer->ssl_session) {
        ngx_ssl_free_session(peer->ssl_session);
        peer->ssl_session = NULL;
    }

#endif
}


/* NGX_DECLINED: it is gone again, or cannot be used */

static ngx_int_t
wag_members_join(wag_upstream_t *us, wag_peer_t *peer)
{
    ngx_int_t             rc;
    wag_addrs_t          *addrs;
    wag_server_t         *server;
    wag_member_record_t   m;

    if (wag_members_guard(us) != NGX_OK) {
        return NGX_ERROR;
    }

    rc = wag_members_copy(us, peer, &m);

    if (rc != NGX_OK) {
        return rc;
    }

    rc = wag_members_server(us, &m, &server);

    ngx_explicit_memzero(m.key_data, WAG_KEY_ROOM);

    if (rc != NGX_OK) {
        return rc;
    }

    addrs = server->list_addrs;
    server->slot = peer->slot;

    if (peer->server) {
        wag_peers_unref_server(peer->server);
        wag_addrs_unref(peer->addrs);
    }

    peer->server = server;
    peer->name = server->name;
    peer->tier = WAG_PRIMARY;
    peer->addrs = wag_addrs_ref(addrs);
    peer->address = 0;
    peer->looked = 0;
    peer->wary = ngx_current_msec;
    peer->incarnation = m.incarnation;

    wag_peers_admin(peer);

    return NGX_OK;
}


static ngx_int_t
wag_members_copy(wag_upstream_t *us, wag_peer_t *peer, wag_member_record_t *m)
{
    ngx_int_t         rc;
    wag_identity_t   *identity;
    wag_addresses_t  *addresses;

    identity = &peer->instance->identity;
    addresses = &identity->addresses;

    m->name.data = m->name_data;
    m->key.data = m->key_data;

    wag_lock(us->zone->shpool);

    if (!wag_used(peer->instance)
        || !peer->instance->added
        || identity->name.len > WAG_NAME_LEN
        || identity->key_len > WAG_KEY_ROOM
        || addresses->room > WAG_ADDRESSES_ROOM)
    {
        rc = NGX_DECLINED;

    } else {
        rc = NGX_OK;

        m->incarnation = peer->instance->incarnation;
        m->vendor = peer->instance->vendor;
        m->name.len = identity->name.len;
        m->key.len = identity->key_len;
        m->version = addresses->version;
        m->named = peer->instance->named;

        ngx_memcpy(m->name_data, identity->name.data, m->name.len);
        ngx_memcpy(m->key_data, identity->key, m->key.len);
        ngx_memcpy(m->set, wag_addresses_get(addresses), addresses->room);
    }

    wag_unlock(us->zone->shpool);

    return rc;
}


/* NGX_DECLINED: it cannot be asked */

static ngx_int_t
wag_members_server(wag_upstream_t *us, wag_member_record_t *m,
    wag_server_t **made)
{
    ngx_int_t      rc;
    ngx_pool_t    *pool;
    wag_server_t  *server;

    pool = ngx_create_pool(WAG_MEMBERS_POOL, ngx_cycle->log);
    if (pool == NULL) {
        return NGX_ERROR;
    }

    server = ngx_pcalloc(pool, sizeof(wag_server_t));
    if (server == NULL) {
        ngx_destroy_pool(pool);
        return NGX_ERROR;
    }

    rc = NGX_ERROR;

    server->pool = pool;
    server->refs = 1;
    server->weight = 1;
    server->tier = WAG_PRIMARY;

    server->name.len = m->name.len;
    server->name.data = ngx_pstrdup(pool, &m->name);
    server->key.data = ngx_pstrdup(pool, &m->key);
    server->list_addrs = wag_addresses_list(m->set, ngx_cycle->log);

    if (server->key.data) {
        server->key.len = m->key.len;
    }

    if (server->name.data == NULL
        || server->key.data == NULL
        || server->list_addrs == NULL)
    {
        goto failed;
    }

    server->list_addrs->version = m->version;
    server->addrs = server->list_addrs->addrs;
    server->naddrs = server->list_addrs->naddrs;

    if (m->named) {
        server->naddrs = 0;
        wag_url_domain(&server->name, &server->domain, &server->port);
    }

    /* one that no server of the configuration has is as if there were none */

    if (m->vendor) {
        server->vendor = wag_members_known(us, m->vendor);
        server->vendor_hash = server->vendor ? m->vendor : 0;
    }

    rc = wag_members_ask(us, server);

    if (rc == NGX_OK) {
        *made = server;
        return NGX_OK;
    }

failed:

    wag_peers_unref_server(server);

    return rc;
}


wag_vendor_t *
wag_members_known(wag_upstream_t *us, uint32_t hash)
{
    ngx_uint_t      i;
    wag_vendor_t  **vendor;

    vendor = us->kinds.elts;

    for (i = 0; i < us->kinds.nelts; i++) {
        if (wag_vendor_hash(&vendor[i]->name) == hash) {
            return vendor[i];
        }
    }

    return NULL;
}


ngx_int_t
wag_members_try(wag_upstream_t *us, wag_newcomer_t *newcomer)
{
    ngx_int_t     rc;
    wag_server_t  server;

    ngx_memzero(&server, sizeof(wag_server_t));

    server.pool = ngx_create_pool(WAG_MEMBERS_POOL, ngx_cycle->log);
    if (server.pool == NULL) {
        return NGX_ERROR;
    }

    server.name = newcomer->name;
    server.key = newcomer->key;
    server.addrs = newcomer->addrs;
    server.naddrs = newcomer->naddrs;

    if (newcomer->vendor) {
        server.vendor = wag_members_known(us, newcomer->vendor);
    }

    rc = wag_members_ask(us, &server);

    ngx_destroy_pool(server.pool);

    return rc;
}


static ngx_int_t
wag_members_ask(wag_upstream_t *us, wag_server_t *server)
{
    ngx_int_t  rc;
    ngx_str_t  err;

    if (us->check == NULL) {
        return NGX_OK;
    }

    rc = wag_check_server(server->pool, us, server, &err);

    if (rc == NGX_OK && server->vendor) {
        rc = wag_discovery_server(server->pool, server, &err);
    }

    if (rc == NGX_DECLINED) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "wa_gateway: %V cannot be asked, %V", &server->name,
                      &err);
    }

    return rc;
}


/* a single process frees an old configuration while it runs */

static ngx_int_t
wag_members_guard(wag_upstream_t *us)
{
    ngx_pool_t          *pool;
    ngx_pool_cleanup_t  *cln;

    pool = us->zone->cycle->pool;

    for (cln = pool->cleanup; cln; cln = cln->next) {
        if (cln->handler == wag_members_cleanup && cln->data == us) {
            return NGX_OK;
        }
    }

    cln = ngx_pool_cleanup_add(pool, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = wag_members_cleanup;
    cln->data = us;

    return NGX_OK;
}


static void
wag_members_cleanup(void *data)
{
    wag_upstream_t *us = data;

    ngx_uint_t   i;
    wag_peer_t  *peer;

    for (i = 0; i < us->nslots; i++) {
        peer = &us->slots[i];

        if (peer->server && peer->server->refs) {
            wag_peers_unref_server(peer->server);
            wag_addrs_unref(peer->addrs);
        }
    }
}
