
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_route.h"
#include "wag_target.h"


/*
 * What servers read in two ways is refused, so that the session found here is
 * the one that the instance finds.
 */


static ngx_int_t wag_route_read_path(wag_routes_t *routes,
    wag_route_request_t *r, u_char *args, ngx_array_t **places);
static ngx_int_t wag_route_path_names(wag_route_t *route,
    wag_route_request_t *r, wag_target_path_t *path);
static ngx_int_t wag_route_read_query(wag_routes_t *routes,
    wag_route_request_t *r, ngx_array_t *places, u_char *args);
static ngx_uint_t wag_route_is_dropped(ngx_array_t *drop, u_char *p,
    u_char *last);
static ngx_int_t wag_route_read_pair(wag_route_request_t *r,
    ngx_array_t *places, u_char *p, u_char *equal, u_char *last,
    ngx_uint_t *seen);
static ngx_int_t wag_route_read_to(wag_route_request_t *r, u_char *p,
    u_char *equal, u_char *last);
static ngx_int_t wag_route_read_headers(wag_route_request_t *r,
    ngx_array_t *places);
static ngx_int_t wag_route_read_header(wag_route_request_t *r,
    ngx_array_t *places, ngx_keyval_t *header, ngx_uint_t *seen);
static ngx_int_t wag_route_names(wag_route_request_t *r, ngx_str_t *session,
    ngx_str_t *where);
static ngx_int_t wag_route_value(wag_route_request_t *r, ngx_str_t *text,
    ngx_str_t *where, ngx_str_t *value);
static ngx_int_t wag_route_error(wag_route_request_t *r, const char *error,
    ngx_str_t *where);


static ngx_str_t   wag_route_in_path = ngx_string("path");
static ngx_str_t   wag_route_in_query = ngx_string("query");

static const char  wag_route_twice[] = "is given twice";
static const char  wag_route_within[] = "is given as an array or object";


ngx_int_t
wag_route_judge(wag_routes_t *routes, wag_route_request_t *r)
{
    u_char       *args;
    ngx_int_t     rc;
    ngx_uint_t    i;
    ngx_array_t  *places;
    wag_place_t  *place;

    r->kind = WAG_ROUTE_NATIVE;
    r->encode = 0;
    r->places = 0;
    r->path = 0;
    r->body = 0;
    r->dropped = 0;
    r->to = NULL;
    r->error = NULL;

    ngx_str_null(&r->session);
    ngx_str_null(&r->key);
    ngx_str_null(&r->member);
    ngx_str_null(&r->header);
    ngx_str_null(&r->recipient);
    ngx_str_null(&r->where);

    args = wag_target_find(r->target.data, r->target.data + r->target.len,
                           '?');

    rc = wag_route_read_path(routes, r, args, &places);
    if (rc != NGX_OK) {
        return rc;
    }

    rc = wag_route_read_query(routes, r, places, args);
    if (rc != NGX_OK) {
        return rc;
    }

    rc = wag_route_read_headers(r, places);
    if (rc != NGX_OK) {
        return rc;
    }

    r->places = (places->nelts != 0);
    place = places->elts;

    for (i = 0; i < places->nelts; i++) {
        if (place[i].type == WAG_PLACE_BODY) {
            r->body = 1;
            r->member = place[i].name;
        }
    }

    return NGX_OK;
}


static ngx_int_t
wag_route_read_path(wag_routes_t *routes, wag_route_request_t *r,
    u_char *args, ngx_array_t **places)
{
    ngx_int_t           rc;
    ngx_uint_t          encoded;
    const char         *error;
    wag_route_t        *route;
    wag_target_path_t   path;

    error = wag_target_check(r->target.data, args);

    rc = (error != NULL) ? NGX_DECLINED
                         : wag_target_path(r->pool, r->target.data, args,
                                           &path, &error);

    if (rc == NGX_DECLINED) {
        return wag_route_error(r, error, &wag_route_in_path);
    }

    if (rc == NGX_ERROR) {
        return rc;
    }

    *places = &routes->places;

    route = wag_routes_find(routes, &r->method, &path, &encoded);

    if (route == NULL) {
        return NGX_OK;
    }

    /*
     * Servers that decode a path first take this route, those that do not
     * take another.
     */

    if (encoded) {
        return wag_route_error(r, "has a needless escape",
                               &wag_route_in_path);
    }

    r->kind = route->kind;

    if (route->to.member.len || route->to.query.len) {
        r->to = &route->to;
    }

    if (route->places) {
        *places = route->places;
    }

    return wag_route_path_names(route, r, &path);
}


