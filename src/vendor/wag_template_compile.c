
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_template_compile.h"


typedef struct {
    ngx_str_t            name;     /* between the brackets */
    ngx_uint_t           value;
    unsigned             base64:1;
    unsigned             uri:1;
} wag_template_place_t;


/* a text that is compiled */

typedef struct {
    u_char              *pos;
    u_char              *last;
    wag_template_t      *template;
    ngx_uint_t           places;
    ngx_str_t           *bad;

    u_char              *open;     /* the bracket of a group; NULL: in none */
    ngx_uint_t           group;
    ngx_uint_t           filled;   /* places of the group */
    unsigned             json:1;
    unsigned             string:1;
} wag_template_compile_t;


static ngx_int_t wag_template_compile_parse(wag_template_compile_t *c,
    ngx_pool_t *pool, ngx_str_t *text);
static u_char *wag_template_compile_text_end(wag_template_compile_t *c);
static ngx_int_t wag_template_compile_place(wag_template_compile_t *c);
static ngx_int_t wag_template_compile_group(wag_template_compile_t *c);
static ngx_int_t wag_template_compile_bad(wag_template_compile_t *c,
    u_char *start, u_char *end);
static wag_template_part_t *wag_template_compile_add(wag_template_compile_t *c,
    ngx_uint_t value);
static wag_template_place_t *wag_template_compile_find(ngx_str_t *name,
    ngx_uint_t places);


static wag_template_place_t  wag_template_compile_places[] = {
    { ngx_string("key"), WAG_TEMPLATE_KEY, 0, 0 },
    { ngx_string("key:base64"), WAG_TEMPLATE_KEY, 1, 0 },
    { ngx_string("session"), WAG_TEMPLATE_SESSION, 0, 0 },
    { ngx_string("session:uri"), WAG_TEMPLATE_SESSION, 0, 1 },
    { ngx_string("token"), WAG_TEMPLATE_TOKEN, 0, 0 },
    { ngx_string("id"), WAG_TEMPLATE_ID, 0, 0 },
    { ngx_string("to"), WAG_TEMPLATE_TO, 0, 0 },
    { ngx_string("text"), WAG_TEMPLATE_MESSAGE, 0, 0 },
    { ngx_string("url"), WAG_TEMPLATE_URL, 0, 0 },
    { ngx_string("data"), WAG_TEMPLATE_DATA, 0, 0 },
    { ngx_string("mimetype"), WAG_TEMPLATE_MIMETYPE, 0, 0 },
    { ngx_string("filename"), WAG_TEMPLATE_FILENAME, 0, 0 },
    { ngx_string("caption"), WAG_TEMPLATE_CAPTION, 0, 0 },
    { ngx_string("kind"), WAG_TEMPLATE_KIND, 0, 0 },
    { ngx_string("Kind"), WAG_TEMPLATE_KIND_UPPER, 0, 0 },
    { ngx_string("group"), WAG_TEMPLATE_GROUP, 0, 0 },
    { ngx_string("lid"), WAG_TEMPLATE_LID, 0, 0 },
    { ngx_null_string, 0, 0, 0 }
};


ngx_int_t
wag_template_compile(ngx_pool_t *pool, ngx_str_t *text, ngx_uint_t places,
    wag_template_t *template, ngx_str_t *bad)
{
    wag_template_compile_t  c;

    ngx_memzero(&c, sizeof(wag_template_compile_t));

    c.places = places;
    c.template = template;
    c.bad = bad;

    return wag_template_compile_parse(&c, pool, text);
}


ngx_int_t
wag_template_compile_json(ngx_pool_t *pool, ngx_str_t *text,
    ngx_uint_t places, wag_template_t *template, ngx_str_t *bad)
{
    wag_template_compile_t  c;

    ngx_memzero(&c, sizeof(wag_template_compile_t));

    c.places = places;
    c.template = template;
    c.bad = bad;
    c.json = 1;

    return wag_template_compile_parse(&c, pool, text);
}


