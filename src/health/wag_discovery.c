
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_discovery.h"
#include "wag_list.h"
#include "wag_question.h"
#include "wag_reach.h"
#include "wag_round.h"


/* bytes of a list that are read */

#define WAG_DISCOVERY_MAX      (64 * 1024 * 1024)

/* sends that are not confirmed, in a row */

#define WAG_DISCOVERY_SUSPECT  3


struct wag_discovery_s {
    wag_probe_t            probe;
    wag_list_reader_t      reader;
    wag_list_t             waiting;   /* until the round is over */
    wag_round_t            round;

    wag_upstream_t        *upstream;
    wag_peer_t            *peer;
    wag_discovery_pt       listed;
    void                  *data;
    ngx_log_t             *log;
    wag_addrs_t           *addrs;

    unsigned               bad:1;     /* the list; told already */
};


static void wag_discovery_sink(void *data, u_char *start, size_t len);
static void wag_discovery_done(wag_probe_t *p, ngx_int_t rc);
static ngx_int_t wag_discovery_whole(wag_discovery_t *d, wag_http_t *answer);
static void wag_discovery_over(wag_round_t *round);


ngx_int_t
wag_discovery_finish(ngx_conf_t *cf, wag_upstream_t *us)
{
    ngx_int_t         rc;
    ngx_str_t         err;
    ngx_uint_t        i;
    wag_server_t     *server;
    wag_vendor_t     *vendor;

    for (i = 0; i < us->nservers; i++) {
        server = &us->servers[i];
        vendor = server->vendor;

        if (vendor == NULL) {
            continue;
        }

        rc = wag_discovery_server(cf->pool, server, &err);

        if (rc == NGX_DECLINED) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "invalid request of vendor \"%V\" in %s:%ui, or "
                          "invalid key, for \"%V\"", &vendor->name,
                          vendor->file_name, vendor->line, &server->name);
        }

        if (rc != NGX_OK) {
            return NGX_ERROR;
        }
    }

    ngx_queue_init(&us->rounds);

    us->session_policy.fails = us->policy.fails;
    us->session_policy.passes = 1;
    us->session_policy.status_fails = WAG_DISCOVERY_SUSPECT;
    us->session_policy.checked = 1;

    return NGX_OK;
}


ngx_int_t
wag_discovery_server(ngx_pool_t *pool, wag_server_t *server, ngx_str_t *err)
{
    ngx_str_t      none;
    wag_vendor_t  *vendor;

    vendor = server->vendor;

    ngx_str_null(&none);

    return wag_question_request(pool, server, &vendor->list,
                                vendor->list_headers.nelts
                                ? &vendor->list_headers : &vendor->headers,
                                &none, &none, &server->list, err);
}


wag_discovery_t *
wag_discovery_create(ngx_log_t *log, wag_upstream_t *us, wag_peer_t *peer,
    wag_discovery_pt listed, void *data)
{
    wag_vendor_t     *vendor;
    wag_discovery_t  *d;

    d = ngx_calloc(sizeof(wag_discovery_t), log);
    if (d == NULL) {
        return NULL;
    }

    vendor = peer->server->vendor;

    d->upstream = us;
    d->peer = peer;
    d->listed = listed;
    d->data = data;
    d->log = log;

    wag_check_probe(us->check, peer->server, &d->probe);

    d->probe.request = peer->server->list;
    d->probe.head = 0;
    d->probe.data = d;
    d->probe.parent = log;
    d->probe.done = wag_discovery_done;
    d->probe.sink = wag_discovery_sink;
    d->probe.max = WAG_DISCOVERY_MAX;

    wag_list_init(&d->reader, vendor, log);

    d->round.upstream = us;
    d->round.peer = peer;
    d->round.vendor = vendor;
    d->round.over = wag_discovery_over;
    d->round.data = d;

    wag_round_init(&d->round, log);

    return d;
}


void
wag_discovery_start(wag_discovery_t *d)
{
    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, d->log, 0,
                   "wa_gateway discovery start: %V", &d->peer->name);

    if (d->probe.active) {
        return;
    }

    wag_reach(d->upstream, d->peer, 0, &d->probe, &d->addrs);

    if (d->probe.naddrs == 0) {
        return;
    }

    wag_list_begin(&d->reader);
    wag_session_ask(d->upstream, d->peer, &d->reader.list.asked);

    wag_probe_start(&d->probe);
}


ngx_uint_t
wag_discovery_asks(wag_discovery_t *d)
{
    return d->probe.active;
}


void
wag_discovery_destroy(wag_discovery_t *d)
{
    wag_probe_cancel(&d->probe);
    wag_reach_free(&d->addrs);

    wag_round_stop(&d->round);

    wag_list_drop(&d->reader.list);
    wag_list_drop(&d->waiting);

    ngx_free(d);
}


static void
wag_discovery_sink(void *data, u_char *start, size_t len)
{
    wag_discovery_t *d = data;

    wag_list_read(&d->reader, start, len);
}


static void
wag_discovery_done(wag_probe_t *p, ngx_int_t rc)
{
    wag_discovery_t *d = p->data;

    ngx_uint_t  whole;

    whole = (rc == NGX_OK && wag_discovery_whole(d, p->answer) == NGX_OK);

    if (whole) {
        wag_list_move(&d->waiting, &d->reader.list);

    } else {
        wag_list_drop(&d->reader.list);
    }

    d->listed(d->data, p, rc);

    if (whole && !wag_round_goes_on(&d->round)) {
        wag_round_begin(&d->round, &d->waiting);
    }
}


/* one that is not is told once: what was known of the sessions stays */

static ngx_int_t
wag_discovery_whole(wag_discovery_t *d, wag_http_t *answer)
{
    ngx_int_t    rc;
    const char  *err;

    if (!wag_vendor_status(d->round.vendor->list.statuses, answer->status)) {
        return NGX_DECLINED;
    }

    rc = wag_list_end(&d->reader, answer->truncated, &err);

    if (rc != NGX_OK && !d->bad) {
        ngx_log_error(NGX_LOG_WARN, d->log, 0,
                      "wa_gateway: list of sessions of %V is not used: %s",
                      &d->peer->name, err);
    }

    d->bad = (rc != NGX_OK);

    return rc;
}


static void
wag_discovery_over(wag_round_t *round)
{
    wag_discovery_t *d = round->data;

    if (d->waiting.pool) {
        wag_round_begin(&d->round, &d->waiting);
    }
}
