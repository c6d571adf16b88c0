
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_access.h"
#include "wag_client.h"
#include "wag_conf.h"
#include "wag_ctx.h"
#include "wag_file.h"
#include "wag_json_response.h"
#include "wag_keys.h"


static const char *wag_access_argument(ngx_array_t *keys, ngx_str_t *value,
    ngx_uint_t *named);
static ngx_uint_t wag_access_is_limited(ngx_array_t *keys);
static char *wag_access_file(ngx_conf_t *cf, ngx_array_t *keys,
    ngx_str_t *name);
static ngx_int_t wag_access_find(ngx_http_request_t *r, wag_loc_conf_t *wlcf);
static ngx_int_t wag_access_find_key(ngx_http_request_t *r, ngx_array_t *keys);
static ngx_int_t wag_access_strip_key_headers(ngx_http_request_t *r,
    ngx_array_t *keys);
static void wag_access_forget(ngx_http_request_t *r, ngx_str_t *key);
static ngx_uint_t wag_access_holds(ngx_http_variable_value_t *v,
    ngx_str_t *key);
static ngx_uint_t wag_access_parse_key(ngx_table_elt_t *header,
    ngx_str_t *given);


static ngx_str_t  wag_x_api_key = ngx_string("X-Api-Key");
static ngx_str_t  wag_authorization = ngx_string("Authorization");


char *
wag_access_key(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char *p = conf;

    ngx_str_t     *value, name;
    ngx_uint_t     i, named;
    const char    *err;
    ngx_array_t  **keys;

    keys = (ngx_array_t **) (p + cmd->offset);

    if (*keys != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {
        *keys = NULL;
        return NGX_CONF_OK;
    }

    *keys = ngx_array_create(cf->pool, 1, sizeof(wag_key_t));
    if (*keys == NULL) {
        return NGX_CONF_ERROR;
    }

    named = 0;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_strncmp(value[i].data, "file=", 5) == 0) {
            name.data = value[i].data + 5;
            name.len = value[i].len - 5;

            if (wag_access_file(cf, *keys, &name) != NGX_CONF_OK) {
                return NGX_CONF_ERROR;
            }

            named = 0;

            continue;
        }

        err = wag_access_argument(*keys, &value[i], &named);

        if (err == NULL
            && (i + 1 == cf->args->nelts
                || !wag_keys_is_parameter(&value[i + 1])))
        {
            err = wag_keys_check(*keys);
        }

        if (err != NULL) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%s in \"%V\"", err,
                               &cmd->name);
            return NGX_CONF_ERROR;
        }
    }

    if (cmd->offset == offsetof(wag_loc_conf_t, admin_keys)
        && wag_access_is_limited(*keys))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "a key with limits in \"%V\"",
                           &cmd->name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_uint_t
wag_access_is_limited(ngx_array_t *keys)
{
    wag_key_t   *key;
    ngx_uint_t   i;

    key = keys->elts;

    for (i = 0; i < keys->nelts; i++) {
        if (wag_keys_is_limited(&key[i])) {
            return 1;
        }
    }

    return 0;
}


/* named: the key that was added last is an argument */

static const char *
wag_access_argument(ngx_array_t *keys, ngx_str_t *value, ngx_uint_t *named)
{
    if (!wag_keys_is_parameter(value)) {
        *named = 1;
        return wag_keys_add(keys, value);
    }

    return *named ? wag_keys_set(keys, value) : "no key before its limits";
}


static char *
wag_access_file(ngx_conf_t *cf, ngx_array_t *keys, ngx_str_t *name)
{
    ngx_str_t    text;
    ngx_uint_t   line;
    const char  *err;

    if (name->len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"file=\"");
        return NGX_CONF_ERROR;
    }

    if (ngx_conf_full_name(cf->cycle, name, 1) != NGX_OK
        || wag_file_read(cf, name, WAG_KEYS_SIZE, &text) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    err = wag_keys_read(keys, &text, &line);

    /* the keys are copies */

    ngx_explicit_memzero(text.data, text.len);

    if (err == NULL) {
        return NGX_CONF_OK;
    }

    if (line) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%s in \"%V\", line %ui", err,
                           name, line);

    } else {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%s in \"%V\"", err, name);
    }

    return NGX_CONF_ERROR;
}


ngx_int_t
wag_access_handler(ngx_http_request_t *r)
{
    ngx_int_t         rc;
    wag_loc_conf_t   *wlcf;
    static ngx_str_t  name = ngx_string("WWW-Authenticate");
    static ngx_str_t  value = ngx_string("Bearer");

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wa_gateway_module);

    if (wlcf->keys == NULL && wlcf->admin_keys == NULL) {
        return NGX_DECLINED;
    }

    rc = wag_access_find(r, wlcf);

    if (rc == NGX_DECLINED && wlcf->keys == NULL && !wlcf->control) {
        return NGX_DECLINED;
    }

    if (rc == NGX_OK) {
        return NGX_OK;
    }

    if (rc == NGX_ERROR) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                  "wa_gateway: no valid API key");

    /* the context tells that the error was made in this location */

    if (wag_ctx_get(r) == NULL
        || wag_json_response_header(r, &name, &value) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_HTTP_UNAUTHORIZED;
}


