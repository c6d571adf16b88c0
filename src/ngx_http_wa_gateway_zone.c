
/*
 * Copyright (C) the wa_gateway authors
 */


#include "ngx_http_wa_gateway_module.h"
#include "ngx_http_wa_gateway_inherit.h"
#include "ngx_http_wa_gateway_ledger.h"
#include "ngx_http_wa_gateway_lock.h"
#include "ngx_http_wa_gateway_table.h"
#include "ngx_http_wa_gateway_zone.h"


static ngx_int_t ngx_http_wa_gateway_zone_init(ngx_shm_zone_t *shm_zone,
    void *data);
static ngx_int_t ngx_http_wa_gateway_zone_create(
    ngx_http_wa_gateway_zone_t *zone);
static ngx_int_t ngx_http_wa_gateway_zone_guard(
    ngx_http_wa_gateway_zone_t *zone);
static void ngx_http_wa_gateway_zone_abandon(void *data);
static ngx_int_t ngx_http_wa_gateway_zone_fits(
    ngx_http_wa_gateway_zone_t *zone);


ngx_http_wa_gateway_zone_t *
ngx_http_wa_gateway_zone_add(ngx_conf_t *cf,
    ngx_http_wa_gateway_main_conf_t *wmcf, ngx_str_t *name, ssize_t size)
{
    ngx_shm_zone_t               *shm_zone;
    ngx_http_wa_gateway_zone_t   *zone, **zonep;

    shm_zone = ngx_shared_memory_add(cf, name, size,
                                     &ngx_http_wa_gateway_module);
    if (shm_zone == NULL) {
        return NULL;
    }

    if (shm_zone->data) {
        return shm_zone->data;
    }

    zone = ngx_pcalloc(cf->pool, sizeof(ngx_http_wa_gateway_zone_t));
    if (zone == NULL) {
        return NULL;
    }

    if (ngx_array_init(&zone->upstreams, cf->pool, 1,
                       sizeof(ngx_http_wa_gateway_upstream_t *))
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

    shm_zone->init = ngx_http_wa_gateway_zone_init;
    shm_zone->data = zone;

    return zone;
}


static ngx_int_t
ngx_http_wa_gateway_zone_init(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_http_wa_gateway_zone_t  *ozone = data;

    ngx_int_t                         rc;
    ngx_uint_t                        i;
    ngx_http_wa_gateway_zone_t       *zone;
    ngx_http_wa_gateway_upstream_t  **usp;

    zone = shm_zone->data;

    if (ngx_http_wa_gateway_zone_fits(zone) != NGX_OK) {
        return NGX_ERROR;
    }

    zone->shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    if (ozone) {
        zone->root = ozone->root;

        if (ngx_http_wa_gateway_zone_guard(zone) != NGX_OK) {
            return NGX_ERROR;
        }

    } else if (shm_zone->shm.exists) {
        zone->root = zone->shpool->data;

    } else if (ngx_http_wa_gateway_zone_create(zone) != NGX_OK) {
        goto failed;
    }

    /*
     * Workers of the configuration in force read the table meanwhile: this
     * only adds to it, so that a reload that fails later changes nothing.
     */

    rc = NGX_OK;
    usp = zone->upstreams.elts;

    ngx_http_wa_gateway_lock(zone->shpool);

    ngx_http_wa_gateway_table_sweep(zone);

    for (i = 0; i < zone->upstreams.nelts && rc == NGX_OK; i++) {
        rc = ngx_http_wa_gateway_table_add(zone, usp[i]);

        if (rc == NGX_OK) {
            ngx_http_wa_gateway_inherit_upstream(zone, usp[i]);
        }
    }

    if (rc == NGX_OK) {
        rc = ngx_http_wa_gateway_ledger_open(zone);
    }

    ngx_http_wa_gateway_unlock(zone->shpool);

    if (rc == NGX_OK) {
        return NGX_OK;
    }

failed:

    ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                  "zone \"%V\" of %uzk is full, a larger size is needed",
                  &shm_zone->shm.name, shm_zone->shm.size / 1024);

    return NGX_ERROR;
}


static ngx_int_t
ngx_http_wa_gateway_zone_create(ngx_http_wa_gateway_zone_t *zone)
{
    size_t                       len;
    ngx_slab_pool_t             *shpool;
    ngx_http_wa_gateway_root_t  *root;

    shpool = zone->shpool;

    root = ngx_slab_calloc(shpool, sizeof(ngx_http_wa_gateway_root_t));
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

    root->started = ngx_http_wa_gateway_time();
    root->origin = ngx_current_msec;

    ngx_queue_init(&root->groups);
    ngx_queue_init(&root->ledgers);

    zone->root = root;

    ngx_http_wa_gateway_inherit_root(zone);

    return NGX_OK;
}


