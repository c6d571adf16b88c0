
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_store.h"
#include "wag_store_result.h"

#if (NGX_OPENSSL)
#include <openssl/rand.h>
#endif


/* ms: between two meetings, and while it settles; of a lease, at least */

#define WAG_STORE_BEAT    1000
#define WAG_STORE_SETTLE  200
#define WAG_STORE_LEASE   5000


static uint64_t wag_store_random(void);
static void wag_store_opened(wag_store_link_t *link);
static void wag_store_informed(wag_store_call_t *call,
    wag_store_answer_t *answer);
static void wag_store_select(wag_store_t *store);
static void wag_store_selected(wag_store_call_t *call,
    wag_store_answer_t *answer);
static void wag_store_meet(wag_store_t *store, ngx_uint_t whole);
static void wag_store_met(wag_store_call_t *call, wag_store_answer_t *answer);
static void wag_store_judge(wag_store_t *store, ngx_uint_t state);
static void wag_store_beat(ngx_event_t *ev);
static void wag_store_lost(wag_store_link_t *link, wag_reason_t *reason);
static void wag_store_up(wag_store_t *store);
static void wag_store_down(wag_store_t *store, wag_reason_t *reason);


static char  *wag_store_sections[WAG_STORE_INFOS] = {
    "server", "replication", "memory", "persistence", "cluster"
};


wag_store_t *
wag_store_add(ngx_conf_t *cf, wag_store_t *conf)
{
    u_char            *p;
    ngx_str_t          name;
    ngx_uint_t         i;
    wag_store_t       *store, **storep;
    wag_main_conf_t   *wmcf;
    wag_store_zone_t  *zone;

    name.len = sizeof("wa_gateway_store: ") + conf->shown.len
               + conf->names.prefix.len;

    name.data = ngx_pnalloc(cf->pool, name.len);
    if (name.data == NULL) {
        return NULL;
    }

    p = ngx_sprintf(name.data, "wa_gateway_store:%V %V", &conf->shown,
                    &conf->names.prefix);

    name.len = p - name.data;

    zone = wag_store_zone_add(cf, &name);
    if (zone == NULL) {
        return NULL;
    }

    if (zone->store) {
        store = zone->store;

        if (store->on_error != conf->on_error
            || store->link.timeout != conf->link.timeout
            || store->link.password.len != conf->link.password.len
            || ngx_strncmp(store->link.password.data, conf->link.password.data,
                           conf->link.password.len)
               != 0)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "store \"%V\" has other parameters elsewhere",
                               &conf->shown);
            return NULL;
        }

        return store;
    }

    store = ngx_palloc(cf->pool, sizeof(wag_store_t));
    if (store == NULL) {
        return NULL;
    }

    *store = *conf;

    store->args = ngx_palloc(cf->pool, sizeof(wag_store_args_t));
    if (store->args == NULL) {
        return NULL;
    }

    wmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_wa_gateway_module);

    storep = ngx_array_push(&wmcf->stores);
    if (storep == NULL) {
        return NULL;
    }

    *storep = store;

    for (i = 0; i < WAG_STORE_SCRIPTS; i++) {
        wag_store_script_sha1(i, store->sha1[i]);
    }

    store->cycle = cf->cycle;
    store->zone = zone;

    zone->store = store;

    return store;
}


ngx_int_t
wag_store_attach(wag_store_t *store)
{
    store->names.self = wag_store_random();
    store->names.holder = store->names.self;
    store->names.marker = 0;

    store->link.data = store;
    store->link.log = *store->cycle->log;
    store->link.opened = wag_store_opened;
    store->link.lost = wag_store_lost;

    store->beat.handler = wag_store_beat;
    store->beat.data = store;
    store->beat.log = store->cycle->log;
    store->beat.cancelable = 1;

    ngx_queue_init(&store->ends);

    store->started = 1;

    return wag_store_link_start(&store->link);
}


void
wag_store_detach(wag_store_t *store)
{
    if (!store->started) {
        return;
    }

    store->started = 0;

    wag_store_zone_ready(store->zone, 0);

    if (store->beat.timer_set) {
        ngx_del_timer(&store->beat);
    }

    wag_store_link_stop(&store->link);
}


/* no two gateways may have the same one */

static uint64_t
wag_store_random(void)
{
    uint64_t  n;

    n = 0;

#if (NGX_OPENSSL)

    if (RAND_bytes((u_char *) &n, sizeof(uint64_t)) == 1 && n) {
        return n;
    }

#endif

    n = (uint64_t) ngx_random() << 33 ^ (uint64_t) ngx_random() << 11
        ^ (uint64_t) ngx_pid << 24 ^ (uint64_t) ngx_time();

    return n ? n : 1;
}


