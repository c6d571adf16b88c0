
#include "fuzz.h"

#include "wag_route.h"
#include "wag_route_conf.h"


/*
 * Routes and a request: lines of "session", "route" and "drop", an empty line,
 * the method, the target, and headers.  What is found must be what is found by
 * decoding all of the target first, going through the routes twice, as a
 * server that decodes a path does and one that does not, and counting who
 * names what.
 */

#define FUZZ_ROUTE_HEADERS  16
#define FUZZ_ROUTE_NAMES    64


/* what the plain reader keeps: texts of its own, NUL at the end */

typedef struct {
    u_char              *data;
    size_t               len;
    ngx_uint_t           encoded;
} fuzz_route_text_t;


typedef struct {
    fuzz_route_text_t   *segments;
    ngx_uint_t           n;

    fuzz_route_text_t    names[FUZZ_ROUTE_NAMES];
    ngx_uint_t           nnames;

    fuzz_route_text_t    target;
    ngx_uint_t           dropped;

    wag_route_t         *route;
    ngx_array_t         *places;
    fuzz_route_text_t    header;
    ngx_uint_t           encode;
} fuzz_route_plain_t;


static u_char *fuzz_route_setup(wag_routes_t *routes, ngx_pool_t *pool,
    u_char *p, u_char *last);
static ngx_uint_t fuzz_route_directive(ngx_conf_t *cf, wag_routes_t *routes,
    u_char *p, u_char *last);
static u_char *fuzz_route_line(u_char *p, u_char *last, ngx_str_t *line);
static void fuzz_route_request(wag_routes_t *routes, ngx_pool_t *pool,
    u_char *p, u_char *last);
static void fuzz_route_again(wag_routes_t *routes, wag_route_request_t *r);
static void fuzz_route_compare(wag_routes_t *routes, wag_route_request_t *r,
    fuzz_route_plain_t *plain);
static ngx_uint_t fuzz_route_plain(wag_routes_t *routes,
    wag_route_request_t *r, ngx_pool_t *pool, fuzz_route_plain_t *plain);
static ngx_uint_t fuzz_route_path(wag_route_request_t *r, ngx_pool_t *pool,
    fuzz_route_plain_t *plain, size_t len);
static wag_route_t *fuzz_route_first(wag_routes_t *routes,
    wag_route_request_t *r, fuzz_route_plain_t *plain, ngx_uint_t decoded);
static ngx_uint_t fuzz_route_is_one(ngx_array_t *texts,
    fuzz_route_text_t *segment);
static ngx_uint_t fuzz_route_query(wag_routes_t *routes,
    wag_route_request_t *r, ngx_pool_t *pool, fuzz_route_plain_t *plain,
    size_t start);
static ngx_uint_t fuzz_route_pair(ngx_pool_t *pool, fuzz_route_plain_t *plain,
    fuzz_route_text_t *name, u_char *value, size_t len, ngx_uint_t *count);
static void fuzz_route_root(fuzz_route_text_t *name, fuzz_route_text_t *root);
static ngx_uint_t fuzz_route_header(wag_route_request_t *r, ngx_pool_t *pool,
    fuzz_route_plain_t *plain);
static ngx_uint_t fuzz_route_decode(ngx_pool_t *pool, u_char *p, size_t len,
    ngx_uint_t plus, fuzz_route_text_t *text);
static ngx_uint_t fuzz_route_is_clean(fuzz_route_text_t *text);
static int fuzz_route_digit(u_char ch);
static ngx_uint_t fuzz_route_is(ngx_str_t *a, const void *data, size_t len);
static void fuzz_route_add(fuzz_route_plain_t *plain, fuzz_route_text_t *name);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char        *copy, *p;
    ngx_pool_t    *pool;
    wag_routes_t   routes;

    pool = ngx_create_pool(4096, fuzz_log());
    fuzz_assert(pool != NULL);

    copy = fuzz_copy(data, size);

    p = fuzz_route_setup(&routes, pool, copy, copy + size);

    if (p != NULL) {
        fuzz_route_request(&routes, pool, p, copy + size);
    }

    ngx_destroy_pool(pool);
    free(copy);

    return 0;
}


/* NULL if the routes are wrong */

