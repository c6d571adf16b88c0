
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_compat.h"
#include "wag_keepalive.h"
#include "wag_keepalive_conf.h"
#include "wag_param.h"


#define wag_keepalive_conf_offset(field)                                      \
    offsetof(wag_keepalive_t, field)


static wag_param_t  wag_keepalive_conf_params[] = {

    { ngx_string("connections="), WAG_PARAM_NUM,
      wag_keepalive_conf_offset(connections), 1,
      WAG_MAX_NUM },

    { ngx_string("requests="), WAG_PARAM_NUM,
      wag_keepalive_conf_offset(requests), 1,
      WAG_MAX_NUM },

    { ngx_string("time="), WAG_PARAM_MSEC,
      wag_keepalive_conf_offset(time), 1,
      WAG_MAX_MSEC },

    { ngx_string("timeout="), WAG_PARAM_MSEC,
      wag_keepalive_conf_offset(timeout), 1,
      WAG_MAX_MSEC },

    { ngx_null_string, 0, 0, 0, 0 }
};


char *
wag_keepalive_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    wag_upstream_t *us = conf;

    ngx_str_t  *value;

    us->directive = cmd->name;

    if (us->keepalive || us->keepalive_off) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {
        us->keepalive_off = 1;
        return NGX_CONF_OK;
    }

    us->keepalive = wag_keepalive_create(cf);
    if (us->keepalive == NULL) {
        return NGX_CONF_ERROR;
    }

    return wag_param_parse(cf, wag_keepalive_conf_params, us->keepalive);
}


ngx_int_t
wag_keepalive_conf_finish(ngx_conf_t *cf, wag_upstream_t *us)
{
    if (us->keepalive_off) {
        return NGX_OK;
    }

    if (us->keepalive == NULL) {
        us->keepalive = wag_keepalive_create(cf);
        if (us->keepalive == NULL) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/*
 * The cache of nginx would lie above this one, and take a connection without
 * looking whether the instance has closed it.
 */

void
wag_keepalive_conf_disable_builtin(ngx_conf_t *cf,
    ngx_http_upstream_srv_conf_t *uscf)
{
#if (WAG_KEEPALIVE_DEFAULT)

    ngx_str_t       words[] = { ngx_string("keepalive"), ngx_string("0") };
    ngx_array_t    *args, off;
    ngx_module_t  **module;
    ngx_command_t  *cmd;

    for (module = cf->cycle->modules; *module; module++) {
        if (ngx_strcmp((*module)->name, "ngx_http_upstream_keepalive_module")
            == 0)
        {
            break;
        }
    }

    if (*module == NULL) {
        return;
    }

    cmd = (*module)->commands;

    while (ngx_strcmp(cmd->name.data, "keepalive") != 0) {
        cmd++;
    }

    ngx_memzero(&off, sizeof(ngx_array_t));
    off.elts = words;
    off.nelts = 2;

    args = cf->args;
    cf->args = &off;

    /* "is duplicate" where the configuration has it */

    (void) cmd->set(cf, cmd, uscf->srv_conf[(*module)->ctx_index]);

    cf->args = args;

#endif
}