/* an admin key opens what any key opens, and ends here in any case */

static ngx_int_t
wag_access_find(ngx_http_request_t *r, wag_loc_conf_t *wlcf)
{
    ngx_int_t  rc, admin;

    admin = wlcf->admin_keys ? wag_access_find_key(r, wlcf->admin_keys)
                             : NGX_DECLINED;

    if (admin == NGX_ERROR || wlcf->keys == NULL || wlcf->control) {
        return admin;
    }

    /* who brings both has the other one, whose limits hold */

    rc = wag_access_find_key(r, wlcf->keys);

    return (rc == NGX_DECLINED) ? admin : rc;
}


/* NGX_DECLINED: none of the keys is there */

static ngx_int_t
wag_access_find_key(ngx_http_request_t *r, ngx_array_t *keys)
{
    ngx_str_t         given;
    wag_key_t        *key, *taken;
    ngx_uint_t        i, n, found;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *header;

    n = 0;

    part = &r->headers_in.headers.part;
    header = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                break;
            }

            part = part->next;
            header = part->elts;
            i = 0;
        }

        if (wag_access_parse_key(&header[i], &given)) {
            found = wag_keys_match(keys, &given);
            n = found ? found : n;
        }
    }

    if (n) {

        if (wag_access_strip_key_headers(r, keys) != NGX_OK) {
            return NGX_ERROR;
        }

    } else {

        /* an internal redirect comes here again */

        taken = wag_client_key(r);

        if (taken) {
            given.len = taken->len;
            given.data = taken->data;

            n = wag_keys_match(keys, &given);
        }
    }

    if (n == 0) {
        return NGX_DECLINED;
    }

    key = keys->elts;

    return wag_client_set_key(r, &key[n - 1]);
}


/*
 * The list is made anew without the headers that hold a key.  The pointers of
 * r->headers_in into the old one stay good.
 */

static ngx_int_t
wag_access_strip_key_headers(ngx_http_request_t *r, ngx_array_t *keys)
{
    ngx_str_t         given;
    ngx_uint_t        i;
    ngx_list_t        list;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *header, *h;

    if (ngx_list_init(&list, r->pool, 20, sizeof(ngx_table_elt_t)) != NGX_OK) {
        return NGX_ERROR;
    }

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        header = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (wag_access_parse_key(&header[i], &given)
                && wag_keys_match(keys, &given))
            {
                if (r->headers_in.authorization == &header[i]) {
                    r->headers_in.authorization = NULL;
                }

                wag_access_forget(r, &given);

                continue;
            }

            h = ngx_list_push(&list);
            if (h == NULL) {
                return NGX_ERROR;
            }

            *h = header[i];
        }
    }

    /* the last part may be the first, which lies in the list itself */

    r->headers_in.headers = list;

    if (list.last == &list.part) {
        r->headers_in.headers.last = &r->headers_in.headers.part;
    }

    return NGX_OK;
}


/*
 * A variable that was read before, by limit_req or "if", keeps its value: the
 * next one who reads it makes it anew, without the header.  What "set" made
 * cannot be made anew; its data is its own index, see ngx_http_rewrite_set().
 */

static void
wag_access_forget(ngx_http_request_t *r, ngx_str_t *key)
{
    ngx_uint_t                  i;
    ngx_http_variable_t        *var;
    ngx_http_variable_value_t  *v;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_core_module);

    var = cmcf->variables.elts;
    v = r->variables;

    for (i = 0; i < cmcf->variables.nelts; i++) {

        if (!v[i].valid || !wag_access_holds(&v[i], key)) {
            continue;
        }

        if ((var[i].flags & (NGX_HTTP_VAR_CHANGEABLE|NGX_HTTP_VAR_NOCACHEABLE))
            == NGX_HTTP_VAR_CHANGEABLE
            && var[i].data == i)
        {
            v[i].len = 0;
            continue;
        }

        v[i].valid = 0;
        v[i].not_found = 0;
    }
}


static ngx_uint_t
wag_access_holds(ngx_http_variable_value_t *v, ngx_str_t *key)
{
    size_t  i;

    for (i = 0; i + key->len <= v->len; i++) {
        if (ngx_memcmp(v->data + i, key->data, key->len) == 0) {
            return 1;
        }
    }

    return 0;
}


/* whether the header is one that brings keys; given is the key in it */

static ngx_uint_t
wag_access_parse_key(ngx_table_elt_t *header, ngx_str_t *given)
{
    ngx_str_t  *name;

    name = &wag_x_api_key;
    *given = header->value;

    if (header->key.len == name->len
        && ngx_strncasecmp(header->key.data, name->data, name->len) == 0)
    {
        return 1;
    }

    name = &wag_authorization;

    if (header->key.len != name->len
        || ngx_strncasecmp(header->key.data, name->data, name->len) != 0
        || given->len <= sizeof("Bearer ") - 1
        || ngx_strncasecmp(given->data, (u_char *) "Bearer ",
                           sizeof("Bearer ") - 1)
           != 0)
    {
        return 0;
    }

    given->data += sizeof("Bearer ") - 1;
    given->len -= sizeof("Bearer ") - 1;

    while (given->len && given->data[0] == ' ') {
        given->data++;
        given->len--;
    }

    return 1;
}
