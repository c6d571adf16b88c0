
/*
 * Copyright (C) the wa_gateway authors
 */


#include "ngx_http_wa_gateway_module.h"
#include "ngx_http_wa_gateway_answer.h"
#include "ngx_http_wa_gateway_snapshot.h"
#include "ngx_http_wa_gateway_status.h"
#include "ngx_http_wa_gateway_zone.h"


static cJSON *ngx_http_wa_gateway_status_make(ngx_http_request_t *r,
    ngx_http_wa_gateway_snapshot_t *s);
static ngx_int_t ngx_http_wa_gateway_status_gateway(cJSON *root,
    ngx_http_request_t *r, ngx_http_wa_gateway_snapshot_t *s);
static ngx_int_t ngx_http_wa_gateway_status_instances(cJSON *root,
    ngx_http_wa_gateway_snapshot_t *s);
static ngx_int_t ngx_http_wa_gateway_status_instance(cJSON *details,
    ngx_http_wa_gateway_view_t *v);
static ngx_int_t ngx_http_wa_gateway_status_checks(cJSON *object,
    ngx_http_wa_gateway_instance_t *instance);
static ngx_int_t ngx_http_wa_gateway_status_requests(cJSON *object,
    ngx_http_wa_gateway_instance_t *instance);
static ngx_int_t ngx_http_wa_gateway_status_balancer(cJSON *root,
    ngx_http_wa_gateway_snapshot_t *s);
static ngx_int_t ngx_http_wa_gateway_status_events(cJSON *root,
    ngx_http_wa_gateway_snapshot_t *s);
static ngx_int_t ngx_http_wa_gateway_status_text(cJSON *object,
    const char *name, ngx_str_t *text);
static ngx_int_t ngx_http_wa_gateway_status_number(cJSON *object,
    const char *name, ngx_int_t number);


ngx_int_t
ngx_http_wa_gateway_status_handler(ngx_http_request_t *r)
{
    ngx_int_t                        rc;
    ngx_http_wa_gateway_snapshot_t  *s;
    ngx_http_wa_gateway_loc_conf_t  *wlcf;

    rc = ngx_http_wa_gateway_answer_begin(r);
    if (rc != NGX_OK) {
        return rc;
    }

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wa_gateway_module);

    s = ngx_http_wa_gateway_snapshot_take(r->pool, wlcf->upstream);
    if (s == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_wa_gateway_answer_send(r, NGX_HTTP_OK,
                                    ngx_http_wa_gateway_status_make(r, s));
}


ngx_int_t
ngx_http_wa_gateway_health_handler(ngx_http_request_t *r)
{
    cJSON                           *root, *instances;
    ngx_int_t                        rc;
    ngx_uint_t                       total, healthy;
    ngx_http_wa_gateway_loc_conf_t  *wlcf;

    rc = ngx_http_wa_gateway_answer_begin(r);
    if (rc != NGX_OK) {
        return rc;
    }

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wa_gateway_module);

    ngx_http_wa_gateway_snapshot_count(wlcf->upstream, &total, &healthy);

    root = cJSON_CreateObject();

    if (cJSON_AddStringToObject(root, "status",
                                healthy ? "healthy" : "unhealthy") == NULL
        || (instances = cJSON_AddObjectToObject(root, "instances")) == NULL
        || cJSON_AddNumberToObject(instances, "total", total) == NULL
        || cJSON_AddNumberToObject(instances, "healthy", healthy) == NULL
        || ngx_http_wa_gateway_answer_time(root, "timestamp",
                                           ngx_http_wa_gateway_time())
           == NULL)
    {
        cJSON_Delete(root);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_wa_gateway_answer_send(r,
                      healthy ? NGX_HTTP_OK : NGX_HTTP_SERVICE_UNAVAILABLE,
                      root);
}


static cJSON *
ngx_http_wa_gateway_status_make(ngx_http_request_t *r,
    ngx_http_wa_gateway_snapshot_t *s)
{
    cJSON  *root;

    root = cJSON_CreateObject();

    if (ngx_http_wa_gateway_status_gateway(root, r, s) != NGX_OK
        || ngx_http_wa_gateway_status_instances(root, s) != NGX_OK
        || ngx_http_wa_gateway_status_balancer(root, s) != NGX_OK
        || ngx_http_wa_gateway_status_events(root, s) != NGX_OK)
    {
        cJSON_Delete(root);
        return NULL;
    }

    return root;
}


