
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_conf.h"
#include "wag_control.h"
#include "wag_control_answer.h"
#include "wag_json_response.h"
#include "wag_json_text.h"
#include "wag_known.h"
#include "wag_known_find.h"
#include "wag_known_refresh.h"
#include "wag_login.h"
#include "wag_login_api.h"
#include "wag_members.h"
#include "wag_peers.h"
#include "wag_session_change.h"
#include "wag_vendor.h"


typedef struct {
    ngx_http_request_t  *request;
    ngx_str_t            session;    /* as it is shown */
    ngx_str_t            instance;   /* data is NULL: any */
    uint64_t             number;     /* 0: not known */
    ngx_uint_t           state;      /* SESSION_READY ... */
    wag_login_t          login;
} wag_login_api_t;


static ngx_int_t wag_login_api_handler(ngx_http_request_t *r);
static ngx_int_t wag_login_api_find(wag_login_api_t *api);
static ngx_int_t wag_login_api_take(wag_login_api_t *api, wag_peer_t *peer,
    wag_known_t *known);
static ngx_int_t wag_login_api_begin(wag_login_api_t *api);
static ngx_int_t wag_login_api_ask(wag_login_api_t *api);
static void wag_login_api_done(wag_login_t *login);
static ngx_int_t wag_login_api_answer(wag_login_api_t *api);
static cJSON *wag_login_api_image(cJSON *root, ngx_pool_t *pool,
    wag_login_t *login);
static void wag_login_api_cleanup(void *data);


char *
wag_login_api_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    wag_loc_conf_t *wlcf = conf;

    wlcf->control = 1;
    wlcf->login = 1;

    return wag_conf_show(cf, conf, wag_login_api_handler);
}


static ngx_int_t
wag_login_api_handler(ngx_http_request_t *r)
{
    ngx_int_t         rc;
    wag_loc_conf_t   *wlcf;
    wag_login_api_t  *api;
    static ngx_str_t  allow = ngx_string("Allow");
    static ngx_str_t  methods = ngx_string("GET, HEAD, POST");

    if ((r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD|NGX_HTTP_POST)) == 0) {

        if (wag_json_response_header(r, &allow, &methods) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        return NGX_HTTP_NOT_ALLOWED;
    }

    rc = wag_control_refuse(r);

    if (rc != NGX_DECLINED) {
        return rc;
    }

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    api = ngx_pcalloc(r->pool, sizeof(wag_login_api_t));
    if (api == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = wag_json_response_arg(r, "session", &api->session);

    if (rc == NGX_DECLINED) {
        return wag_control_answer_bad(r, "session",
                                      "the name of a session is expected in "
                                      "the query");
    }

    if (rc == NGX_ERROR
        || wag_json_response_arg(r, "instance", &api->instance) == NGX_ERROR)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wa_gateway_module);

    api->request = r;
    api->login.upstream = wlcf->upstream;
    api->login.pool = r->pool;
    api->login.log = r->connection->log;
    api->login.data = api;
    api->login.done = wag_login_api_done;

    rc = wag_login_api_find(api);

    return (rc == NGX_DECLINED) ? wag_login_api_begin(api) : rc;
}


/* NGX_DECLINED: it is found; else what the handler is to return */

