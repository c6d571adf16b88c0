
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_conf.h"
#include "wag_idempotency_conf.h"
#include "wag_marks_zone.h"
#include "wag_param.h"


#define WAG_IDEMPOTENCY_TTL   (24 * 3600 * 1000)
#define WAG_IDEMPOTENCY_SIZE  (16 * 1024 * 1024)


typedef struct {
    ngx_msec_t           ttl;
    ngx_str_t            zone;
} wag_idempotency_args_t;


static wag_marks_zone_t *wag_idempotency_conf_zone(ngx_conf_t *cf,
    ngx_str_t *value);
static ngx_int_t wag_idempotency_conf_default(ngx_conf_t *cf,
    ngx_str_t *name);


static ngx_conf_enum_t  wag_idempotency_modes[] = {
    { ngx_string("off"), WAG_IDEMPOTENCY_OFF },
    { ngx_string("on"), WAG_IDEMPOTENCY_ON },
    { ngx_string("required"), WAG_IDEMPOTENCY_REQUIRED },
    { ngx_null_string, 0 }
};


static wag_param_t  wag_idempotency_params[] = {

    { ngx_string("ttl="), WAG_PARAM_MSEC,
      offsetof(wag_idempotency_args_t, ttl), 1000, WAG_MAX_MSEC },

    { ngx_string("zone="), WAG_PARAM_STR,
      offsetof(wag_idempotency_args_t, zone), 0, 0 },

    { ngx_null_string, 0, 0, 0, 0 }
};


char *
wag_idempotency_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    wag_upstream_t *us = conf;

    char                    *rv;
    ngx_str_t               *value;
    ngx_conf_enum_t         *mode;
    wag_idempotency_args_t   args;

    us->directive = cmd->name;

    if (us->idempotency_set) {
        return "is duplicate";
    }

    us->idempotency_set = 1;

    value = cf->args->elts;

    for (mode = wag_idempotency_modes; mode->name.len; mode++) {
        if (ngx_strcmp(mode->name.data, value[1].data) == 0) {
            break;
        }
    }

    if (mode->name.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\", it is \"on\", \"required\" "
                           "or \"off\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    args.ttl = WAG_IDEMPOTENCY_TTL;
    ngx_str_null(&args.zone);

    rv = wag_param_parse_from(cf, 2, wag_idempotency_params, &args);

    if (rv != NGX_CONF_OK || mode->value == WAG_IDEMPOTENCY_OFF) {
        return rv;
    }

    us->idempotency = ngx_pcalloc(cf->pool, sizeof(wag_idempotency_conf_t));
    if (us->idempotency == NULL) {
        return NGX_CONF_ERROR;
    }

    us->idempotency->mode = mode->value;
    us->idempotency->ttl = args.ttl;

    us->idempotency->zone = wag_idempotency_conf_zone(cf, &args.zone);

    return us->idempotency->zone ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static wag_marks_zone_t *
wag_idempotency_conf_zone(ngx_conf_t *cf, ngx_str_t *value)
{
    ssize_t    size;
    ngx_str_t  name;

    size = WAG_IDEMPOTENCY_SIZE;

    if (value->len == 0
        && wag_idempotency_conf_default(cf, &name) != NGX_OK)
    {
        return NULL;
    }

    if (wag_param_zone(cf, value, &name, &size) == NGX_ERROR) {
        return NULL;
    }

    return wag_marks_zone_add(cf, &name, size);
}


/* one of its own for each upstream */

static ngx_int_t
wag_idempotency_conf_default(ngx_conf_t *cf, ngx_str_t *name)
{
    u_char                        *p;
    ngx_http_upstream_srv_conf_t  *uscf;

    uscf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_upstream_module);

    p = ngx_pnalloc(cf->pool, uscf->host.len + sizeof("_idempotency") - 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    name->data = p;

    p = ngx_cpymem(p, uscf->host.data, uscf->host.len);
    p = ngx_cpymem(p, "_idempotency", sizeof("_idempotency") - 1);

    name->len = p - name->data;

    return NGX_OK;
}


void
wag_idempotency_conf_finish(ngx_conf_t *cf, wag_upstream_t *us)
{
    if (us->idempotency == NULL || us->vendors) {
        return;
    }

    ngx_log_error(NGX_LOG_NOTICE, cf->log, 0,
                  "\"wa_gateway_idempotency\" is ignored in upstream \"%V\", "
                  "since no instance has a vendor", &us->uscf->host);

    us->idempotency = NULL;
}
