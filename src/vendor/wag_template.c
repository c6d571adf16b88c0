
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_json_escape.h"
#include "wag_template.h"


/* how values are written */

#define WAG_TEMPLATE_PLAIN  0
#define WAG_TEMPLATE_URI    1
#define WAG_TEMPLATE_JSON   2


static ngx_str_t *wag_template_only(wag_template_t *template,
    ngx_str_t *values, ngx_uint_t uri);
static ngx_int_t wag_template_fill_parts(ngx_pool_t *pool,
    wag_template_t *template, ngx_str_t *values, ngx_uint_t mode,
    ngx_str_t *text, u_char **data);
static ngx_uint_t wag_template_next_group(wag_template_t *template,
    ngx_uint_t i, ngx_str_t *values);
static ngx_str_t *wag_template_value(wag_template_part_t *part,
    ngx_str_t *values);
static size_t wag_template_size(wag_template_part_t *part, ngx_str_t *value,
    ngx_uint_t mode);
static u_char *wag_template_write(u_char *p, wag_template_part_t *part,
    ngx_str_t *value, ngx_uint_t mode);


ngx_uint_t
wag_template_has(wag_template_t *template, ngx_str_t *values)
{
    ngx_uint_t  i, uses;

    uses = template->uses & ~wag_template_bit(WAG_TEMPLATE_TEXT);

    for (i = 0; uses >> i; i++) {
        if ((uses >> i & 1) && values[i].len == 0) {
            return 0;
        }
    }

    return 1;
}


ngx_int_t
wag_template_fill(ngx_pool_t *pool, wag_template_t *template,
    ngx_str_t *values, ngx_uint_t uri, ngx_str_t *text)
{
    u_char     *data;
    ngx_str_t  *only;

    only = wag_template_only(template, values, uri);

    if (only) {
        *text = *only;
        return NGX_OK;
    }

    return wag_template_fill_parts(pool, template, values,
                                   uri ? WAG_TEMPLATE_URI
                                       : WAG_TEMPLATE_PLAIN,
                                   text, &data);
}


/* what needs no copy: a text without places, or a place that is all of it */

static ngx_str_t *
wag_template_only(wag_template_t *template, ngx_str_t *values, ngx_uint_t uri)
{
    wag_template_part_t  *part;

    part = template->parts.elts;

    if (template->parts.nelts != 1
        || (part->value != WAG_TEMPLATE_TEXT
            && (uri || part->uri || part->base64)))
    {
        return NULL;
    }

    return wag_template_value(part, values);
}


ngx_int_t
wag_template_fill_json(ngx_pool_t *pool, wag_template_t *template,
    ngx_str_t *values, ngx_str_t *text, u_char **data)
{
    return wag_template_fill_parts(pool, template, values, WAG_TEMPLATE_JSON,
                                   text, data);
}


static ngx_int_t
wag_template_fill_parts(ngx_pool_t *pool, wag_template_t *template,
    ngx_str_t *values, ngx_uint_t mode, ngx_str_t *text, u_char **data)
{
    u_char               *p;
    size_t                len;
    ngx_uint_t            i;
    wag_template_part_t  *part;

    len = 0;
    part = template->parts.elts;

    for (i = 0; i < template->parts.nelts; i++) {
        len += wag_template_size(&part[i],
                                 wag_template_value(&part[i], values), mode);
    }

    p = ngx_pnalloc(pool, len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    text->data = p;
    *data = NULL;

    for (i = wag_template_next_group(template, 0, values);
         i < template->parts.nelts;
         i = wag_template_next_group(template, i + 1, values))
    {
        if (part[i].value == WAG_TEMPLATE_DATA) {
            *data = p;
            continue;
        }

        p = wag_template_write(p, &part[i],
                               wag_template_value(&part[i], values), mode);
    }

    *p = '\0';
    text->len = p - text->data;

    return NGX_OK;
}


ngx_uint_t
wag_template_fills(wag_template_t *template, ngx_str_t *values,
    ngx_uint_t place)
{
    ngx_uint_t            i;
    wag_template_part_t  *part;

    part = template->parts.elts;

    for (i = wag_template_next_group(template, 0, values);
         i < template->parts.nelts;
         i = wag_template_next_group(template, i + 1, values))
    {
        if (part[i].value == place) {
            return 1;
        }
    }

    return 0;
}


/* this part, or that behind the groups which are left out */

static ngx_uint_t
wag_template_next_group(wag_template_t *template, ngx_uint_t i,
    ngx_str_t *values)
{
    ngx_uint_t            n, empty;
    wag_template_part_t  *part;

    part = template->parts.elts;

    if (template->groups == 0) {
        return i;
    }

    while (i < template->parts.nelts && part[i].group
           && (i == 0 || part[i - 1].group != part[i].group))
    {
        empty = 0;

        for (n = i;
             n < template->parts.nelts && part[n].group == part[i].group;
             n++)
        {
            if (wag_template_value(&part[n], values)->len == 0) {
                empty = 1;
            }
        }

        if (!empty) {
            break;
        }

        i = n;
    }

    return i;
}


/* a text never is empty */

static ngx_str_t *
wag_template_value(wag_template_part_t *part, ngx_str_t *values)
{
    if (part->value == WAG_TEMPLATE_TEXT || values[part->value].len == 0) {
        return &part->text;
    }

    return &values[part->value];
}


static size_t
wag_template_size(wag_template_part_t *part, ngx_str_t *value, ngx_uint_t mode)
{
    if (part->value == WAG_TEMPLATE_TEXT) {
        return part->text.len;
    }

    if (part->value == WAG_TEMPLATE_DATA) {
        return 0;
    }

    if (part->base64) {
        return ngx_base64_encoded_length(value->len);
    }

    switch (part->uri ? WAG_TEMPLATE_URI : mode) {

    case WAG_TEMPLATE_URI:
        return value->len + 2 * ngx_escape_uri(NULL, value->data, value->len,
                                               NGX_ESCAPE_URI_COMPONENT);

    case WAG_TEMPLATE_JSON:
        return wag_json_escape_len(value);

    default:
        return value->len;
    }
}


static u_char *
wag_template_write(u_char *p, wag_template_part_t *part, ngx_str_t *value,
    ngx_uint_t mode)
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

    switch (part->uri ? WAG_TEMPLATE_URI : mode) {

    case WAG_TEMPLATE_URI:
        return (u_char *) ngx_escape_uri(p, value->data, value->len,
                                         NGX_ESCAPE_URI_COMPONENT);

    case WAG_TEMPLATE_JSON:
        return wag_json_escape(p, value);

    default:
        return value->len ? ngx_cpymem(p, value->data, value->len) : p;
    }
}