static ngx_int_t
wag_login_api_find(wag_login_api_t *api)
{
    ngx_uint_t           n;
    wag_peer_t          *peer;
    wag_known_t         *known, *found;
    wag_upstream_t      *us;
    ngx_http_request_t  *r;

    r = api->request;
    us = api->login.upstream;

    wag_members_refresh(us);

    if (wag_known_refresh(us) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    n = 0;
    known = NULL;
    found = NULL;

    while ((known = wag_known_find_shown(us, &api->session, known))) {
        peer = &us->slots[known->slot];

        if (wag_peers_gone(peer)
            || peer->server->vendor == NULL
            || wag_known_is_copy(us, known)
            || (api->instance.data
                && (peer->name.len != api->instance.len
                    || ngx_memcmp(peer->name.data, api->instance.data,
                                  peer->name.len)
                       != 0)))
        {
            continue;
        }

        found = known;
        n++;
    }

    if (n == 0) {
        return wag_control_answer_error(r, NGX_HTTP_NOT_FOUND,
                                        "unknown_session",
                                        "There is no such session", NULL,
                                        NULL);
    }

    if (n > 1) {
        return wag_control_answer_error(r, NGX_HTTP_CONFLICT,
                                        "ambiguous_session",
                                        "Several instances have that session",
                                        NULL,
                                        "\"instance\" in the query names one");
    }

    return wag_login_api_take(api, &us->slots[found->slot], found);
}


/* copies: both may be others when the instance has answered */

static ngx_int_t
wag_login_api_take(wag_login_api_t *api, wag_peer_t *peer, wag_known_t *known)
{
    size_t        i;
    ngx_str_t    *copies[3], text;
    wag_login_t  *login;

    login = &api->login;

    login->peer = peer;
    api->instance = peer->name;
    api->number = known->number;

    api->state = (peer->down || !wag_available(peer->instance))
                 ? WAG_SESSION_DOWN : wag_session_state(known->record);

    wag_known_name(known, &login->session);
    wag_known_token(known, &login->token);

    copies[0] = &api->instance;
    copies[1] = &login->session;
    copies[2] = &login->token;

    for (i = 0; i < 3; i++) {
        text = *copies[i];

        copies[i]->data = ngx_pnalloc(login->pool, text.len + 1);
        if (copies[i]->data == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        ngx_memcpy(copies[i]->data, text.data, text.len);
    }

    return NGX_DECLINED;
}


static ngx_int_t
wag_login_api_begin(wag_login_api_t *api)
{
    ngx_str_t            only;
    wag_vendor_t        *vendor;
    ngx_http_request_t  *r;

    r = api->request;
    vendor = api->login.peer->server->vendor;

    /* who asks waits for it to change */

    api->login.peer->instance->ask = 1;

    if (r->method == NGX_HTTP_POST && api->state == WAG_SESSION_READY) {
        return wag_control_answer_error(r, NGX_HTTP_CONFLICT, "session_ready",
                                        "The session is ready", NULL, NULL);
    }

    if (vendor->login.asked.method.len == 0) {
        return wag_control_answer_error(r, NGX_HTTP_NOT_IMPLEMENTED,
                                        "login_unsupported",
                                        "Sessions of this vendor cannot be "
                                        "logged in here", NULL,
                                        "the vendor's file has no \"login\"");
    }

    if (api->state == WAG_SESSION_READY
        || (r->method != NGX_HTTP_POST
            && ngx_http_arg(r, (u_char *) "code", 4, &only) == NGX_OK
            && only.len == 3
            && ngx_strncmp(only.data, "off", 3) == 0))
    {
        return wag_login_api_answer(api);
    }

    return wag_login_api_ask(api);
}


static ngx_int_t
wag_login_api_ask(wag_login_api_t *api)
{
    ngx_int_t            rc;
    wag_login_t         *login;
    ngx_http_request_t  *r;
    ngx_pool_cleanup_t  *cln;

    r = api->request;
    login = &api->login;

    cln = ngx_pool_cleanup_add(r->pool, 0);
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cln->handler = wag_login_api_cleanup;
    cln->data = login;

    if (r->method == NGX_HTTP_POST) {
        ngx_log_error(NGX_LOG_NOTICE, login->log, 0,
                      "wa_gateway: session \"%V\" of %V is started",
                      &api->session, &api->instance);

        rc = wag_login_start(login);

    } else {
        rc = wag_login_code(login);
    }

    if (rc != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* a client that leaves is seen, unless its body is still on the way */

    if (!r->discard_body) {
        r->read_event_handler = ngx_http_test_reading;
    }

    r->main->count++;

    return NGX_DONE;
}


static void
wag_login_api_done(wag_login_t *login)
{
    wag_login_api_t *api = login->data;

    ngx_int_t            rc;
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = api->request;
    c = r->connection;

    switch (login->rc) {

    case NGX_OK:
        rc = wag_login_api_answer(api);
        break;

    case NGX_DECLINED:
        rc = wag_control_answer_error(r, NGX_HTTP_BAD_GATEWAY, "bad_gateway",
                                      "The instance did not do it", NULL,
                                      login->failed);
        break;

    default: /* NGX_ERROR */
        rc = wag_control_answer_error(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                      "not_asked",
                                      "The instance was not asked to the end",
                                      NULL,
                                      "no resources, or the worker is to "
                                      "exit: ask again");
    }

    ngx_http_finalize_request(r, rc);

    ngx_http_run_posted_requests(c);
}


static ngx_int_t
wag_login_api_answer(wag_login_api_t *api)
{
    u_char               number[NGX_INT64_LEN];
    cJSON               *root;
    ngx_str_t            digits, *vendor, *state;
    wag_vendor_t        *v;
    ngx_http_request_t  *r;

    r = api->request;
    v = api->login.server ? api->login.server->vendor
                          : api->login.peer->server->vendor;

    root = cJSON_CreateObject();
    vendor = &v->name;
    state = &wag_session_states[api->state];

    digits.data = number;
    digits.len = api->number ? ngx_sprintf(number, "%uL", api->number) - number
                             : 0;

    if (wag_json_text_string(root, "session", api->session.data,
                             api->session.len) == NULL
        || wag_json_text_or_null(root, "number", &digits) == NULL
        || wag_json_text_string(root, "instance", api->instance.data,
                                api->instance.len) == NULL
        || wag_json_text_string(root, "vendor", vendor->data, vendor->len)
           == NULL
        || wag_json_text_string(root, "state", state->data, state->len) == NULL
        || wag_login_api_image(root, r->pool, &api->login) == NULL
        || wag_json_text_or_null(root, "code", &api->login.code) == NULL
        || cJSON_AddNumberToObject(root, "refresh", v->login.refresh) == NULL
        || wag_json_text_time(root, "timestamp", wag_time()) == NULL)
    {
        cJSON_Delete(root);
        root = NULL;
    }

    return wag_json_response_send(r, NGX_HTTP_OK, root);
}


/* a URL of its own bytes alone, RFC 2397 */

static cJSON *
wag_login_api_image(cJSON *root, ngx_pool_t *pool, wag_login_t *login)
{
    u_char     *p;
    ngx_str_t   base64;

    if (login->type == NULL) {
        return cJSON_AddNullToObject(root, "image");
    }

    p = ngx_pnalloc(pool, sizeof("data:;base64,") + ngx_strlen(login->type)
                          + ngx_base64_encoded_length(login->image.len));
    if (p == NULL) {
        return NULL;
    }

    base64.data = ngx_sprintf(p, "data:%s;base64,", login->type);

    ngx_encode_base64(&base64, &login->image);

    base64.data[base64.len] = '\0';

    return cJSON_AddStringToObject(root, "image", (char *) p);
}


static void
wag_login_api_cleanup(void *data)
{
    wag_login_cancel(data);
}
