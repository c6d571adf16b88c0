
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_file.h"
#include "wag_secret.h"
#include "wag_drops.h"
#include "wag_server_vendor.h"
#include "wag_url.h"
#include "wag_vendor_conf.h"


#define WAG_SERVER_VENDOR_FILE      (1024 * 1024)
#define WAG_SERVER_VENDOR_SESSIONS  1000


static const char *wag_server_vendor_line(ngx_conf_t *cf, wag_upstream_t *us,
    ngx_str_t *line);
static wag_origin_t *wag_server_vendor_find(wag_upstream_t *us, ngx_uint_t n);
static ngx_int_t wag_server_vendor_set(ngx_conf_t *cf, wag_upstream_t *us,
    wag_server_t *server, ngx_str_t *name);
static ngx_int_t wag_server_vendor_kind(wag_upstream_t *us,
    wag_vendor_t *vendor);
static void wag_server_vendor_set_key(wag_upstream_t *us,
    wag_server_t *server, wag_origin_t *origin);
static void wag_server_vendor_ignored(ngx_conf_t *cf, wag_upstream_t *us);


ngx_int_t
wag_server_vendor_origin(ngx_conf_t *cf, wag_upstream_t *us,
    wag_origin_t **origin, ngx_uint_t *next)
{
    ngx_str_t    *value;
    ngx_uint_t    i;
    const char   *err;
    wag_origin_t  o;

    ngx_memzero(&o, sizeof(wag_origin_t));

    *origin = NULL;
    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (o.vendor.len == 0
            && ngx_strncmp(value[i].data, "vendor=", 7) == 0)
        {
            o.vendor.data = value[i].data + 7;
            o.vendor.len = value[i].len - 7;

            if (o.vendor.len == 0) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "invalid parameter \"%V\"", &value[i]);
                return NGX_ERROR;
            }

        } else if (o.key.len == 0
                   && ngx_strncmp(value[i].data, "key=", 4) == 0)
        {
            o.key.data = value[i].data + 4;
            o.key.len = value[i].len - 4;

            err = wag_server_vendor_key(&o.key);

            if (err) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%s in \"key=\"",
                                   err);
                return NGX_ERROR;
            }

        } else if (ngx_strncmp(value[i].data, "vendor=", 7) == 0
                   || ngx_strncmp(value[i].data, "key=", 4) == 0)
        {
            /* a key is shown to nobody, be it the second one */

            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate \"%s\" parameter",
                               (value[i].data[0] == 'k') ? "key=" : "vendor=");
            return NGX_ERROR;

        } else {
            break;
        }
    }

    *next = i;

    if (i == 1) {
        return NGX_OK;
    }

    if (us->origins == NULL) {
        us->origins = ngx_array_create(cf->pool, 2, sizeof(wag_origin_t));
        if (us->origins == NULL) {
            return NGX_ERROR;
        }
    }

    *origin = ngx_array_push(us->origins);
    if (*origin == NULL) {
        return NGX_ERROR;
    }

    **origin = o;

    return NGX_OK;
}


ngx_int_t
wag_server_vendor_keys(ngx_conf_t *cf, wag_upstream_t *us, ngx_str_t *name)
{
    ngx_str_t    text, rest, line;
    ngx_uint_t   n;
    const char  *err;

    if (ngx_conf_full_name(cf->cycle, name, 1) != NGX_OK
        || wag_file_read(cf, name, WAG_SERVER_VENDOR_FILE, &text) != NGX_OK)
    {
        return NGX_ERROR;
    }

    us->keys = ngx_array_create(cf->pool, 4, sizeof(ngx_keyval_t));
    if (us->keys == NULL) {
        return NGX_ERROR;
    }

    err = NULL;
    rest = text;

    wag_file_skip_mark(&rest);

    for (n = 1; err == NULL && wag_file_line(&rest, &line); n++) {
        if (line.len && line.data[0] != '#') {
            err = wag_server_vendor_line(cf, us, &line);
        }
    }

    /* the keys are copies */

    ngx_explicit_memzero(text.data, text.len);

    if (err) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%s in \"%V\", line %ui", err,
                           name, n - 1);
        return NGX_ERROR;
    }

    if (us->keys->nelts == 0 && us->key.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "no key in \"%V\"", name);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static const char *
wag_server_vendor_line(ngx_conf_t *cf, wag_upstream_t *us, ngx_str_t *line)
{
    u_char        *p, *last, *copy;
    ngx_str_t      scheme, key;
    const char    *err;
    ngx_keyval_t  *kv;

    copy = ngx_pstrdup(cf->pool, line);
    if (copy == NULL) {
        return "no memory";
    }

    last = copy + line->len;
    key.data = copy;
    key.len = line->len;

    if (wag_url_scheme(&key, &scheme) != NGX_OK) {

        if (us->key.len) {
            return "second key without an URL";
        }

        err = wag_server_vendor_key(&key);

        us->key = key;

        return err;
    }

    for (p = copy; p < last && *p != ' ' && *p != '\t'; p++) { /* void */ }

    kv = ngx_array_push(us->keys);
    if (kv == NULL) {
        return "no memory";
    }

    kv->key.data = copy;
    kv->key.len = p - copy;

    while (p < last && (*p == ' ' || *p == '\t')) {
        p++;
    }

    kv->value.data = p;
    kv->value.len = last - p;

    return wag_server_vendor_key(&kv->value);
}


