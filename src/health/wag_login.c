
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_check.h"
#include "wag_login.h"
#include "wag_peers.h"
#include "wag_qr.h"
#include "wag_question.h"
#include "wag_reach.h"
#include "wag_template_compile.h"


/* what is wanted of an answer, besides the forms of codes: its status */

#define WAG_LOGIN_STATUS  (WAG_VENDOR_LOGIN_LINK + 1)


static ngx_int_t wag_login_ask(wag_login_t *login,
    wag_vendor_question_t *asked, ngx_uint_t form);
static void wag_login_sink(void *data, u_char *start, size_t len);
static void wag_login_answered(wag_probe_t *p, ngx_int_t rc);
static void wag_login_handler(ngx_event_t *ev);
static ngx_int_t wag_login_judge(wag_login_t *login);
static ngx_int_t wag_login_json(wag_login_t *login);
static ngx_int_t wag_login_follow(wag_login_t *login, ngx_str_t *link);
static void wag_login_image(wag_login_t *login, ngx_str_t *image);
static ngx_int_t wag_login_text(cJSON *json, wag_json_path_t *path,
    ngx_str_t *text);


ngx_int_t
wag_login_code(wag_login_t *login)
{
    wag_vendor_login_t  *wanted;

    wanted = &login->peer->server->vendor->login;

    return wag_login_ask(login, &wanted->asked, wanted->form);
}


ngx_int_t
wag_login_start(wag_login_t *login)
{
    return wag_login_ask(login, &login->peer->server->vendor->start,
                         WAG_LOGIN_STATUS);
}


/* the peer's server may leave meanwhile: it is kept until all is over */

static ngx_int_t
wag_login_ask(wag_login_t *login, wag_vendor_question_t *asked,
    ngx_uint_t form)
{
    ngx_str_t      err;
    wag_probe_t   *p;
    wag_server_t  *server;
    wag_vendor_t  *vendor;

    p = &login->probe;

    if (login->server == NULL) {
        login->server = wag_peers_ref_server(login->peer->server);

        login->body.data = ngx_pnalloc(login->pool, WAG_QR_TEXT_MAX + 1);
        if (login->body.data == NULL) {
            return NGX_ERROR;
        }

        wag_reach(login->upstream, login->peer, 0, p, &login->addrs);
    }

    server = login->server;
    vendor = server->vendor;

    login->asked = asked;
    login->form = form;
    login->body.len = 0;
    login->rc = NGX_OK;

    login->event.handler = wag_login_handler;
    login->event.data = login;
    login->event.log = login->log;

    if (asked->method.len == 0) {
        ngx_add_timer(&login->event, 0);
        return NGX_OK;
    }

    if (p->naddrs == 0) {
        login->rc = NGX_DECLINED;
        login->failed = "name not found";

        ngx_add_timer(&login->event, 0);
        return NGX_OK;
    }

    wag_check_probe(login->upstream->check, server, p);

    p->name = &server->name;
    p->data = login;
    p->parent = login->log;
    p->done = wag_login_answered;
    p->sink = wag_login_sink;
    p->max = WAG_QR_TEXT_MAX + 1;
    p->head = 0;
    p->keepalive = 0;

    /* it may have to start a browser, as for a send */

    p->timeout = ngx_max(p->timeout, vendor->send_timeout);

    if (wag_question_request(login->pool, server, asked, &vendor->headers,
                             &login->session, &login->token, &p->request,
                             &err)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    wag_probe_start(p);

    /* somebody waits for it: a worker that is to exit does not leave before */

    p->timer.cancelable = 0;

    return NGX_OK;
}


static void
wag_login_sink(void *data, u_char *start, size_t len)
{
    wag_login_t *login = data;

    if (len > WAG_QR_TEXT_MAX - login->body.len) {
        login->cut = 1;
        return;
    }

    ngx_memcpy(login->body.data + login->body.len, start, len);
    login->body.len += len;
}


/*
 * Who is told may free the probe, which must not be from within; and a worker
 * that is to exit waits for a timer, but not for what is posted.
 */

static void
wag_login_answered(wag_probe_t *p, ngx_int_t rc)
{
    wag_login_t *login = p->data;

    login->rc = rc;
    login->status = p->answer ? p->answer->status : 0;

    if (rc == NGX_DECLINED) {
        *ngx_cpymem(login->reason, p->reason.data, p->reason.len) = '\0';
        login->failed = (char *) login->reason;
    }

    ngx_add_timer(&login->event, 0);
}


static void
wag_login_handler(ngx_event_t *ev)
{
    wag_login_t *login = ev->data;

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, ev->log, 0,
                   "wa_gateway login handler: %V", &login->server->name);

    if (login->rc == NGX_OK && login->asked->method.len) {
        login->rc = wag_login_judge(login);
    }

    if (login->rc != NGX_AGAIN) {
        login->done(login);
    }
}


