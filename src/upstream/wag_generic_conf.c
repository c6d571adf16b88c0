
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_conf.h"
#include "wag_generic_conf.h"
#include "wag_param.h"


static wag_param_t  wag_generic_params[] = {

    { ngx_string("country="), WAG_PARAM_STR,
      offsetof(wag_loc_conf_t, country), 0, 0 },

    { ngx_null_string, 0, 0, 0, 0 }
};


static ngx_conf_enum_t  wag_generic_kinds[] = {
    { ngx_string("off"), WAG_SEND_OFF },
    { ngx_string("text"), WAG_SEND_TEXT },
    { ngx_string("media"), WAG_SEND_MEDIA },
    { ngx_null_string, 0 }
};


char *
wag_generic_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    wag_loc_conf_t *wlcf = conf;

    char             *rv;
    size_t            i;
    ngx_str_t        *value;
    ngx_conf_enum_t  *kind;

    if (wlcf->send != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    for (kind = wag_generic_kinds; kind->name.len; kind++) {
        if (ngx_strcmp(kind->name.data, value[1].data) == 0) {
            break;
        }
    }

    if (kind->name.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\", it is \"text\", \"media\" "
                           "or \"off\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    wlcf->send = kind->value;

    rv = wag_param_parse_from(cf, 2, wag_generic_params, wlcf);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    /* E.164: a country's code has three digits at most, no 0 before them */

    for (i = 0; i < wlcf->country.len; i++) {
        if (wlcf->country.data[i] < (i ? '0' : '1')
            || wlcf->country.data[i] > '9')
        {
            break;
        }
    }

    if (i < wlcf->country.len || i > 3) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"country=%V\", it is the code "
                           "of a country, as 966", &wlcf->country);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}
