
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_argument.h"
#include "wag_param.h"
#include "wag_to_conf.h"
#include "wag_vendor.h"


/* the arguments, as they are written */

typedef struct {
    ngx_str_t            user;
    ngx_str_t            group;
    ngx_str_t            lid;
} wag_to_conf_t;


static ngx_int_t wag_to_conf_template(ngx_conf_t *cf, ngx_str_t *text,
    wag_template_t *template);
static ngx_uint_t wag_to_conf_is_ascii(ngx_str_t *text);


static wag_param_t  wag_to_conf_params[] = {

    { ngx_string("user="), WAG_PARAM_STR,
      offsetof(wag_to_conf_t, user), 0, 0 },

    { ngx_string("group="), WAG_PARAM_STR,
      offsetof(wag_to_conf_t, group), 0, 0 },

    { ngx_string("lid="), WAG_PARAM_STR,
      offsetof(wag_to_conf_t, lid), 0, 0 },

    { ngx_null_string, 0, 0, 0, 0 }
};


char *
wag_to_conf(ngx_conf_t *cf, void *conf)
{
    wag_vendor_t *vendor = conf;

    char           *rv;
    ngx_uint_t      i;
    wag_to_conf_t   args;

    for (i = 0; i < WAG_VENDOR_TO; i++) {
        if (vendor->to[i].parts.nelts) {
            return "is duplicate";
        }
    }

    ngx_memzero(&args, sizeof(wag_to_conf_t));

    rv = wag_param_parse(cf, wag_to_conf_params, &args);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    return (wag_to_conf_template(cf, &args.user,
                                 &vendor->to[WAG_VENDOR_TO_USER]) == NGX_OK
            && wag_to_conf_template(cf, &args.group,
                                    &vendor->to[WAG_VENDOR_TO_GROUP]) == NGX_OK
            && wag_to_conf_template(cf, &args.lid,
                                    &vendor->to[WAG_VENDOR_TO_LID]) == NGX_OK)
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static ngx_int_t
wag_to_conf_template(ngx_conf_t *cf, ngx_str_t *text, wag_template_t *template)
{
    if (text->len == 0) {
        return NGX_OK;
    }

    if (wag_argument_template(cf, text, wag_template_bit(WAG_TEMPLATE_ID),
                              template)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (!wag_to_conf_is_ascii(text)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid recipient \"%V\", it is printable ASCII "
                           "without blanks", text);
        return NGX_ERROR;
    }

    if (!wag_template_uses(template, WAG_TEMPLATE_ID)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "no <id> in \"%V\"", text);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_uint_t
wag_to_conf_is_ascii(ngx_str_t *text)
{
    size_t  i;

    for (i = 0; i < text->len; i++) {
        if (text->data[i] <= ' ' || text->data[i] >= 0x7f) {
            return 0;
        }
    }

    return 1;
}
