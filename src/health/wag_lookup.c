
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_addresses.h"
#include "wag_lock.h"
#include "wag_lookup.h"
#include "wag_peers.h"
#include "wag_state.h"
#include "wag_transition.h"
#include "wag_ttl.h"


/* all in ms */

#define WAG_LOOKUP_TELL    1000   /* that there is no answer yet */
#define WAG_LOOKUP_TTL     1000   /* at least */
#define WAG_LOOKUP_RETRY   1000   /* after a failure, and more each time */
#define WAG_LOOKUP_MAX     5000   /* up to that */

/* addresses that are looked at: more than there is room for */

#define WAG_LOOKUP_ADDRESSES  64

/* what is said of one that has no address */

#define WAG_LOOKUP_NOT_FOUND  "name not found"


struct wag_lookup_s {
    ngx_event_t          timer;
    wag_upstream_t      *upstream;
    wag_peer_t          *peer;
    wag_server_t        *server;
    ngx_resolver_ctx_t  *ctx;         /* NULL: none is asked */
    ngx_uint_t           candidate;   /* of those that the name may be */
    ngx_uint_t           failures;    /* in a row */
    u_char               name[WAG_RESOLV_NAME + 1];
};


static void wag_lookup_timer_handler(ngx_event_t *ev);
static ngx_uint_t wag_lookup_is_done(wag_lookup_t *lookup);
static void wag_lookup_ask(wag_lookup_t *lookup);
static ngx_int_t wag_lookup_next(wag_lookup_t *lookup);
static void wag_lookup_handler(ngx_resolver_ctx_t *ctx);
static void wag_lookup_found(wag_lookup_t *lookup, ngx_resolver_ctx_t *ctx);
static ngx_int_t wag_lookup_set(wag_lookup_t *lookup, ngx_addr_t *addrs,
    ngx_uint_t n);
static void wag_lookup_moved(wag_lookup_t *lookup, ngx_addr_t *addrs,
    ngx_uint_t n);
static ngx_msec_t wag_lookup_again(wag_lookup_t *lookup, ngx_str_t *name);
static void wag_lookup_failed(wag_lookup_t *lookup, ngx_int_t state);
static void wag_lookup_nowhere(wag_lookup_t *lookup);
static void wag_lookup_arm(wag_lookup_t *lookup, ngx_msec_t timer);


wag_lookup_t *
wag_lookup_create(wag_upstream_t *us, wag_peer_t *peer, ngx_msec_t delay)
{
    wag_lookup_t  *lookup;

    lookup = ngx_calloc(sizeof(wag_lookup_t), ngx_cycle->log);
    if (lookup == NULL) {
        return NULL;
    }

    lookup->upstream = us;
    lookup->peer = peer;
    lookup->server = wag_peers_ref_server(peer->server);

    lookup->timer.handler = wag_lookup_timer_handler;
    lookup->timer.data = lookup;
    lookup->timer.log = ngx_cycle->log;
    lookup->timer.cancelable = 1;

    wag_lookup_arm(lookup, delay);

    return lookup;
}


void
wag_lookup_destroy(wag_lookup_t *lookup)
{
    if (lookup->timer.timer_set) {
        ngx_del_timer(&lookup->timer);
    }

    if (lookup->ctx) {
        ngx_resolve_name_done(lookup->ctx);
    }

    wag_peers_unref_server(lookup->server);

    ngx_free(lookup);
}


static void
wag_lookup_timer_handler(ngx_event_t *ev)
{
    wag_lookup_t  *lookup = ev->data;

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, ev->log, 0,
                   "wa_gateway lookup timer handler: %V",
                   &lookup->peer->name);

    if (ngx_exiting || ngx_terminate || ngx_quit) {
        return;
    }

    if (lookup->ctx) {
        wag_lookup_nowhere(lookup);
        return;
    }

    if (wag_lookup_is_done(lookup)) {
        return;
    }

    lookup->candidate = 0;

    wag_lookup_ask(lookup);
}


/*
 * By a worker before this one, and that is enough; or for nobody, in a
 * configuration that is not in force any more.
 */

static ngx_uint_t
wag_lookup_is_done(wag_lookup_t *lookup)
{
    ngx_uint_t       config_gen;
    wag_upstream_t  *us;

    us = lookup->upstream;
    config_gen = us->zone->in_flight->config_gen;

    return config_gen != us->zone->root->config_gen
           || (us->names->refresh == 0
               && lookup->peer->instance->named == (uint32_t) config_gen);
}