/*
 * A reload that fails from here on gives back what it took of a zone that
 * stays in use: nginx destroys the pool of its cycle then.
 */

static ngx_int_t
ngx_http_wa_gateway_zone_guard(ngx_http_wa_gateway_zone_t *zone)
{
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(zone->cycle->pool, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_http_wa_gateway_zone_abandon;
    cln->data = zone;

    return NGX_OK;
}


static void
ngx_http_wa_gateway_zone_abandon(void *data)
{
    ngx_http_wa_gateway_zone_t *zone = data;

    if (zone->committed) {
        return;
    }

    ngx_http_wa_gateway_lock(zone->shpool);

    ngx_http_wa_gateway_table_sweep(zone);

    ngx_http_wa_gateway_unlock(zone->shpool);
}


static ngx_int_t
ngx_http_wa_gateway_zone_fits(ngx_http_wa_gateway_zone_t *zone)
{
    size_t                            need;
    ngx_http_wa_gateway_upstream_t  **usp;

    need = ngx_http_wa_gateway_table_size(zone);

    if (zone->shm_zone->shm.size >= need) {
        return NGX_OK;
    }

    if (zone->upstreams.nelts) {
        usp = zone->upstreams.elts;

        ngx_log_error(NGX_LOG_EMERG, zone->shm_zone->shm.log, 0,
                      "zone \"%V\" of %uzk is too small for %ui instances "
                      "of upstream \"%V\", at least %uzk is needed",
                      &zone->shm_zone->shm.name,
                      zone->shm_zone->shm.size / 1024, zone->npeers,
                      &usp[0]->uscf->host, need / 1024);
    }

    return NGX_ERROR;
}


void
ngx_http_wa_gateway_zone_commit(ngx_http_wa_gateway_zone_t *zone)
{
    ngx_uint_t                        i, j;
    ngx_http_wa_gateway_root_t       *root;
    ngx_http_wa_gateway_upstream_t  **usp;

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, zone->cycle->log, 0,
                   "wa_gateway commit zone: %V", &zone->shm_zone->shm.name);

    root = zone->root;
    usp = zone->upstreams.elts;

    zone->committed = 1;

    ngx_http_wa_gateway_lock(zone->shpool);

    root->generation++;
    zone->ledger->generation = root->generation;

    for (i = 0; i < zone->upstreams.nelts; i++) {
        usp[i]->group->used = root->generation;

        for (j = 0; j < usp[i]->npeers; j++) {
            usp[i]->peers[j].instance->generation = root->generation;
        }
    }

    ngx_http_wa_gateway_table_sweep(zone);

    ngx_http_wa_gateway_unlock(zone->shpool);
}


void
ngx_http_wa_gateway_zone_attach(ngx_http_wa_gateway_zone_t *zone)
{
    ngx_http_wa_gateway_lock(zone->shpool);

    ngx_http_wa_gateway_ledger_enter(zone);

    ngx_http_wa_gateway_unlock(zone->shpool);
}


void
ngx_http_wa_gateway_zone_detach(ngx_http_wa_gateway_zone_t *zone)
{
    ngx_http_wa_gateway_lock(zone->shpool);

    ngx_http_wa_gateway_ledger_leave(zone);

    ngx_http_wa_gateway_unlock(zone->shpool);
}


void
ngx_http_wa_gateway_zone_bury(ngx_http_wa_gateway_zone_t *zone)
{
    ngx_http_wa_gateway_lock(zone->shpool);

    ngx_http_wa_gateway_ledger_bury(zone);

    ngx_http_wa_gateway_unlock(zone->shpool);
}


ngx_int_t
ngx_http_wa_gateway_zone_hold(ngx_http_wa_gateway_peer_t *peer)
{
    ngx_atomic_t       *in_flight;
    ngx_atomic_uint_t   n;

    in_flight = &peer->instance->in_flight;

    /*
     * The worker's own count goes first: were it killed between the two, its
     * heir gives one back too many rather than one too few, for ever.
     */

    (*peer->held)++;

    if (peer->max_conns == 0) {
        (void) ngx_atomic_fetch_add(in_flight, 1);
        return NGX_OK;
    }

    do {
        n = *in_flight;

        if ((ngx_atomic_int_t) n >= (ngx_atomic_int_t) peer->max_conns) {
            (*peer->held)--;
            return NGX_BUSY;
        }

    } while (!ngx_atomic_cmp_set(in_flight, n, n + 1));

    return NGX_OK;
}


void
ngx_http_wa_gateway_zone_release(ngx_http_wa_gateway_peer_t *peer)
{
    (void) ngx_atomic_fetch_add(&peer->instance->in_flight, -1);

    (*peer->held)--;
}
