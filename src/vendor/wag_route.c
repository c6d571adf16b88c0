
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_route.h"


/*
 * What servers read in two ways is refused, so that the session found here is
 * the one that the instance finds.
 */

typedef struct {
    ngx_str_t            segments[WAG_ROUTE_SEGMENTS];    /* decoded */
    uint32_t             encoded;    /* bits of those that had an escape */
    ngx_uint_t           n;          /* all of the path */
} wag_route_path_t;


/* what a name in a query is to a name that is looked for */

#define WAG_ROUTE_OTHER    0
#define WAG_ROUTE_EQUAL    1
#define WAG_ROUTE_WITHIN   2         /* name[x], name.x, [name] */


static ngx_int_t wag_route_check_bytes(wag_route_request_t *r, u_char *args);
static ngx_int_t wag_route_read_path(wag_route_request_t *r, u_char *p,
    u_char *last, wag_route_path_t *path);
static ngx_int_t wag_route_read_segment(wag_route_request_t *r, u_char *p,
    u_char *last, wag_route_path_t *path);
static ngx_int_t wag_route_check_segment(wag_route_request_t *r,
    ngx_str_t *segment);
static ngx_int_t wag_route_find(wag_routes_t *routes, wag_route_request_t *r,
    wag_route_path_t *path, wag_route_t **found);
static ngx_uint_t wag_route_method(wag_route_t *route, ngx_str_t *method);
static ngx_int_t wag_route_fits(wag_route_t *route, wag_route_request_t *r,
    wag_route_path_t *path);
static ngx_uint_t wag_route_text(wag_segment_t *segment, ngx_str_t *text);
static ngx_int_t wag_route_path_names(wag_route_t *route,
    wag_route_request_t *r, wag_route_path_t *path);
static ngx_int_t wag_route_read_query(wag_routes_t *routes,
    wag_route_request_t *r, ngx_array_t *places, u_char *args);
static ngx_uint_t wag_route_is_dropped(ngx_array_t *drop, u_char *p,
    u_char *last);
static ngx_int_t wag_route_read_pair(wag_route_request_t *r,
    ngx_array_t *places, u_char *p, u_char *equal, u_char *last,
    ngx_uint_t *seen);
static ngx_uint_t wag_route_query_name(u_char *p, u_char *last,
    ngx_str_t *name);
static ngx_int_t wag_route_read_headers(wag_route_request_t *r,
    ngx_array_t *places);
static ngx_int_t wag_route_read_header(wag_route_request_t *r,
    ngx_array_t *places, ngx_keyval_t *header, ngx_uint_t *seen);
static ngx_int_t wag_route_names(wag_route_request_t *r, ngx_str_t *session,
    ngx_str_t *where);
static ngx_int_t wag_route_value(wag_route_request_t *r, ngx_str_t *text,
    ngx_uint_t plus, ngx_str_t *where, ngx_str_t *value);
static ngx_uint_t wag_route_escapes_valid(u_char *p, u_char *last);
static u_char wag_route_byte(u_char **pos, u_char *last);
static u_char *wag_route_end(u_char *p, u_char *last, u_char ch);
static ngx_int_t wag_route_error(wag_route_request_t *r, const char *error,
    ngx_str_t *where);


static ngx_str_t   wag_route_in_path = ngx_string("path");
static ngx_str_t   wag_route_in_query = ngx_string("query");

static const char  wag_route_bad_escape[] = "has a bad escape";
static const char  wag_route_bad_byte[] =
    "has a blank, \"#\" or control character";
static const char  wag_route_twice[] = "is given twice";


