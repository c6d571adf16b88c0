
/*
 * Copyright (C) the wa_gateway authors
 */


#include "ngx_http_wa_gateway_module.h"
#include "ngx_http_wa_gateway_balancer.h"
#include "ngx_http_wa_gateway_check.h"
#include "ngx_http_wa_gateway_conf.h"
#include "ngx_http_wa_gateway_keepalive.h"
#include "ngx_http_wa_gateway_metrics.h"
#include "ngx_http_wa_gateway_param.h"
#include "ngx_http_wa_gateway_passive.h"
#include "ngx_http_wa_gateway_roster.h"
#include "ngx_http_wa_gateway_status.h"
#include "ngx_http_wa_gateway_zone.h"


#define NGX_HTTP_WA_GATEWAY_ZONE_SIZE  (256 * 1024)


typedef struct {
    ngx_str_t   zone;
    ngx_str_t   retry;
} ngx_http_wa_gateway_upstream_args_t;


static ngx_int_t ngx_http_wa_gateway_conf_zone(ngx_conf_t *cf,
    ngx_http_wa_gateway_upstream_t *us, ngx_str_t *value);
static char *ngx_http_wa_gateway_conf_show(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf, ngx_http_handler_pt handler);
static ngx_int_t ngx_http_wa_gateway_conf_finish_upstream(ngx_conf_t *cf,
    ngx_http_upstream_srv_conf_t *uscf, ngx_http_wa_gateway_upstream_t *us);
static ngx_http_wa_gateway_upstream_t *ngx_http_wa_gateway_conf_find(
    ngx_conf_t *cf, ngx_http_wa_gateway_loc_conf_t *wlcf);


static ngx_http_wa_gateway_param_t  ngx_http_wa_gateway_upstream_params[] = {

    { ngx_string("zone="), NGX_HTTP_WA_GATEWAY_PARAM_STR,
      offsetof(ngx_http_wa_gateway_upstream_args_t, zone), 0, 0 },

    { ngx_string("retry="), NGX_HTTP_WA_GATEWAY_PARAM_STR,
      offsetof(ngx_http_wa_gateway_upstream_args_t, retry), 0, 0 },

    { ngx_null_string, 0, 0, 0, 0 }
};


void *
ngx_http_wa_gateway_conf_create_main(ngx_conf_t *cf)
{
    ngx_http_wa_gateway_main_conf_t  *wmcf;

    wmcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_wa_gateway_main_conf_t));
    if (wmcf == NULL) {
        return NULL;
    }

    if (ngx_array_init(&wmcf->upstreams, cf->pool, 1,
                       sizeof(ngx_http_wa_gateway_upstream_t *))
        != NGX_OK)
    {
        return NULL;
    }

    if (ngx_array_init(&wmcf->zones, cf->pool, 1,
                       sizeof(ngx_http_wa_gateway_zone_t *))
        != NGX_OK)
    {
        return NULL;
    }

    return wmcf;
}


void *
ngx_http_wa_gateway_conf_create_upstream(ngx_conf_t *cf)
{
    /* zone, group, check, passive = NULL, policy and all counts = 0 */

    return ngx_pcalloc(cf->pool, sizeof(ngx_http_wa_gateway_upstream_t));
}


void *
ngx_http_wa_gateway_conf_create_location(ngx_conf_t *cf)
{
    ngx_http_wa_gateway_loc_conf_t  *wlcf;

    wlcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_wa_gateway_loc_conf_t));
    if (wlcf == NULL) {
        return NULL;
    }

    wlcf->errors = NGX_CONF_UNSET_UINT;
    wlcf->envelope = NGX_CONF_UNSET;
    wlcf->keys = NGX_CONF_UNSET_PTR;

    return wlcf;
}


