
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_chunked_response.h"
#include "wag_client.h"
#include "wag_conf.h"
#include "wag_json_response.h"
#include "wag_json_text.h"
#include "wag_members.h"
#include "wag_pace.h"
#include "wag_peers.h"
#include "wag_session_change.h"
#include "wag_session_view.h"
#include "wag_sessions_api.h"
#include "wag_vendor.h"


#define WAG_SESSIONS_API_LIMIT  1000
#define WAG_SESSIONS_API_MOST   10000

/* sessions that are looked at in a turn of the event loop */

#define WAG_SESSIONS_API_STEP   512


/* whose sessions are told, as long as it is there */

typedef struct {
    wag_peer_t          *peer;
    ngx_uint_t           incarnation;
} wag_sessions_api_peer_t;


typedef struct {
    wag_upstream_t           *upstream;
    wag_key_t                *key;
    ngx_str_t                 session;   /* data is NULL: any */
    ngx_str_t                 instance;
    ngx_uint_t                state;     /* SESSION_STATES: any */
    uint64_t                  number;    /* 0: any */
    ngx_uint_t                limit;
    ngx_uint_t                offset;

    wag_sessions_api_peer_t  *peers;
    ngx_uint_t                npeers;
    ngx_uint_t                peer;      /* whose turn it is */

    ngx_pool_t               *pool;      /* of the views of one peer */
    ngx_array_t               views;
    ngx_uint_t                view;      /* whose turn it is */
    ngx_uint_t                looked;    /* at so many in this turn */

    ngx_uint_t                total;     /* so far */
    ngx_uint_t                ready;
} wag_sessions_api_t;


static ngx_int_t wag_sessions_api_handler(ngx_http_request_t *r);
static const char *wag_sessions_api_filters(ngx_http_request_t *r,
    wag_sessions_api_t *api);
static const char *wag_sessions_api_number(ngx_http_request_t *r,
    const char *name, ngx_uint_t most, ngx_uint_t *n);
static ngx_int_t wag_sessions_api_peers(ngx_http_request_t *r,
    wag_sessions_api_t *api);
static void wag_sessions_api_cleanup(void *data);
static ngx_uint_t wag_sessions_api_matches(wag_sessions_api_t *api,
    wag_session_view_t *v);
static ngx_uint_t wag_sessions_api_same(ngx_str_t *one, ngx_str_t *two);
static ngx_int_t wag_sessions_api_produce(wag_chunked_response_t *stream);
static wag_session_view_t *wag_sessions_api_next(wag_sessions_api_t *api);
static ngx_int_t wag_sessions_api_take(wag_chunked_response_t *stream,
    wag_sessions_api_t *api);
static ngx_int_t wag_sessions_api_session(wag_chunked_response_t *stream,
    wag_sessions_api_t *api, wag_session_view_t *v);
static cJSON *wag_sessions_api_pace(cJSON *root, wag_upstream_t *us,
    wag_session_view_t *v);
static ngx_int_t wag_sessions_api_end(wag_chunked_response_t *stream,
    wag_sessions_api_t *api);


static ngx_str_t  wag_json = ngx_string("application/json");


char *
wag_sessions_api_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    return wag_conf_show(cf, conf, wag_sessions_api_handler);
}


