
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_addresses.h"
#include "wag_conf.h"
#include "wag_in_flight.h"
#include "wag_inherit.h"
#include "wag_kept_read.h"
#include "wag_lock.h"
#include "wag_peers.h"
#include "wag_sessions.h"
#include "wag_slots.h"
#include "wag_table.h"
#include "wag_workers.h"
#include "wag_writer.h"
#include "wag_zone.h"


static ngx_int_t wag_zone_init(ngx_shm_zone_t *shm_zone, void *data);
static ngx_int_t wag_zone_peers(wag_zone_t *zone);
static ngx_int_t wag_zone_create(wag_zone_t *zone);
static ngx_int_t wag_zone_guard(wag_zone_t *zone);
static void wag_zone_abandon(void *data);
static ngx_int_t wag_zone_fits(wag_zone_t *zone);
static void wag_zone_commit_server(wag_upstream_t *us, wag_server_t *server);
static ngx_uint_t wag_zone_commit_added(wag_upstream_t *us,
    ngx_uint_t config_gen);
static void wag_zone_commit_sessions(wag_upstream_t *us,
    ngx_uint_t config_gen);


wag_zone_t *
wag_zone_add(ngx_conf_t *cf, wag_main_conf_t *wmcf, ngx_str_t *name,
    ssize_t size)
{
    wag_zone_t      *zone, **zonep;
    ngx_shm_zone_t  *shm_zone;

    shm_zone = ngx_shared_memory_add(cf, name, size,
                                     &ngx_http_wa_gateway_module);
    if (shm_zone == NULL) {
        return NULL;
    }

    if (shm_zone->data) {
        return shm_zone->data;
    }

    zone = ngx_pcalloc(cf->pool, sizeof(wag_zone_t));
    if (zone == NULL) {
        return NULL;
    }

    if (ngx_array_init(&zone->upstreams, cf->pool, 1, sizeof(wag_upstream_t *))
        != NGX_OK)
    {
        return NULL;
    }

    zonep = ngx_array_push(&wmcf->zones);
    if (zonep == NULL) {
        return NULL;
    }

    *zonep = zone;

    zone->shm_zone = shm_zone;
    zone->cycle = cf->cycle;

    shm_zone->init = wag_zone_init;
    shm_zone->data = zone;

    return zone;
}


static ngx_int_t
wag_zone_init(ngx_shm_zone_t *shm_zone, void *data)
{
    wag_zone_t  *ozone = data;

    ngx_int_t         rc;
    ngx_uint_t        i;
    wag_zone_t       *zone;
    wag_upstream_t  **usp;

    zone = shm_zone->data;

    if (wag_zone_fits(zone) != NGX_OK) {
        return NGX_ERROR;
    }

    zone->shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    if (ozone) {
        zone->root = ozone->root;

        if (wag_zone_guard(zone) != NGX_OK) {
            return NGX_ERROR;
        }

    } else if (shm_zone->shm.exists) {
        zone->root = zone->shpool->data;

    } else if (wag_zone_create(zone) != NGX_OK) {
        goto failed;
    }

    /*
     * Workers of the configuration in force read the table meanwhile: this
     * only adds to it, so that a reload that fails later changes nothing.
     */

    rc = NGX_OK;
    usp = zone->upstreams.elts;

    for (i = 0; !ngx_test_config && i < zone->upstreams.nelts; i++) {

        if (usp[i]->state_file.len == 0) {
            continue;
        }

        wag_writer_open(usp[i]);

        if (wag_table_find(zone->root, &usp[i]->uscf->host) == NULL) {
            wag_writer_wait(usp[i]);
            wag_kept_read(usp[i]);
        }
    }

    wag_lock(zone->shpool);

    wag_table_sweep(zone);

    for (i = 0; i < zone->upstreams.nelts && rc == NGX_OK; i++) {
        rc = wag_table_add(zone, usp[i]);

        if (rc == NGX_OK) {
            wag_inherit_upstream(zone, usp[i]);
            wag_kept_read_put(usp[i]);
        }
    }

    if (rc == NGX_OK) {
        rc = wag_in_flight_open(zone);
    }

    wag_unlock(zone->shpool);

    if (rc == NGX_OK) {
        return wag_zone_peers(zone);
    }

failed:

    ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                  "zone \"%V\" of %uzk is full, a larger size is needed",
                  &shm_zone->shm.name, shm_zone->shm.size / 1024);

    return NGX_ERROR;
}