static void
wag_store_opened(wag_store_link_t *link)
{
    ngx_str_t     argv[2];
    ngx_uint_t    i;
    wag_store_t  *store;

    store = link->data;

    ngx_memzero(&store->info, sizeof(wag_store_info_t));

    for (i = 0; i < WAG_STORE_INFOS; i++) {
        ngx_str_set(&argv[0], "INFO");

        argv[1].data = (u_char *) wag_store_sections[i];
        argv[1].len = ngx_strlen(wag_store_sections[i]);

        store->infos[i].done = wag_store_informed;
        store->infos[i].data = store;

        if (wag_store_link_call(link, &store->infos[i], 2, argv) != NGX_OK) {
            wag_store_link_drop(link, "no memory");
            return;
        }
    }
}


static void
wag_store_informed(wag_store_call_t *call, wag_store_answer_t *answer)
{
    const char   *refuse;
    wag_store_t  *store;

    if (answer == NULL) {
        return;
    }

    store = call->data;

    if (answer->error || answer->nvalues != 1) {
        wag_store_link_refuse(&store->link, "refused INFO: ", answer);
        return;
    }

    wag_store_info_add(&store->info, &answer->values[0].text);

    if (call != &store->infos[WAG_STORE_INFOS - 1]) {
        return;
    }

    refuse = wag_store_info_refuse(&store->info);

    if (refuse) {
        wag_store_link_drop(&store->link, refuse);
        return;
    }

    if (store->run_len != store->info.run_len
        || ngx_memcmp(store->run, store->info.run, store->run_len) != 0)
    {
        /*
         * What was not acknowledged before it stopped may be there or not:
         * what this worker had in flight then is told as unknown until it
         * ends.
         */

        store->names.holder = wag_store_random();
        store->run_len = store->info.run_len;
        ngx_memcpy(store->run, store->info.run, store->run_len);
    }

    wag_store_select(store);
}


/* not before it is known what it is: a Sentinel knows of no databases */

static void
wag_store_select(wag_store_t *store)
{
    u_char     number[NGX_INT_T_LEN];
    ngx_str_t  argv[2];

    ngx_str_set(&argv[0], "SELECT");

    argv[1].data = number;
    argv[1].len = ngx_sprintf(number, "%ui", store->database) - number;

    store->selecting.done = wag_store_selected;
    store->selecting.data = store;

    if (wag_store_link_call(&store->link, &store->selecting, 2, argv)
        != NGX_OK)
    {
        wag_store_link_drop(&store->link, "no memory");
    }
}


static void
wag_store_selected(wag_store_call_t *call, wag_store_answer_t *answer)
{
    wag_store_t  *store;

    if (answer == NULL) {
        return;
    }

    store = call->data;

    if (answer->error) {
        wag_store_link_refuse(&store->link, "refused the database: ", answer);
        return;
    }

    wag_store_meet(store, 1);
}


static void
wag_store_meet(wag_store_t *store, ngx_uint_t whole)
{
    wag_store_meet_t  meet;

    meet.known = store->zone->shared->marker;
    meet.serial = store->zone->shared->serial;
    meet.proposed = wag_store_random();
    meet.run.data = store->run;
    meet.run.len = store->run_len;

    /* all others have found out by then, and looked */

    meet.settle = WAG_STORE_BEAT + 2 * store->link.timeout
                  + 2 * store->link.pause;
    meet.lease = ngx_max(WAG_STORE_LEASE,
                         WAG_STORE_BEAT + 4 * store->link.timeout);

    wag_store_args_meet(store->args, &store->names, &meet);

    store->meeting.done = wag_store_met;
    store->meeting.data = store;

    if (wag_store_call(store, &store->meeting, WAG_STORE_MEET, whole)
        == NGX_OK)
    {
        store->meets = 1;
    }
}


static void
wag_store_met(wag_store_call_t *call, wag_store_answer_t *answer)
{
    wag_store_t      *store;
    wag_store_met_t   met;

    store = call->data;
    store->meets = 0;

    if (wag_store_answered(store, call, answer)) {
        wag_store_meet(store, 1);
        return;
    }

    if (answer == NULL) {
        return;
    }

    if (wag_store_result_meet(answer, &met) != NGX_OK) {
        wag_store_link_refuse(&store->link, "answers: ", answer);
        return;
    }

    if (store->zone->shared->marker == 0 || met.state == WAG_STORE_MET_LOST) {

        wag_store_zone_met(store->zone, met.marker, met.serial);
    }

    store->names.marker = met.marker;
    store->clock = met.now - ngx_current_msec;
    store->met = 1;

    wag_store_judge(store, met.state);

    ngx_add_timer(&store->beat, (met.state == WAG_STORE_MET_SETTLING)
                                ? WAG_STORE_SETTLE : WAG_STORE_BEAT);

    if (store->back) {
        store->back(store);
    }
}


