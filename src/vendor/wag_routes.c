
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_routes.h"


static ngx_uint_t wag_routes_method(wag_route_t *route, ngx_str_t *method);
static ngx_uint_t wag_routes_fits(wag_route_t *route, wag_target_path_t *path,
    ngx_uint_t *encoded);
static ngx_uint_t wag_routes_text(wag_segment_t *segment, ngx_str_t *text);
static void wag_routes_hide_segments(wag_routes_t *routes, wag_route_t *route,
    u_char *p, u_char *last);


/* with "**" the rest has a segment at least */

#define wag_routes_is_long(route, path)                                       \
    ((path)->n == (route)->segments.nelts                                     \
     || ((route)->rest && (path)->n > (route)->segments.nelts))

/* most write it as the file does; most others begin with another letter */

#define wag_routes_same(one, text)                                            \
    ((((one)->data[0] ^ (text)->data[0]) & ~0x20) == 0                        \
     && (ngx_memcmp((one)->data, (text)->data, (one)->len) == 0               \
         || ngx_strncasecmp((one)->data, (text)->data, (one)->len) == 0))


wag_route_t *
wag_routes_find(wag_routes_t *routes, ngx_str_t *method,
    wag_target_path_t *path, ngx_uint_t *encoded)
{
    ngx_uint_t    i;
    wag_route_t  *route;

    route = routes->routes.elts;

    for (i = 0; i < routes->routes.nelts; i++) {
        if (wag_routes_is_long(&route[i], path)
            && wag_routes_method(&route[i], method)
            && wag_routes_fits(&route[i], path, encoded))
        {
            return &route[i];
        }
    }

    return NULL;
}


/* Express runs what is for GET for HEAD, too */

static ngx_uint_t
wag_routes_method(wag_route_t *route, ngx_str_t *method)
{
    ngx_str_t   *name;
    ngx_uint_t   i, head;

    if (route->methods.nelts == 0) {
        return 1;
    }

    head = (method->len == 4 && ngx_memcmp(method->data, "HEAD", 4) == 0);

    name = route->methods.elts;

    for (i = 0; i < route->methods.nelts; i++) {

        if (name[i].len == method->len
            && ngx_memcmp(name[i].data, method->data, method->len) == 0)
        {
            return 1;
        }

        if (head && name[i].len == 3
            && ngx_memcmp(name[i].data, "GET", 3) == 0)
        {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
wag_routes_fits(wag_route_t *route, wag_target_path_t *path,
    ngx_uint_t *encoded)
{
    ngx_uint_t      i;
    wag_segment_t  *segment;

    *encoded = 0;

    segment = route->segments.elts;

    for (i = 0; i < route->segments.nelts; i++) {

        if (segment[i].type != WAG_SEGMENT_TEXT) {
            continue;
        }

        if (!wag_routes_text(&segment[i], &path->segments[i])) {
            return 0;
        }

        if (path->encoded & ((uint32_t) 1 << i)) {
            *encoded = 1;
        }
    }

    return 1;
}


static ngx_uint_t
wag_routes_text(wag_segment_t *segment, ngx_str_t *text)
{
    ngx_uint_t           i;
    wag_segment_text_t  *one;

    one = segment->texts.elts;

    for (i = 0; i < segment->texts.nelts; i++) {

        if ((one[i].text.len == text->len
             || (one[i].prefix && one[i].text.len < text->len))
            && wag_routes_same(&one[i].text, text))
        {
            return 1;
        }
    }

    return 0;
}


void
wag_routes_hide(wag_routes_t *routes, ngx_pool_t *pool, ngx_str_t *path)
{
    u_char             *last;
    ngx_uint_t          i, encoded;
    const char         *error;
    wag_route_t        *route;
    wag_target_path_t   target;

    last = path->data + path->len;

    if (wag_target_path(pool, path->data, last, &target, &error) != NGX_OK) {
        ngx_memset(path->data, '*', path->len);
        return;
    }

    route = routes->routes.elts;

    for (i = 0; i < routes->routes.nelts; i++) {
        if (wag_routes_is_long(&route[i], &target)
            && wag_routes_fits(&route[i], &target, &encoded))
        {
            wag_routes_hide_segments(routes, &route[i], path->data, last);
        }
    }
}


static void
wag_routes_hide_segments(wag_routes_t *routes, wag_route_t *route, u_char *p,
    u_char *last)
{
    u_char         *end;
    ngx_uint_t      i;
    wag_segment_t  *segment;

    segment = route->segments.elts;

    for (i = 0; i < route->segments.nelts && p < last; i++, p = end) {

        p++;
        end = wag_target_find(p, last, '/');

        if (segment[i].type == WAG_SEGMENT_TOKEN) {

            /* what is behind the name; its colon may be an escape */

            while (p < end && *p != ':' && *p != '%') {
                p++;
            }

        } else if (segment[i].type != WAG_SEGMENT_KEY
                   && !(routes->names
                        && segment[i].type == WAG_SEGMENT_SESSION))
        {
            continue;
        }

        ngx_memset(p, '*', end - p);
    }
}
