
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_argument.h"
#include "wag_place_conf.h"


static ngx_uint_t wag_place_conf_same(ngx_uint_t type, ngx_str_t *a,
    ngx_str_t *b);


static ngx_conf_enum_t  wag_place_conf_types[] = {
    { ngx_string("query="), WAG_PLACE_QUERY },
    { ngx_string("header="), WAG_PLACE_HEADER },
    { ngx_string("body="), WAG_PLACE_BODY },
    { ngx_null_string, 0 }
};


ngx_int_t
wag_place_conf(ngx_conf_t *cf, ngx_str_t *text, ngx_array_t *places)
{
    ngx_str_t         *name;
    wag_place_t        place;
    ngx_conf_enum_t   *type;

    ngx_memzero(&place, sizeof(wag_place_t));

    for (type = wag_place_conf_types; type->name.len; type++) {
        if (ngx_strncmp(text->data, type->name.data, type->name.len) == 0) {
            break;
        }
    }

    if (type->name.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "unknown place \"%V\", it is query=, header= or "
                           "body= and a name", text);
        return NGX_ERROR;
    }

    place.type = type->value;

    name = &place.name;
    name->data = text->data + type->name.len;
    name->len = text->len - type->name.len;

    if (place.type == WAG_PLACE_HEADER
        && name->len > sizeof(":decoded") - 1
        && ngx_strcmp(name->data + name->len - (sizeof(":decoded") - 1),
                      ":decoded")
           == 0)
    {
        name->len -= sizeof(":decoded") - 1;
        place.decoded = 1;
    }

    if (!wag_argument_is_name(name, "-_")) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid name of place \"%V\", it has letters, "
                           "digits, \"-\" and \"_\"", text);
        return NGX_ERROR;
    }

    return wag_place_conf_add(cf, text, &place, places);
}


ngx_int_t
wag_place_conf_add(ngx_conf_t *cf, ngx_str_t *text, wag_place_t *place,
    ngx_array_t *places)
{
    ngx_uint_t    i;
    wag_place_t  *other;

    other = places->elts;

    for (i = 0; i < places->nelts; i++) {

        if (other[i].type != place->type) {
            continue;
        }

        if (place->type == WAG_PLACE_BODY) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "second member of the body \"%V\"", text);
            return NGX_ERROR;
        }

        if (other[i].name.len == place->name.len
            && wag_place_conf_same(place->type, &other[i].name, &place->name))
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "duplicate place \"%V\"",
                               text);
            return NGX_ERROR;
        }
    }

    if (places->nelts == WAG_ROUTE_PLACES) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "more than %d places with \"%V\"",
                           WAG_ROUTE_PLACES, text);
        return NGX_ERROR;
    }

    other = ngx_array_push(places);
    if (other == NULL) {
        return NGX_ERROR;
    }

    *other = *place;

    return NGX_OK;
}


/* of the same length; only a header has no case */

static ngx_uint_t
wag_place_conf_same(ngx_uint_t type, ngx_str_t *a, ngx_str_t *b)
{
    return (type == WAG_PLACE_HEADER)
           ? ngx_strncasecmp(a->data, b->data, a->len) == 0
           : ngx_memcmp(a->data, b->data, a->len) == 0;
}


ngx_int_t
wag_place_conf_check(ngx_conf_t *cf, ngx_array_t *drop, ngx_array_t *places)
{
    ngx_str_t    *name;
    ngx_uint_t    i, k;
    wag_place_t  *place;

    name = drop->elts;
    place = places->elts;

    for (i = 0; i < drop->nelts; i++) {
        for (k = 0; k < places->nelts; k++) {
            if (place[k].type == WAG_PLACE_QUERY
                && place[k].name.len == name[i].len
                && ngx_memcmp(place[k].name.data, name[i].data, name[i].len)
                   == 0)
            {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "\"%V\" is dropped and a place",
                                   &name[i]);
                return NGX_ERROR;
            }
        }
    }

    return NGX_OK;
}