static ngx_int_t
wag_zone_peers(wag_zone_t *zone)
{
    ngx_uint_t        i;
    wag_upstream_t  **usp;

    usp = zone->upstreams.elts;

    for (i = 0; i < zone->upstreams.nelts; i++) {
        if (wag_peers_create(zone, usp[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
wag_zone_create(wag_zone_t *zone)
{
    size_t            len;
    wag_root_t       *root;
    ngx_slab_pool_t  *shpool;

    shpool = zone->shpool;

    root = ngx_slab_calloc(shpool, sizeof(wag_root_t));
    if (root == NULL) {
        return NGX_ERROR;
    }

    len = sizeof(" in wa_gateway zone \"\"") + zone->shm_zone->shm.name.len;

    shpool->log_ctx = ngx_slab_alloc(shpool, len);
    if (shpool->log_ctx == NULL) {
        return NGX_ERROR;
    }

    ngx_sprintf(shpool->log_ctx, " in wa_gateway zone \"%V\"%Z",
                &zone->shm_zone->shm.name);

    shpool->log_nomem = 0;
    shpool->data = root;

    root->started = wag_time();
    root->id = (off_t) ((root->started << 22 | (ngx_pid & 0x3fffff))
                        & NGX_MAX_OFF_T_VALUE);
    root->origin = ngx_current_msec;

    ngx_queue_init(&root->groups);
    ngx_queue_init(&root->in_flight_tables);

    zone->root = root;

    wag_inherit_root(zone);

    return NGX_OK;
}


/*
 * A reload that fails from here on gives back what it took of a zone that
 * stays in use: nginx destroys the pool of its cycle then.
 */

static ngx_int_t
wag_zone_guard(wag_zone_t *zone)
{
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(zone->cycle->pool, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = wag_zone_abandon;
    cln->data = zone;

    return NGX_OK;
}


static void
wag_zone_abandon(void *data)
{
    wag_zone_t *zone = data;

    if (zone->committed) {
        return;
    }

    wag_lock(zone->shpool);

    wag_table_sweep(zone);

    wag_unlock(zone->shpool);
}


static ngx_int_t
wag_zone_fits(wag_zone_t *zone)
{
    size_t            need;
    wag_upstream_t  **usp;

    need = wag_table_size(zone);

    if (zone->shm_zone->shm.size >= need) {
        return NGX_OK;
    }

    if (zone->upstreams.nelts) {
        usp = zone->upstreams.elts;

        ngx_log_error(NGX_LOG_EMERG, zone->shm_zone->shm.log, 0,
                      "zone \"%V\" of %uzk is too small for %ui instances "
                      "of upstream \"%V\", at least %uzk is needed",
                      &zone->shm_zone->shm.name,
                      zone->shm_zone->shm.size / 1024, zone->nservers,
                      &usp[0]->uscf->host, need / 1024);
    }

    return NGX_ERROR;
}


void
wag_zone_commit(wag_zone_t *zone)
{
    ngx_uint_t        i, j, over;
    wag_root_t       *root;
    wag_upstream_t  **usp;

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, zone->cycle->log, 0,
                   "wa_gateway commit zone: %V", &zone->shm_zone->shm.name);

    root = zone->root;
    usp = zone->upstreams.elts;

    zone->committed = 1;
    over = 0;

    wag_lock(zone->shpool);

    root->config_gen++;
    zone->in_flight->config_gen = root->config_gen;

    for (i = 0; i < zone->upstreams.nelts; i++) {
        usp[i]->group->config_gen = root->config_gen;

        usp[i]->group->capacity = usp[i]->capacity;

        for (j = 0; j < usp[i]->nservers; j++) {
            wag_zone_commit_server(usp[i], &usp[i]->servers[j]);
        }

        over += wag_zone_commit_added(usp[i], root->config_gen);

        /* each worker of this configuration takes over what there is */

        (void) ngx_atomic_fetch_add(&usp[i]->group->members, 1);

        wag_zone_commit_sessions(usp[i], root->config_gen);
    }

    wag_table_sweep(zone);

    wag_unlock(zone->shpool);

    if (over) {
        ngx_log_error(NGX_LOG_WARN, zone->cycle->log, 0,
                      "zone \"%V\": %ui instance%s added at run time beyond "
                      "\"capacity=\" %s let go", &zone->shm_zone->shm.name,
                      over, (over == 1) ? "" : "s",
                      (over == 1) ? "is" : "are");
    }
}


static void
wag_zone_commit_server(wag_upstream_t *us, wag_server_t *server)
{
    wag_peer_t       *peer;
    wag_instance_t   *instance;
    wag_addresses_t  *addresses;

    peer = &us->slots[server->slot];
    instance = peer->instance;
    addresses = &instance->identity.addresses;

    /*
     * There is room, see wag_table_add().  What was looked up before holds
     * until it is again: each worker takes it over with the first use.
     */

    if (server->naddrs == 0) {

        if (instance->named == 0) {
            instance->named = WAG_NAMED;
        }

    } else {
        instance->named = 0;

        (void) wag_addresses_set(addresses, peer->addrs->addrs,
                                 peer->addrs->naddrs);

        peer->addrs->version = addresses->version;
    }

    instance->config_gen = us->group->config_gen;

    /* what was added and is configured now is a server like the others */

    if (instance->added) {
        instance->added = 0;

        if (instance->admin.state == WAG_ADMIN_REMOVING) {
            instance->admin.state = WAG_ADMIN_CONFIGURED;
            (void) ngx_atomic_fetch_add(&instance->admin.version, 1);
        }
    }

    /* the sessions of another kind of server are none of this one */

    if (instance->vendor != server->vendor_hash) {
        wag_sessions_free_slot(us->group, peer->slot);

        instance->vendor = server->vendor_hash;
        instance->listed = 0;
    }
}


/* those that were added stay, as many as there may be; returns the others */

static ngx_uint_t
wag_zone_commit_added(wag_upstream_t *us, ngx_uint_t config_gen)
{
    ngx_uint_t       i, n;
    wag_instance_t  *instance;

    for (i = 0, n = 0; i < us->group->nslots; i++) {
        instance = wag_slots_get(us->group, i);

        if (wag_used(instance) && instance->added && n++ < us->capacity) {
            instance->config_gen = config_gen;
        }
    }

    return n - ngx_min(n, us->capacity);
}


/*
 * Sessions of an instance that is not configured any more make room at once:
 * the slot itself stays while workers of before may have a request there.
 */

static void
wag_zone_commit_sessions(wag_upstream_t *us, ngx_uint_t config_gen)
{
    ngx_uint_t       i;
    wag_group_t     *group;
    wag_sessions_t  *table;

    group = us->group;
    table = &group->sessions;

    for (i = 0; i < group->nslots; i++) {
        if (wag_slots_get(group, i)->config_gen != config_gen) {
            wag_sessions_free_slot(group, i);
        }
    }

    if (table->limit != us->max_sessions) {
        table->limit = us->max_sessions;
        table->full_told = 0;
        table->found_full = ngx_current_msec - WAG_SESSIONS_FULL;
    }
}


void
wag_zone_attach(wag_zone_t *zone)
{
    wag_lock(zone->shpool);

    wag_workers_enter(zone);

    wag_unlock(zone->shpool);
}


void
wag_zone_detach(wag_zone_t *zone)
{
    wag_lock(zone->shpool);

    wag_workers_leave(zone);

    wag_unlock(zone->shpool);
}


void
wag_zone_reclaim_dead_workers(wag_zone_t *zone)
{
    wag_lock(zone->shpool);

    wag_workers_reclaim(zone);

    wag_unlock(zone->shpool);
}