static ngx_int_t
ngx_http_wa_gateway_status_gateway(cJSON *root, ngx_http_request_t *r,
    ngx_http_wa_gateway_snapshot_t *s)
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
        || ngx_http_wa_gateway_answer_time(gateway, "timestamp", s->now)
           == NULL
        || cJSON_AddStringToObject(gateway, "version",
                                   NGX_HTTP_WA_GATEWAY_VERSION) == NULL
        || cJSON_AddStringToObject(gateway, "nginx", NGINX_VERSION) == NULL
        || cJSON_AddNumberToObject(gateway, "workers",
                              ccf->master ? ccf->worker_processes : 1) == NULL
        || cJSON_AddNumberToObject(gateway, "generation", s->generation - 1)
           == NULL)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_wa_gateway_status_instances(cJSON *root,
    ngx_http_wa_gateway_snapshot_t *s)
{
    cJSON       *instances, *details;
    ngx_uint_t   i;

    if ((instances = cJSON_AddObjectToObject(root, "instances")) == NULL
        || cJSON_AddNumberToObject(instances, "total", s->total) == NULL
        || cJSON_AddNumberToObject(instances, "healthy", s->healthy) == NULL
        || cJSON_AddNumberToObject(instances, "unhealthy",
                                   s->total - s->healthy) == NULL
        || (details = cJSON_AddObjectToObject(instances, "details")) == NULL)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < s->total; i++) {
        if (ngx_http_wa_gateway_status_instance(details, &s->views[i])
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_wa_gateway_status_instance(cJSON *details,
    ngx_http_wa_gateway_view_t *v)
{
    char                             name[NGX_HTTP_WA_GATEWAY_NAME_LEN + 1];
    cJSON                           *object;
    ngx_http_wa_gateway_instance_t  *record;

    record = &v->record;

    (void) ngx_cpystrn((u_char *) name, v->peer->name.data,
                       ngx_min(v->peer->name.len + 1, sizeof(name)));

    object = cJSON_AddObjectToObject(details, name);

    if (cJSON_AddBoolToObject(object, "healthy", v->healthy) == NULL
        || ngx_http_wa_gateway_answer_time(object, "lastChecked",
                                           record->last_checked) == NULL
        || ngx_http_wa_gateway_status_number(object, "responseTime",
                                             record->response_time) != NGX_OK
        || ngx_http_wa_gateway_status_text(object, "state",
                             &ngx_http_wa_gateway_states[v->state]) != NGX_OK
        || ngx_http_wa_gateway_status_text(object, "reason", &v->reason)
           != NGX_OK
        || ngx_http_wa_gateway_answer_time(object, "since", record->since)
           == NULL
        || cJSON_AddNumberToObject(object, "weight", v->peer->weight) == NULL
        || ngx_http_wa_gateway_status_checks(object, record) != NGX_OK
        || ngx_http_wa_gateway_status_requests(object, record) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_wa_gateway_status_checks(cJSON *object,
    ngx_http_wa_gateway_instance_t *instance)
{
    cJSON  *checks;

    if ((checks = cJSON_AddObjectToObject(object, "checks")) == NULL
        || cJSON_AddNumberToObject(checks, "passed", instance->passed) == NULL
        || cJSON_AddNumberToObject(checks, "failed", instance->failed) == NULL
        || cJSON_AddNumberToObject(checks, "consecutiveFailures",
                                   instance->failed_in_row) == NULL
        || ngx_http_wa_gateway_status_number(checks, "lastStatus",
                  instance->last_status ? (ngx_int_t) instance->last_status
                                        : -1) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_wa_gateway_status_requests(cJSON *object,
    ngx_http_wa_gateway_instance_t *instance)
{
    cJSON       *requests;
    ngx_uint_t   i, failed;
    static char *codes[] = { "1xx", "2xx", "3xx", "4xx", "5xx" };

    failed = 0;

    for (i = 0; i < NGX_HTTP_WA_GATEWAY_FAILURES; i++) {
        failed += instance->failures[i];
    }

    if ((requests = cJSON_AddObjectToObject(object, "requests")) == NULL
        || cJSON_AddNumberToObject(requests, "total", instance->requests)
           == NULL
        || cJSON_AddNumberToObject(requests, "inFlight", instance->in_flight)
           == NULL
        || cJSON_AddNumberToObject(requests, "failed", failed) == NULL)
    {
        return NGX_ERROR;
    }

    /* a 1xx is never the answer that counts */

    for (i = 1; i < 5; i++) {
        if (cJSON_AddNumberToObject(requests, codes[i], instance->codes[i])
            == NULL)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_wa_gateway_status_balancer(cJSON *root,
    ngx_http_wa_gateway_snapshot_t *s)
{
    cJSON  *balancer;

    if ((balancer = cJSON_AddObjectToObject(root, "loadBalancer")) == NULL
        || cJSON_AddStringToObject(balancer, "algorithm", "round-robin")
           == NULL
        || cJSON_AddNumberToObject(balancer, "currentIndex", s->next) == NULL)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_wa_gateway_status_events(cJSON *root,
    ngx_http_wa_gateway_snapshot_t *s)
{
    cJSON                        *events, *object;
    ngx_str_t                     reason;
    ngx_uint_t                    i;
    ngx_http_wa_gateway_event_t  *event;

    events = cJSON_AddArrayToObject(root, "events");
    if (events == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < s->nevents; i++) {
        event = &s->events[i];

        object = cJSON_CreateObject();

        if (!cJSON_AddItemToArray(events, object)) {
            cJSON_Delete(object);
            return NGX_ERROR;
        }

        reason.len = event->reason_len;
        reason.data = event->reason;

        if (ngx_http_wa_gateway_answer_time(object, "time", event->time)
            == NULL
            || ngx_http_wa_gateway_answer_string(object, "instance",
                                        event->name, event->name_len) == NULL
            || ngx_http_wa_gateway_status_text(object, "from",
                           &ngx_http_wa_gateway_states[event->from]) != NGX_OK
            || ngx_http_wa_gateway_status_text(object, "to",
                           &ngx_http_wa_gateway_states[event->to]) != NGX_OK
            || ngx_http_wa_gateway_status_text(object, "reason", &reason)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* a string, or null if it is empty */

static ngx_int_t
ngx_http_wa_gateway_status_text(cJSON *object, const char *name,
    ngx_str_t *text)
{
    cJSON  *item;

    item = text->len ? ngx_http_wa_gateway_answer_string(object, name,
                                                         text->data, text->len)
                     : cJSON_AddNullToObject(object, name);

    return (item == NULL) ? NGX_ERROR : NGX_OK;
}


/* a number, or null if it is negative */

static ngx_int_t
ngx_http_wa_gateway_status_number(cJSON *object, const char *name,
    ngx_int_t number)
{
    cJSON  *item;

    item = (number < 0) ? cJSON_AddNullToObject(object, name)
                        : cJSON_AddNumberToObject(object, name, number);

    return (item == NULL) ? NGX_ERROR : NGX_OK;
}
