
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_conf.h"


static wag_upstream_t *wag_conf_find(ngx_conf_t *cf, wag_loc_conf_t *wlcf);


void *
wag_conf_create_main(ngx_conf_t *cf)
{
    wag_main_conf_t  *wmcf;

    wmcf = ngx_pcalloc(cf->pool, sizeof(wag_main_conf_t));
    if (wmcf == NULL) {
        return NULL;
    }

    if (ngx_array_init(&wmcf->upstreams, cf->pool, 1, sizeof(wag_upstream_t *))
        != NGX_OK)
    {
        return NULL;
    }

    if (ngx_array_init(&wmcf->zones, cf->pool, 1, sizeof(wag_zone_t *))
        != NGX_OK)
    {
        return NULL;
    }

    if (ngx_array_init(&wmcf->marks_zones, cf->pool, 1,
                       sizeof(wag_marks_zone_t *))
        != NGX_OK)
    {
        return NULL;
    }

    if (ngx_array_init(&wmcf->stores, cf->pool, 1, sizeof(wag_store_t *))
        != NGX_OK)
    {
        return NULL;
    }

    if (ngx_array_init(&wmcf->journals, cf->pool, 1, sizeof(void *))
        != NGX_OK)
    {
        return NULL;
    }

    if (ngx_array_init(&wmcf->vendors, cf->pool, 4, sizeof(void *)) != NGX_OK)
    {
        return NULL;
    }

    return wmcf;
}


void *
wag_conf_create_upstream(ngx_conf_t *cf)
{
    /* zone, group, check, passive = NULL, policy and all counts = 0 */

    return ngx_pcalloc(cf->pool, sizeof(wag_upstream_t));
}


void *
wag_conf_create_location(ngx_conf_t *cf)
{
    wag_loc_conf_t  *wlcf;

    wlcf = ngx_pcalloc(cf->pool, sizeof(wag_loc_conf_t));
    if (wlcf == NULL) {
        return NULL;
    }

    wlcf->errors = NGX_CONF_UNSET_UINT;
    wlcf->envelope = NGX_CONF_UNSET;
    wlcf->keys = NGX_CONF_UNSET_PTR;
    wlcf->admin_keys = NGX_CONF_UNSET_PTR;
    wlcf->sender = NGX_CONF_UNSET_UINT;
    wlcf->send = NGX_CONF_UNSET_UINT;
    wlcf->allow = NGX_CONF_UNSET_PTR;

    return wlcf;
}


char *
wag_conf_merge_location(ngx_conf_t *cf, void *parent, void *child)
{
    wag_loc_conf_t  *prev = parent;
    wag_loc_conf_t  *conf = child;

    ngx_conf_merge_uint_value(conf->errors, prev->errors, WAG_LANG_OFF);
    ngx_conf_merge_value(conf->envelope, prev->envelope, 0);
    ngx_conf_merge_ptr_value(conf->keys, prev->keys, NULL);
    ngx_conf_merge_ptr_value(conf->admin_keys, prev->admin_keys, NULL);
    ngx_conf_merge_ptr_value(conf->allow, prev->allow, NULL);

    ngx_conf_merge_uint_value(conf->send, prev->send, WAG_SEND_OFF);
    ngx_conf_merge_str_value(conf->country, prev->country, "");

    /* unset, it is as the upstream has it */

    if (conf->sender == NGX_CONF_UNSET_UINT) {
        conf->sender = prev->sender;
    }

    if (conf->name.len) {
        conf->upstream = wag_conf_find(cf, conf);

        if (conf->upstream == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    if (conf->control) {

        if (conf->admin_keys == NULL) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "\"%s\" requires \"wa_gateway_admin_key\" in "
                          "%s:%ui",
                          conf->login ? "wa_gateway_login"
                                      : "wa_gateway_control",
                          conf->file_name, conf->line);
            return NGX_CONF_ERROR;
        }

        conf->upstream->controlled |= !conf->login;
    }

    return NGX_CONF_OK;
}


char *
wag_conf_show(ngx_conf_t *cf, void *conf, ngx_http_handler_pt handler)
{
    wag_loc_conf_t *wlcf = conf;

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


static wag_upstream_t *
wag_conf_find(ngx_conf_t *cf, wag_loc_conf_t *wlcf)
{
    ngx_uint_t                      i;
    wag_upstream_t                 *us;
    ngx_http_upstream_srv_conf_t  **uscfp;
    ngx_http_upstream_main_conf_t  *umcf;

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
