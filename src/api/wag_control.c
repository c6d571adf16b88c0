
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_admin.h"
#include "wag_conf.h"
#include "wag_control.h"
#include "wag_control_body.h"
#include "wag_ctx.h"
#include "wag_json_response.h"
#include "wag_json_text.h"
#include "wag_kept.h"
#include "wag_members.h"
#include "wag_origin.h"
#include "wag_param.h"
#include "wag_server_vendor.h"
#include "wag_servers.h"
#include "wag_snapshot.h"
#include "wag_state.h"
#include "wag_url.h"
#include "wag_vendor_conf.h"
#include "wag_writer.h"


#define WAG_CONTROL_SIZE  16384   /* of a body */
#define WAG_CONTROL_WAIT  5       /* ms, while another worker writes */

#define WAG_CONTROL_METHODS                                                   \
    (NGX_HTTP_GET|NGX_HTTP_HEAD|NGX_HTTP_POST|NGX_HTTP_PATCH|NGX_HTTP_DELETE)


typedef struct {
    ngx_http_request_t  *request;
    wag_upstream_t      *upstream;
    ngx_str_t            name;       /* ?name= */
    wag_control_body_t   body;
    wag_newcomer_t       newcomer;
    wag_admin_change_t   change;
    ngx_event_t          timer;
} wag_control_t;


static ngx_int_t wag_control_handler(ngx_http_request_t *r);
static ngx_int_t wag_control_refuse(ngx_http_request_t *r);
static ngx_uint_t wag_control_is_json(ngx_http_request_t *r);
static void wag_control_body(ngx_http_request_t *r);
static void wag_control_run(wag_control_t *control);
static ngx_int_t wag_control_no_writer(ngx_http_request_t *r, ngx_int_t rc);
static void wag_control_timer_handler(ngx_event_t *ev);
static void wag_control_timer_cleanup(void *data);
static ngx_int_t wag_control_kept(wag_control_t *control, ngx_str_t *name,
    wag_admin_t *old);
static ngx_int_t wag_control_not_kept(ngx_http_request_t *r);
static ngx_int_t wag_control_text(ngx_http_request_t *r, ngx_str_t *text);
static void wag_control_cleanup(void *data);
static ngx_int_t wag_control_parse(wag_control_t *control, ngx_uint_t may);
static ngx_int_t wag_control_post(wag_control_t *control);
static const char *wag_control_url(wag_control_t *control);
static const char *wag_control_vendor(wag_control_t *control,
    const char **member);
static ngx_int_t wag_control_add(wag_control_t *control);
static ngx_int_t wag_control_patch(wag_control_t *control);
static ngx_int_t wag_control_delete(wag_control_t *control);
static ngx_int_t wag_control_list(ngx_http_request_t *r);
static ngx_int_t wag_control_one(wag_control_t *control, ngx_uint_t status,
    ngx_str_t *name);
static ngx_int_t wag_control_json(cJSON *object, wag_view_t *v);
static ngx_int_t wag_control_no_content(ngx_http_request_t *r);
static ngx_int_t wag_control_error(ngx_http_request_t *r, ngx_uint_t status,
    const char *code, const char *error, ngx_str_t *member,
    const char *details);
static ngx_int_t wag_control_bad(ngx_http_request_t *r, const char *member,
    const char *details);
static ngx_int_t wag_control_unknown(ngx_http_request_t *r);


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

        return (rc == NGX_OK) ? wag_control_list(r) : rc;
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
        return wag_control_bad(r, "name", "the URL of an instance is expected "
                                          "in the query");
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


/* what is answered before anything is read; NGX_DECLINED: nothing is wrong */