/* NGX_AGAIN: its link is followed */

static ngx_int_t
wag_login_judge(wag_login_t *login)
{
    if (!wag_vendor_status(login->asked->statuses, login->status)) {
        *ngx_snprintf(login->reason, WAG_REASON_LEN, "status %ui",
                      login->status) = '\0';
        login->failed = (char *) login->reason;

        return NGX_DECLINED;
    }

    if (login->form == WAG_LOGIN_STATUS) {
        return NGX_OK;
    }

    if (login->cut) {
        login->failed = "answer is too large";
        return NGX_DECLINED;
    }

    if (login->form == WAG_VENDOR_LOGIN_IMAGE) {
        wag_login_image(login, &login->body);
        return NGX_OK;
    }

    return wag_login_json(login);
}


static ngx_int_t
wag_login_json(wag_login_t *login)
{
    cJSON               *json;
    ngx_int_t            rc;
    ngx_str_t            text, image;
    const char          *err;
    wag_vendor_login_t  *wanted;

    wanted = &login->server->vendor->login;

    login->body.data[login->body.len] = '\0';

    json = wag_json_parse(&login->body, &err);

    if (json == NULL && err == wag_json_no_memory) {
        return NGX_ERROR;
    }

    if (json == NULL) {
        login->failed = "answer is no JSON";
        return NGX_DECLINED;
    }

    rc = NGX_OK;

    if (wag_login_text(json, wanted->code, &text) == NGX_OK
        && wag_qr_is_code(&text))
    {
        login->code.len = text.len;
        login->code.data = ngx_pstrdup(login->pool, &text);

        if (login->code.data == NULL) {
            rc = NGX_ERROR;
        }
    }

    if (rc == NGX_OK
        && wag_login_text(json, wanted->asked.value, &text) == NGX_OK)
    {
        if (login->form == WAG_VENDOR_LOGIN_LINK) {
            rc = wag_login_follow(login, &text);

        } else {
            rc = wag_qr_decode(login->pool, &text, &image);

            if (rc == NGX_OK) {
                wag_login_image(login, &image);
            }

            if (rc == NGX_DECLINED) {
                login->failed = "no image in base64";
            }
        }
    }

    cJSON_Delete(json);

    return rc;
}


/* only ever to the instance that gave it */

static ngx_int_t
wag_login_follow(wag_login_t *login, ngx_str_t *link)
{
    ngx_int_t   rc;
    ngx_str_t   path, bad;

    if (wag_qr_path(link, &path) != NGX_OK) {
        login->failed = "invalid link";
        return NGX_DECLINED;
    }

    rc = wag_template_compile(login->pool, &path, 0, &login->linked.uri, &bad);

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_str_set(&login->linked.method, "GET");

    rc = wag_login_ask(login, &login->linked, WAG_VENDOR_LOGIN_IMAGE);

    return (rc == NGX_OK) ? NGX_AGAIN : NGX_ERROR;
}


/* what is none is told of as if there were none */

static void
wag_login_image(wag_login_t *login, ngx_str_t *image)
{
    login->type = wag_qr_type(image);

    if (login->type) {
        login->image = *image;
    }
}


static ngx_int_t
wag_login_text(cJSON *json, wag_json_path_t *path, ngx_str_t *text)
{
    cJSON  *value;

    value = path ? wag_json_find(json, path) : NULL;

    if (value == NULL || !cJSON_IsString(value)) {
        return NGX_DECLINED;
    }

    text->data = (u_char *) value->valuestring;
    text->len = ngx_strlen(text->data);

    return text->len ? NGX_OK : NGX_DECLINED;
}


void
wag_login_cancel(wag_login_t *login)
{
    if (login->event.timer_set) {
        ngx_del_timer(&login->event);
    }

    if (login->server == NULL) {
        return;
    }

    /* there is none where nothing was asked */

    if (login->probe.parent) {
        wag_probe_cancel(&login->probe);
    }

    wag_reach_free(&login->addrs);
    wag_peers_unref_server(login->server);

    login->server = NULL;
}
