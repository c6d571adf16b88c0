
/*
 * Copyright (C) the wa_gateway authors
 */


#include "ngx_http_wa_gateway_module.h"
#include "ngx_http_wa_gateway_answer.h"
#include "ngx_http_wa_gateway_health.h"
#include "ngx_http_wa_gateway_report.h"
#include "ngx_http_wa_gateway_snapshot.h"
#include "ngx_http_wa_gateway_status.h"
#include "ngx_http_wa_gateway_stream.h"


static ngx_int_t ngx_http_wa_gateway_status_filter(ngx_http_request_t *r,
    ngx_uint_t *state);
static cJSON *ngx_http_wa_gateway_status_bad_filter(void);


static ngx_str_t  ngx_http_wa_gateway_json = ngx_string("application/json");


ngx_int_t
ngx_http_wa_gateway_status_handler(ngx_http_request_t *r)
{
    ngx_int_t                        rc;
    ngx_uint_t                       state;
    ngx_http_wa_gateway_snapshot_t  *s;
    ngx_http_wa_gateway_loc_conf_t  *wlcf;

    rc = ngx_http_wa_gateway_answer_begin(r);
    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_http_wa_gateway_status_filter(r, &state) != NGX_OK) {
        return ngx_http_wa_gateway_answer_send(r, NGX_HTTP_BAD_REQUEST,
                                    ngx_http_wa_gateway_status_bad_filter());
    }

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wa_gateway_module);

    s = ngx_http_wa_gateway_snapshot_take(r->pool, wlcf->upstream);
    if (s == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    s->shown = state;

    return ngx_http_wa_gateway_stream_send(r, &ngx_http_wa_gateway_json,
                                           ngx_http_wa_gateway_report_produce,
                                           s);
}


/* "?state=": of which state instances are listed; all without it */

static ngx_int_t
ngx_http_wa_gateway_status_filter(ngx_http_request_t *r, ngx_uint_t *state)
{
    ngx_str_t   value, *name;
    ngx_uint_t  i;

    *state = NGX_HTTP_WA_GATEWAY_STATES;

    if (ngx_http_arg(r, (u_char *) "state", 5, &value) != NGX_OK) {
        return NGX_OK;
    }

    for (i = 0; i < NGX_HTTP_WA_GATEWAY_STATES; i++) {
        name = &ngx_http_wa_gateway_states[i];

        if (name->len == value.len
            && ngx_memcmp(name->data, value.data, name->len) == 0)
        {
            *state = i;
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


static cJSON *
ngx_http_wa_gateway_status_bad_filter(void)
{
    cJSON  *root;

    root = cJSON_CreateObject();

    if (cJSON_AddFalseToObject(root, "success") == NULL
        || cJSON_AddStringToObject(root, "error", "Unknown state") == NULL
        || cJSON_AddStringToObject(root, "code", "bad_request") == NULL
        || cJSON_AddStringToObject(root, "details",
                                   "state is one of up, slow_start, checking, "
                                   "down, draining") == NULL)
    {
        cJSON_Delete(root);
        return NULL;
    }

    return root;
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
