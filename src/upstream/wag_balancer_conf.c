
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_balancer.h"
#include "wag_balancer_conf.h"
#include "wag_check.h"
#include "wag_conf.h"
#include "wag_keepalive_conf.h"
#include "wag_param.h"
#include "wag_passive.h"
#include "wag_slot_table.h"
#include "wag_state.h"
#include "wag_zone.h"


#define WAG_ZONE_SIZE  (256 * 1024)


typedef struct {
    ngx_str_t            zone;
    ngx_str_t            retry;
} wag_balancer_args_t;


static ngx_int_t wag_balancer_conf_zone(ngx_conf_t *cf, wag_upstream_t *us,
    ngx_str_t *value);
static ngx_int_t wag_balancer_conf_finish_upstream(ngx_conf_t *cf,
    ngx_http_upstream_srv_conf_t *uscf, wag_upstream_t *us);


static wag_param_t  wag_balancer_params[] = {

    { ngx_string("zone="), WAG_PARAM_STR,
      offsetof(wag_balancer_args_t, zone), 0, 0 },

    { ngx_string("retry="), WAG_PARAM_STR,
      offsetof(wag_balancer_args_t, retry), 0, 0 },

    { ngx_null_string, 0, 0, 0, 0 }
};


char *
wag_balancer_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    wag_upstream_t *us = conf;

    char                          *rv;
    wag_upstream_t               **usp;
    wag_main_conf_t               *wmcf;
    wag_balancer_args_t            args;
    ngx_http_upstream_srv_conf_t  *uscf;

    if (us->uscf) {
        return "is duplicate";
    }

    uscf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_upstream_module);

    if (uscf->peer.init_upstream) {
        return "must stand before \"keepalive\" and without another load "
               "balancing method";
    }

    ngx_memzero(&args, sizeof(wag_balancer_args_t));

    rv = wag_param_parse(cf, wag_balancer_params, &args);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    us->uscf = uscf;

    if (args.retry.len == 0 || ngx_strcmp(args.retry.data, "unsent") == 0) {
        us->retry = WAG_RETRY_UNSENT;

    } else if (ngx_strcmp(args.retry.data, "idempotent") == 0) {
        us->retry = WAG_RETRY_SAFE;

    } else {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"retry=%V\"", &args.retry);
        return NGX_CONF_ERROR;
    }

    if (wag_balancer_conf_zone(cf, us, &args.zone) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    wmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_wa_gateway_module);

    usp = ngx_array_push(&wmcf->upstreams);
    if (usp == NULL) {
        return NGX_CONF_ERROR;
    }

    *usp = us;

    uscf->flags = NGX_HTTP_UPSTREAM_CREATE
                  |NGX_HTTP_UPSTREAM_WEIGHT
                  |NGX_HTTP_UPSTREAM_MAX_CONNS
                  |NGX_HTTP_UPSTREAM_BACKUP
                  |NGX_HTTP_UPSTREAM_DOWN;

    uscf->peer.init_upstream = wag_balancer_init;

    return NGX_CONF_OK;
}


static ngx_int_t
wag_balancer_conf_zone(ngx_conf_t *cf, wag_upstream_t *us, ngx_str_t *value)
{
    u_char           *p;
    ssize_t           size;
    ngx_str_t         name, s;
    wag_upstream_t  **usp;
    wag_main_conf_t  *wmcf;

    name = value->len ? *value : us->uscf->host;
    size = WAG_ZONE_SIZE;

    p = value->len ? ngx_strlchr(value->data, value->data + value->len, ':')
                   : NULL;

    if (p) {
        name.len = p - name.data;

        s.data = p + 1;
        s.len = value->data + value->len - s.data;

        size = ngx_parse_size(&s);
    }

    if (!wag_param_printable(&us->uscf->host)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "control character, or no UTF-8, in the name of "
                           "upstream \"%V\"", &us->uscf->host);
        return NGX_ERROR;
    }

    if (name.len == 0 || size == NGX_ERROR || !wag_param_printable(&name)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"zone=%V\"", value);
        return NGX_ERROR;
    }

    if (size < (ssize_t) (8 * ngx_pagesize)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "zone \"%V\" is too small", value);
        return NGX_ERROR;
    }

    wmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_wa_gateway_module);

    us->zone = wag_zone_add(cf, wmcf, &name, size);
    if (us->zone == NULL) {
        return NGX_ERROR;
    }

    usp = ngx_array_push(&us->zone->upstreams);
    if (usp == NULL) {
        return NGX_ERROR;
    }

    *usp = us;

    return NGX_OK;
}


ngx_int_t
wag_balancer_conf_finish(ngx_conf_t *cf)
{
    ngx_uint_t                      i;
    wag_upstream_t                 *us;
    ngx_http_upstream_srv_conf_t  **uscfp;
    ngx_http_upstream_main_conf_t  *umcf;

    umcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_upstream_module);
    uscfp = umcf->upstreams.elts;

    for (i = 0; i < umcf->upstreams.nelts; i++) {

        if (uscfp[i]->srv_conf == NULL) {
            continue;
        }

        us = ngx_http_conf_upstream_srv_conf(uscfp[i],
                                             ngx_http_wa_gateway_module);

        if (wag_balancer_conf_finish_upstream(cf, uscfp[i], us) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
wag_balancer_conf_finish_upstream(ngx_conf_t *cf,
    ngx_http_upstream_srv_conf_t *uscf, wag_upstream_t *us)
{
    if (us->uscf == NULL) {

        if (us->directive.len == 0) {
            return NGX_OK;
        }

        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"%V\" requires \"wa_gateway\" in upstream \"%V\" "
                      "in %s:%ui", &us->directive, &uscf->host,
                      uscf->file_name, uscf->line);
        return NGX_ERROR;
    }

    /* a method named after "wa_gateway" has taken its place */

    if (us->servers == NULL) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"wa_gateway\" cannot be used with another load "
                      "balancing method in upstream \"%V\" in %s:%ui",
                      &uscf->host, uscf->file_name, uscf->line);
        return NGX_ERROR;
    }

#if (NGX_HTTP_UPSTREAM_ZONE)

    if (uscf->shm_zone) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"zone\" cannot be used with \"wa_gateway\", which has "
                      "a zone of its own, in upstream \"%V\" in %s:%ui",
                      &uscf->host, uscf->file_name, uscf->line);
        return NGX_ERROR;
    }

#endif

    if (wag_passive_finish(cf, us) != NGX_OK
        || wag_keepalive_conf_finish(cf, us) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (us->check && wag_check_finish(cf, us) != NGX_OK) {
        return NGX_ERROR;
    }

    wag_state_init(&us->initial, &us->policy);

    /* the room a slot table needs is known with slow_start= only */

    return wag_slot_table_create(cf, us);
}