static ngx_int_t
wag_route_path_names(wag_route_t *route, wag_route_request_t *r,
    wag_target_path_t *path)
{
    ngx_int_t       rc;
    ngx_str_t       name;
    ngx_uint_t      i;
    wag_segment_t  *segment;

    segment = route->segments.elts;

    for (i = 0; i < route->segments.nelts; i++) {

        name = path->segments[i];

        switch (segment[i].type) {

        case WAG_SEGMENT_KEY:
            r->key = name;
            break;

        case WAG_SEGMENT_TOKEN:
            name.len = wag_target_find(name.data, name.data + name.len, ':')
                       - name.data;

            /* fall through */

        case WAG_SEGMENT_SESSION:
            r->path = 1;

            rc = wag_route_names(r, &name, &wag_route_in_path);
            if (rc != NGX_OK) {
                return rc;
            }

            break;
        }
    }

    return NGX_OK;
}


/* "args" is the "?", or the end */

static ngx_int_t
wag_route_read_query(wag_routes_t *routes, wag_route_request_t *r,
    ngx_array_t *places, u_char *args)
{
    u_char      *p, *last, *end, *equal, *target, *dst;
    ngx_int_t    rc;
    ngx_uint_t   seen, kept;
    const char  *error;

    seen = 0;
    kept = 0;
    dst = NULL;
    target = NULL;

    last = r->target.data + r->target.len;

    error = wag_target_check(args, last);

    if (error != NULL) {
        return wag_route_error(r, error, &wag_route_in_query);
    }

    for (p = args + 1; p <= last; p = end + 1) {

        end = wag_target_find(p, last, '&');
        equal = wag_target_find(p, end, '=');

        error = wag_target_escapes(p, equal);

        if (error != NULL) {
            return wag_route_error(r, error, &wag_route_in_query);
        }

        if (wag_route_is_dropped(&routes->drop, p, equal)) {

            if (target == NULL) {
                target = ngx_pnalloc(r->pool, r->target.len);
                if (target == NULL) {
                    return NGX_ERROR;
                }

                dst = ngx_cpymem(target, r->target.data,
                                 p - 1 - r->target.data);
            }

            continue;
        }

        rc = wag_route_read_pair(r, places, p, equal, end, &seen);

        if (rc == NGX_OK && r->to && r->to->query.len) {
            rc = wag_route_read_to(r, p, equal, end);
        }

        if (rc != NGX_OK) {
            return rc;
        }

        if (target) {
            *dst++ = kept ? '&' : '?';
            dst = ngx_cpymem(dst, p, end - p);
        }

        kept = 1;
    }

    if (target) {
        r->target.data = target;
        r->target.len = dst - target;
        r->dropped = 1;
    }

    return NGX_OK;
}


static ngx_uint_t
wag_route_is_dropped(ngx_array_t *drop, u_char *p, u_char *last)
{
    ngx_str_t   *name;
    ngx_uint_t   i;

    name = drop->elts;

    for (i = 0; i < drop->nelts; i++) {
        if (wag_target_query_name(p, last, &name[i]) != WAG_TARGET_OTHER) {
            return 1;
        }
    }

    return 0;
}


/* the name ends at "equal", "seen" has a bit for each place */

static ngx_int_t
wag_route_read_pair(wag_route_request_t *r, ngx_array_t *places, u_char *p,
    u_char *equal, u_char *last, ngx_uint_t *seen)
{
    ngx_int_t     rc;
    ngx_str_t     text, session;
    ngx_uint_t    i, same;
    wag_place_t  *place;

    place = places->elts;

    for (i = 0; i < places->nelts; i++) {

        if (place[i].type != WAG_PLACE_QUERY) {
            continue;
        }

        same = wag_target_query_name(p, equal, &place[i].name);

        if (same == WAG_TARGET_OTHER) {
            continue;
        }

        if (same == WAG_TARGET_WITHIN) {
            return wag_route_error(r, wag_route_within, &place[i].name);
        }

        if (*seen & ((ngx_uint_t) 1 << i)) {
            return wag_route_error(r, wag_route_twice, &place[i].name);
        }

        *seen |= (ngx_uint_t) 1 << i;

        text.data = (equal < last) ? equal + 1 : last;
        text.len = last - text.data;

        rc = wag_route_value(r, &text, &place[i].name, &session);
        if (rc != NGX_OK) {
            return rc;
        }

        return wag_route_names(r, &session, &place[i].name);
    }

    return NGX_OK;
}


