
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_drops.h"


static ngx_int_t wag_drops_add(wag_name_set_t *names, ngx_str_t *name);
static ngx_int_t wag_drops_add_headers(wag_name_set_t *names,
    ngx_array_t *headers);
static ngx_int_t wag_drops_add_places(wag_name_set_t *names,
    wag_routes_t *routes);


ngx_str_t  wag_drops_headers[] = {
    ngx_string("X-WA-Session"),
    ngx_string("X-WA-From"),
    ngx_string("X-WA-Instance"),
    ngx_null_string
};


wag_name_set_t  wag_drops_own = {
    wag_name_set_bit(sizeof("X-WA-Session") - 1)
    | wag_name_set_bit(sizeof("X-WA-From") - 1)
    | wag_name_set_bit(sizeof("X-WA-Instance") - 1),
    { wag_drops_headers, 3, sizeof(ngx_str_t), 3, NULL }
};


/* of the client's request, which the vendor's is not */

static ngx_str_t  wag_drops_of_message[] = {
    ngx_string("Content-Type"),
    ngx_string("Content-Length"),
    ngx_string("Content-Encoding"),
    ngx_string("Transfer-Encoding"),
    ngx_string("Accept-Encoding"),
    ngx_string("Expect"),
    ngx_string("Origin"),
    ngx_string("Referer"),
    ngx_string("Cookie"),
    ngx_null_string
};


ngx_int_t
wag_drops_make(ngx_pool_t *pool, wag_vendor_t *vendor)
{
    wag_name_set_t  *keyed, *message;

    keyed = &vendor->drops_keyed;
    message = &vendor->drops_message;

    if (keyed->lengths) {
        return NGX_OK;
    }

    if (wag_name_set_init(keyed, pool) != NGX_OK
        || wag_drops_add(keyed, wag_drops_headers) != NGX_OK
        || wag_drops_add_headers(keyed, &vendor->headers) != NGX_OK
        || wag_drops_add_headers(keyed, &vendor->list_headers) != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* the client does not say by which session it is sent */

    if (wag_name_set_init(message, pool) != NGX_OK
        || wag_drops_add(message, wag_drops_headers) != NGX_OK
        || wag_drops_add(message, wag_drops_of_message) != NGX_OK
        || wag_drops_add_headers(message, &vendor->headers) != NGX_OK
        || wag_drops_add_headers(message, &vendor->list_headers) != NGX_OK
        || wag_drops_add_headers(message, &vendor->send_headers) != NGX_OK
        || wag_drops_add_places(message, &vendor->routes) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
wag_drops_add(wag_name_set_t *names, ngx_str_t *name)
{
    for ( /* void */ ; name->len; name++) {
        if (wag_name_set_add(names, name) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
wag_drops_add_headers(wag_name_set_t *names, ngx_array_t *headers)
{
    ngx_uint_t            i;
    wag_vendor_header_t  *header;

    header = headers->elts;

    for (i = 0; i < headers->nelts; i++) {
        if (wag_name_set_add(names, &header[i].name) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
wag_drops_add_places(wag_name_set_t *names, wag_routes_t *routes)
{
    ngx_uint_t    i;
    wag_place_t  *place;

    place = routes->places.elts;

    for (i = 0; i < routes->places.nelts; i++) {
        if (place[i].type == WAG_PLACE_HEADER
            && wag_name_set_add(names, &place[i].name) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}
