
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_conf.h"
#include "wag_discovery.h"
#include "wag_param.h"
#include "wag_pick.h"
#include "wag_question.h"
#include "wag_reach.h"
#include "wag_secret.h"
#include "wag_session.h"
#include "wag_vendor_conf.h"


/* bytes of a list that are read */

#define WAG_DISCOVERY_MAX    (64 * 1024 * 1024)

/* sessions of an instance that are asked at once */

#define WAG_DISCOVERY_ASKED  16

/* sends that are not confirmed, in a row */

#define WAG_DISCOVERY_SUSPECT  3

/*
 * What is done in one turn of the event loop, and ms until the next: a timer
 * of 0 that is set by a timer would expire in the same turn.
 */

#define WAG_DISCOVERY_STEP   128
#define WAG_DISCOVERY_PAUSE  1

/* sessions of a list that are kept: a table is not larger than memory */

#define WAG_DISCOVERY_ITEMS  100000


/* what is picked out of an item; then the parts of its state */

#define WAG_DISCOVERY_NAME    0
#define WAG_DISCOVERY_LABEL   1
#define WAG_DISCOVERY_NUMBER  2
#define WAG_DISCOVERY_STATE   3
#define WAG_DISCOVERY_VALUES  (WAG_DISCOVERY_STATE + WAG_VENDOR_STATES)


/* a list that was read */

typedef struct {
    ngx_pool_t            *pool;    /* NULL: there is none */
    wag_item_t            *first;
    wag_item_t           **last;
    ngx_uint_t             n;       /* of items */
    ngx_uint_t             skipped; /* names that cannot be used */
    wag_session_list_t     list;
} wag_discovery_list_t;


struct wag_discovery_s {
    wag_probe_t            probe;
    ngx_event_t            step;

    wag_upstream_t        *upstream;
    wag_peer_t            *peer;
    wag_vendor_t          *vendor;
    wag_discovery_pt       listed;
    void                  *data;
    wag_addrs_t           *addrs;

    wag_pick_t             pick;
    wag_pick_value_t       values[WAG_DISCOVERY_VALUES];
    ngx_int_t              rc;        /* of pick */

    wag_discovery_list_t   coming;
    wag_discovery_list_t   waiting;   /* until the round is over */
    wag_discovery_list_t   round;
    wag_item_t            *next;      /* of the round */
    wag_session_walk_t     walk;      /* of its end */

    ngx_queue_t            asked;     /* questions */
    ngx_queue_t            free;      /* ditto */
    ngx_queue_t            queue;     /* of those who wait to ask */
    ngx_uint_t             nasked;

    unsigned               queued:1;
    unsigned               bad:1;       /* the list; told already */
    unsigned               skipped:1;   /* ditto */
};


static void wag_discovery_values(wag_discovery_t *d);
static ngx_int_t wag_discovery_open(wag_discovery_t *d);
static void wag_discovery_sink(void *data, u_char *start, size_t len);
static ngx_int_t wag_discovery_item(wag_pick_t *pick);
static ngx_int_t wag_discovery_name(wag_discovery_t *d, wag_item_t *item);
static ngx_int_t wag_discovery_copy(ngx_pool_t *pool, ngx_str_t *dst,
    wag_pick_value_t *value);
static void wag_discovery_done(wag_probe_t *p, ngx_int_t rc);
static ngx_int_t wag_discovery_whole(wag_discovery_t *d, wag_http_t *answer);
static void wag_discovery_bad(wag_discovery_t *d);
static void wag_discovery_drop(wag_discovery_list_t *list);
static void wag_discovery_round(wag_discovery_t *d);
static void wag_discovery_step_handler(ngx_event_t *ev);
static ngx_int_t wag_discovery_process(wag_discovery_t *d, wag_item_t *item);
static ngx_int_t wag_discovery_ask(wag_discovery_t *d, wag_item_t *item,
    ngx_int_t (*start)(wag_question_t *question));