static u_char *
fuzz_route_setup(wag_routes_t *routes, ngx_pool_t *pool, u_char *p,
    u_char *last)
{
    ngx_str_t   line;
    ngx_conf_t  cf;

    ngx_memzero(&cf, sizeof(ngx_conf_t));

    cf.pool = pool;
    cf.log = fuzz_log();

    ngx_memzero(routes, sizeof(wag_routes_t));
    fuzz_assert(wag_route_conf_init(pool, routes) == NGX_OK);

    while (p < last) {
        p = fuzz_route_line(p, last, &line);

        if (line.len == 0) {
            return (wag_route_conf_check(&cf, routes) == NGX_OK) ? p : NULL;
        }

        if (!fuzz_route_directive(&cf, routes, line.data,
                                  line.data + line.len))
        {
            return NULL;
        }
    }

    return NULL;
}


static ngx_uint_t
fuzz_route_directive(ngx_conf_t *cf, wag_routes_t *routes, u_char *p,
    u_char *last)
{
    char        *rv;
    u_char      *end;
    ngx_str_t   *value;
    ngx_uint_t   n;

    cf->args = ngx_array_create(cf->pool, 4, sizeof(ngx_str_t));
    fuzz_assert(cf->args != NULL);

    for ( /* void */ ; p < last; p = end + 1) {
        end = memchr(p, ' ', last - p);
        end = end ? end : last;

        /* nginx's reader takes no NUL, and nothing is empty without quotes */

        if (memchr(p, '\0', end - p) != NULL || end == p) {
            return 0;
        }

        value = ngx_array_push(cf->args);
        fuzz_assert(value != NULL);

        value->len = end - p;
        value->data = ngx_pcalloc(cf->pool, value->len + 1);
        fuzz_assert(value->data != NULL);

        ngx_memcpy(value->data, p, value->len);
    }

    value = cf->args->elts;
    n = cf->args->nelts;

    if (fuzz_route_is(&value[0], "session", 7)) {
        rv = (n > 1) ? wag_route_conf_session(cf, routes) : NGX_CONF_ERROR;

    } else if (fuzz_route_is(&value[0], "drop", 4)) {
        rv = (n > 1) ? wag_route_conf_drop(cf, routes) : NGX_CONF_ERROR;

    } else {
        rv = (n > 2) ? wag_route_conf_route(cf, routes) : NGX_CONF_ERROR;
    }

    return rv == NGX_CONF_OK;
}


static u_char *
fuzz_route_line(u_char *p, u_char *last, ngx_str_t *line)
{
    u_char  *end;

    end = (p < last) ? memchr(p, LF, last - p) : NULL;

    line->data = p;
    line->len = (end ? end : last) - p;

    return end ? end + 1 : last;
}


static void
fuzz_route_request(wag_routes_t *routes, ngx_pool_t *pool, u_char *p,
    u_char *last)
{
    u_char               *colon, *target;
    ngx_int_t             rc;
    ngx_str_t             line;
    ngx_uint_t            right;
    ngx_keyval_t          headers[FUZZ_ROUTE_HEADERS];
    fuzz_route_plain_t    plain;
    wag_route_request_t   r;

    ngx_memset(&r, 0xff, sizeof(wag_route_request_t));

    r.pool = pool;
    r.headers = headers;
    r.nheaders = 0;

    p = fuzz_route_line(p, last, &r.method);
    p = fuzz_route_line(p, last, &r.target);

    target = fuzz_copy(r.target.data, r.target.len);
    r.target.data = target;

    while (p < last && r.nheaders < FUZZ_ROUTE_HEADERS) {
        p = fuzz_route_line(p, last, &line);

        colon = memchr(line.data, ':', line.len);

        if (colon != NULL) {
            headers[r.nheaders].key.data = line.data;
            headers[r.nheaders].key.len = colon - line.data;
            headers[r.nheaders].value.data = colon + 1;
            headers[r.nheaders].value.len = line.data + line.len - colon - 1;
            r.nheaders++;
        }
    }

    ngx_memzero(&plain, sizeof(fuzz_route_plain_t));

    right = fuzz_route_plain(routes, &r, pool, &plain);

    rc = wag_route_judge(routes, &r);

    fuzz_assert(rc == (right ? NGX_OK : NGX_DECLINED));

    if (rc == NGX_OK) {
        fuzz_assert(r.error == NULL);

        fuzz_route_compare(routes, &r, &plain);
        fuzz_route_again(routes, &r);

    } else {
        fuzz_assert(r.error != NULL && r.where.len != 0);
    }

    free(target);
}


/* what goes on is judged as what came in was, and nothing is left to drop */

static void
fuzz_route_again(wag_routes_t *routes, wag_route_request_t *r)
{
    wag_route_request_t  again;

    again = *r;

    fuzz_assert(wag_route_judge(routes, &again) == NGX_OK);
    fuzz_assert(!again.dropped);
    fuzz_assert(again.kind == r->kind && again.path == r->path);
    fuzz_assert(fuzz_route_is(&again.session, r->session.data,
                              r->session.len));
    fuzz_assert(fuzz_route_is(&again.key, r->key.data, r->key.len));
}


