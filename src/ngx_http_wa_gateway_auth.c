
/*
 * Copyright (C) the wa_gateway authors
 */


#include "ngx_http_wa_gateway_module.h"
#include "ngx_http_wa_gateway_answer.h"
#include "ngx_http_wa_gateway_auth.h"
#include "ngx_http_wa_gateway_request.h"


static ngx_uint_t ngx_http_wa_gateway_auth_api_key(ngx_http_request_t *r,
    ngx_array_t *keys);
static ngx_uint_t ngx_http_wa_gateway_auth_bearer(ngx_http_request_t *r,
    ngx_array_t *keys);
static ngx_uint_t ngx_http_wa_gateway_auth_match(ngx_array_t *keys,
    ngx_str_t *given);


static ngx_str_t  ngx_http_wa_gateway_x_api_key = ngx_string("X-Api-Key");


char *
ngx_http_wa_gateway_auth_key(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_wa_gateway_loc_conf_t *wlcf = conf;

    ngx_str_t   *value, *key;
    ngx_uint_t   i;

    if (wlcf->keys != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {
        wlcf->keys = NULL;
        return NGX_CONF_OK;
    }

    wlcf->keys = ngx_array_create(cf->pool, 1, sizeof(ngx_str_t));
    if (wlcf->keys == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 1; i < cf->args->nelts; i++) {

        if (value[i].len == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "empty key in \"%V\"", &cmd->name);
            return NGX_CONF_ERROR;
        }

        key = ngx_array_push(wlcf->keys);
        if (key == NULL) {
            return NGX_CONF_ERROR;
        }

        *key = value[i];
    }

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_wa_gateway_auth_handler(ngx_http_request_t *r)
{
    ngx_http_wa_gateway_loc_conf_t  *wlcf;
    static ngx_str_t                 name = ngx_string("WWW-Authenticate");
    static ngx_str_t                 value = ngx_string("Bearer");

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wa_gateway_module);

    if (wlcf->keys == NULL) {
        return NGX_DECLINED;
    }

    if (ngx_http_wa_gateway_auth_api_key(r, wlcf->keys)
        || ngx_http_wa_gateway_auth_bearer(r, wlcf->keys))
    {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                  "wa_gateway: no valid API key");

    /* the context tells that the error was made in this location */

    if (ngx_http_wa_gateway_request_get(r) == NULL
        || ngx_http_wa_gateway_answer_header(r, &name, &value) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_HTTP_UNAUTHORIZED;
}


static ngx_uint_t
ngx_http_wa_gateway_auth_api_key(ngx_http_request_t *r, ngx_array_t *keys)
{
    ngx_str_t        *name;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *header;

    name = &ngx_http_wa_gateway_x_api_key;
    part = &r->headers_in.headers.part;
    header = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                return 0;
            }

            part = part->next;
            header = part->elts;
            i = 0;
        }

        if (header[i].key.len == name->len
            && ngx_strncasecmp(header[i].key.data, name->data, name->len) == 0
            && ngx_http_wa_gateway_auth_match(keys, &header[i].value))
        {
            return 1;
        }
    }
}


static ngx_uint_t
ngx_http_wa_gateway_auth_bearer(ngx_http_request_t *r, ngx_array_t *keys)
{
    ngx_str_t  given;

    if (r->headers_in.authorization == NULL) {
        return 0;
    }

    given = r->headers_in.authorization->value;

    if (given.len <= sizeof("Bearer ") - 1
        || ngx_strncasecmp(given.data, (u_char *) "Bearer ",
                           sizeof("Bearer ") - 1)
           != 0)
    {
        return 0;
    }

    given.data += sizeof("Bearer ") - 1;
    given.len -= sizeof("Bearer ") - 1;

    while (given.len && given.data[0] == ' ') {
        given.data++;
        given.len--;
    }

    return ngx_http_wa_gateway_auth_match(keys, &given);
}


/*
 * Takes as long for a wrong key as for the right one: all keys are compared,
 * each to its end, and only the length of what was given shows in the time.
 */

static ngx_uint_t
ngx_http_wa_gateway_auth_match(ngx_array_t *keys, ngx_str_t *given)
{
    u_char       c;
    ngx_str_t   *key;
    ngx_uint_t   i, j, match;
    volatile u_char  diff;

    key = keys->elts;
    match = 0;

    for (i = 0; i < keys->nelts; i++) {

        diff = (key[i].len != given->len);

        for (j = 0; j < given->len; j++) {
            c = key[i].data[j % key[i].len];
            diff |= c ^ given->data[j];
        }

        match |= (diff == 0);
    }

    return match;
}