static wag_question_t *wag_discovery_question(wag_discovery_t *d);
static void wag_discovery_answered(wag_question_t *question);
static void wag_discovery_over(wag_discovery_t *d);
static void wag_discovery_free(wag_discovery_t *d);
static void wag_discovery_wake(wag_upstream_t *us);


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

    ngx_queue_init(&us->discoveries);

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
    wag_discovery_t  *d;

    d = ngx_calloc(sizeof(wag_discovery_t), log);
    if (d == NULL) {
        return NULL;
    }

    d->upstream = us;
    d->peer = peer;
    d->vendor = peer->server->vendor;
    d->listed = listed;
    d->data = data;

    wag_check_probe(us->check, peer->server, &d->probe);

    d->probe.request = peer->server->list;
    d->probe.head = 0;
    d->probe.data = d;
    d->probe.parent = log;
    d->probe.done = wag_discovery_done;
    d->probe.sink = wag_discovery_sink;
    d->probe.max = WAG_DISCOVERY_MAX;

    d->step.handler = wag_discovery_step_handler;
    d->step.data = d;
    d->step.log = log;
    d->step.cancelable = 1;

    ngx_queue_init(&d->asked);
    ngx_queue_init(&d->free);

    wag_discovery_values(d);

    return d;
}


static void
wag_discovery_values(wag_discovery_t *d)
{
    ngx_uint_t              i;
    wag_vendor_question_t  *list;

    list = &d->vendor->list;

    d->values[WAG_DISCOVERY_NAME].path = list->name;
    d->values[WAG_DISCOVERY_LABEL].path = list->label;
    d->values[WAG_DISCOVERY_NUMBER].path = list->number;

    for (i = 0; i < list->nstates; i++) {
        d->values[WAG_DISCOVERY_STATE + i].path = list->states[i];
    }

    d->pick.items = list->items;
    d->pick.values = d->values;
    d->pick.nvalues = WAG_DISCOVERY_STATE + list->nstates;
    d->pick.item = wag_discovery_item;
    d->pick.data = d;
}


void
wag_discovery_start(wag_discovery_t *d)
{
    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, d->step.log, 0,
                   "wa_gateway discovery start: %V", &d->peer->name);

    if (d->probe.active) {
        return;
    }

    wag_reach(d->upstream, d->peer, 0, &d->probe, &d->addrs);

    if (d->probe.naddrs == 0) {
        return;
    }

    d->rc = NGX_AGAIN;

    wag_session_ask(d->upstream, d->peer, &d->coming.list);

    wag_probe_start(&d->probe);
}


void
wag_discovery_destroy(wag_discovery_t *d)
{
    ngx_queue_t     *q;
    wag_question_t  *question;

    if (d->step.timer_set) {
        ngx_del_timer(&d->step);
    }

    if (d->queued) {
        ngx_queue_remove(&d->queue);
        d->queued = 0;
    }

    wag_probe_cancel(&d->probe);
    wag_reach_free(&d->addrs);

    while (!ngx_queue_empty(&d->asked)) {
        q = ngx_queue_head(&d->asked);
        question = ngx_queue_data(q, wag_question_t, queue);

        wag_question_cancel(question);

        ngx_queue_remove(q);
        ngx_queue_insert_tail(&d->free, q);

        d->nasked--;
    }

    wag_discovery_free(d);

    wag_discovery_drop(&d->coming);
    wag_discovery_drop(&d->waiting);
    wag_discovery_drop(&d->round);

    ngx_free(d);
}


/* not before there is an answer: those that wait take no memory */

static ngx_int_t
wag_discovery_open(wag_discovery_t *d)
{
    u_char      *p;
    ngx_uint_t   i;

    d->coming.pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE, d->step.log);
    if (d->coming.pool == NULL) {
        return NGX_ERROR;
    }

    d->coming.first = NULL;
    d->coming.last = &d->coming.first;
    d->coming.n = 0;
    d->coming.skipped = 0;

    p = ngx_pnalloc(d->coming.pool,
                    WAG_DISCOVERY_VALUES * WAG_SESSION_TEXT_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < WAG_DISCOVERY_VALUES; i++) {
        d->values[i].data = p + i * WAG_SESSION_TEXT_LEN;
        d->values[i].size = WAG_SESSION_TEXT_LEN;
    }

    wag_pick_init(&d->pick);

    return NGX_OK;
}


