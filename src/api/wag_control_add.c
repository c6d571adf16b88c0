
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_admin.h"
#include "wag_control_add.h"
#include "wag_control_answer.h"
#include "wag_control_keep.h"
#include "wag_members.h"
#include "wag_names.h"
#include "wag_param.h"
#include "wag_server_vendor.h"
#include "wag_servers.h"
#include "wag_url.h"
#include "wag_vendor_conf.h"


static const char *wag_control_add_url(wag_control_t *control);
static const char *wag_control_add_vendor(wag_control_t *control, const char
    **member);
static ngx_int_t wag_control_add_put(wag_control_t *control);
static void wag_control_add_settle(wag_control_t *control, ngx_uint_t kept);
static ngx_int_t wag_control_add_answer(wag_control_t *control);


/* what is no fault of who asked */

static const char  wag_control_add_no_memory[] = "no memory";


ngx_int_t
wag_control_add(wag_control_t *control)
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
    newcomer->same = !(body->set & (WAG_CONTROL_VENDOR | WAG_CONTROL_KEY));

    if (body->set & WAG_CONTROL_WEIGHT) {
        newcomer->admin.weight = body->weight;
    }

    if (body->set & WAG_CONTROL_MAX_CONNS) {
        newcomer->admin.max_conns = body->max_conns;
    }

    member = "url";
    err = wag_control_add_url(control);

    if (err == NULL) {
        err = wag_control_add_vendor(control, &member);
    }

    if (err == wag_control_add_no_memory) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (err) {
        return wag_control_answer_bad(control->request, member, err);
    }

    return wag_control_add_put(control);
}


/* NULL, or what is wrong */

static const char *
wag_control_add_url(wag_control_t *control)
{
    ngx_url_t        u;
    ngx_str_t        scheme, host, hosts, *url, *ours;
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
        return u.err ? u.err : wag_control_add_no_memory;
    }

    if (u.family == AF_UNIX) {
        return "a Unix socket is not allowed";
    }

    ngx_str_null(&hosts);

    if (u.naddrs == 0) {
        wag_names_hosts(control->request->pool, &hosts);
    }

    if (wag_names_pin(control->request->pool, &u, &hosts) != NGX_OK) {
        return u.err ? u.err : wag_control_add_no_memory;
    }

    newcomer->name = *url;
    newcomer->addrs = u.addrs;
    newcomer->naddrs = u.naddrs;
    newcomer->named = (u.naddrs == 0);

    return NULL;
}


static const char *
wag_control_add_vendor(wag_control_t *control, const char **member)
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
wag_control_add_put(wag_control_t *control)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = control->request;

    switch (wag_members_try(control->upstream, &control->newcomer)) {

    case NGX_OK:
        break;

    case NGX_DECLINED:
        return wag_control_answer_bad(r, "key",
                                      "no request can be made with it");

    default: /* NGX_ERROR */
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    switch (wag_admin_add(control->upstream, &control->newcomer)) {

    case NGX_OK:
        control->settle = wag_control_add_settle;
        control->answer = wag_control_add_answer;

        rc = wag_control_keep(control, NULL);
        break;

    case NGX_DECLINED:
        rc = wag_control_answer_error(r, NGX_HTTP_CONFLICT, "exists",
                                      "The instance is there already", NULL,
                                      NULL);
        break;

    case NGX_ABORT:
        rc = wag_control_answer_bad(r, "key",
                                    "the configuration has the vendor and the "
                                    "key of this instance");
        break;

    default: /* NGX_BUSY */
        rc = wag_control_answer_error(r, NGX_HTTP_INSUFFICIENT_STORAGE,
                                      "no_slot",
                                      "There is no room for another instance",
                                      NULL, "see \"capacity=\"");
    }

    return rc;
}


static void
wag_control_add_settle(wag_control_t *control, ngx_uint_t kept)
{
    ngx_str_t  *name;

    name = &control->newcomer.name;

    if (!kept
        && wag_admin_remove(control->upstream, name, &control->old) == NGX_OK)
    {
        wag_admin_finish_name(control->upstream, name);
    }
}


static ngx_int_t
wag_control_add_answer(wag_control_t *control)
{
    return wag_control_answer_one(control->request, control->upstream,
                                  NGX_HTTP_CREATED, &control->newcomer.name);
}