static ngx_int_t
wag_control_refuse(ngx_http_request_t *r)
{
    if (wag_origin_is_foreign(r)) {
        return wag_control_error(r, NGX_HTTP_FORBIDDEN, "foreign_origin",
                                 "Forbidden", NULL,
                                 "the request is of a page of another origin");
    }

    if (r->method != NGX_HTTP_DELETE && !wag_control_is_json(r)) {
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
        rc = wag_control_parse(control, WAG_CONTROL_ADD);

        if (rc == NGX_DECLINED) {
            rc = wag_control_post(control);
        }

        break;

    case NGX_HTTP_PATCH:
        rc = wag_control_parse(control, WAG_CONTROL_CHANGE);

        if (rc == NGX_DECLINED) {
            rc = wag_control_patch(control);
        }

        break;

    default: /* NGX_HTTP_DELETE */
        rc = wag_control_delete(control);
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
        return wag_control_not_kept(r);
    }

    if (wag_json_response_header(r, &retry, &seconds) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return wag_control_error(r, NGX_HTTP_SERVICE_UNAVAILABLE, "state_in_use",
                             "It cannot be changed now", NULL,
                             "another nginx uses the state file, as in an "
                             "upgrade of the binary");
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


/*
 * Keeps what was done; NGX_DECLINED, or what came of the answer that it could
 * not be kept, and is undone.
 */

static ngx_int_t
wag_control_kept(wag_control_t *control, ngx_str_t *name, wag_admin_t *old)
{
    ngx_int_t    rc;
    wag_admin_t  none;

    rc = wag_kept_write(control->upstream);

    if (rc == NGX_OK) {
        return NGX_DECLINED;
    }

    if (old) {
        wag_admin_undo(control->upstream, name, old);

    } else {
        (void) wag_admin_remove(control->upstream, name, &none);
        wag_admin_finish_name(control->upstream, name);
    }

    if (rc == NGX_BUSY) {
        return wag_control_error(control->request,
                                 NGX_HTTP_INSUFFICIENT_STORAGE, "disk_full",
                                 "It cannot be kept", NULL,
                                 "the disk of the state file is full");
    }

    return wag_control_not_kept(control->request);
}


static ngx_int_t
wag_control_not_kept(ngx_http_request_t *r)
{
    return wag_control_error(r, NGX_HTTP_INTERNAL_SERVER_ERROR, "not_kept",
                             "It cannot be kept", NULL,
                             "the state file cannot be written");
}


/* NGX_DECLINED, or what came of the answer that tells what is wrong */

static ngx_int_t
wag_control_parse(wag_control_t *control, ngx_uint_t may)
{
    ngx_int_t            rc;
    ngx_str_t            text, member;
    const char          *err;
    ngx_pool_cleanup_t  *cln;
    ngx_http_request_t  *r;

    r = control->request;

    rc = wag_control_text(r, &text);

    if (rc != NGX_OK) {
        return rc;
    }

    cln = ngx_pool_cleanup_add(r->pool, 0);
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cln->data = wag_json_parse(&text, &err);

    if (cln->data == NULL) {
        return wag_control_error(r, NGX_HTTP_BAD_REQUEST, "bad_request",
                                 "Bad request", NULL, err);
    }

    cln->handler = wag_control_cleanup;

    err = wag_control_body_read(cln->data, may, &control->body);

    if (err) {
        member.data = control->body.member;
        member.len = control->body.member_len;

        return wag_control_error(r, NGX_HTTP_BAD_REQUEST, "bad_request",
                                 "Bad request", member.len ? &member : NULL,
                                 err);
    }

    return NGX_DECLINED;
}


static void
wag_control_cleanup(void *data)
{
    cJSON_Delete(data);
}


static ngx_int_t
wag_control_text(ngx_http_request_t *r, ngx_str_t *text)
{
    size_t        size, len;
    u_char       *p;
    ssize_t       n;
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    len = 0;

    for (cl = r->request_body ? r->request_body->bufs : NULL;
         cl && len <= WAG_CONTROL_SIZE;
         cl = cl->next)
    {
        len += ngx_buf_size(cl->buf);
    }

    if (len > WAG_CONTROL_SIZE) {
        return NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
    }

    p = ngx_pnalloc(r->pool, len + 1);
    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    text->data = p;
    text->len = len;

    for (cl = len ? r->request_body->bufs : NULL; cl; cl = cl->next) {
        b = cl->buf;
        size = ngx_buf_size(b);

        if (ngx_buf_in_memory(b)) {
            p = ngx_cpymem(p, b->pos, size);
            continue;
        }

        n = size ? ngx_read_file(b->file, p, size, b->file_pos) : 0;

        if (n != (ssize_t) size) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        p += n;
    }

    *p = '\0';

    return NGX_OK;
}


static ngx_int_t
wag_control_post(wag_control_t *control)
{
    const char           *err, *member;
    wag_newcomer_t       *newcomer;
    wag_control_body_t   *body;

    body = &control->body;
    newcomer = &control->newcomer;

    wag_slots_newcomer(newcomer);

    newcomer->health = control->upstream->initial;
    newcomer->admin.version = 1;
    newcomer->key = body->key;

    if (body->set & WAG_CONTROL_WEIGHT) {
        newcomer->admin.weight = body->weight;
    }

    if (body->set & WAG_CONTROL_MAX_CONNS) {
        newcomer->admin.max_conns = body->max_conns;
    }

    member = "url";
    err = wag_control_url(control);

    if (err == NULL) {
        err = wag_control_vendor(control, &member);
    }

    if (err) {
        return wag_control_bad(control->request, member, err);
    }

    return wag_control_add(control);
}


/* NULL, or what is wrong */

static const char *
wag_control_url(wag_control_t *control)
{
    ngx_url_t        u;
    ngx_str_t        scheme, host, *url, *ours;
    const char      *err;
    wag_newcomer_t  *newcomer;

    url = &control->body.url;
    newcomer = &control->newcomer;

    if (url->len == 0) {
        return "it is missing";
    }

    if (url->len > WAG_NAME_LEN || !wag_param_printable(url)) {
        return "longer than 256 bytes, a control character, or no UTF-8";
    }

    if (wag_url_scheme(url, &scheme) != NGX_OK) {
        return "\"http://\" or \"https://\" is expected";
    }

    ours = wag_servers_scheme(control->upstream);

    if (ours->len != scheme.len) {
        return "all instances must have the same scheme";
    }

    err = wag_url_host(url, &scheme, &host);
    if (err) {
        return err;
    }

    if (ngx_strlchr(host.data, host.data + host.len, ',')
        || ngx_strlchr(host.data, host.data + host.len, ' '))
    {
        return "a comma or a blank";
    }

    ngx_memzero(&u, sizeof(ngx_url_t));

    u.url = host;
    u.default_port = (scheme.len == sizeof("https://") - 1) ? 443 : 80;
    u.no_resolve = 1;

    if (ngx_parse_url(control->request->pool, &u) != NGX_OK) {
        return u.err ? u.err : "no memory";
    }

    if (u.family == AF_UNIX) {
        return "a Unix socket is not allowed";
    }

    if (u.naddrs == 0) {
        return "an IP address is expected, names are looked up at start only";
    }

    newcomer->name = *url;
    newcomer->addrs = u.addrs;
    newcomer->naddrs = u.naddrs;

    return NULL;
}


static const char *
wag_control_vendor(wag_control_t *control, const char **member)
{
    ngx_str_t        *name;
    wag_vendor_t     *vendor;
    wag_upstream_t   *us;
    wag_newcomer_t   *newcomer;

    us = control->upstream;
    newcomer = &control->newcomer;

    *member = "vendor";

    name = (control->body.set & WAG_CONTROL_VENDOR) ? &control->body.vendor
                                                    : &us->vendor;
    vendor = NULL;

    if (name->len
        && (name->len != sizeof(WAG_VENDOR_PLAIN) - 1
            || ngx_memcmp(name->data, WAG_VENDOR_PLAIN, name->len) != 0))
    {
        vendor = wag_members_known(us, wag_vendor_hash(name));

        if (vendor == NULL
            || vendor->name.len != name->len
            || ngx_memcmp(vendor->name.data, name->data, name->len) != 0)
        {
            return "no instance of the configuration has this vendor";
        }

        newcomer->vendor = wag_vendor_hash(name);
    }

    *member = "key";

    if (newcomer->key.len == 0) {
        return NULL;
    }

    if (vendor == NULL) {
        return "a key is for an instance that has a vendor";
    }

    if (newcomer->key.len > WAG_KEY_ROOM) {
        return "longer than 256 bytes";
    }

    return wag_server_vendor_key(&newcomer->key);
}


static ngx_int_t
wag_control_add(wag_control_t *control)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = control->request;

    if (wag_members_try(control->upstream, &control->newcomer) != NGX_OK) {
        return wag_control_bad(r, "key", "no request can be made with it");
    }

    switch (wag_admin_add(control->upstream, &control->newcomer)) {

    case NGX_OK:
        rc = wag_control_kept(control, &control->newcomer.name, NULL);

        if (rc == NGX_DECLINED) {
            rc = wag_control_one(control, NGX_HTTP_CREATED,
                                 &control->newcomer.name);
        }

        break;

    case NGX_DECLINED:
        rc = wag_control_error(r, NGX_HTTP_CONFLICT, "exists",
                               "The instance is there already", NULL, NULL);
        break;

    case NGX_ABORT:
        rc = wag_control_bad(r, "key", "the configuration has the vendor and "
                                       "the key of this instance");
        break;

    default: /* NGX_BUSY */
        rc = wag_control_error(r, NGX_HTTP_INSUFFICIENT_STORAGE, "no_slot",
                               "There is no room for another instance", NULL,
                               "see \"capacity=\"");
    }

    return rc;
}


static ngx_int_t
wag_control_patch(wag_control_t *control)
{
    ngx_int_t             rc;
    ngx_str_t            *state;
    wag_admin_t           old;
    wag_admin_change_t   *change;
    wag_control_body_t   *body;

    body = &control->body;
    change = &control->change;
    state = &body->state;

    if (body->set == 0) {
        return wag_control_error(control->request, NGX_HTTP_BAD_REQUEST,
                                 "bad_request", "Bad request", NULL,
                                 "nothing to change");
    }

    if (body->set & WAG_CONTROL_STATE) {

        for (change->state = WAG_ADMIN_UP;
             change->state <= WAG_ADMIN_DOWN;
             change->state++)
        {
            if (wag_snapshot_admins[change->state].len == state->len
                && ngx_memcmp(wag_snapshot_admins[change->state].data,
                              state->data, state->len)
                   == 0)
            {
                break;
            }
        }

        if (change->state > WAG_ADMIN_DOWN) {
            return wag_control_bad(control->request, "state",
                                   "one of up, drain, down is expected");
        }

        change->state_set = 1;
    }

    change->weight = body->weight;
    change->weight_set = (body->set & WAG_CONTROL_WEIGHT) != 0;

    change->max_conns = body->max_conns;
    change->max_conns_set = (body->set & WAG_CONTROL_MAX_CONNS) != 0;

    if (wag_admin_change(control->upstream, &control->name, change, &old)
        != NGX_OK)
    {
        return wag_control_unknown(control->request);
    }

    rc = wag_control_kept(control, &control->name, &old);

    return (rc == NGX_DECLINED)
           ? wag_control_one(control, NGX_HTTP_OK, &control->name) : rc;
}


static ngx_int_t
wag_control_delete(wag_control_t *control)
{
    ngx_int_t    rc;
    wag_admin_t  old;

    if (wag_admin_remove(control->upstream, &control->name, &old) != NGX_OK) {
        return wag_control_unknown(control->request);
    }

    rc = wag_control_kept(control, &control->name, &old);

    if (rc != NGX_DECLINED) {
        return rc;
    }

    /* with nothing in flight it is over at once */

    wag_admin_finish_name(control->upstream, &control->name);

    return wag_control_no_content(control->request);
}


static ngx_int_t
wag_control_list(ngx_http_request_t *r)
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

        if (wag_control_json(object, &s->views[i]) != NGX_OK
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


/* as the list has it */

static ngx_int_t
wag_control_one(wag_control_t *control, ngx_uint_t status, ngx_str_t *name)
{
    cJSON           *object;
    ngx_uint_t       i;
    wag_view_t      *v;
    wag_snapshot_t  *s;

    s = wag_snapshot_take(control->request->pool, control->upstream, NULL);
    if (s == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    object = cJSON_CreateObject();

    for (i = 0; i < s->total; i++) {
        v = &s->views[i];

        if (v->name.len == name->len
            && ngx_memcmp(v->name.data, name->data, name->len) == 0
            && wag_control_json(object, v) != NGX_OK)
        {
            cJSON_Delete(object);
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    return wag_json_response_send(control->request, status, object);
}


static ngx_int_t
wag_control_json(cJSON *object, wag_view_t *v)
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


static ngx_int_t
wag_control_no_content(ngx_http_request_t *r)
{
    if (wag_json_response_no_store(r) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->headers_out.status = NGX_HTTP_NO_CONTENT;
    r->header_only = 1;

    return ngx_http_send_header(r);
}


static ngx_int_t
wag_control_error(ngx_http_request_t *r, ngx_uint_t status, const char *code,
    const char *error, ngx_str_t *member, const char *details)
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


static ngx_int_t
wag_control_bad(ngx_http_request_t *r, const char *member, const char *details)
{
    ngx_str_t  name;

    name.data = (u_char *) member;
    name.len = ngx_strlen(member);

    return wag_control_error(r, NGX_HTTP_BAD_REQUEST, "bad_request",
                             "Bad request", &name, details);
}


static ngx_int_t
wag_control_unknown(ngx_http_request_t *r)
{
    return wag_control_error(r, NGX_HTTP_NOT_FOUND, "unknown_instance",
                             "There is no such instance", NULL, NULL);
}