static void
wag_discovery_sink(void *data, u_char *start, size_t len)
{
    wag_discovery_t *d = data;

    if (d->rc != NGX_AGAIN) {
        return;
    }

    if (d->coming.pool == NULL && wag_discovery_open(d) != NGX_OK) {
        d->rc = NGX_ERROR;
        d->pick.error = "no memory";
        return;
    }

    d->rc = wag_pick_parse(&d->pick, start, start + len);
}


static ngx_int_t
wag_discovery_item(wag_pick_t *pick)
{
    wag_discovery_t *d = pick->data;

    u_char                *p;
    ngx_str_t             *state;
    wag_item_t            *item;
    wag_vendor_question_t *list;

    list = &d->vendor->list;

    if (d->coming.n++ == WAG_DISCOVERY_ITEMS) {
        pick->error = "too many sessions";
        return NGX_ERROR;
    }

    item = ngx_pcalloc(d->coming.pool, sizeof(wag_item_t));
    if (item == NULL) {
        goto failed;
    }

    switch (wag_discovery_name(d, item)) {

    case NGX_OK:
        break;

    case NGX_DECLINED:
        d->coming.skipped++;
        return NGX_OK;

    default:
        goto failed;
    }

    item->report.number =
                       wag_question_digits(&d->values[WAG_DISCOVERY_NUMBER]);

    if (list->nstates) {
        p = ngx_pnalloc(d->coming.pool, WAG_SESSION_TEXT_LEN);
        if (p == NULL) {
            goto failed;
        }

        state = &item->report.state;

        wag_question_state(&d->values[WAG_DISCOVERY_STATE], list->nstates, p,
                           state);

        item->report.told = wag_vendor_state(d->vendor, state);
    }

    *d->coming.last = item;
    d->coming.last = &item->next;

    return NGX_OK;

failed:

    pick->error = "no memory";

    return NGX_ERROR;
}


/* NGX_DECLINED: it cannot be used */

