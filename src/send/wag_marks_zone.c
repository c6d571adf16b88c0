
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_journal_load.h"
#include "wag_lock.h"
#include "wag_marks_answer.h"
#include "wag_marks_move.h"
#include "wag_marks_zone.h"


/* ms: what expired makes room then, unless room is short before */

#define WAG_MARKS_ZONE_SWEEP  60000


static ngx_int_t wag_marks_zone_init(ngx_shm_zone_t *shm_zone, void *data);
static ngx_int_t wag_marks_zone_create(wag_marks_zone_t *zone);
static ngx_int_t wag_marks_zone_load(wag_marks_zone_t *zone);
static ngx_uint_t wag_marks_zone_journaled(wag_marks_zone_t *zone);
static ngx_int_t wag_marks_zone_fits(wag_marks_zone_t *zone);
static wag_marks_zone_t *wag_marks_zone_next(ngx_cycle_t *cycle,
    ngx_uint_t *n);
static ngx_uint_t wag_marks_zone_kept(ngx_cycle_t *cycle,
    ngx_shm_zone_t *old);
static void wag_marks_zone_timer(ngx_event_t *ev);
static void wag_marks_zone_sweep(wag_marks_zone_t *zone, int32_t pid);
static ngx_uint_t wag_marks_zone_alive(int32_t pid);


/* tells these zones from those of instances; only its address matters */

static ngx_uint_t  wag_marks_zone_tag;


wag_marks_zone_t *
wag_marks_zone_add(ngx_conf_t *cf, ngx_str_t *name, ssize_t size)
{
    ngx_shm_zone_t    *shm_zone;
    wag_main_conf_t   *wmcf;
    wag_marks_zone_t  *zone, **zonep;

    shm_zone = ngx_shared_memory_add(cf, name, size, &wag_marks_zone_tag);
    if (shm_zone == NULL) {
        return NULL;
    }

    if (shm_zone->data) {
        return shm_zone->data;
    }

    zone = ngx_pcalloc(cf->pool, sizeof(wag_marks_zone_t));
    if (zone == NULL) {
        return NULL;
    }

    zone->buf = ngx_pnalloc(cf->pool, WAG_MARKS_ANSWER_LEN);
    if (zone->buf == NULL) {
        return NULL;
    }

    wmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_wa_gateway_module);

    zonep = ngx_array_push(&wmcf->marks_zones);
    if (zonep == NULL) {
        return NULL;
    }

    *zonep = zone;

    zone->shm_zone = shm_zone;
    zone->cycle = cf->cycle;

    shm_zone->init = wag_marks_zone_init;
    shm_zone->data = zone;

    return zone;
}


static ngx_int_t
wag_marks_zone_init(ngx_shm_zone_t *shm_zone, void *data)
{
    wag_marks_zone_t  *ozone = data;

    wag_marks_zone_t  *zone;

    zone = shm_zone->data;
    zone->shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    if (ozone) {
        zone->marks = ozone->marks;
        zone->taken = 1;
        return wag_marks_zone_load(zone);
    }

    if (shm_zone->shm.exists) {
        zone->marks = zone->shpool->data;
        return NGX_OK;
    }

    zone->made = 1;

    if (wag_marks_zone_create(zone) != NGX_OK) {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "zone \"%V\" is too small", &shm_zone->shm.name);
        return NGX_ERROR;
    }

    if (wag_marks_zone_load(zone) != NGX_OK) {
        return NGX_ERROR;
    }

    return wag_marks_zone_fits(zone);
}


/* what this journal has is known, if the configuration before had it */

static ngx_int_t
wag_marks_zone_load(wag_marks_zone_t *zone)
{
    ngx_int_t  rc;

    if (zone->journal.len == 0 || ngx_test_config
        || wag_marks_zone_journaled(zone))
    {
        return NGX_OK;
    }

    wag_lock(zone->shpool);

    rc = wag_journal_load(&zone->journal, zone->marks, zone->cycle->log);

    wag_unlock(zone->shpool);

    return rc;
}


