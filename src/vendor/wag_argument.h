
/*
 * Copyright (C) the wa_gateway authors
 *
 * Arguments of directives in the block of a vendor: what several of them have.
 */


#ifndef _WAG_ARGUMENT_H_INCLUDED_
#define _WAG_ARGUMENT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_json.h"
#include "wag_template.h"


/*
 * A text with places of these bits.  NGX_ERROR: it is wrong, which is logged.
 */
ngx_int_t wag_argument_template(ngx_conf_t *cf, ngx_str_t *text,
    ngx_uint_t places, wag_template_t *template);

/*
 * METHOD URI, from this argument on: the method is one of both.  NGX_ERROR as
 * above.
 */
ngx_int_t wag_argument_request(ngx_conf_t *cf, ngx_str_t *value,
    const char *method, const char *other, ngx_uint_t places,
    wag_template_t *uri);

/*
 * A JSON path, from the configuration's pool; NULL if the text is empty.
 * NGX_ERROR as above.
 */
ngx_int_t wag_argument_path(ngx_conf_t *cf, ngx_str_t *text,
    wag_json_path_t **path);

/*
 * The next part of a text up to this character.  0: there is none.
 */
ngx_uint_t wag_argument_next(ngx_str_t *rest, u_char ch, ngx_str_t *part);

/*
 * Whether a text is of letters, digits and what is in "also"; an empty one is
 * not.
 */
ngx_uint_t wag_argument_is_name(ngx_str_t *name, const char *also);


#endif /* _WAG_ARGUMENT_H_INCLUDED_ */
