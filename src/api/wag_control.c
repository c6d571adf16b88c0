
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_conf.h"
#include "wag_control.h"
#include "wag_control_add.h"
#include "wag_control_answer.h"
#include "wag_control_change.h"
#include "wag_control_read.h"
#include "wag_ctx.h"
#include "wag_json_response.h"
#include "wag_origin.h"
#include "wag_writer.h"


#define WAG_CONTROL_WAIT  5   /* ms, while another worker writes */

#define WAG_CONTROL_METHODS                                                   \
    (NGX_HTTP_GET|NGX_HTTP_HEAD|NGX_HTTP_POST|NGX_HTTP_PATCH|NGX_HTTP_DELETE)


static ngx_int_t wag_control_handler(ngx_http_request_t *r);
static ngx_uint_t wag_control_is_json(ngx_http_request_t *r);
static void wag_control_body(ngx_http_request_t *r);
static void wag_control_run(wag_control_t *control);
static ngx_int_t wag_control_no_writer(ngx_http_request_t *r, ngx_int_t rc);
static void wag_control_timer_handler(ngx_event_t *ev);
static void wag_control_timer_cleanup(void *data);


char *
wag_control_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    wag_loc_conf_t *wlcf = conf;

    wlcf->control = 1;

    return wag_conf_show(cf, conf, wag_control_handler);
}


static ngx_int_t
wag_control_handler(ngx_http_request_t *r)
{
    ngx_int_t            rc;
    wag_ctx_t           *ctx;
    wag_control_t       *control;
    wag_loc_conf_t      *wlcf;
    ngx_pool_cleanup_t  *cln;
    static ngx_str_t     allow = ngx_string("Allow");
    static ngx_str_t     methods =
                                 ngx_string("GET, HEAD, POST, PATCH, DELETE");

    if ((r->method & WAG_CONTROL_METHODS) == 0) {

        if (wag_json_response_header(r, &allow, &methods) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        return NGX_HTTP_NOT_ALLOWED;
    }

    if (r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD)) {
        rc = ngx_http_discard_request_body(r);

        return (rc == NGX_OK) ? wag_control_answer_list(r) : rc;
    }

    rc = wag_control_refuse(r);

    if (rc != NGX_DECLINED) {
        return rc;
    }

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wa_gateway_module);

    control = ngx_pcalloc(r->pool, sizeof(wag_control_t));
    if (control == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    control->request = r;
    control->upstream = wlcf->upstream;

    rc = wag_json_response_arg(r, "name", &control->name);

    if (rc == NGX_ERROR) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (r->method != NGX_HTTP_POST && rc == NGX_DECLINED) {
        return wag_control_answer_bad(r, "name",
                                      "the URL of an instance is expected in "
                                      "the query");
    }

    ctx = wag_ctx_get(r);
    cln = ngx_pool_cleanup_add(r->pool, 0);

    if (ctx == NULL || cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->control = control;

    control->timer.handler = wag_control_timer_handler;
    control->timer.data = control;
    control->timer.log = r->connection->log;

    cln->handler = wag_control_timer_cleanup;
    cln->data = control;

    rc = ngx_http_read_client_request_body(r, wag_control_body);

    return (rc >= NGX_HTTP_SPECIAL_RESPONSE) ? rc : NGX_DONE;
}


ngx_int_t
wag_control_refuse(ngx_http_request_t *r)
{
    if (wag_origin_is_foreign(r)) {
        return wag_control_answer_error(r, NGX_HTTP_FORBIDDEN,
                                        "foreign_origin", "Forbidden", NULL,
                                        "the request is of a page of another "
                                        "origin");
    }

    if ((r->method & (NGX_HTTP_POST|NGX_HTTP_PATCH))
        && !wag_control_is_json(r))
    {
        return NGX_HTTP_UNSUPPORTED_MEDIA_TYPE;
    }

    if (r->headers_in.content_length_n > WAG_CONTROL_SIZE) {
        return NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
    }

    return NGX_DECLINED;
}


static ngx_uint_t
wag_control_is_json(ngx_http_request_t *r)
{
    ngx_str_t  *type;
    ngx_str_t   json = ngx_string("application/json");

    if (r->headers_in.content_type == NULL) {
        return 0;
    }

    type = &r->headers_in.content_type->value;

    return type->len >= json.len
           && ngx_strncasecmp(type->data, json.data, json.len) == 0
           && (type->len == json.len
               || type->data[json.len] == ';'
               || type->data[json.len] == ' ');
}


static void
wag_control_body(ngx_http_request_t *r)
{
    wag_ctx_t  *ctx;

    ctx = wag_ctx_find(r);

    wag_control_run(ctx->control);
}


/* one worker at a time changes what is kept */

static void
wag_control_run(wag_control_t *control)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = control->request;

    rc = wag_writer_begin(control->upstream);

    if (rc == NGX_AGAIN) {
        ngx_add_timer(&control->timer, WAG_CONTROL_WAIT);
        return;
    }

    if (rc != NGX_OK) {
        ngx_http_finalize_request(r, wag_control_no_writer(r, rc));
        return;
    }

    switch (r->method) {

    case NGX_HTTP_POST:
        rc = wag_control_read(r, WAG_CONTROL_ADD, &control->body);

        if (rc == NGX_DECLINED) {
            rc = wag_control_add(control);
        }

        break;

    case NGX_HTTP_PATCH:
        rc = wag_control_read(r, WAG_CONTROL_CHANGE, &control->body);

        if (rc == NGX_DECLINED) {
            rc = wag_control_change(control);
        }

        break;

    default: /* NGX_HTTP_DELETE */
        rc = wag_control_remove(control);
    }

    if (control->pending) {
        return;
    }

    wag_writer_end(control->upstream);

    ngx_http_finalize_request(r, rc);
}


/* the other master's workers would not hear of it */

static ngx_int_t
wag_control_no_writer(ngx_http_request_t *r, ngx_int_t rc)
{
    static ngx_str_t  retry = ngx_string("Retry-After");
    static ngx_str_t  seconds = ngx_string("1");

    if (rc == NGX_ERROR) {
        return wag_control_keep_none(r);
    }

    if (wag_json_response_header(r, &retry, &seconds) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return wag_control_answer_error(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                    "state_in_use",
                                    "It cannot be changed now", NULL,
                                    "another nginx uses the state file, as in "
                                    "an upgrade of the binary");
}


static void
wag_control_timer_handler(ngx_event_t *ev)
{
    wag_control_t *control = ev->data;

    ngx_connection_t  *c;

    c = control->request->connection;

    ngx_log_debug0(NGX_LOG_DEBUG_HTTP, c->log, 0,
                   "wa_gateway control timer handler");

    wag_control_run(control);

    ngx_http_run_posted_requests(c);
}


static void
wag_control_timer_cleanup(void *data)
{
    wag_control_t *control = data;

    if (control->timer.timer_set) {
        ngx_del_timer(&control->timer);
    }
}
