
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_chunked_response.h"
#include "wag_conf.h"
#include "wag_json_response.h"
#include "wag_json_text.h"
#include "wag_marks_zone.h"
#include "wag_session_change.h"
#include "wag_snapshot.h"
#include "wag_state.h"
#include "wag_status_json.h"
#include "wag_store_figures.h"
#include "wag_vendor.h"


static ngx_int_t wag_status_json_begin(wag_chunked_response_t *stream,
    wag_snapshot_t *s);
static ngx_int_t wag_status_json_gateway(cJSON *root, ngx_http_request_t *r,
    wag_snapshot_t *s);
static ngx_int_t wag_status_json_detail(wag_chunked_response_t *stream,
    wag_view_t *v, ngx_uint_t n);
static ngx_int_t wag_status_json_admin(cJSON *object, wag_snapshot_t *s,
    wag_view_t *v);
static ngx_int_t wag_status_json_checks(cJSON *object, wag_checks_t *checks);
static ngx_int_t wag_status_json_requests(cJSON *object,
    wag_instance_t *instance);
static ngx_int_t wag_status_json_latency(cJSON *object,
    wag_instance_t *instance);
static ngx_int_t wag_status_json_vendor(cJSON *object, wag_view_t *v);
static ngx_int_t wag_status_json_balancer(wag_chunked_response_t *stream,
    wag_snapshot_t *s);
static ngx_int_t wag_status_json_idempotency(cJSON *root, wag_snapshot_t *s);
static ngx_int_t wag_status_json_sessions(cJSON *root, wag_snapshot_t *s);
static ngx_int_t wag_status_json_event(wag_chunked_response_t *stream,
    wag_session_event_t *event);
static ngx_int_t wag_status_json_event_session(cJSON *root,
    wag_session_event_t *event);
static ngx_int_t wag_status_json_add(wag_chunked_response_t *stream,
    char *before, cJSON *root, size_t head, size_t tail);
static ngx_int_t wag_status_json_number(cJSON *object, const char *name,
    ngx_int_t number);


/*
 * The parts one after the other: the figures before the instances, a unit for
 * each instance, those after them, a unit for each event.
 */

ngx_int_t
wag_status_json_produce(wag_chunked_response_t *stream)
{
    wag_snapshot_t *s = stream->data;

    wag_view_t  *v;

    switch (stream->stage) {

    case 0:
        stream->stage++;
        return wag_status_json_begin(stream, s);

    case 1:

        while (stream->n < s->total) {
            v = &s->views[stream->n++];

            if (s->shown == WAG_STATES || s->shown == v->state)
            {
                return wag_status_json_detail(stream, v, s->listed++);
            }
        }

        stream->stage++;
        stream->n = 0;

        return wag_status_json_balancer(stream, s);

    default:

        if (stream->n < s->nevents) {
            return wag_status_json_event(stream, &s->events[stream->n]);
        }

        return (wag_chunked_response_add(stream, (u_char *) "]}", 2)
                == NGX_OK) ? NGX_OK : NGX_ERROR;
    }
}


/* objects left open for what follows: their last braces are cut */

static ngx_int_t
wag_status_json_begin(wag_chunked_response_t *stream, wag_snapshot_t *s)
{
    cJSON  *root, *instances;

    root = cJSON_CreateObject();

    if (wag_status_json_gateway(root, stream->request, s) != NGX_OK
        || (instances = cJSON_AddObjectToObject(root, "instances")) == NULL
        || cJSON_AddNumberToObject(instances, "total", s->total) == NULL
        || cJSON_AddNumberToObject(instances, "healthy", s->healthy) == NULL
        || cJSON_AddNumberToObject(instances, "unhealthy",
                                   s->total - s->healthy) == NULL
        || cJSON_AddObjectToObject(instances, "details") == NULL)
    {
        cJSON_Delete(root);
        return NGX_ERROR;
    }

    return wag_status_json_add(stream, "", root, 0, sizeof("}}}") - 1);
}


