
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_chunked_response.h"
#include "wag_client.h"
#include "wag_conf.h"
#include "wag_json_response.h"
#include "wag_json_text.h"
#include "wag_snapshot.h"
#include "wag_state.h"
#include "wag_status.h"
#include "wag_status_json.h"


static ngx_int_t wag_status_filter(ngx_http_request_t *r, ngx_uint_t *state);
static ngx_int_t wag_status_sessions(cJSON *root, wag_upstream_t *us,
    wag_session_count_t *count);


static ngx_str_t  wag_json = ngx_string("application/json");


char *
wag_status_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    return wag_conf_show(cf, conf, wag_status_handler);
}


char *
wag_health_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    return wag_conf_show(cf, conf, wag_health_handler);
}


ngx_int_t
wag_status_handler(ngx_http_request_t *r)
{
    ngx_int_t        rc;
    ngx_uint_t       state;
    wag_snapshot_t  *s;
    wag_loc_conf_t  *wlcf;

    rc = wag_json_response_begin(r);
    if (rc != NGX_OK) {
        return rc;
    }

    if (wag_status_filter(r, &state) != NGX_OK) {
        return wag_json_response_bad(r, "Unknown state",
                                     "state is one of up, slow_start, "
                                     "checking, down, draining");
    }

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wa_gateway_module);

    s = wag_snapshot_take(r->pool, wlcf->upstream, wag_client_key(r));
    if (s == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    s->shown = state;

    return wag_chunked_response_send(r, &wag_json, wag_status_json_produce, s);
}


/* "?state=": of which state instances are listed; all without it */

static ngx_int_t
wag_status_filter(ngx_http_request_t *r, ngx_uint_t *state)
{
    ngx_str_t   value, *name;
    ngx_uint_t  i;

    *state = WAG_STATES;

    if (ngx_http_arg(r, (u_char *) "state", 5, &value) != NGX_OK) {
        return NGX_OK;
    }

    for (i = 0; i < WAG_STATES; i++) {
        name = &wag_states[i];

        if (name->len == value.len
            && ngx_memcmp(name->data, value.data, name->len) == 0)
        {
            *state = i;
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


ngx_int_t
wag_health_handler(ngx_http_request_t *r)
{
    cJSON                *root, *instances;
    ngx_int_t             rc;
    ngx_uint_t            total, healthy;
    wag_loc_conf_t       *wlcf;
    wag_session_count_t   sessions;

    rc = wag_json_response_begin(r);
    if (rc != NGX_OK) {
        return rc;
    }

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wa_gateway_module);

    wag_snapshot_count(wlcf->upstream, &total, &healthy, &sessions);

    root = cJSON_CreateObject();

    if (cJSON_AddStringToObject(root, "status",
                                healthy ? "healthy" : "unhealthy") == NULL
        || (instances = cJSON_AddObjectToObject(root, "instances")) == NULL
        || cJSON_AddNumberToObject(instances, "total", total) == NULL
        || cJSON_AddNumberToObject(instances, "healthy", healthy) == NULL
        || wag_status_sessions(root, wlcf->upstream, &sessions) != NGX_OK
        || wag_json_text_time(root, "timestamp", wag_time())
           == NULL)
    {
        cJSON_Delete(root);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return wag_json_response_send(r,
                          healthy ? NGX_HTTP_OK : NGX_HTTP_SERVICE_UNAVAILABLE,
                                  root);
}


static ngx_int_t
wag_status_sessions(cJSON *root, wag_upstream_t *us,
    wag_session_count_t *count)
{
    cJSON  *sessions;

    if (us->vendors == 0) {
        return NGX_OK;
    }

    if ((sessions = cJSON_AddObjectToObject(root, "sessions")) == NULL
        || cJSON_AddNumberToObject(sessions, "total", count->total) == NULL
        || cJSON_AddNumberToObject(sessions, "ready",
                                   count->states[WAG_SESSION_READY]) == NULL)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}
