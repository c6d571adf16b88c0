
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_allow.h"
#include "wag_conf.h"
#include "wag_route_conf.h"


typedef struct wag_allow_s  wag_allow_t;


struct wag_allow_s {
    ngx_uint_t           all;      /* unsigned  all:1; */
    wag_routes_t         routes;
};


char *
wag_allow_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    wag_loc_conf_t *wlcf = conf;

    char         *rv;
    ngx_str_t    *value;
    ngx_uint_t    i, n;
    wag_route_t  *route;
    wag_allow_t  *allow;

    value = cf->args->elts;

    if (wlcf->allow == NULL
        || (wlcf->allow != NGX_CONF_UNSET_PTR && cf->args->nelts == 2))
    {
        return "is duplicate";
    }

    if (ngx_strcmp(value[1].data, "off") == 0 && cf->args->nelts == 2) {
        wlcf->allow = NULL;
        return NGX_CONF_OK;
    }

    allow = wlcf->allow;

    if (allow == NGX_CONF_UNSET_PTR) {
        allow = ngx_pcalloc(cf->pool, sizeof(wag_allow_t));

        if (allow == NULL
            || wag_route_conf_init(cf->pool, &allow->routes) != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }

        wlcf->allow = allow;
    }

    if (ngx_strcmp(value[1].data, "on") == 0 && cf->args->nelts == 2) {
        allow->all = 1;
        return NGX_CONF_OK;
    }

    if (cf->args->nelts == 2) {
        return "is \"on\", \"off\", or methods and paths";
    }

    for (i = 2; i < cf->args->nelts; i++) {
        if (value[i].len == 0 || value[i].data[0] != '/') {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid path \"%V\", it must begin with \"/\"",
                               &value[i]);
            return NGX_CONF_ERROR;
        }
    }

    n = allow->routes.routes.nelts;

    rv = wag_route_conf_route(cf, &allow->routes);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    route = allow->routes.routes.elts;

    for (i = n; i < allow->routes.routes.nelts; i++) {
        route[i].kind = WAG_ROUTE_OPEN;
    }

    return NGX_CONF_OK;
}


ngx_uint_t
wag_allow_allows(ngx_http_request_t *r, ngx_str_t *method, ngx_str_t *target)
{
    wag_loc_conf_t       *wlcf;
    wag_route_request_t   rr;

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wa_gateway_module);

    if (wlcf->allow == NULL) {
        return 0;
    }

    if (wlcf->allow->all) {
        return 1;
    }

    ngx_memzero(&rr, sizeof(wag_route_request_t));

    rr.pool = r->pool;
    rr.method = *method;
    rr.target = *target;

    return wag_route_judge(&wlcf->allow->routes, &rr) == NGX_OK
           && rr.kind == WAG_ROUTE_OPEN;
}