ngx_int_t
wag_route_judge(wag_routes_t *routes, wag_route_request_t *r)
{
    u_char            *args, *last;
    ngx_int_t          rc;
    ngx_uint_t         i;
    ngx_array_t       *places;
    wag_place_t       *place;
    wag_route_t       *route;
    wag_route_path_t   path;

    r->kind = WAG_ROUTE_NATIVE;
    r->encode = 0;
    r->places = 0;
    r->path = 0;
    r->body = 0;
    r->dropped = 0;
    r->error = NULL;

    ngx_str_null(&r->session);
    ngx_str_null(&r->key);
    ngx_str_null(&r->member);
    ngx_str_null(&r->header);
    ngx_str_null(&r->where);

    last = r->target.data + r->target.len;
    args = wag_route_end(r->target.data, last, '?');

    rc = wag_route_check_bytes(r, args);
    if (rc != NGX_OK) {
        return rc;
    }

    rc = wag_route_read_path(r, r->target.data, args, &path);
    if (rc != NGX_OK) {
        return rc;
    }

    rc = wag_route_find(routes, r, &path, &route);
    if (rc != NGX_OK) {
        return rc;
    }

    places = &routes->places;

    if (route) {
        r->kind = route->kind;

        if (route->places) {
            places = route->places;
        }

        rc = wag_route_path_names(route, r, &path);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    if (args < last) {
        rc = wag_route_read_query(routes, r, places, args);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    r->places = (places->nelts != 0);
    place = places->elts;

    for (i = 0; i < places->nelts; i++) {
        if (place[i].type == WAG_PLACE_BODY) {
            r->body = 1;
            r->member = place[i].name;
        }
    }

    return wag_route_read_headers(r, places);
}


/* what no target has; a "#" ends it for those that read it as a URL */

static ngx_int_t
wag_route_check_bytes(wag_route_request_t *r, u_char *args)
{
    u_char  *p, *last;

    last = r->target.data + r->target.len;

    for (p = r->target.data; p < last; p++) {
        if (*p <= ' ' || *p == 0x7f || *p == '#') {
            return wag_route_error(r, wag_route_bad_byte,
                                   (p < args) ? &wag_route_in_path
                                              : &wag_route_in_query);
        }
    }

    return NGX_OK;
}


static ngx_int_t
wag_route_read_path(wag_route_request_t *r, u_char *p, u_char *last,
    wag_route_path_t *path)
{
    u_char     *end;
    ngx_int_t   rc;

    path->encoded = 0;
    path->n = 0;

    if (p == last || *p != '/') {
        return wag_route_error(r, "does not begin with \"/\"",
                               &wag_route_in_path);
    }

    /* a "/" at the end adds no segment */

    for (p++; p < last; p = end + 1) {

        end = wag_route_end(p, last, '/');

        rc = wag_route_read_segment(r, p, end, path);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    return NGX_OK;
}


static ngx_int_t
wag_route_read_segment(wag_route_request_t *r, u_char *p, u_char *last,
    wag_route_path_t *path)
{
    ngx_int_t   rc;
    ngx_str_t   text, segment;

    text.data = p;
    text.len = last - p;

    if (text.len == 0) {
        return wag_route_error(r, "has an empty segment", &wag_route_in_path);
    }

    rc = wag_route_value(r, &text, 0, &wag_route_in_path, &segment);
    if (rc != NGX_OK) {
        return rc;
    }

    rc = wag_route_check_segment(r, &segment);
    if (rc != NGX_OK) {
        return rc;
    }

    if (path->n < WAG_ROUTE_SEGMENTS) {
        path->segments[path->n] = segment;

        if (segment.len != text.len) {
            path->encoded |= (uint32_t) 1 << path->n;
        }
    }

    path->n++;

    return NGX_OK;
}


static ngx_int_t
wag_route_check_segment(wag_route_request_t *r, ngx_str_t *segment)
{
    size_t  i;

    if (segment->data[0] == '.'
        && (segment->len == 1
            || (segment->len == 2 && segment->data[1] == '.')))
    {
        return wag_route_error(r, "has a dot segment", &wag_route_in_path);
    }

    for (i = 0; i < segment->len; i++) {
        if (segment->data[i] == '/' || segment->data[i] == '\\') {
            return wag_route_error(r, "has a slash within a segment",
                                   &wag_route_in_path);
        }
    }

    return NGX_OK;
}


static ngx_int_t
wag_route_find(wag_routes_t *routes, wag_route_request_t *r,
    wag_route_path_t *path, wag_route_t **found)
{
    ngx_int_t     rc;
    ngx_uint_t    i, n;
    wag_route_t  *route;

    *found = NULL;

    route = routes->routes.elts;

    for (i = 0; i < routes->routes.nelts; i++) {

        n = route[i].segments.nelts;

        if ((path->n != n && !(route[i].rest && path->n > n))
            || !wag_route_method(&route[i], &r->method))
        {
            continue;
        }

        rc = wag_route_fits(&route[i], r, path);

        if (rc == NGX_OK) {
            *found = &route[i];
            return NGX_OK;
        }

        if (rc == NGX_DECLINED) {
            return rc;
        }
    }

    return NGX_OK;
}


/* Express runs what is for GET for HEAD, too */

static ngx_uint_t
wag_route_method(wag_route_t *route, ngx_str_t *method)
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


/*
 * NGX_OK, NGX_BUSY if not.  A text that was spelled with escapes is a text to
 * servers that decode a path first, and none to those that do not: each would
 * take another route.
 */

static ngx_int_t
wag_route_fits(wag_route_t *route, wag_route_request_t *r,
    wag_route_path_t *path)
{
    ngx_uint_t      i;
    wag_segment_t  *segment;

    segment = route->segments.elts;

    for (i = 0; i < route->segments.nelts; i++) {

        if (segment[i].type != WAG_SEGMENT_TEXT) {
            continue;
        }

        if (!wag_route_text(&segment[i], &path->segments[i])) {
            return NGX_BUSY;
        }

        if (path->encoded & ((uint32_t) 1 << i)) {
            return wag_route_error(r, "has a needless escape",
                                   &wag_route_in_path);
        }
    }

    return NGX_OK;
}


static ngx_uint_t
wag_route_text(wag_segment_t *segment, ngx_str_t *text)
{
    ngx_uint_t           i;
    wag_segment_text_t  *one;

    one = segment->texts.elts;

    for (i = 0; i < segment->texts.nelts; i++) {

        if ((one[i].text.len == text->len
             || (one[i].prefix && one[i].text.len < text->len))
            && ngx_strncasecmp(one[i].text.data, text->data, one[i].text.len)
               == 0)
        {
            return 1;
        }
    }

    return 0;
}


static ngx_int_t
wag_route_path_names(wag_route_t *route, wag_route_request_t *r,
    wag_route_path_t *path)
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
            name.len = wag_route_end(name.data, name.data + name.len, ':')
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


/* "args" is the "?" */

static ngx_int_t
wag_route_read_query(wag_routes_t *routes, wag_route_request_t *r,
    ngx_array_t *places, u_char *args)
{
    u_char      *p, *last, *end, *equal, *target, *dst;
    ngx_int_t    rc;
    ngx_uint_t   seen, kept;

    seen = 0;
    kept = 0;
    dst = NULL;
    target = NULL;

    last = r->target.data + r->target.len;

    for (p = args + 1; p <= last; p = end + 1) {

        end = wag_route_end(p, last, '&');
        equal = wag_route_end(p, end, '=');

        if (!wag_route_escapes_valid(p, equal)) {
            return wag_route_error(r, wag_route_bad_escape,
                                   &wag_route_in_query);
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
        if (wag_route_query_name(p, last, &name[i]) != WAG_ROUTE_OTHER) {
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

        same = wag_route_query_name(p, equal, &place[i].name);

        if (same == WAG_ROUTE_OTHER) {
            continue;
        }

        if (same == WAG_ROUTE_WITHIN) {
            return wag_route_error(r, "is given as an array or object",
                                   &place[i].name);
        }

        if (*seen & ((ngx_uint_t) 1 << i)) {
            return wag_route_error(r, wag_route_twice, &place[i].name);
        }

        *seen |= (ngx_uint_t) 1 << i;

        text.data = (equal < last) ? equal + 1 : last;
        text.len = last - text.data;

        rc = wag_route_value(r, &text, 1, &place[i].name, &session);
        if (rc != NGX_OK) {
            return rc;
        }

        return wag_route_names(r, &session, &place[i].name);
    }

    return NGX_OK;
}


/*
 * A parser of nested names takes name[], name[x], [name] and, of some
 * settings, name.x for the name.  The escapes are valid.
 */

static ngx_uint_t
wag_route_query_name(u_char *p, u_char *last, ngx_str_t *name)
{
    u_char      ch, *next;
    size_t      i;
    ngx_uint_t  bracket;

    next = p;
    bracket = (next < last && wag_route_byte(&next, last) == '[');

    if (bracket) {
        p = next;
    }

    for (i = 0; i < name->len; i++) {
        if (p == last || wag_route_byte(&p, last) != name->data[i]) {
            return WAG_ROUTE_OTHER;
        }
    }

    if (p == last) {
        return bracket ? WAG_ROUTE_OTHER : WAG_ROUTE_EQUAL;
    }

    ch = wag_route_byte(&p, last);

    if (bracket) {
        return (ch == ']') ? WAG_ROUTE_WITHIN : WAG_ROUTE_OTHER;
    }

    return (ch == '[' || ch == '.') ? WAG_ROUTE_WITHIN : WAG_ROUTE_OTHER;
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
            rc = wag_route_value(r, &header->value, 1, &place[i].name,
                                 &session);
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


/* "value" is the text itself if there is nothing to decode */

static ngx_int_t
wag_route_value(wag_route_request_t *r, ngx_str_t *text, ngx_uint_t plus,
    ngx_str_t *where, ngx_str_t *value)
{
    u_char  *p, *last, *dst;
    size_t   i;

    *value = *text;

    p = text->data;
    last = p + text->len;

    if (!wag_route_escapes_valid(p, last)) {
        return wag_route_error(r, wag_route_bad_escape, where);
    }

    if (ngx_strlchr(p, last, '%') != NULL
        || (plus && ngx_strlchr(p, last, '+') != NULL))
    {
        value->data = ngx_pnalloc(r->pool, text->len);
        if (value->data == NULL) {
            return NGX_ERROR;
        }

        for (dst = value->data; p < last; dst++) {
            if (plus && *p == '+') {
                *dst = ' ';
                p++;

            } else {
                *dst = wag_route_byte(&p, last);
            }
        }

        value->len = dst - value->data;
    }

    for (i = 0; i < value->len; i++) {
        if (value->data[i] < ' ' || value->data[i] == 0x7f) {
            return wag_route_error(r, "has an encoded control character",
                                   where);
        }
    }

    return NGX_OK;
}


static ngx_uint_t
wag_route_escapes_valid(u_char *p, u_char *last)
{
    for ( ;; ) {
        p = wag_route_end(p, last, '%');

        if (p == last) {
            return 1;
        }

        if (last - p < 3 || ngx_hextoi(p + 1, 2) == NGX_ERROR) {
            return 0;
        }

        p += 3;
    }
}


/* the next byte that is meant, and what is after it */

static u_char
wag_route_byte(u_char **pos, u_char *last)
{
    u_char  *p;

    p = *pos;

    if (*p == '%' && last - p > 2) {
        *pos = p + 3;
        return (u_char) ngx_hextoi(p + 1, 2);
    }

    *pos = p + 1;

    return *p;
}


static u_char *
wag_route_end(u_char *p, u_char *last, u_char ch)
{
    u_char  *end;

    end = ngx_strlchr(p, last, ch);

    return end ? end : last;
}


static ngx_int_t
wag_route_error(wag_route_request_t *r, const char *error, ngx_str_t *where)
{
    r->error = error;
    r->where = *where;

    return NGX_DECLINED;
}
