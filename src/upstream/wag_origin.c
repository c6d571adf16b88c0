
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_origin.h"
#include "wag_url.h"


static ngx_table_elt_t *wag_origin_header(ngx_http_request_t *r,
    ngx_str_t *name, ngx_uint_t *n);


static ngx_str_t  wag_origin_name = ngx_string("Origin");
static ngx_str_t  wag_origin_site = ngx_string("Sec-Fetch-Site");


ngx_uint_t
wag_origin_is_foreign(ngx_http_request_t *r)
{
    ngx_str_t         scheme, *host;
    ngx_uint_t        n;
    ngx_table_elt_t  *origin, *site;

    site = wag_origin_header(r, &wag_origin_site, &n);

    if (site
        && (n > 1
            || (ngx_strcmp(site->value.data, "same-origin") != 0
                && ngx_strcmp(site->value.data, "none") != 0)))
    {
        return 1;
    }

    origin = wag_origin_header(r, &wag_origin_name, &n);

    if (origin == NULL) {
        return 0;
    }

    /* "null" is the origin of what has none that can be told */

    if (n > 1
        || r->headers_in.host == NULL
        || wag_url_scheme(&origin->value, &scheme) != NGX_OK)
    {
        return 1;
    }

    /* what stands before the gateway may have taken TLS off */

    host = &r->headers_in.host->value;

    return origin->value.len - scheme.len != host->len
           || ngx_strncasecmp(origin->value.data + scheme.len, host->data,
                              host->len)
              != 0;
}


static ngx_table_elt_t *
wag_origin_header(ngx_http_request_t *r, ngx_str_t *name, ngx_uint_t *n)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *header, *found;

    *n = 0;
    found = NULL;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        header = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (header[i].key.len == name->len
                && ngx_strncasecmp(header[i].key.data, name->data, name->len)
                   == 0)
            {
                found = &header[i];
                (*n)++;
            }
        }
    }

    return found;
}