static void
fuzz_route_compare(wag_routes_t *routes, wag_route_request_t *r,
    fuzz_route_plain_t *plain)
{
    ngx_uint_t          i, path, body;
    wag_place_t        *place;
    wag_segment_t      *segment;
    fuzz_route_text_t   key, name;

    ngx_memzero(&key, sizeof(fuzz_route_text_t));
    ngx_memzero(&name, sizeof(fuzz_route_text_t));

    path = 0;

    if (plain->route != NULL) {
        segment = plain->route->segments.elts;

        for (i = 0; i < plain->route->segments.nelts; i++) {
            if (segment[i].type == WAG_SEGMENT_KEY) {
                key = plain->segments[i];
            }

            path |= (segment[i].type == WAG_SEGMENT_SESSION
                     || segment[i].type == WAG_SEGMENT_TOKEN);
        }
    }

    body = 0;
    place = plain->places->elts;

    for (i = 0; i < plain->places->nelts; i++) {
        if (place[i].type == WAG_PLACE_BODY) {
            body = 1;
            fuzz_assert(fuzz_route_is(&r->member, place[i].name.data,
                                      place[i].name.len));
        }
    }

    if (plain->nnames) {
        name = plain->names[0];
    }

    fuzz_assert(r->kind == (plain->route ? plain->route->kind
                                         : WAG_ROUTE_NATIVE));
    fuzz_assert(r->path == path);
    fuzz_assert(r->body == body && (body || r->member.len == 0));
    fuzz_assert(fuzz_route_is(&r->session, name.data, name.len));
    fuzz_assert(fuzz_route_is(&r->key, key.data, key.len));
    fuzz_assert(fuzz_route_is(&r->header, plain->header.data,
                              plain->header.len));
    fuzz_assert(r->encode == plain->encode);
    fuzz_assert(r->places == (plain->places->nelts != 0));
    fuzz_assert(r->dropped == plain->dropped);
    fuzz_assert(fuzz_route_is(&r->target, plain->target.data,
                              plain->target.len));
}


/* whether it can be judged */

static ngx_uint_t
fuzz_route_plain(wag_routes_t *routes, wag_route_request_t *r,
    ngx_pool_t *pool, fuzz_route_plain_t *plain)
{
    size_t          i, len;
    wag_segment_t  *segment;

    for (i = 0; i < r->target.len; i++) {
        if (r->target.data[i] < 0x21 || r->target.data[i] == 0x7f
            || r->target.data[i] == '#')
        {
            return 0;
        }
    }

    for (len = 0; len < r->target.len && r->target.data[len] != '?'; len++) {
        /* void */
    }

    if (!fuzz_route_path(r, pool, plain, len)) {
        return 0;
    }

    plain->route = fuzz_route_first(routes, r, plain, 1);

    if (plain->route != fuzz_route_first(routes, r, plain, 0)) {
        return 0;
    }

    plain->places = (plain->route && plain->route->places)
                    ? plain->route->places : &routes->places;

    segment = plain->route ? plain->route->segments.elts : NULL;

    for (i = 0; segment && i < plain->route->segments.nelts; i++) {

        if (segment[i].type == WAG_SEGMENT_SESSION) {
            fuzz_route_add(plain, &plain->segments[i]);

        } else if (segment[i].type == WAG_SEGMENT_TOKEN) {
            fuzz_route_add(plain, &plain->segments[i]);
            plain->names[plain->nnames - 1].len
                = strcspn((char *) plain->segments[i].data, ":");
        }
    }

    if (!fuzz_route_query(routes, r, pool, plain, len)
        || !fuzz_route_header(r, pool, plain))
    {
        return 0;
    }

    for (i = 0; i < plain->nnames; i++) {
        if (plain->names[i].len == 0
            || plain->names[i].len != plain->names[0].len
            || memcmp(plain->names[i].data, plain->names[0].data,
                      plain->names[0].len)
               != 0)
        {
            return 0;
        }
    }

    return 1;
}


