
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_argument.h"
#include "wag_body.h"
#include "wag_place_conf.h"
#include "wag_route_conf.h"
#include "wag_segment_conf.h"


/* what all paths of a "route" have in common */

typedef struct {
    ngx_array_t          methods;    /* ngx_str_t */
    ngx_array_t         *places;     /* NULL: none are given */
    wag_route_to_t       to;
    ngx_uint_t           kind;
    ngx_uint_t           none;       /* "none" is given */
    ngx_uint_t           npaths;
} wag_route_args_t;


static char *wag_route_conf_args(ngx_conf_t *cf, wag_route_args_t *args);
static ngx_int_t wag_route_conf_methods(ngx_conf_t *cf, ngx_str_t *text,
    ngx_array_t *methods);
static ngx_int_t wag_route_conf_to(ngx_conf_t *cf, ngx_str_t *text,
    wag_route_to_t *to);
static ngx_int_t wag_route_conf_kind(ngx_conf_t *cf, ngx_str_t *text,
    ngx_uint_t *kind);
static ngx_int_t wag_route_conf_add(ngx_conf_t *cf, wag_routes_t *routes,
    ngx_str_t *path, wag_route_args_t *args);
static ngx_int_t wag_route_conf_path_place(ngx_conf_t *cf, wag_route_t *route,
    ngx_str_t *path, wag_route_args_t *args);
static ngx_uint_t wag_route_conf_is_secret(wag_routes_t *routes,
    wag_route_t *route);


static ngx_conf_enum_t  wag_route_kinds[] = {
    { ngx_string("send"), WAG_ROUTE_SEND },
    { ngx_string("login"), WAG_ROUTE_LOGIN },
    { ngx_string("create"), WAG_ROUTE_CREATE },
    { ngx_string("open"), WAG_ROUTE_OPEN },
    { ngx_string("list"), WAG_ROUTE_LIST },
    { ngx_string("blocked"), WAG_ROUTE_BLOCKED },
    { ngx_null_string, 0 }
};


ngx_int_t
wag_route_conf_init(ngx_pool_t *pool, wag_routes_t *routes)
{
    return (ngx_array_init(&routes->routes, pool, 16, sizeof(wag_route_t))
            == NGX_OK
            && ngx_array_init(&routes->places, pool, 2, sizeof(wag_place_t))
               == NGX_OK
            && ngx_array_init(&routes->drop, pool, 2, sizeof(ngx_str_t))
               == NGX_OK)
           ? NGX_OK : NGX_ERROR;
}