static ngx_int_t
wag_discovery_name(wag_discovery_t *d, wag_item_t *item)
{
    u_char              *p;
    wag_pick_value_t    *value, *label;
    wag_session_name_t  *name;

    value = &d->values[WAG_DISCOVERY_NAME];
    label = &d->values[WAG_DISCOVERY_LABEL];
    name = &item->report.name;

    if ((value->type != WAG_PICK_STRING && value->type != WAG_PICK_NUMBER)
        || value->cut
        || value->len == 0
        || value->len > WAG_SESSION_NAME_LEN)
    {
        return NGX_DECLINED;
    }

    if (wag_discovery_copy(d->coming.pool, &name->name, value) != NGX_OK) {
        return NGX_ERROR;
    }

    if (!wag_param_printable(&name->name)) {
        return NGX_DECLINED;
    }

    name->label = name->name;
    name->secret = d->vendor->secret;

    if (!name->secret) {
        return NGX_OK;
    }

    if (label->type == WAG_PICK_STRING
        && label->len
        && label->len <= WAG_SESSION_LABEL_LEN)
    {
        if (wag_discovery_copy(d->coming.pool, &name->label, label) != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (wag_param_printable(&name->label)) {
            return NGX_OK;
        }
    }

    p = ngx_pnalloc(d->coming.pool, WAG_SECRET_NAME_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    wag_secret_name(&name->name, p);

    name->label.data = p;
    name->label.len = WAG_SECRET_NAME_LEN;

    return NGX_OK;
}


static ngx_int_t
wag_discovery_copy(ngx_pool_t *pool, ngx_str_t *dst, wag_pick_value_t *value)
{
    dst->data = ngx_pnalloc(pool, value->len);
    if (dst->data == NULL) {
        return NGX_ERROR;
    }

    dst->len = value->len;
    ngx_memcpy(dst->data, value->data, value->len);

    return NGX_OK;
}


static void
wag_discovery_done(wag_probe_t *p, ngx_int_t rc)
{
    wag_discovery_t *d = p->data;

    ngx_uint_t  good;

    good = (rc == NGX_OK
            && wag_vendor_status(d->vendor->list.statuses, p->answer->status));

    if (good) {
        good = (wag_discovery_whole(d, p->answer) == NGX_OK);

        if (!good) {
            wag_discovery_bad(d);
        }
    }

    if (!good) {
        wag_discovery_drop(&d->coming);

    } else {
        wag_discovery_drop(&d->waiting);

        d->bad = 0;
        d->waiting = d->coming;
        d->coming.pool = NULL;
    }

    d->listed(d->data, p, rc);

    if (good && d->round.pool == NULL) {
        wag_discovery_round(d);
    }
}


/* "no items" may be how none are written; an empty answer is no JSON */

static ngx_int_t
wag_discovery_whole(wag_discovery_t *d, wag_http_t *answer)
{
    ngx_int_t  rc;

    if (answer->truncated) {
        d->pick.error = "it is too long";
        return NGX_ERROR;
    }

    if (d->coming.pool == NULL && wag_discovery_open(d) != NGX_OK) {
        d->pick.error = "no memory";
        return NGX_ERROR;
    }

    rc = (d->rc == NGX_AGAIN) ? wag_pick_end(&d->pick) : d->rc;

    if (rc == NGX_DECLINED) {
        d->pick.error = "no list where it should be";

        return d->vendor->list.empty ? NGX_OK : NGX_ERROR;
    }

    return rc;
}


/* what was known of the sessions stays, which is said once */

static void
wag_discovery_bad(wag_discovery_t *d)
{
    if (!d->bad) {
        ngx_log_error(NGX_LOG_WARN, d->step.log, 0,
                      "wa_gateway: list of sessions of %V is not used: %s",
                      &d->peer->name, d->pick.error);
    }

    d->bad = 1;
}


static void
wag_discovery_drop(wag_discovery_list_t *list)
{
    if (list->pool) {
        ngx_destroy_pool(list->pool);
        list->pool = NULL;
    }
}


static void
wag_discovery_round(wag_discovery_t *d)
{
    d->round = d->waiting;
    d->waiting.pool = NULL;

    if (d->round.skipped && !d->skipped) {
        ngx_log_error(NGX_LOG_WARN, d->step.log, 0,
                      "wa_gateway: %V lists %ui session%s whose name is "
                      "empty, longer than %d bytes or not printable",
                      &d->peer->name, d->round.skipped,
                      (d->round.skipped == 1) ? "" : "s",
                      WAG_SESSION_NAME_LEN);
    }

    d->skipped = (d->round.skipped != 0);
    d->next = d->round.first;

    wag_session_begin(d->upstream, d->peer, &d->round.list);

    ngx_memzero(&d->walk, sizeof(wag_session_walk_t));

    ngx_add_timer(&d->step, WAG_DISCOVERY_PAUSE);
}


static void
wag_discovery_step_handler(ngx_event_t *ev)
{
    wag_discovery_t *d = ev->data;

    ngx_uint_t   n;
    wag_item_t  *item;

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, ev->log, 0,
                   "wa_gateway discovery step handler: %V", &d->peer->name);

    if (ngx_exiting || ngx_terminate || ngx_quit || d->round.pool == NULL) {
        return;
    }

    for (n = 0; d->next; n++) {

        if (n == WAG_DISCOVERY_STEP) {
            ngx_add_timer(&d->step, WAG_DISCOVERY_PAUSE);
            return;
        }

        item = d->next;
        item->report.list = d->round.list.number;

        if (wag_discovery_process(d, item) == NGX_BUSY) {
            return;
        }

        d->next = item->next;
    }

    if (d->nasked == 0) {
        wag_discovery_over(d);
    }
}


/* NGX_BUSY: as many are asked as may be */

static ngx_int_t
wag_discovery_process(wag_discovery_t *d, wag_item_t *item)
{
    ngx_int_t  rc;

    if (d->vendor->ask.method.len) {
        return wag_discovery_ask(d, item, wag_question_start);
    }

    rc = wag_session_seen(d->upstream, d->peer, &item->report);

    if (rc == NGX_AGAIN && d->vendor->number.method.len) {
        return wag_discovery_ask(d, item, wag_question_number);
    }

    return NGX_OK;
}


static ngx_int_t
wag_discovery_ask(wag_discovery_t *d, wag_item_t *item,
    ngx_int_t (*start)(wag_question_t *question))
{
    wag_question_t  *question;
    wag_upstream_t  *us;

    us = d->upstream;

    if (d->nasked == WAG_DISCOVERY_ASKED) {
        return NGX_BUSY;
    }

    /* each has a connection, and most of a worker's are for others */

    if (ngx_queue_empty(&d->free)
        && us->nquestions
        && us->nquestions >= ngx_cycle->connection_n / 4)
    {
        if (!d->queued && d->nasked == 0) {
            ngx_queue_insert_tail(&us->discoveries, &d->queue);
            d->queued = 1;
        }

        return NGX_BUSY;
    }

    question = wag_discovery_question(d);

    if (question == NULL) {
        wag_session_listed(us, d->peer, &item->report);
        return NGX_OK;
    }

    question->item = item;

    if (start(question) != NGX_OK) {
        wag_session_listed(us, d->peer, &item->report);
        return NGX_OK;
    }

    ngx_queue_remove(&question->queue);
    ngx_queue_insert_tail(&d->asked, &question->queue);

    d->nasked++;

    return NGX_OK;
}


/* one that is free, for its connection may rest; or a new one */

static wag_question_t *
wag_discovery_question(wag_discovery_t *d)
{
    wag_question_t  *question;

    if (!ngx_queue_empty(&d->free)) {
        return ngx_queue_data(ngx_queue_head(&d->free), wag_question_t, queue);
    }

    question = ngx_calloc(sizeof(wag_question_t), d->step.log);
    if (question == NULL) {
        return NULL;
    }

    question->upstream = d->upstream;
    question->peer = d->peer;
    question->vendor = d->vendor;
    question->done = wag_discovery_answered;
    question->data = d;

    ngx_queue_insert_head(&d->free, &question->queue);

    d->upstream->nquestions++;

    return question;
}


static void
wag_discovery_answered(wag_question_t *question)
{
    wag_discovery_t  *d;

    d = question->data;

    ngx_queue_remove(&question->queue);
    ngx_queue_insert_head(&d->free, &question->queue);

    d->nasked--;

    /* it cannot be freed within its own call, so the timer goes on */

    if (!d->step.timer_set) {
        ngx_add_timer(&d->step, 0);
    }
}


static void
wag_discovery_over(wag_discovery_t *d)
{
    wag_discovery_free(d);

    if (wag_session_complete(d->upstream, d->peer, &d->round.list, &d->walk)
        == NGX_AGAIN)
    {
        ngx_add_timer(&d->step, WAG_DISCOVERY_PAUSE);
        return;
    }

    wag_discovery_drop(&d->round);

    if (d->waiting.pool) {
        wag_discovery_round(d);
    }
}


static void
wag_discovery_free(wag_discovery_t *d)
{
    ngx_queue_t     *q, *next;
    wag_upstream_t  *us;
    wag_question_t  *question;

    us = d->upstream;

    q = ngx_queue_head(&d->free);
    ngx_queue_init(&d->free);

    for ( /* void */ ; q != ngx_queue_sentinel(&d->free); q = next) {
        next = ngx_queue_next(q);
        question = ngx_queue_data(q, wag_question_t, queue);

        wag_question_cancel(question);
        ngx_free(question);

        us->nquestions--;

        wag_discovery_wake(us);
    }
}


/* the first of those that wait may ask */

static void
wag_discovery_wake(wag_upstream_t *us)
{
    ngx_queue_t      *q;
    wag_discovery_t  *d;

    if (ngx_queue_empty(&us->discoveries)) {
        return;
    }

    q = ngx_queue_head(&us->discoveries);
    d = ngx_queue_data(q, wag_discovery_t, queue);

    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): it was inited */
    ngx_queue_remove(q);
    d->queued = 0;

    if (!d->step.timer_set) {
        ngx_add_timer(&d->step, 0);
    }
}