static void
wag_store_judge(wag_store_t *store, ngx_uint_t state)
{
    wag_reason_t  reason;

    switch (state) {

    case WAG_STORE_MET_READY:
        wag_store_up(store);
        break;

    case WAG_STORE_MET_LOST:
        wag_reason_set(&reason, "came back without what it had acknowledged");

        if (ngx_atomic_cmp_set(&store->zone->shared->lost, 0, 1)) {
            ngx_log_error(NGX_LOG_ERR, &store->link.log, 0,
                          "wa_gateway: store \"%V\" came back without what "
                          "it had acknowledged: keys of sends are missing, "
                          "it is used again after %Ms, or after "
                          "\"HDEL %Vstore lost\"",
                          &store->shown, store->names.forget / 1000,
                          &store->names.prefix);
        }

        wag_store_down(store, &reason);
        break;

    default: /* WAG_STORE_MET_SETTLING */
        wag_reason_set(&reason, "was restarted, others look at it");
        wag_store_down(store, &reason);
    }
}


/* as long as the worker has requests, also when it is to end */

static void
wag_store_beat(ngx_event_t *ev)
{
    wag_store_t  *store;

    store = ev->data;

    if (store->link.open && !store->meets) {
        wag_store_meet(store, 0);
    }
}


static void
wag_store_lost(wag_store_link_t *link, wag_reason_t *reason)
{
    wag_store_t  *store;

    store = link->data;

    store->met = 0;

    if (store->beat.timer_set) {
        ngx_del_timer(&store->beat);
    }

    wag_store_down(store, reason);
}


/* it is told once, by the worker that finds out first */

static void
wag_store_up(wag_store_t *store)
{
    store->ready = 1;

    wag_store_zone_ready(store->zone, 1);

    if (!wag_store_zone_up(store->zone)) {
        return;
    }

    ngx_log_error(NGX_LOG_NOTICE, &store->link.log, 0,
                  "wa_gateway: store \"%V\" is up%s", &store->shown,
                  store->info.unkept
                  ? ", but keeps no append-only file: what it acknowledged "
                    "may be gone when it restarts" : "");
}


static void
wag_store_down(wag_store_t *store, wag_reason_t *reason)
{
    ngx_str_t  why;

    store->ready = 0;

    wag_store_zone_ready(store->zone, 0);

    if (!wag_store_zone_down(store->zone, reason)) {
        return;
    }

    why.data = reason->data;
    why.len = reason->len;

    ngx_log_error(NGX_LOG_WARN, &store->link.log, 0,
                  "wa_gateway: store \"%V\" is down: %V, %s",
                  &store->shown, &why,
                  (store->on_error == WAG_STORE_LOCAL)
                  ? "this gateway goes on alone" : "sends are refused");
}


ngx_int_t
wag_store_call(wag_store_t *store, wag_store_call_t *call, ngx_uint_t script,
    ngx_uint_t whole)
{
    ngx_str_t  *argv;

    argv = store->args->argv;

    if (whole) {
        ngx_str_set(&argv[0], "EVAL");
        argv[1] = *wag_store_script_text(script);

    } else {
        ngx_str_set(&argv[0], "EVALSHA");
        argv[1].data = store->sha1[script];
        argv[1].len = WAG_STORE_SHA1_LEN;
    }

    wag_store_zone_count(store->zone, calls);

    return wag_store_link_call(&store->link, call, store->args->argc, argv);
}


ngx_uint_t
wag_store_answered(wag_store_t *store, wag_store_call_t *call,
    wag_store_answer_t *answer)
{
    ngx_str_t          *text;
    static ngx_str_t    missing = ngx_string("NOSCRIPT");

    if (answer == NULL) {
        wag_store_zone_count(store->zone, failed);
        return 0;
    }

    wag_store_zone_answered(store->zone, ngx_current_msec - call->begun);

    if (!answer->error) {
        return 0;
    }

    text = &answer->values[0].text;

    if (text->len >= missing.len
        && ngx_memcmp(text->data, missing.data, missing.len) == 0)
    {
        return 1;
    }

    wag_store_zone_count(store->zone, failed);

    return 0;
}


void
wag_store_doubt(wag_store_t *store)
{
    store->ready = 0;

    if (store->beat.timer_set) {
        ngx_del_timer(&store->beat);
    }

    if (store->link.open && !store->meets) {
        wag_store_meet(store, 0);
    }
}