/* the handler may be called before this returns */

static void
wag_lookup_ask(wag_lookup_t *lookup)
{
    switch (wag_lookup_next(lookup)) {

    case NGX_OK:
        return;

    case NGX_DONE:
        wag_lookup_failed(lookup, NGX_RESOLVE_NXDOMAIN);
        return;

    default: /* NGX_ERROR */
        wag_lookup_failed(lookup, NGX_ERROR);
    }
}


static ngx_int_t
wag_lookup_next(wag_lookup_t *lookup)
{
    ngx_int_t            rc;
    ngx_str_t            name;
    wag_names_t         *names;
    ngx_resolver_ctx_t  *ctx;

    names = lookup->upstream->names;

    do {
        rc = wag_resolv_candidate(&names->system, &lookup->server->domain,
                                  lookup->candidate++, lookup->name, &name);
    } while (rc == NGX_DECLINED);

    if (rc == NGX_DONE) {
        return NGX_DONE;
    }

    /* the system's second server is for when the first one is silent */

    if (names->system.nservers) {
        names->resolver->last_connection = 0;
    }

    ctx = ngx_resolve_start(names->resolver, NULL);

    if (ctx == NULL || ctx == NGX_NO_RESOLVER) {
        return NGX_ERROR;
    }

    ctx->name = name;
    ctx->handler = wag_lookup_handler;
    ctx->data = lookup;
    ctx->timeout = names->timeout;
    ctx->cancelable = 1;

    lookup->ctx = ctx;

    wag_lookup_arm(lookup, WAG_LOOKUP_TELL);

    if (ngx_resolve_name(ctx) != NGX_OK) {
        lookup->ctx = NULL;
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
wag_lookup_handler(ngx_resolver_ctx_t *ctx)
{
    wag_lookup_t  *lookup = ctx->data;

    ngx_int_t  state;

    state = ctx->state;

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, lookup->timer.log, 0,
                   "wa_gateway lookup handler: %V, state: %i",
                   &lookup->peer->name, state);

    lookup->ctx = NULL;

    if (state == NGX_OK) {
        wag_lookup_found(lookup, ctx);
        ngx_resolve_name_done(ctx);
        return;
    }

    ngx_resolve_name_done(ctx);

    /*
     * Only one that surely is not there makes room for the next: that may be
     * another host.
     */

    if (state == NGX_RESOLVE_NXDOMAIN) {
        wag_lookup_ask(lookup);

    } else {
        wag_lookup_failed(lookup, state);
    }
}


static void
wag_lookup_found(wag_lookup_t *lookup, ngx_resolver_ctx_t *ctx)
{
    ngx_str_t        name;
    ngx_uint_t       i, n;
    ngx_addr_t       addrs[WAG_LOOKUP_ADDRESSES];
    ngx_msec_t       next;
    ngx_sockaddr_t   sockaddrs[WAG_LOOKUP_ADDRESSES];

    n = 0;

    for (i = 0; i < ctx->naddrs && n < WAG_LOOKUP_ADDRESSES; i++) {

        /* how some name servers say no: it would be this host */

        if (ngx_inet_wildcard(ctx->addrs[i].sockaddr)) {
            continue;
        }

        ngx_memcpy(&sockaddrs[n], ctx->addrs[i].sockaddr,
                   ctx->addrs[i].socklen);

        ngx_inet_set_port(&sockaddrs[n].sockaddr, lookup->server->port);

        addrs[n].sockaddr = &sockaddrs[n].sockaddr;
        addrs[n].socklen = ctx->addrs[i].socklen;

        n++;
    }

    name.data = lookup->name;
    name.len = ngx_strlen(lookup->name);

    next = wag_lookup_again(lookup, &name);

    if (n == 0) {
        wag_lookup_failed(lookup, NGX_RESOLVE_NXDOMAIN);
        return;
    }

    switch (wag_lookup_set(lookup, addrs, n)) {

    case NGX_OK:
        wag_lookup_moved(lookup, addrs, n);
        break;

    case NGX_DONE:

        if (lookup->failures && !ngx_exiting) {
            ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                          "wa_gateway: name of %V is found again",
                          &lookup->peer->name);
        }

        break;

    default: /* NGX_DECLINED */
        break;
    }

    lookup->failures = 0;

    if (lookup->timer.timer_set) {
        ngx_del_timer(&lookup->timer);
    }

    if (next) {
        wag_lookup_arm(lookup, next);
    }
}


