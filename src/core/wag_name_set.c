
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_name_set.h"


ngx_int_t
wag_name_set_init(wag_name_set_t *names, ngx_pool_t *pool)
{
    names->lengths = 0;

    return ngx_array_init(&names->names, pool, 4, sizeof(ngx_str_t));
}


ngx_int_t
wag_name_set_add(wag_name_set_t *names, ngx_str_t *name)
{
    ngx_str_t  *added;

    if (wag_name_set_has(names, name)) {
        return NGX_OK;
    }

    added = ngx_array_push(&names->names);
    if (added == NULL) {
        return NGX_ERROR;
    }

    *added = *name;
    names->lengths |= wag_name_set_bit(name->len);

    return NGX_OK;
}


ngx_uint_t
wag_name_set_find(wag_name_set_t *names, ngx_str_t *name)
{
    ngx_str_t   *one;
    ngx_uint_t   i;

    one = names->names.elts;

    for (i = 0; i < names->names.nelts; i++) {
        if (wag_name_set_same(&one[i], name)) {
            return 1;
        }
    }

    return 0;
}