static ngx_int_t
wag_sessions_api_handler(ngx_http_request_t *r)
{
    ngx_int_t            rc;
    const char          *bad;
    wag_loc_conf_t      *wlcf;
    wag_sessions_api_t  *api;

    rc = wag_json_response_begin(r);
    if (rc != NGX_OK) {
        return rc;
    }

    api = ngx_pcalloc(r->pool, sizeof(wag_sessions_api_t));
    if (api == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wa_gateway_module);

    api->upstream = wlcf->upstream;
    api->key = wag_client_key(r);

    if (wag_json_response_arg(r, "session", &api->session) == NGX_ERROR
        || wag_json_response_arg(r, "instance", &api->instance) == NGX_ERROR)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    bad = wag_sessions_api_filters(r, api);

    if (bad) {
        return wag_json_response_bad(r, "Bad filter", bad);
    }

    if (wag_sessions_api_peers(r, api) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return wag_chunked_response_send(r, &wag_json, wag_sessions_api_produce,
                                     api);
}


/* NULL, or what is wrong with one of them */

static const char *
wag_sessions_api_filters(ngx_http_request_t *r, wag_sessions_api_t *api)
{
    ngx_str_t    value;
    ngx_uint_t   i;
    const char  *bad;

    if (wag_json_response_arg(r, "number", &value) == NGX_OK) {

        api->number = wag_vendor_number(&value);

        if (api->number == 0) {
            return "number has 8 to 15 digits";
        }
    }

    api->state = WAG_SESSION_STATES;

    if (wag_json_response_arg(r, "state", &value) == NGX_OK) {

        for (i = 0; i < WAG_SESSION_STATES; i++) {
            if (wag_sessions_api_same(&wag_session_states[i], &value)) {
                api->state = i;
            }
        }

        if (api->state == WAG_SESSION_STATES) {
            return "state is one of ready, starting, login, down";
        }
    }

    api->limit = WAG_SESSIONS_API_LIMIT;

    bad = wag_sessions_api_number(r, "limit", WAG_SESSIONS_API_MOST,
                                  &api->limit);
    if (bad) {
        return "limit is a number from 0 to 10000";
    }

    bad = wag_sessions_api_number(r, "offset", NGX_MAX_INT32_VALUE,
                                  &api->offset);
    if (bad) {
        return "offset is a number from 0 to 2147483647";
    }

    return NULL;
}


static const char *
wag_sessions_api_number(ngx_http_request_t *r, const char *name,
    ngx_uint_t most, ngx_uint_t *n)
{
    ngx_int_t  number;
    ngx_str_t  value;

    if (wag_json_response_arg(r, name, &value) != NGX_OK) {
        return NULL;
    }

    number = ngx_atoi(value.data, value.len);

    if (number == NGX_ERROR || (ngx_uint_t) number > most) {
        return name;
    }

    *n = number;

    return NULL;
}


static ngx_int_t
wag_sessions_api_peers(ngx_http_request_t *r, wag_sessions_api_t *api)
{
    ngx_uint_t                i;
    wag_peer_t               *peer;
    wag_upstream_t           *us;
    ngx_pool_cleanup_t       *cln;
    wag_sessions_api_peer_t  *p;

    us = api->upstream;

    wag_members_refresh(us);

    p = ngx_palloc(r->pool, us->npeers * sizeof(wag_sessions_api_peer_t));
    if (p == NULL) {
        return NGX_ERROR;
    }

    api->peers = p;

    for (i = 0; i < us->npeers; i++) {
        peer = us->peers[i];

        if (api->instance.data == NULL
            || wag_sessions_api_same(&api->instance, &peer->name))
        {
            p->peer = peer;
            p->incarnation = peer->incarnation;
            p++;
        }
    }

    api->npeers = p - api->peers;

    cln = ngx_pool_cleanup_add(r->pool, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    api->pool = ngx_create_pool(ngx_pagesize, r->connection->log);
    if (api->pool == NULL) {
        return NGX_ERROR;
    }

    cln->handler = wag_sessions_api_cleanup;
    cln->data = api->pool;

    return NGX_OK;
}


static void
wag_sessions_api_cleanup(void *data)
{
    ngx_destroy_pool(data);
}


static ngx_uint_t
wag_sessions_api_matches(wag_sessions_api_t *api, wag_session_view_t *v)
{
    return (api->session.data == NULL
            || wag_sessions_api_same(&api->session, &v->name))
           && (api->number == 0 || api->number == v->number)
           && (api->state == WAG_SESSION_STATES || api->state == v->state);
}


static ngx_uint_t
wag_sessions_api_same(ngx_str_t *one, ngx_str_t *two)
{
    return one->len == two->len
           && ngx_memcmp(one->data, two->data, one->len) == 0;
}


static ngx_int_t
wag_sessions_api_produce(wag_chunked_response_t *stream)
{
    wag_sessions_api_t *api = stream->data;

    static ngx_str_t     begin = ngx_string("{\"sessions\":[");
    wag_session_view_t  *v;

    if (stream->stage == 0) {
        stream->stage++;

        return (wag_chunked_response_add(stream, begin.data, begin.len)
                == NGX_OK) ? NGX_AGAIN : NGX_ERROR;
    }

    v = wag_sessions_api_next(api);

    if (v) {
        return wag_sessions_api_session(stream, api, v);
    }

    if (api->peer < api->npeers) {
        return wag_sessions_api_take(stream, api);
    }

    return wag_sessions_api_end(stream, api);
}


/* the next one of this peer that is told; all that match are counted */

static wag_session_view_t *
wag_sessions_api_next(wag_sessions_api_t *api)
{
    wag_session_view_t  *v;

    while (api->view < api->views.nelts) {
        v = (wag_session_view_t *) api->views.elts + api->view++;

        if (!wag_sessions_api_matches(api, v)) {
            continue;
        }

        api->total++;
        api->ready += (v->state == WAG_SESSION_READY);

        if (api->total > api->offset
            && api->total - api->offset <= api->limit)
        {
            return v;
        }
    }

    return NULL;
}


/* copies the sessions of the next peer */

static ngx_int_t
wag_sessions_api_take(wag_chunked_response_t *stream, wag_sessions_api_t *api)
{
    ngx_uint_t                looked;
    wag_sessions_api_peer_t  *p;

    p = &api->peers[api->peer++];

    ngx_reset_pool(api->pool);

    api->view = 0;
    looked = 0;

    if (ngx_array_init(&api->views, api->pool, 16, sizeof(wag_session_view_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* one that left meanwhile has none */

    if (p->peer->incarnation == p->incarnation
        && !wag_peers_gone(p->peer)
        && wag_session_view_take(api->upstream, p->peer, api->key, &api->views,
                                 &looked)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, stream->request->connection->log, 0,
                   "wa_gateway sessions of peer %ui, looked at: %ui",
                   api->peer, looked);

    api->looked += looked + 1;

    if (api->looked < WAG_SESSIONS_API_STEP) {
        return NGX_AGAIN;
    }

    api->looked = 0;

    return NGX_BUSY;
}


static ngx_int_t
wag_sessions_api_session(wag_chunked_response_t *stream,
    wag_sessions_api_t *api, wag_session_view_t *v)
{
    u_char      number[NGX_INT64_LEN];
    cJSON      *root, *messages;
    ngx_str_t   digits, *state, *vendor;
    ngx_int_t   rc;

    root = cJSON_CreateObject();

    digits.data = number;
    digits.len = v->number ? ngx_sprintf(number, "%uL", v->number) - number
                           : 0;

    state = &wag_session_states[v->state];
    vendor = &v->vendor->name;

    if (wag_json_text_string(root, "session", v->name.data, v->name.len)
        == NULL
        || wag_json_text_or_null(root, "number", &digits) == NULL
        || wag_json_text_string(root, "instance", v->instance.data,
                                v->instance.len) == NULL
        || wag_json_text_string(root, "vendor", vendor->data, vendor->len)
           == NULL
        || wag_json_text_string(root, "state", state->data, state->len) == NULL
        || wag_json_text_or_null(root, "vendorState", &v->word) == NULL
        || (v->reason ? cJSON_AddStringToObject(root, "reason", v->reason)
                      : cJSON_AddNullToObject(root, "reason")) == NULL
        || wag_json_text_time(root, "since", v->since) == NULL
        || wag_json_text_time(root, "lastSeen", v->seen) == NULL
        || (messages = cJSON_AddObjectToObject(root, "messages")) == NULL
        || cJSON_AddNumberToObject(messages, "sent", v->sent) == NULL
        || cJSON_AddNumberToObject(messages, "failed", v->failed) == NULL
        || cJSON_AddNumberToObject(messages, "unknown", v->unknown) == NULL
        || wag_json_text_time(root, "lastSent", v->last_sent) == NULL
        || wag_sessions_api_pace(root, api->upstream, v) == NULL)
    {
        cJSON_Delete(root);
        return NGX_ERROR;
    }

    rc = wag_chunked_response_add_json(stream, stream->n++ ? "," : "", root, 0,
                                       0);

    return (rc == NGX_OK) ? NGX_AGAIN : NGX_ERROR;
}


/* null: nothing is paced, only a store knows, or the number is not known */

static cJSON *
wag_sessions_api_pace(cJSON *root, wag_upstream_t *us, wag_session_view_t *v)
{
    cJSON             *object;
    wag_pace_t        *pace;
    wag_pace_view_t    view;
    wag_pace_claim_t   claim;

    pace = us->pace;

    if (pace == NULL || us->store || v->number == 0) {
        return cJSON_AddNullToObject(root, "pace");
    }

    ngx_memzero(&claim, sizeof(wag_pace_claim_t));
    claim.number = v->number;

    wag_pace_look(pace, &claim, &view);

    object = cJSON_AddObjectToObject(root, "pace");

    if (pace->number.interval
        && (cJSON_AddNumberToObject(object, "left", view.left) == NULL
            || cJSON_AddNumberToObject(object, "burst", pace->number.size)
               == NULL
            || cJSON_AddNumberToObject(object, "waiting", view.waiting)
               == NULL))
    {
        return NULL;
    }

    if (pace->day
        && (cJSON_AddNumberToObject(object, "dayLeft", view.day_left) == NULL
            || cJSON_AddNumberToObject(object, "day", pace->day) == NULL))
    {
        return NULL;
    }

    return object;
}


static ngx_int_t
wag_sessions_api_end(wag_chunked_response_t *stream, wag_sessions_api_t *api)
{
    cJSON  *root;

    root = cJSON_CreateObject();

    if (cJSON_AddNumberToObject(root, "total", api->total) == NULL
        || cJSON_AddNumberToObject(root, "ready", api->ready) == NULL
        || wag_json_text_time(root, "timestamp", wag_time()) == NULL)
    {
        cJSON_Delete(root);
        return NGX_ERROR;
    }

    return wag_chunked_response_add_json(stream, "],", root, 1, 0);
}