/* as wag_addresses_set(); NGX_DECLINED: it is another's by now */

static ngx_int_t
wag_lookup_set(wag_lookup_t *lookup, ngx_addr_t *addrs, ngx_uint_t n)
{
    ngx_int_t         rc;
    wag_zone_t       *zone;
    wag_instance_t   *instance;
    wag_addresses_t  *addresses;

    zone = lookup->upstream->zone;
    instance = lookup->peer->instance;
    addresses = &instance->identity.addresses;

    rc = NGX_DECLINED;

    wag_lock(zone->shpool);

    /* over a reload the configuration in force may have pinned it */

    if (!wag_peers_gone(lookup->peer)
        && zone->in_flight->config_gen == zone->root->config_gen)
    {
        n = wag_addresses_fit(addresses, addrs, n);

        rc = wag_addresses_set(addresses, addrs, n);

        instance->named = zone->root->config_gen;
    }

    wag_unlock(zone->shpool);

    return rc;
}


static void
wag_lookup_moved(wag_lookup_t *lookup, ngx_addr_t *addrs, ngx_uint_t n)
{
    ngx_str_t            text;
    wag_health_signal_t  signal;
    u_char               buf[NGX_SOCKADDR_STRLEN];

    text.data = buf;
    text.len = ngx_sock_ntop(addrs[0].sockaddr, addrs[0].socklen, buf,
                             NGX_SOCKADDR_STRLEN, 1);

    ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                  "wa_gateway: name of %V is found at %V%s",
                  &lookup->peer->name, &text, (n > 1) ? " and others" : "");

    ngx_memzero(&signal, sizeof(wag_health_signal_t));

    signal.upstream = lookup->upstream;
    signal.peer = lookup->peer;
    signal.event = WAG_MOVED;

    wag_transition_event(&signal);
}


/* ms until it is looked up again, 0 for never */

static ngx_msec_t
wag_lookup_again(wag_lookup_t *lookup, ngx_str_t *name)
{
    time_t        ttl;
    ngx_msec_t    next;
    wag_names_t  *names;

    names = lookup->upstream->names;

    ttl = wag_ttl_take(names->resolver, name);

    if (names->refresh == 0) {
        return 0;
    }

    if (names->valid) {
        ttl = ngx_min(names->valid, WAG_TTL_MAX);
    }

    next = ngx_max((ngx_msec_t) ttl * 1000, WAG_LOOKUP_TTL);

    return ngx_min(next, names->refresh);
}


/* the addresses that were found last stay, whatever it was */

static void
wag_lookup_failed(wag_lookup_t *lookup, ngx_int_t state)
{
    ngx_msec_t       retry;
    wag_upstream_t  *us;

    us = lookup->upstream;

    wag_lookup_nowhere(lookup);

    if (lookup->failures++ == 0
        && lookup->peer->addrs->naddrs
        && !ngx_exiting)
    {
        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "wa_gateway: name of %V is not found (%s), its last "
                      "addresses stay", &lookup->peer->name,
                      (state == NGX_ERROR) ? "the name server cannot be asked"
                                           : ngx_resolver_strerror(state));
    }

    retry = ngx_min(lookup->failures * WAG_LOOKUP_RETRY, WAG_LOOKUP_MAX);

    if (us->names->refresh) {
        retry = ngx_min(retry, us->names->refresh);
    }

    wag_lookup_arm(lookup, retry);
}


/* tells of one that never had an address, if it is not told */

static void
wag_lookup_nowhere(wag_lookup_t *lookup)
{
    wag_peer_t           *peer;
    wag_health_signal_t   signal;

    peer = lookup->peer;

    wag_peers_refresh_addrs(lookup->upstream, peer);

    if (peer->addrs->naddrs || peer->instance->state == WAG_DOWN) {
        return;
    }

    ngx_memzero(&signal, sizeof(wag_health_signal_t));

    signal.upstream = lookup->upstream;
    signal.peer = peer;
    signal.event = WAG_FAIL;
    ngx_str_set(&signal.reason, WAG_LOOKUP_NOT_FOUND);

    wag_transition_event(&signal);
}


static void
wag_lookup_arm(wag_lookup_t *lookup, ngx_msec_t timer)
{
    if (lookup->timer.timer_set) {
        ngx_del_timer(&lookup->timer);
    }

    ngx_add_timer(&lookup->timer, ngx_max(timer, 1));
}