char *
wag_route_conf_session(ngx_conf_t *cf, void *conf)
{
    wag_routes_t *routes = conf;

    ngx_str_t   *value;
    ngx_uint_t   i;

    if (routes->places.nelts) {
        return "is duplicate";
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {
        if (wag_place_conf(cf, &value[i], &routes->places) != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


char *
wag_route_conf_route(ngx_conf_t *cf, void *conf)
{
    wag_routes_t *routes = conf;

    char              *rv;
    ngx_str_t         *value;
    ngx_uint_t         i;
    wag_route_args_t   args;

    ngx_memzero(&args, sizeof(wag_route_args_t));

    rv = wag_route_conf_args(cf, &args);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    value = cf->args->elts;

    for (i = 2; i < cf->args->nelts; i++) {
        if (value[i].len && value[i].data[0] == '/'
            && wag_route_conf_add(cf, routes, &value[i], &args) != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static char *
wag_route_conf_args(ngx_conf_t *cf, wag_route_args_t *args)
{
    ngx_str_t   *value;
    ngx_uint_t   i;

    value = cf->args->elts;

    if (wag_route_conf_methods(cf, &value[1], &args->methods) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    for (i = 2; i < cf->args->nelts; i++) {

        if (value[i].len && value[i].data[0] == '/') {
            args->npaths++;
            continue;
        }

        if (ngx_strchr(value[i].data, '=') == NULL
            && ngx_strcmp(value[i].data, "none") != 0)
        {
            if (wag_route_conf_kind(cf, &value[i], &args->kind) != NGX_OK) {
                return NGX_CONF_ERROR;
            }

            continue;
        }

        if (ngx_strncmp(value[i].data, "to=", 3) == 0
            || ngx_strncmp(value[i].data, "to_query=", 9) == 0)
        {
            if (wag_route_conf_to(cf, &value[i], &args->to) != NGX_OK) {
                return NGX_CONF_ERROR;
            }

            continue;
        }

        if (args->places == NULL) {
            args->places = ngx_array_create(cf->pool, WAG_ROUTE_PLACES,
                                            sizeof(wag_place_t));
            if (args->places == NULL) {
                return NGX_CONF_ERROR;
            }
        }

        if (ngx_strcmp(value[i].data, "none") == 0) {
            args->none = 1;

        } else if (wag_place_conf(cf, &value[i], args->places)
                   != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    if (args->npaths == 0) {
        return "has no path, which begins with \"/\"";
    }

    if (args->none && args->places->nelts) {
        return "has \"none\" and a place";
    }

    if (args->kind != WAG_ROUTE_SEND
        && (args->to.member.len || args->to.query.len))
    {
        return "has a recipient, and is no \"send\"";
    }

    return NGX_CONF_OK;
}


/* GET|POST, * is no method in particular */

static ngx_int_t
wag_route_conf_methods(ngx_conf_t *cf, ngx_str_t *text, ngx_array_t *methods)
{
    size_t      i;
    ngx_str_t   rest, part, *method;

    if (ngx_array_init(methods, cf->pool, 2, sizeof(ngx_str_t)) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_strcmp(text->data, "*") == 0) {
        return NGX_OK;
    }

    rest = *text;

    while (wag_argument_next(&rest, '|', &part)) {

        for (i = 0; i < part.len; i++) {
            if ((part.data[i] < 'A' || part.data[i] > 'Z')
                && part.data[i] != '-' && part.data[i] != '_')
            {
                break;
            }
        }

        if (part.len == 0 || i < part.len) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid methods \"%V\", they are \"*\" or "
                               "upper case with \"|\" between, as GET|POST",
                               text);
            return NGX_ERROR;
        }

        method = ngx_array_push(methods);
        if (method == NULL) {
            return NGX_ERROR;
        }

        *method = part;
    }

    return NGX_OK;
}


/* to=NAME, to=NAME[], to_query=NAME */

static ngx_int_t
wag_route_conf_to(ngx_conf_t *cf, ngx_str_t *text, wag_route_to_t *to)
{
    u_char     *equal;
    ngx_str_t  *member, name;

    equal = (u_char *) ngx_strchr(text->data, '=');

    name.data = equal + 1;
    name.len = text->data + text->len - name.data;

    member = &to->query;

    if (equal - text->data == 2) {
        member = &to->member;

        if (name.len > 2
            && ngx_memcmp(name.data + name.len - 2, "[]", 2) == 0)
        {
            name.len -= 2;
            to->list = 1;
        }
    }

    if (name.len > WAG_BODY_NAME_LEN || !wag_argument_is_name(&name, "-_")) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid name of recipient \"%V\", it has at most "
                           "%d letters, digits, \"-\" and \"_\"", text,
                           WAG_BODY_NAME_LEN);
        return NGX_ERROR;
    }

    if (member->len) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "second recipient \"%V\"",
                           text);
        return NGX_ERROR;
    }

    *member = name;

    return NGX_OK;
}


static ngx_int_t
wag_route_conf_kind(ngx_conf_t *cf, ngx_str_t *text, ngx_uint_t *kind)
{
    ngx_conf_enum_t  *name;

    for (name = wag_route_kinds; name->name.len; name++) {
        if (ngx_strcmp(name->name.data, text->data) == 0) {
            break;
        }
    }

    if (name->name.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "unknown kind of route \"%V\", it is one of send, "
                           "login, create, open, list, blocked", text);
        return NGX_ERROR;
    }

    if (*kind != WAG_ROUTE_NATIVE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "second kind of route \"%V\"", text);
        return NGX_ERROR;
    }

    *kind = name->value;

    return NGX_OK;
}


static ngx_int_t
wag_route_conf_add(ngx_conf_t *cf, wag_routes_t *routes, ngx_str_t *path,
    wag_route_args_t *args)
{
    ngx_uint_t    sessions;
    wag_route_t  *route;

    route = ngx_array_push(&routes->routes);
    if (route == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(route, sizeof(wag_route_t));

    route->methods = args->methods;
    route->places = args->places;
    route->to = args->to;
    route->kind = args->kind;

    if (wag_segment_conf_path(cf, path, route, &sessions) != NGX_OK) {
        return NGX_ERROR;
    }

    return sessions ? wag_route_conf_path_place(cf, route, path, args)
                    : NGX_OK;
}


/* the path is a place of its own, and may be the only one */

static ngx_int_t
wag_route_conf_path_place(ngx_conf_t *cf, wag_route_t *route, ngx_str_t *path,
    wag_route_args_t *args)
{
    ngx_uint_t    i;
    wag_place_t   place, *given;

    if (args->none) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"none\" with a session in \"%V\"", path);
        return NGX_ERROR;
    }

    route->places = ngx_array_create(cf->pool, WAG_ROUTE_PLACES,
                                     sizeof(wag_place_t));
    if (route->places == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(&place, sizeof(wag_place_t));

    place.type = WAG_PLACE_PATH;
    ngx_str_set(&place.name, "path");

    if (wag_place_conf_add(cf, path, &place, route->places) != NGX_OK) {
        return NGX_ERROR;
    }

    if (args->places == NULL) {
        return NGX_OK;
    }

    given = args->places->elts;

    for (i = 0; i < args->places->nelts; i++) {
        if (wag_place_conf_add(cf, path, &given[i], route->places)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


char *
wag_route_conf_drop(ngx_conf_t *cf, void *conf)
{
    wag_routes_t *routes = conf;

    ngx_str_t   *value, *name;
    ngx_uint_t   i;

    if (routes->drop.nelts) {
        return "is duplicate";
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (!wag_argument_is_name(&value[i], "-_")) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid name \"%V\" in a query, it has "
                               "letters, digits, \"-\" and \"_\"", &value[i]);
            return NGX_CONF_ERROR;
        }

        name = ngx_array_push(&routes->drop);
        if (name == NULL) {
            return NGX_CONF_ERROR;
        }

        *name = value[i];
    }

    return NGX_CONF_OK;
}


ngx_int_t
wag_route_conf_check(ngx_conf_t *cf, wag_routes_t *routes)
{
    ngx_uint_t    i;
    wag_route_t  *route;

    if (wag_place_conf_check(cf, &routes->drop, &routes->places)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    route = routes->routes.elts;

    for (i = 0; i < routes->routes.nelts; i++) {
        if (route[i].places
            && wag_place_conf_check(cf, &routes->drop, route[i].places)
               != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (wag_route_conf_is_secret(routes, &route[i])) {
            routes->secret = 1;
        }
    }

    return NGX_OK;
}


static ngx_uint_t
wag_route_conf_is_secret(wag_routes_t *routes, wag_route_t *route)
{
    ngx_uint_t      i;
    wag_segment_t  *segment;

    segment = route->segments.elts;

    for (i = 0; i < route->segments.nelts; i++) {
        if (segment[i].type == WAG_SEGMENT_TOKEN
            || segment[i].type == WAG_SEGMENT_KEY
            || (routes->names && segment[i].type == WAG_SEGMENT_SESSION))
        {
            return 1;
        }
    }

    return 0;
}