static ngx_int_t
wag_template_compile_parse(wag_template_compile_t *c, ngx_pool_t *pool,
    ngx_str_t *text)
{
    u_char               *end;
    ngx_int_t             rc;
    wag_template_part_t  *part;

    c->template->uses = 0;
    c->template->groups = 0;

    if (ngx_array_init(&c->template->parts, pool, 4,
                       sizeof(wag_template_part_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    c->pos = text->data;
    c->last = text->data + text->len;

    while (c->pos < c->last) {

        end = wag_template_compile_text_end(c);

        if (end > c->pos) {
            part = wag_template_compile_add(c, WAG_TEMPLATE_TEXT);
            if (part == NULL) {
                return NGX_ERROR;
            }

            part->text.data = c->pos;
            part->text.len = end - c->pos;

            c->pos = end;
            continue;
        }

        rc = (*c->pos == '<') ? wag_template_compile_place(c)
                              : wag_template_compile_group(c);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    return c->open ? wag_template_compile_bad(c, c->open, c->last) : NGX_OK;
}


/* up to the next place or, outside of a JSON string, bracket */

static u_char *
wag_template_compile_text_end(wag_template_compile_t *c)
{
    u_char  *p;

    for (p = c->pos; p < c->last && *p != '<'; p++) {

        if (!c->json) {
            continue;
        }

        if (*p == '"') {
            c->string = !c->string;

        } else if (c->string) {

            if (*p == '\\' && p + 1 < c->last && p[1] != '<') {
                p++;
            }

        } else if (*p == '(' || *p == ')') {
            break;
        }
    }

    return p;
}


static ngx_int_t
wag_template_compile_place(wag_template_compile_t *c)
{
    u_char                *end, *bar;
    ngx_str_t              name;
    wag_template_part_t   *part;
    wag_template_place_t  *place;

    end = ngx_strlchr(c->pos, c->last, '>');
    if (end == NULL) {
        return wag_template_compile_bad(c, c->pos, c->last);
    }

    bar = ngx_strlchr(c->pos, end, '|');

    name.data = c->pos + 1;
    name.len = (bar ? bar : end) - name.data;

    place = wag_template_compile_find(&name, c->places);

    if (place == NULL || (bar && place->value == WAG_TEMPLATE_DATA)) {
        return wag_template_compile_bad(c, c->pos, end + 1);
    }

    part = wag_template_compile_add(c, place->value);
    if (part == NULL) {
        return NGX_ERROR;
    }

    part->base64 = place->base64;
    part->uri = place->uri;

    if (bar) {
        part->text.data = bar + 1;
        part->text.len = end - part->text.data;
    }

    c->filled++;
    c->pos = end + 1;

    return NGX_OK;
}


static ngx_int_t
wag_template_compile_group(wag_template_compile_t *c)
{
    if (*c->pos == '(') {

        if (c->open) {
            return wag_template_compile_bad(c, c->open, c->pos + 1);
        }

        c->open = c->pos++;
        c->group++;
        c->template->groups = c->group;
        c->filled = 0;

        return NGX_OK;
    }

    if (c->open == NULL || c->filled == 0) {
        return wag_template_compile_bad(c, c->open ? c->open : c->pos,
                                        c->pos + 1);
    }

    c->open = NULL;
    c->pos++;

    return NGX_OK;
}


static ngx_int_t
wag_template_compile_bad(wag_template_compile_t *c, u_char *start, u_char *end)
{
    c->bad->data = start;
    c->bad->len = end - start;

    return NGX_DECLINED;
}


static wag_template_part_t *
wag_template_compile_add(wag_template_compile_t *c, ngx_uint_t value)
{
    wag_template_part_t  *part;

    part = ngx_array_push(&c->template->parts);
    if (part == NULL) {
        return NULL;
    }

    ngx_memzero(part, sizeof(wag_template_part_t));

    part->value = value;
    part->group = c->open ? c->group : 0;

    c->template->uses |= wag_template_bit(value);

    return part;
}


static wag_template_place_t *
wag_template_compile_find(ngx_str_t *name, ngx_uint_t places)
{
    wag_template_place_t  *place;

    for (place = wag_template_compile_places; place->name.len; place++) {
        if ((places & wag_template_bit(place->value))
            && place->name.len == name->len
            && ngx_memcmp(place->name.data, name->data, name->len) == 0)
        {
            return place;
        }
    }

    return NULL;
}


ngx_int_t
wag_template_compile_names(ngx_pool_t *pool, ngx_uint_t places,
    ngx_str_t *names)
{
    u_char                *p;
    size_t                 len;
    ngx_uint_t             n, i;
    wag_template_place_t  *place;

    n = 0;
    len = 0;

    for (place = wag_template_compile_places; place->name.len; place++) {
        if (places & wag_template_bit(place->value)) {
            len += place->name.len + sizeof("<> and ") - 1;
            n++;
        }
    }

    p = ngx_pnalloc(pool, len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    names->data = p;
    i = 0;

    for (place = wag_template_compile_places; place->name.len; place++) {

        if (!(places & wag_template_bit(place->value))) {
            continue;
        }

        p = ngx_sprintf(p, "%s<%V>",
                        (i == 0) ? "" : (i == n - 1) ? " and " : ", ",
                        &place->name);
        i++;
    }

    names->len = p - names->data;

    return NGX_OK;
}
