
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_param.h"
#include "wag_passive.h"
#include "wag_upstream.h"


static wag_passive_conf_t *wag_passive_create(ngx_conf_t *cf);


#define wag_passive_offset(field)                                             \
    offsetof(wag_passive_conf_t, field)


static wag_param_t  wag_passive_params[] = {

    { ngx_string("error_fails="), WAG_PARAM_NUM,
      wag_passive_offset(error_fails), 0,
      WAG_MAX_NUM },

    { ngx_string("status_fails="), WAG_PARAM_NUM,
      wag_passive_offset(status_fails), 0,
      WAG_MAX_NUM },

    { ngx_string("status="), WAG_PARAM_STATUS,
      wag_passive_offset(statuses), 500, 599 },

    { ngx_string("eject="), WAG_PARAM_MSEC,
      wag_passive_offset(eject), 1,
      WAG_MAX_MSEC },

    { ngx_null_string, 0, 0, 0, 0 }
};


char *
wag_passive(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    wag_upstream_t *us = conf;

    ngx_str_t  *value;

    us->directive = cmd->name;

    if (us->passive || us->passive_off) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {
        us->passive_off = 1;
        return NGX_CONF_OK;
    }

    us->passive = wag_passive_create(cf);
    if (us->passive == NULL) {
        return NGX_CONF_ERROR;
    }

    return wag_param_parse(cf, wag_passive_params, us->passive);
}


static wag_passive_conf_t *
wag_passive_create(ngx_conf_t *cf)
{
    ngx_uint_t          *range;
    wag_passive_conf_t  *passive;

    passive = ngx_palloc(cf->pool, sizeof(wag_passive_conf_t));
    if (passive == NULL) {
        return NULL;
    }

    passive->error_fails = 1;
    passive->status_fails = 3;
    passive->eject = 30000;

    passive->statuses = ngx_array_create(cf->pool, 2, sizeof(ngx_uint_t));
    if (passive->statuses == NULL) {
        return NULL;
    }

    range = ngx_array_push_n(passive->statuses, 2);
    if (range == NULL) {
        return NULL;
    }

    range[0] = 500;
    range[1] = 599;

    return passive;
}


ngx_int_t
wag_passive_finish(ngx_conf_t *cf, wag_upstream_t *us)
{
    if (us->passive == NULL && !us->passive_off) {
        us->passive = wag_passive_create(cf);
        if (us->passive == NULL) {
            return NGX_ERROR;
        }
    }

    if (us->passive) {
        us->policy.error_fails = us->passive->error_fails;
        us->policy.status_fails = us->passive->status_fails;
        us->policy.eject = us->passive->eject;
    }

    return NGX_OK;
}