static ngx_int_t
wag_route_read_to(wag_route_request_t *r, u_char *p, u_char *equal,
    u_char *last)
{
    ngx_str_t   text;
    ngx_uint_t  same;

    same = wag_target_query_name(p, equal, &r->to->query);

    if (same == WAG_TARGET_OTHER) {
        return NGX_OK;
    }

    if (same == WAG_TARGET_WITHIN) {
        return wag_route_error(r, wag_route_within, &r->to->query);
    }

    if (r->recipient.data) {
        return wag_route_error(r, wag_route_twice, &r->to->query);
    }

    text.data = (equal < last) ? equal + 1 : last;
    text.len = last - text.data;

    return wag_route_value(r, &text, &r->to->query, &r->recipient);
}


static ngx_int_t
wag_route_read_headers(wag_route_request_t *r, ngx_array_t *places)
{
    ngx_int_t     rc;
    ngx_uint_t    i, seen, wanted;
    wag_place_t  *place;

    wanted = 0;
    place = places->elts;

    for (i = 0; i < places->nelts; i++) {
        if (place[i].type == WAG_PLACE_HEADER) {
            wanted = 1;
        }
    }

    if (!wanted) {
        return NGX_OK;
    }

    seen = 0;

    for (i = 0; i < r->nheaders; i++) {
        rc = wag_route_read_header(r, places, &r->headers[i], &seen);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    for (i = 0; i < places->nelts; i++) {
        if (place[i].type == WAG_PLACE_HEADER
            && !(seen & ((ngx_uint_t) 1 << i)))
        {
            r->header = place[i].name;
            r->encode = place[i].decoded;
            break;
        }
    }

    return NGX_OK;
}


static ngx_int_t
wag_route_read_header(wag_route_request_t *r, ngx_array_t *places,
    ngx_keyval_t *header, ngx_uint_t *seen)
{
    ngx_int_t     rc;
    ngx_str_t     session;
    ngx_uint_t    i;
    wag_place_t  *place;

    place = places->elts;

    for (i = 0; i < places->nelts; i++) {

        if (place[i].type != WAG_PLACE_HEADER
            || place[i].name.len != header->key.len
            || ngx_strncasecmp(place[i].name.data, header->key.data,
                               header->key.len)
               != 0)
        {
            continue;
        }

        if (*seen & ((ngx_uint_t) 1 << i)) {
            return wag_route_error(r, wag_route_twice, &place[i].name);
        }

        *seen |= (ngx_uint_t) 1 << i;

        session = header->value;

        if (place[i].decoded) {
            rc = wag_route_value(r, &header->value, &place[i].name, &session);
            if (rc != NGX_OK) {
                return rc;
            }
        }

        return wag_route_names(r, &session, &place[i].name);
    }

    return NGX_OK;
}


static ngx_int_t
wag_route_names(wag_route_request_t *r, ngx_str_t *session, ngx_str_t *where)
{
    if (session->len == 0) {
        return wag_route_error(r, "names an empty session", where);
    }

    if (r->session.len
        && (r->session.len != session->len
            || ngx_memcmp(r->session.data, session->data, session->len) != 0))
    {
        return wag_route_error(r, "names another session", where);
    }

    r->session = *session;

    return NGX_OK;
}


static ngx_int_t
wag_route_value(wag_route_request_t *r, ngx_str_t *text, ngx_str_t *where,
    ngx_str_t *value)
{
    ngx_int_t    rc;
    const char  *error;

    rc = wag_target_decode(r->pool, text, 1, value, &error);

    return (rc == NGX_DECLINED) ? wag_route_error(r, error, where) : rc;
}


static ngx_int_t
wag_route_error(wag_route_request_t *r, const char *error, ngx_str_t *where)
{
    r->error = error;
    r->where = *where;

    return NGX_DECLINED;
}