static ngx_int_t
wag_status_json_gateway(cJSON *root, ngx_http_request_t *r, wag_snapshot_t *s)
{
    cJSON            *gateway;
    in_port_t         port;
    ngx_core_conf_t  *ccf;

    if (ngx_connection_local_sockaddr(r->connection, NULL, 0) != NGX_OK) {
        return NGX_ERROR;
    }

    port = ngx_inet_get_port(r->connection->local_sockaddr);

    ccf = (ngx_core_conf_t *) ngx_get_conf(ngx_cycle->conf_ctx,
                                           ngx_core_module);

    if ((gateway = cJSON_AddObjectToObject(root, "gateway")) == NULL
        || cJSON_AddStringToObject(gateway, "status", "running") == NULL
        || cJSON_AddNumberToObject(gateway, "port", port) == NULL
        || cJSON_AddNumberToObject(gateway, "uptime",
                                   (double) (s->uptime / 10) / 100) == NULL
        || wag_json_text_time(gateway, "timestamp", s->now)
           == NULL
        || cJSON_AddStringToObject(gateway, "version", WAG_VERSION) == NULL
        || cJSON_AddStringToObject(gateway, "nginx", NGINX_VERSION) == NULL
        || cJSON_AddNumberToObject(gateway, "workers",
                              ccf->master ? ccf->worker_processes : 1) == NULL
        || cJSON_AddNumberToObject(gateway, "generation", s->config_gen - 1)
           == NULL)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
wag_status_json_detail(wag_chunked_response_t *stream, wag_view_t *v,
    ngx_uint_t n)
{
    char             name[WAG_NAME_LEN + 1];
    cJSON           *root, *object;
    wag_instance_t  *record;

    record = &v->record;
    root = cJSON_CreateObject();

    (void) ngx_cpystrn((u_char *) name, v->name.data,
                       ngx_min(v->name.len + 1, sizeof(name)));

    object = cJSON_AddObjectToObject(root, name);

    if (cJSON_AddBoolToObject(object, "healthy", v->healthy) == NULL
        || wag_json_text_time(object, "lastChecked",
                              record->checks.last) == NULL
        || wag_status_json_number(object, "responseTime",
                                  record->checks.response_time) != NGX_OK
        || wag_json_text_or_null(object, "state",
                                &wag_states[v->state]) == NULL
        || wag_json_text_or_null(object, "reason", &v->reason) == NULL
        || wag_json_text_time(object, "since", record->since)
           == NULL
        || cJSON_AddNumberToObject(object, "weight", v->weight) == NULL
        || wag_status_json_admin(object, stream->data, v) != NGX_OK
        || wag_status_json_checks(object, &record->checks) != NGX_OK
        || wag_status_json_requests(object, record) != NGX_OK
        || wag_status_json_latency(object, record) != NGX_OK
        || wag_status_json_vendor(object, v) != NGX_OK)
    {
        cJSON_Delete(root);
        return NGX_ERROR;
    }

    return wag_status_json_add(stream, n ? "," : "", root, 1, 1);
}


/* where instances can be changed at run time */

static ngx_int_t
wag_status_json_admin(cJSON *object, wag_snapshot_t *s, wag_view_t *v)
{
    if (!s->upstream->controlled) {
        return NGX_OK;
    }

    if (wag_json_text_or_null(object, "admin",
                              &wag_snapshot_admins[v->record.admin.state])
        == NULL
        || cJSON_AddBoolToObject(object, "added", v->record.added) == NULL
        || cJSON_AddNumberToObject(object, "maxConns", v->max_conns) == NULL)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
wag_status_json_checks(cJSON *object, wag_checks_t *checks)
{
    cJSON      *item;
    ngx_int_t   status;

    status = checks->last_status ? (ngx_int_t) checks->last_status : -1;

    if ((item = cJSON_AddObjectToObject(object, "checks")) == NULL
        || cJSON_AddNumberToObject(item, "passed", checks->passed) == NULL
        || cJSON_AddNumberToObject(item, "failed", checks->failed) == NULL
        || cJSON_AddNumberToObject(item, "consecutiveFailures",
                                   checks->failed_in_row) == NULL
        || wag_status_json_number(item, "lastStatus", status) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
wag_status_json_requests(cJSON *object, wag_instance_t *instance)
{
    cJSON        *requests;
    ngx_uint_t    i, failed;
    static char  *codes[] = { "1xx", "2xx", "3xx", "4xx", "5xx" };

    failed = 0;

    for (i = 0; i < WAG_FAILURES; i++) {
        failed += instance->counters.failures[i];
    }

    if ((requests = cJSON_AddObjectToObject(object, "requests")) == NULL
        || cJSON_AddNumberToObject(requests, "total",
                                   instance->counters.requests) == NULL
        || cJSON_AddNumberToObject(requests, "inFlight", instance->in_flight)
           == NULL
        || cJSON_AddNumberToObject(requests, "failed", failed) == NULL)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < 5; i++) {
        if (cJSON_AddNumberToObject(requests, codes[i],
                                    instance->counters.codes[i]) == NULL)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
wag_status_json_latency(cJSON *object, wag_instance_t *instance)
{
    cJSON             *latency;
    ngx_uint_t         i;
    ngx_msec_int_t     msec;
    static char       *names[] = { "p50", "p95", "p99" };
    static ngx_uint_t  percents[] = { 50, 95, 99 };

    latency = cJSON_AddObjectToObject(object, "latency");
    if (latency == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < 3; i++) {
        msec = wag_latency_percentile(instance->counters.latency, percents[i]);

        if (wag_status_json_number(latency, names[i], msec) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
wag_status_json_vendor(cJSON *object, wag_view_t *v)
{
    cJSON         *sessions;
    wag_vendor_t  *vendor;

    vendor = v->vendor;

    if (vendor == NULL) {
        return NGX_OK;
    }

    if (wag_json_text_string(object, "vendor", vendor->name.data,
                             vendor->name.len) == NULL
        || (sessions = cJSON_AddObjectToObject(object, "sessions")) == NULL
        || cJSON_AddNumberToObject(sessions, "total", v->sessions.total)
           == NULL
        || cJSON_AddNumberToObject(sessions, "ready",
                                   v->sessions.states[WAG_SESSION_READY])
           == NULL)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
wag_status_json_balancer(wag_chunked_response_t *stream, wag_snapshot_t *s)
{
    cJSON  *root, *balancer;

    root = cJSON_CreateObject();

    if ((balancer = cJSON_AddObjectToObject(root, "loadBalancer")) == NULL
        || cJSON_AddStringToObject(balancer, "algorithm", "round-robin")
           == NULL
        || cJSON_AddNumberToObject(balancer, "currentIndex", s->next) == NULL
        || wag_status_json_sessions(root, s) != NGX_OK
        || wag_status_json_idempotency(root, s) != NGX_OK
        || wag_store_figures_json(root, s->upstream) != NGX_OK
        || cJSON_AddArrayToObject(root, "events") == NULL)
    {
        cJSON_Delete(root);
        return NGX_ERROR;
    }

    return wag_status_json_add(stream, "}},", root, 1, sizeof("]}") - 1);
}


static ngx_int_t
wag_status_json_idempotency(cJSON *root, wag_snapshot_t *s)
{
    cJSON                   *object;
    wag_marks_t              marks;
    wag_idempotency_conf_t  *conf;

    conf = s->upstream->idempotency;

    if (conf == NULL) {
        return NGX_OK;
    }

    wag_marks_zone_figures(conf->zone, &marks);

    if ((object = cJSON_AddObjectToObject(root, "idempotency")) == NULL
        || cJSON_AddBoolToObject(object, "required",
                                 conf->mode == WAG_IDEMPOTENCY_REQUIRED)
           == NULL
        || cJSON_AddNumberToObject(object, "ttl", conf->ttl) == NULL
        || cJSON_AddNumberToObject(object, "keys", marks.nmarks) == NULL
        || cJSON_AddNumberToObject(object, "answers", marks.nanswers) == NULL
        || cJSON_AddNumberToObject(object, "capacity", wag_marks_room(&marks))
           == NULL
        || cJSON_AddNumberToObject(object, "replayed",
                                   marks.counters.replayed)
           == NULL
        || cJSON_AddNumberToObject(object, "orphaned",
                                   marks.counters.orphaned)
           == NULL)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
wag_status_json_sessions(cJSON *root, wag_snapshot_t *s)
{
    cJSON  *sessions;

    if (s->upstream->vendors == 0) {
        return NGX_OK;
    }

    if ((sessions = cJSON_AddObjectToObject(root, "sessions")) == NULL
        || cJSON_AddNumberToObject(sessions, "total", s->sessions.total)
           == NULL
        || cJSON_AddNumberToObject(sessions, "ready",
                                   s->sessions.states[WAG_SESSION_READY])
           == NULL
        || cJSON_AddNumberToObject(sessions, "capacity",
                                   s->upstream->max_sessions) == NULL)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
wag_status_json_event(wag_chunked_response_t *stream,
    wag_session_event_t *event)
{
    cJSON      *root;
    ngx_str_t   reason, *states;
    ngx_uint_t  from, to;

    root = cJSON_CreateObject();

    reason.len = event->event.reason_len;
    reason.data = event->event.reason;

    from = event->event.from;
    to = event->event.to;
    states = event->len ? wag_session_states : wag_states;

    if (wag_json_text_time(root, "time", event->event.time) == NULL
        || wag_json_text_string(root, "instance", event->event.name,
                                event->event.name_len) == NULL
        || wag_status_json_event_session(root, event) != NGX_OK
        || wag_json_text_or_null(root, "from", &states[from]) == NULL
        || wag_json_text_or_null(root, "to", &states[to]) == NULL
        || wag_json_text_or_null(root, "reason", &reason) == NULL)
    {
        cJSON_Delete(root);
        return NGX_ERROR;
    }

    return wag_status_json_add(stream, stream->n++ ? "," : "", root, 0, 0);
}


static ngx_int_t
wag_status_json_event_session(cJSON *root, wag_session_event_t *event)
{
    u_char     number[NGX_INT64_LEN];
    ngx_str_t  digits;

    if (event->len == 0) {
        return NGX_OK;
    }

    digits.data = number;
    digits.len = event->number
                 ? ngx_sprintf(number, "%uL", event->number) - number : 0;

    return (wag_json_text_string(root, "session", event->session, event->len)
            == NULL
            || wag_json_text_or_null(root, "number", &digits) == NULL)
           ? NGX_ERROR : NGX_OK;
}


static ngx_int_t
wag_status_json_add(wag_chunked_response_t *stream, char *before, cJSON *root,
    size_t head, size_t tail)
{
    return (wag_chunked_response_add_json(stream, before, root, head, tail)
            == NGX_OK) ? NGX_AGAIN : NGX_ERROR;
}


/* a number, or null if it is negative */

static ngx_int_t
wag_status_json_number(cJSON *object, const char *name, ngx_int_t number)
{
    cJSON  *item;

    item = (number < 0) ? cJSON_AddNullToObject(object, name)
                        : cJSON_AddNumberToObject(object, name, number);

    return (item == NULL) ? NGX_ERROR : NGX_OK;
}