/* it becomes part of a header, of an URI, or of text in base64 */

const char *
wag_server_vendor_key(ngx_str_t *key)
{
    size_t  i;

    if (key->len == 0) {
        return "empty key";
    }

    for (i = 0; i < key->len; i++) {
        if (key->data[i] < 0x20 || key->data[i] == 0x7f) {
            return "control character in key";
        }
    }

    return NULL;
}


ngx_int_t
wag_server_vendor_finish(ngx_conf_t *cf, wag_upstream_t *us)
{
    ngx_uint_t     i;
    wag_origin_t  *origin;
    wag_server_t  *server;

    if (ngx_array_init(&us->kinds, cf->pool, 1, sizeof(wag_vendor_t *))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < us->nservers; i++) {
        server = &us->servers[i];
        origin = wag_server_vendor_find(us, i);

        if (wag_server_vendor_set(cf, us, server,
                                  (origin && origin->vendor.len)
                                  ? &origin->vendor : &us->vendor)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (server->vendor) {
            us->vendors++;
            wag_server_vendor_set_key(us, server, origin);

            if (wag_server_vendor_kind(us, server->vendor) != NGX_OK) {
                return NGX_ERROR;
            }
        }
    }

    if (us->vendors == 0) {
        wag_server_vendor_ignored(cf, us);
        us->max_sessions = 0;

    } else if (us->max_sessions == 0) {
        us->max_sessions = WAG_SERVER_VENDOR_SESSIONS;
    }

    return NGX_OK;
}


static wag_origin_t *
wag_server_vendor_find(wag_upstream_t *us, ngx_uint_t n)
{
    ngx_uint_t     i;
    wag_origin_t  *origin;

    if (us->origins == NULL) {
        return NULL;
    }

    origin = us->origins->elts;

    for (i = 0; i < us->origins->nelts; i++) {
        if (n >= origin[i].first && n < origin[i].last) {
            return &origin[i];
        }
    }

    return NULL;
}


static ngx_int_t
wag_server_vendor_set(ngx_conf_t *cf, wag_upstream_t *us, wag_server_t *server,
    ngx_str_t *name)
{
    wag_main_conf_t  *wmcf;

    if (name->len == 0 || ngx_strcmp(name->data, WAG_VENDOR_PLAIN) == 0) {
        return NGX_OK;
    }

    wmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_wa_gateway_module);

    server->vendor = wag_vendor_conf_find(wmcf, name);

    if (server->vendor == NULL) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "unknown vendor \"%V\" of \"%V\" in upstream \"%V\" in "
                      "%s:%ui, is its file included in \"http\"?", name,
                      &server->name, &us->uscf->host, us->uscf->file_name,
                      us->uscf->line);
        return NGX_ERROR;
    }

    server->vendor_hash = wag_vendor_hash(name);

#if !(WAG_SECRET_NAMES)

    if (server->vendor->secret) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "vendor \"%V\", whose sessions have secret names, needs "
                      "nginx with SSL", name);
        return NGX_ERROR;
    }

#endif

    return NGX_OK;
}


/* which vendors there are, each once */

static ngx_int_t
wag_server_vendor_kind(wag_upstream_t *us, wag_vendor_t *vendor)
{
    ngx_uint_t      i;
    wag_vendor_t  **kind;

    kind = us->kinds.elts;

    for (i = 0; i < us->kinds.nelts; i++) {
        if (kind[i] == vendor) {
            return NGX_OK;
        }
    }

    kind = ngx_array_push(&us->kinds);
    if (kind == NULL) {
        return NGX_ERROR;
    }

    *kind = vendor;

    return wag_drops_make(us->zone->cycle->pool, vendor);
}


/* a key is for the vendor that it was given with, no other ever sees it */

static void
wag_server_vendor_set_key(wag_upstream_t *us, wag_server_t *server,
    wag_origin_t *origin)
{
    ngx_uint_t     i;
    ngx_keyval_t  *kv;

    if (us->keys) {
        kv = us->keys->elts;

        for (i = 0; i < us->keys->nelts; i++) {
            if (kv[i].key.len == server->name.len
                && ngx_strncasecmp(kv[i].key.data, server->name.data,
                                   server->name.len)
                   == 0)
            {
                server->key = kv[i].value;
                return;
            }
        }
    }

    if (origin && origin->key.len) {
        server->key = origin->key;

    } else if (us->vendor.len == server->vendor->name.len
               && ngx_strncmp(us->vendor.data, server->vendor->name.data,
                              us->vendor.len)
                  == 0)
    {
        server->key = us->key;
    }
}


static void
wag_server_vendor_ignored(ngx_conf_t *cf, wag_upstream_t *us)
{
    if (us->key.len || us->keys || us->max_sessions) {
        ngx_log_error(NGX_LOG_NOTICE, cf->log, 0,
                      "keys and \"sessions=\" of upstream \"%V\" in %s:%ui "
                      "are ignored, no instance has a vendor",
                      &us->uscf->host, us->uscf->file_name, us->uscf->line);
    }
}