static ngx_uint_t
fuzz_route_path(wag_route_request_t *r, ngx_pool_t *pool,
    fuzz_route_plain_t *plain, size_t len)
{
    size_t              start, i;
    fuzz_route_text_t  *text;

    plain->segments = ngx_pcalloc(pool, (r->target.len + 1)
                                        * sizeof(fuzz_route_text_t));
    fuzz_assert(plain->segments != NULL);

    if (len == 0 || r->target.data[0] != '/') {
        return 0;
    }

    if (len > 1 && r->target.data[len - 1] == '/') {
        len--;
    }

    for (start = 1, i = 1; len > 1 && i <= len; i++) {

        if (i < len && r->target.data[i] != '/') {
            continue;
        }

        text = &plain->segments[plain->n++];

        if (!fuzz_route_decode(pool, r->target.data + start, i - start, 0,
                               text)
            || !fuzz_route_is_clean(text)
            || text->len == 0
            || strcmp((char *) text->data, ".") == 0
            || strcmp((char *) text->data, "..") == 0
            || strpbrk((char *) text->data, "/\\") != NULL)
        {
            return 0;
        }

        start = i + 1;
    }

    /* "//" is no "/" with one at its end */

    return !(len == 1 && r->target.len > 1 && r->target.data[1] == '/');
}


/* "decoded": as a server that decodes a path before it looks for a route */

static wag_route_t *
fuzz_route_first(wag_routes_t *routes, wag_route_request_t *r,
    fuzz_route_plain_t *plain, ngx_uint_t decoded)
{
    ngx_str_t      *method;
    ngx_uint_t      i, k, fits;
    wag_route_t    *route;
    wag_segment_t  *segment;

    route = routes->routes.elts;

    for (i = 0; i < routes->routes.nelts; i++) {
        method = route[i].methods.elts;
        segment = route[i].segments.elts;

        fits = (route[i].methods.nelts == 0);

        for (k = 0; k < route[i].methods.nelts; k++) {
            fits |= fuzz_route_is(&r->method, method[k].data, method[k].len);
            fits |= (fuzz_route_is(&method[k], "GET", 3)
                     && fuzz_route_is(&r->method, "HEAD", 4));
        }

        fits &= route[i].rest ? plain->n >= route[i].segments.nelts
                              : plain->n == route[i].segments.nelts;

        for (k = 0; k < route[i].segments.nelts && fits; k++) {
            fits = segment[k].type != WAG_SEGMENT_TEXT
                   || ((decoded || !plain->segments[k].encoded)
                       && fuzz_route_is_one(&segment[k].texts,
                                            &plain->segments[k]));
        }

        if (fits) {
            return &route[i];
        }
    }

    return NULL;
}