static ngx_uint_t
wag_marks_zone_journaled(wag_marks_zone_t *zone)
{
    ngx_uint_t         i;
    ngx_shm_zone_t    *shm_zone;
    ngx_list_part_t   *part;
    wag_marks_zone_t  *old;

    part = &zone->cycle->old_cycle->shared_memory.part;

    for ( /* void */ ; part; part = part->next) {
        shm_zone = part->elts;

        for (i = 0; i < part->nelts; i++) {
            old = shm_zone[i].data;

            if (shm_zone[i].tag == &wag_marks_zone_tag && old
                && old->journal.len == zone->journal.len
                && ngx_memcmp(old->journal.data, zone->journal.data,
                              zone->journal.len)
                   == 0)
            {
                return 1;
            }
        }
    }

    return 0;
}


/* one piece of all there is */

static ngx_int_t
wag_marks_zone_create(wag_marks_zone_t *zone)
{
    size_t            len, size;
    ngx_slab_pool_t  *shpool;

    shpool = zone->shpool;

    len = sizeof(" in wa_gateway zone \"\"") + zone->shm_zone->shm.name.len;

    shpool->log_ctx = ngx_slab_alloc(shpool, len);
    if (shpool->log_ctx == NULL) {
        return NGX_ERROR;
    }

    ngx_sprintf(shpool->log_ctx, " in wa_gateway zone \"%V\"%Z",
                &zone->shm_zone->shm.name);

    size = shpool->pfree * ngx_pagesize;

    zone->marks = size ? ngx_slab_alloc(shpool, size) : NULL;

    if (zone->marks == NULL || wag_marks_init(zone->marks, size) != NGX_OK) {
        return NGX_ERROR;
    }

    shpool->data = zone->marks;

    return NGX_OK;
}


/* what is not forgotten yet has to have room here */

static ngx_int_t
wag_marks_zone_fits(wag_marks_zone_t *zone)
{
    ngx_uint_t         n, nmarks;
    wag_marks_zone_t  *old;

    n = 0;
    nmarks = 0;

    while ((old = wag_marks_zone_next(zone->cycle, &n))) {
        wag_marks_zone_sweep(old, 0);
        nmarks += old->marks->nmarks;
    }

    if (nmarks <= wag_marks_room(zone->marks)) {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_EMERG, zone->shm_zone->shm.log, 0,
                  "zone \"%V\" of %uzk has room for %ui keys of requests, "
                  "%ui are not forgotten yet",
                  &zone->shm_zone->shm.name,
                  zone->shm_zone->shm.size / 1024,
                  (ngx_uint_t) wag_marks_room(zone->marks), nmarks);

    return NGX_ERROR;
}


/* the zones of the cycle before that are not used any more */

static wag_marks_zone_t *
wag_marks_zone_next(ngx_cycle_t *cycle, ngx_uint_t *n)
{
    ngx_uint_t         i;
    ngx_shm_zone_t    *shm_zone;
    ngx_list_part_t   *part;
    wag_marks_zone_t  *old;

    part = &cycle->old_cycle->shared_memory.part;

    for (i = *n; part; part = part->next) {

        if (i >= part->nelts) {
            i -= part->nelts;
            continue;
        }

        shm_zone = part->elts;

        for ( /* void */ ; i < part->nelts; i++) {

            (*n)++;

            old = shm_zone[i].data;

            if (shm_zone[i].tag == &wag_marks_zone_tag
                && old && old->marks
                && !wag_marks_zone_kept(cycle, &shm_zone[i]))
            {
                return old;
            }
        }

        i = 0;
    }

    return NULL;
}


/* as ngx_init_cycle() finds out whether it may use it again */

static ngx_uint_t
wag_marks_zone_kept(ngx_cycle_t *cycle, ngx_shm_zone_t *old)
{
    ngx_shm_t           *shm;
    ngx_uint_t           i;
    wag_main_conf_t     *wmcf;
    wag_marks_zone_t   **zones;

    wmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_wa_gateway_module);

    zones = wmcf->marks_zones.elts;

    for (i = 0; i < wmcf->marks_zones.nelts; i++) {
        shm = &zones[i]->shm_zone->shm;

        if (shm->size == old->shm.size
            && shm->name.len == old->shm.name.len
            && ngx_strncmp(shm->name.data, old->shm.name.data, shm->name.len)
               == 0)
        {
            return 1;
        }
    }

    return 0;
}


