
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_template.h"


typedef struct {
    ngx_str_t            name;    /* between the brackets */
    ngx_uint_t           value;
    ngx_uint_t           base64;
} wag_template_place_t;


static ngx_int_t wag_template_add(wag_template_t *template, ngx_uint_t value,
    ngx_str_t *text, ngx_uint_t base64);
static wag_template_place_t *wag_template_find(ngx_str_t *name);
static size_t wag_template_size(wag_template_part_t *part, ngx_str_t *value,
    ngx_uint_t uri);
static u_char *wag_template_write(u_char *p, wag_template_part_t *part,
    ngx_str_t *value, ngx_uint_t uri);


static wag_template_place_t  wag_template_places[] = {
    { ngx_string("key"), WAG_TEMPLATE_KEY, 0 },
    { ngx_string("key:base64"), WAG_TEMPLATE_KEY, 1 },
    { ngx_string("session"), WAG_TEMPLATE_SESSION, 0 },
    { ngx_string("token"), WAG_TEMPLATE_TOKEN, 0 },
    { ngx_null_string, 0, 0 }
};


ngx_int_t
wag_template_compile(ngx_pool_t *pool, ngx_str_t *text,
    wag_template_t *template, ngx_str_t *bad)
{
    u_char                *p, *last, *open, *end;
    ngx_str_t              s;
    wag_template_place_t  *place;

    template->uses = 0;

    if (ngx_array_init(&template->parts, pool, 2, sizeof(wag_template_part_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    p = text->data;
    last = p + text->len;

    while (p < last) {

        open = ngx_strlchr(p, last, '<');

        s.data = p;
        s.len = (open ? open : last) - p;

        if (s.len
            && wag_template_add(template, WAG_TEMPLATE_TEXT, &s, 0) != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (open == NULL) {
            break;
        }

        end = ngx_strlchr(open, last, '>');

        s.data = open + 1;
        s.len = (end ? end : last) - s.data;

        place = end ? wag_template_find(&s) : NULL;

        if (place == NULL) {
            bad->data = open;
            bad->len = (end ? end + 1 : last) - open;

            return NGX_DECLINED;
        }

        if (wag_template_add(template, place->value, NULL, place->base64)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        p = end + 1;
    }

    return NGX_OK;
}


static ngx_int_t
wag_template_add(wag_template_t *template, ngx_uint_t value, ngx_str_t *text,
    ngx_uint_t base64)
{
    wag_template_part_t  *part;

    part = ngx_array_push(&template->parts);
    if (part == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(part, sizeof(wag_template_part_t));

    part->value = value;
    part->base64 = base64;

    if (text) {
        part->text = *text;
    }

    template->uses |= 1 << value;

    return NGX_OK;
}


static wag_template_place_t *
wag_template_find(ngx_str_t *name)
{
    wag_template_place_t  *place;

    for (place = wag_template_places; place->name.len; place++) {
        if (place->name.len == name->len
            && ngx_memcmp(place->name.data, name->data, name->len) == 0)
        {
            return place;
        }
    }

    return NULL;
}


ngx_uint_t
wag_template_has(wag_template_t *template, ngx_str_t *values)
{
    ngx_uint_t  i;

    for (i = WAG_TEMPLATE_TEXT + 1; i < WAG_TEMPLATE_VALUES; i++) {
        if (wag_template_uses(template, i) && values[i].len == 0) {
            return 0;
        }
    }

    return 1;
}


ngx_int_t
wag_template_fill(ngx_pool_t *pool, wag_template_t *template,
    ngx_str_t *values, ngx_uint_t uri, ngx_str_t *text)
{
    u_char               *p;
    size_t                len;
    ngx_uint_t            i;
    wag_template_part_t  *part;

    len = 0;
    part = template->parts.elts;

    for (i = 0; i < template->parts.nelts; i++) {
        len += wag_template_size(&part[i], &values[part[i].value], uri);
    }

    /* the value of another place may be empty, a text never is */

    p = ngx_pnalloc(pool, len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    text->data = p;

    for (i = 0; i < template->parts.nelts; i++) {
        p = wag_template_write(p, &part[i], &values[part[i].value], uri);
    }

    *p = '\0';
    text->len = p - text->data;

    return NGX_OK;
}


static size_t
wag_template_size(wag_template_part_t *part, ngx_str_t *value, ngx_uint_t uri)
{
    if (part->value == WAG_TEMPLATE_TEXT) {
        return part->text.len;
    }

    if (part->base64) {
        return ngx_base64_encoded_length(value->len);
    }

    if (!uri) {
        return value->len;
    }

    return value->len + 2 * ngx_escape_uri(NULL, value->data, value->len,
                                           NGX_ESCAPE_URI_COMPONENT);
}


static u_char *
wag_template_write(u_char *p, wag_template_part_t *part, ngx_str_t *value,
    ngx_uint_t uri)
{
    ngx_str_t  dst;

    if (part->value == WAG_TEMPLATE_TEXT) {
        return ngx_cpymem(p, part->text.data, part->text.len);
    }

    if (part->base64) {
        dst.data = p;

        ngx_encode_base64(&dst, value);

        return p + dst.len;
    }

    if (!uri) {
        return ngx_cpymem(p, value->data, value->len);
    }

    return (u_char *) ngx_escape_uri(p, value->data, value->len,
                                     NGX_ESCAPE_URI_COMPONENT);
}