char *
ngx_http_wa_gateway_conf_merge_location(ngx_conf_t *cf, void *parent,
    void *child)
{
    ngx_http_wa_gateway_loc_conf_t *prev = parent;
    ngx_http_wa_gateway_loc_conf_t *conf = child;

    ngx_conf_merge_uint_value(conf->errors, prev->errors,
                              NGX_HTTP_WA_GATEWAY_LANG_OFF);
    ngx_conf_merge_value(conf->envelope, prev->envelope, 0);
    ngx_conf_merge_ptr_value(conf->keys, prev->keys, NULL);

    if (conf->name.len) {
        conf->upstream = ngx_http_wa_gateway_conf_find(cf, conf);

        if (conf->upstream == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


char *
ngx_http_wa_gateway_conf_upstream(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_wa_gateway_upstream_t *us = conf;

    char                                 *rv;
    ngx_http_upstream_srv_conf_t         *uscf;
    ngx_http_wa_gateway_main_conf_t      *wmcf;
    ngx_http_wa_gateway_upstream_t      **usp;
    ngx_http_wa_gateway_upstream_args_t   args;

    if (us->uscf) {
        return "is duplicate";
    }

    uscf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_upstream_module);

    if (uscf->peer.init_upstream) {
        return "must stand before \"keepalive\" and without another load "
               "balancing method";
    }

    ngx_memzero(&args, sizeof(ngx_http_wa_gateway_upstream_args_t));

    rv = ngx_http_wa_gateway_param_parse(cf,
                                ngx_http_wa_gateway_upstream_params, &args);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    us->uscf = uscf;

    if (args.retry.len == 0 || ngx_strcmp(args.retry.data, "unsent") == 0) {
        us->retry = NGX_HTTP_WA_GATEWAY_RETRY_UNSENT;

    } else if (ngx_strcmp(args.retry.data, "idempotent") == 0) {
        us->retry = NGX_HTTP_WA_GATEWAY_RETRY_SAFE;

    } else {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"retry=%V\"", &args.retry);
        return NGX_CONF_ERROR;
    }

    if (ngx_http_wa_gateway_conf_zone(cf, us, &args.zone) != NGX_OK) {
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

    uscf->peer.init_upstream = ngx_http_wa_gateway_balancer_init;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_wa_gateway_conf_zone(ngx_conf_t *cf,
    ngx_http_wa_gateway_upstream_t *us, ngx_str_t *value)
{
    u_char                            *p;
    ssize_t                            size;
    ngx_str_t                          name, s;
    ngx_http_wa_gateway_upstream_t   **usp;
    ngx_http_wa_gateway_main_conf_t   *wmcf;

    name = value->len ? *value : us->uscf->host;
    size = NGX_HTTP_WA_GATEWAY_ZONE_SIZE;

    p = value->len ? ngx_strlchr(value->data, value->data + value->len, ':')
                   : NULL;

    if (p) {
        name.len = p - name.data;

        s.data = p + 1;
        s.len = value->data + value->len - s.data;

        size = ngx_parse_size(&s);
    }

    if (!ngx_http_wa_gateway_param_printable(&us->uscf->host)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "control character, or no UTF-8, in the name of "
                           "upstream \"%V\"", &us->uscf->host);
        return NGX_ERROR;
    }

    if (name.len == 0 || size == NGX_ERROR
        || !ngx_http_wa_gateway_param_printable(&name))
    {
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

    us->zone = ngx_http_wa_gateway_zone_add(cf, wmcf, &name, size);
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


char *
ngx_http_wa_gateway_conf_status(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    return ngx_http_wa_gateway_conf_show(cf, cmd, conf,
                                         ngx_http_wa_gateway_status_handler);
}


char *
ngx_http_wa_gateway_conf_health(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    return ngx_http_wa_gateway_conf_show(cf, cmd, conf,
                                         ngx_http_wa_gateway_health_handler);
}


char *
ngx_http_wa_gateway_conf_metrics(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_wa_gateway_metrics_handler;

    return NGX_CONF_OK;
}


static char *
ngx_http_wa_gateway_conf_show(ngx_conf_t *cf, ngx_command_t *cmd, void *conf,
    ngx_http_handler_pt handler)
{
    ngx_http_wa_gateway_loc_conf_t *wlcf = conf;

    ngx_str_t                 *value;
    ngx_http_core_loc_conf_t  *clcf;

    if (wlcf->name.len) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (value[1].len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "unknown upstream \"\"");
        return NGX_CONF_ERROR;
    }

    wlcf->name = value[1];
    wlcf->file_name = cf->conf_file->file.name.data;
    wlcf->line = cf->conf_file->line;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = handler;

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_wa_gateway_conf_finish(ngx_conf_t *cf)
{
    ngx_uint_t                        i;
    ngx_http_upstream_srv_conf_t    **uscfp;
    ngx_http_upstream_main_conf_t    *umcf;
    ngx_http_wa_gateway_upstream_t   *us;

    umcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_upstream_module);
    uscfp = umcf->upstreams.elts;

    for (i = 0; i < umcf->upstreams.nelts; i++) {

        if (uscfp[i]->srv_conf == NULL) {
            continue;
        }

        us = ngx_http_conf_upstream_srv_conf(uscfp[i],
                                             ngx_http_wa_gateway_module);

        if (ngx_http_wa_gateway_conf_finish_upstream(cf, uscfp[i], us)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_wa_gateway_conf_finish_upstream(ngx_conf_t *cf,
    ngx_http_upstream_srv_conf_t *uscf, ngx_http_wa_gateway_upstream_t *us)
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

    if (us->peers == NULL) {
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

    if (ngx_http_wa_gateway_passive_finish(cf, us) != NGX_OK
        || ngx_http_wa_gateway_keepalive_finish(cf, us) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (us->check && ngx_http_wa_gateway_check_finish(cf, us) != NGX_OK) {
        return NGX_ERROR;
    }

    /* the room a roster needs is known with slow_start= only */

    return ngx_http_wa_gateway_roster_create(cf, us);
}


static ngx_http_wa_gateway_upstream_t *
ngx_http_wa_gateway_conf_find(ngx_conf_t *cf,
    ngx_http_wa_gateway_loc_conf_t *wlcf)
{
    ngx_uint_t                        i;
    ngx_http_upstream_srv_conf_t    **uscfp;
    ngx_http_upstream_main_conf_t    *umcf;
    ngx_http_wa_gateway_upstream_t   *us;

    umcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_upstream_module);
    uscfp = umcf->upstreams.elts;

    for (i = 0; i < umcf->upstreams.nelts; i++) {

        if (uscfp[i]->host.len != wlcf->name.len
            || ngx_strncasecmp(uscfp[i]->host.data, wlcf->name.data,
                               wlcf->name.len)
               != 0)
        {
            continue;
        }

        us = uscfp[i]->srv_conf
             ? ngx_http_conf_upstream_srv_conf(uscfp[i],
                                               ngx_http_wa_gateway_module)
             : NULL;

        if (us && us->uscf) {
            return us;
        }

        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "upstream \"%V\" has no \"wa_gateway\" in %s:%ui",
                      &wlcf->name, wlcf->file_name, wlcf->line);
        return NULL;
    }

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                  "unknown upstream \"%V\" in %s:%ui",
                  &wlcf->name, wlcf->file_name, wlcf->line);

    return NULL;
}