void
wag_marks_zone_commit(ngx_cycle_t *cycle)
{
    ngx_uint_t          i, n;
    wag_main_conf_t    *wmcf;
    wag_marks_zone_t   *old, **zones;

    wmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_wa_gateway_module);

    zones = wmcf->marks_zones.elts;

    for (i = 0; i < wmcf->marks_zones.nelts; i++) {

        n = 0;

        while (zones[i]->made && (old = wag_marks_zone_next(cycle, &n))) {
            wag_lock(zones[i]->shpool);
            wag_lock(old->shpool);

            wag_marks_move(zones[i]->marks, old->marks, ngx_current_msec);

            wag_unlock(old->shpool);
            wag_unlock(zones[i]->shpool);
        }

        if (n && ngx_process == NGX_PROCESS_SINGLE) {
            wag_marks_zone_sweep(zones[i], ngx_pid);
        }
    }

    /* a single process has requests of before, but not their zones */

    n = 0;

    while (ngx_process == NGX_PROCESS_SINGLE
           && (old = wag_marks_zone_next(cycle, &n)))
    {
        old->marks = NULL;
    }
}


void
wag_marks_zone_attach(wag_marks_zone_t *zone)
{
    ngx_event_t  *ev;

    /* another process may have had the pid, but for a single one */

    wag_marks_zone_sweep(zone, (ngx_process == NGX_PROCESS_SINGLE
                                && zone->taken) ? 0 : ngx_pid);

    if (ngx_process == NGX_PROCESS_WORKER && ngx_worker != 0) {
        return;
    }

    ev = &zone->timer;

    ev->handler = wag_marks_zone_timer;
    ev->data = zone;
    ev->log = zone->cycle->log;
    ev->cancelable = 1;

    ngx_add_timer(ev, WAG_MARKS_ZONE_SWEEP);
}


void
wag_marks_zone_detach(wag_marks_zone_t *zone)
{
    if (zone->timer.timer_set) {
        ngx_del_timer(&zone->timer);
    }
}


static void
wag_marks_zone_timer(ngx_event_t *ev)
{
    wag_marks_zone_t  *zone;

    if (ngx_exiting || ngx_terminate || ngx_quit) {
        return;
    }

    zone = ev->data;

    ngx_log_debug0(NGX_LOG_DEBUG_HTTP, ev->log, 0, "wa_gateway sweep marks");

    wag_marks_zone_sweep(zone, 0);

    ngx_add_timer(ev, WAG_MARKS_ZONE_SWEEP);
}


static void
wag_marks_zone_sweep(wag_marks_zone_t *zone, int32_t pid)
{
    wag_lock(zone->shpool);

    wag_marks_sweep(zone->marks, ngx_current_msec, wag_marks_zone_alive, pid);

    wag_unlock(zone->shpool);
}


static ngx_uint_t
wag_marks_zone_alive(int32_t pid)
{
    return kill(pid, 0) == 0 || ngx_errno != ESRCH;
}


ngx_uint_t
wag_marks_zone_look(wag_marks_zone_t *zone, wag_marks_key_t *key,
    ngx_uint_t claim)
{
    ngx_uint_t  found;

    if (zone->marks == NULL) {
        return WAG_MARK_FULL;
    }

    key->now = ngx_current_msec;
    key->pid = ngx_pid;
    key->alive = wag_marks_zone_alive;

    wag_lock(zone->shpool);

    found = claim ? wag_marks_claim(zone->marks, key)
                  : wag_marks_look(zone->marks, key);

    if (found == WAG_MARK_ANSWERED || found == WAG_MARK_UNKNOWN) {
        wag_marks_answer_read(zone->marks, key, zone->buf);
    }

    wag_unlock(zone->shpool);

    return found;
}


void
wag_marks_zone_close(wag_marks_zone_t *zone, wag_marks_key_t *key,
    ngx_uint_t state, ngx_uint_t status, u_char *answer, size_t len)
{
    if (zone->marks == NULL) {
        return;
    }

    key->now = ngx_current_msec;

    wag_lock(zone->shpool);

    wag_marks_close(zone->marks, key, state, status, answer, len);

    wag_unlock(zone->shpool);
}


void
wag_marks_zone_give_up(wag_marks_zone_t *zone, wag_marks_key_t *key)
{
    if (zone->marks == NULL) {
        return;
    }

    wag_lock(zone->shpool);

    wag_marks_give_up(zone->marks, key);

    wag_unlock(zone->shpool);
}


void
wag_marks_zone_figures(wag_marks_zone_t *zone, wag_marks_t *figures)
{
    wag_lock(zone->shpool);

    *figures = *zone->marks;

    wag_unlock(zone->shpool);
}
