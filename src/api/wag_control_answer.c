
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_conf.h"
#include "wag_control_answer.h"
#include "wag_json_response.h"
#include "wag_json_text.h"
#include "wag_snapshot.h"
#include "wag_state.h"
#include "wag_vendor.h"


static ngx_int_t wag_control_answer_json(cJSON *object, wag_view_t *v);


ngx_int_t
wag_control_answer_list(ngx_http_request_t *r)
{
    cJSON           *root, *instances, *object;
    ngx_uint_t       i, added;
    wag_upstream_t  *us;
    wag_snapshot_t  *s;
    wag_loc_conf_t  *wlcf;

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wa_gateway_module);
    us = wlcf->upstream;

    s = wag_snapshot_take(r->pool, us, NULL);
    if (s == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    root = cJSON_CreateObject();
    instances = cJSON_AddArrayToObject(root, "instances");
    added = 0;

    for (i = 0; i < s->total; i++) {
        object = cJSON_CreateObject();

        if (wag_control_answer_json(object, &s->views[i]) != NGX_OK
            || !cJSON_AddItemToArray(instances, object))
        {
            cJSON_Delete(object);
            goto failed;
        }

        added += s->views[i].record.added;
    }

    if (cJSON_AddNumberToObject(root, "capacity", us->capacity) == NULL
        || cJSON_AddNumberToObject(root, "free",
                                   us->capacity - ngx_min(us->capacity, added))
           == NULL
        || wag_json_text_time(root, "timestamp", wag_time()) == NULL)
    {
        goto failed;
    }

    return wag_json_response_send(r, NGX_HTTP_OK, root);

failed:

    cJSON_Delete(root);

    return NGX_HTTP_INTERNAL_SERVER_ERROR;
}


ngx_int_t
wag_control_answer_one(ngx_http_request_t *r, wag_upstream_t *us,
    ngx_uint_t status, ngx_str_t *name)
{
    cJSON           *object;
    ngx_uint_t       i;
    wag_view_t      *v;
    wag_snapshot_t  *s;

    s = wag_snapshot_take(r->pool, us, NULL);
    if (s == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    object = cJSON_CreateObject();

    for (i = 0; i < s->total; i++) {
        v = &s->views[i];

        if (v->name.len == name->len
            && ngx_memcmp(v->name.data, name->data, name->len) == 0
            && wag_control_answer_json(object, v) != NGX_OK)
        {
            cJSON_Delete(object);
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    /* in force, but this worker had no memory for it yet */

    if (object == NULL || object->child == NULL) {
        cJSON_Delete(object);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return wag_json_response_send(r, status, object);
}


static ngx_int_t
wag_control_answer_json(cJSON *object, wag_view_t *v)
{
    if (wag_json_text_string(object, "url", v->name.data, v->name.len) == NULL
        || wag_json_text_or_null(object, "state", &wag_states[v->state])
           == NULL
        || wag_json_text_or_null(object, "reason", &v->reason) == NULL
        || wag_json_text_or_null(object, "admin",
                             &wag_snapshot_admins[v->record.admin.state])
           == NULL
        || cJSON_AddBoolToObject(object, "added", v->record.added) == NULL
        || cJSON_AddNumberToObject(object, "weight", v->weight) == NULL
        || cJSON_AddNumberToObject(object, "maxConns", v->max_conns) == NULL
        || cJSON_AddNumberToObject(object, "inFlight", v->record.in_flight)
           == NULL
        || (v->vendor
            ? wag_json_text_string(object, "vendor", v->vendor->name.data,
                                   v->vendor->name.len)
            : cJSON_AddNullToObject(object, "vendor"))
           == NULL)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
wag_control_answer_empty(ngx_http_request_t *r)
{
    if (wag_json_response_no_store(r) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->headers_out.status = NGX_HTTP_NO_CONTENT;
    r->header_only = 1;

    return ngx_http_send_header(r);
}


ngx_int_t
wag_control_answer_error(ngx_http_request_t *r, ngx_uint_t status,
    const char *code, const char *error, ngx_str_t *member,
    const char *details)
{
    cJSON  *root;

    root = cJSON_CreateObject();

    if (cJSON_AddFalseToObject(root, "success") == NULL
        || cJSON_AddStringToObject(root, "error", error) == NULL
        || cJSON_AddStringToObject(root, "code", code) == NULL
        || (member && wag_json_text_string(root, "member", member->data,
                                           member->len) == NULL)
        || (details
            && cJSON_AddStringToObject(root, "details", details) == NULL))
    {
        cJSON_Delete(root);
        root = NULL;
    }

    return wag_json_response_send(r, status, root);
}


ngx_int_t
wag_control_answer_bad(ngx_http_request_t *r, const char *member,
    const char *details)
{
    ngx_str_t  name;

    name.data = (u_char *) member;
    name.len = ngx_strlen(member);

    return wag_control_answer_error(r, NGX_HTTP_BAD_REQUEST, "bad_request",
                                    "Bad request", &name, details);
}


ngx_int_t
wag_control_answer_unknown(ngx_http_request_t *r)
{
    return wag_control_answer_error(r, NGX_HTTP_NOT_FOUND, "unknown_instance",
                                    "There is no such instance", NULL, NULL);
}