static ngx_uint_t
fuzz_route_is_one(ngx_array_t *texts, fuzz_route_text_t *segment)
{
    char                 text[4096];
    ngx_uint_t           i;
    wag_segment_text_t  *one;

    one = texts->elts;

    for (i = 0; i < texts->nelts; i++) {
        memcpy(text, one[i].text.data, one[i].text.len);
        text[one[i].text.len] = '\0';

        if (one[i].prefix
            ? strncasecmp(text, (char *) segment->data, strlen(text)) == 0
            : strcasecmp(text, (char *) segment->data) == 0)
        {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
fuzz_route_query(wag_routes_t *routes, wag_route_request_t *r,
    ngx_pool_t *pool, fuzz_route_plain_t *plain, size_t start)
{
    u_char             *p, *last, *end, *equal, *dst;
    ngx_str_t          *drop;
    ngx_uint_t          i, dropped, kept, count[WAG_ROUTE_PLACES];
    fuzz_route_text_t   name, root;

    ngx_memzero(count, sizeof(count));

    plain->target.data = ngx_palloc(pool, r->target.len + 1);
    fuzz_assert(plain->target.data != NULL);

    dst = ngx_cpymem(plain->target.data, r->target.data, start);

    p = r->target.data + start;
    last = r->target.data + r->target.len;
    kept = 0;

    while (p < last) {
        p++;

        for (end = p; end < last && *end != '&'; end++) { /* void */ }
        for (equal = p; equal < end && *equal != '='; equal++) { /* void */ }

        if (!fuzz_route_decode(pool, p, equal - p, 0, &name)) {
            return 0;
        }

        fuzz_route_root(&name, &root);

        drop = routes->drop.elts;
        dropped = 0;

        for (i = 0; i < routes->drop.nelts; i++) {
            dropped |= fuzz_route_is(&drop[i], root.data, root.len);
        }

        if (dropped) {
            plain->dropped = 1;

        } else {
            *dst++ = kept++ ? '&' : '?';
            dst = ngx_cpymem(dst, p, end - p);

            if (!fuzz_route_pair(pool, plain, &name,
                                 (equal < end) ? equal + 1 : end,
                                 (equal < end) ? end - equal - 1 : 0, count))
            {
                return 0;
            }
        }

        p = end;
    }

    plain->target.len = dst - plain->target.data;

    return 1;
}


static ngx_uint_t
fuzz_route_pair(ngx_pool_t *pool, fuzz_route_plain_t *plain,
    fuzz_route_text_t *name, u_char *value, size_t len, ngx_uint_t *count)
{
    ngx_uint_t          i;
    wag_place_t        *place;
    fuzz_route_text_t   root, text;

    fuzz_route_root(name, &root);

    place = plain->places->elts;

    for (i = 0; i < plain->places->nelts; i++) {

        if (place[i].type != WAG_PLACE_QUERY
            || !fuzz_route_is(&place[i].name, root.data, root.len))
        {
            continue;
        }

        if (root.len != name->len || count[i]++
            || !fuzz_route_decode(pool, value, len, 1, &text)
            || !fuzz_route_is_clean(&text))
        {
            return 0;
        }

        fuzz_route_add(plain, &text);
    }

    return 1;
}


/* a[b] and a.b are of "a", so is [a] */

static void
fuzz_route_root(fuzz_route_text_t *name, fuzz_route_text_t *root)
{
    u_char  *end;

    *root = *name;

    if (name->len && name->data[0] == '[') {
        end = memchr(name->data, ']', name->len);

        if (end != NULL) {
            root->data = name->data + 1;
            root->len = end - root->data;
        }

        return;
    }

    for (root->len = 0; root->len < name->len; root->len++) {
        if (root->data[root->len] == '[' || root->data[root->len] == '.') {
            break;
        }
    }
}


static ngx_uint_t
fuzz_route_header(wag_route_request_t *r, ngx_pool_t *pool,
    fuzz_route_plain_t *plain)
{
    ngx_str_t          *key;
    ngx_uint_t          i, k, count;
    wag_place_t        *place;
    fuzz_route_text_t   text;

    place = plain->places->elts;

    for (i = 0; i < plain->places->nelts; i++) {

        if (place[i].type != WAG_PLACE_HEADER) {
            continue;
        }

        count = 0;

        for (k = 0; k < r->nheaders; k++) {
            key = &r->headers[k].key;

            if (key->len != place[i].name.len
                || ngx_strncasecmp(key->data, place[i].name.data, key->len)
                   != 0)
            {
                continue;
            }

            text.data = r->headers[k].value.data;
            text.len = r->headers[k].value.len;

            if (count++
                || (place[i].decoded
                    && (!fuzz_route_decode(pool, text.data, text.len, 1, &text)
                        || !fuzz_route_is_clean(&text))))
            {
                return 0;
            }

            fuzz_route_add(plain, &text);
        }

        if (count == 0 && plain->header.len == 0) {
            plain->header.data = place[i].name.data;
            plain->header.len = place[i].name.len;
            plain->encode = place[i].decoded;
        }
    }

    return 1;
}


static ngx_uint_t
fuzz_route_decode(ngx_pool_t *pool, u_char *p, size_t len, ngx_uint_t plus,
    fuzz_route_text_t *text)
{
    int     high, low;
    size_t  i;

    text->data = ngx_pcalloc(pool, len + 1);
    fuzz_assert(text->data != NULL);

    text->len = 0;
    text->encoded = 0;

    for (i = 0; i < len; i++) {

        if (p[i] != '%') {
            text->data[text->len++] = (plus && p[i] == '+') ? ' ' : p[i];
            continue;
        }

        high = (i + 1 < len) ? fuzz_route_digit(p[i + 1]) : -1;
        low = (i + 2 < len) ? fuzz_route_digit(p[i + 2]) : -1;

        if (high < 0 || low < 0) {
            return 0;
        }

        text->data[text->len++] = (u_char) (high << 4 | low);
        text->encoded = 1;
        i += 2;
    }

    return 1;
}


static ngx_uint_t
fuzz_route_is_clean(fuzz_route_text_t *text)
{
    size_t  i;

    for (i = 0; i < text->len; i++) {
        if (iscntrl(text->data[i])) {
            return 0;
        }
    }

    return 1;
}


static int
fuzz_route_digit(u_char ch)
{
    static const char  digits[] = "0123456789abcdef";

    const char  *p;

    p = ch ? strchr(digits, tolower(ch)) : NULL;

    return p ? (int) (p - digits) : -1;
}


static ngx_uint_t
fuzz_route_is(ngx_str_t *a, const void *data, size_t len)
{
    return a->len == len && (len == 0 || memcmp(a->data, data, len) == 0);
}


static void
fuzz_route_add(fuzz_route_plain_t *plain, fuzz_route_text_t *name)
{
    fuzz_assert(plain->nnames < FUZZ_ROUTE_NAMES);

    plain->names[plain->nnames++] = *name;
}
