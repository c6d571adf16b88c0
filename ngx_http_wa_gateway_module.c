
/*
 * Copyright (C) the wa_gateway authors
 *
 * A load-balancing gateway in front of self-hosted WhatsApp HTTP APIs.
 */


#include "src/ngx_http_wa_gateway_module.h"
#include "src/ngx_http_wa_gateway_auth.h"
#include "src/ngx_http_wa_gateway_check.h"
#include "src/ngx_http_wa_gateway_checker.h"
#include "src/ngx_http_wa_gateway_conf.h"
#include "src/ngx_http_wa_gateway_filter.h"
#include "src/ngx_http_wa_gateway_keepalive.h"
#include "src/ngx_http_wa_gateway_passive.h"
#include "src/ngx_http_wa_gateway_peers.h"
#include "src/ngx_http_wa_gateway_request.h"
#include "src/ngx_http_wa_gateway_zone.h"


static ngx_int_t ngx_http_wa_gateway_preconfiguration(ngx_conf_t *cf);
static ngx_int_t ngx_http_wa_gateway_postconfiguration(ngx_conf_t *cf);
static ngx_int_t ngx_http_wa_gateway_init_module(ngx_cycle_t *cycle);
static ngx_int_t ngx_http_wa_gateway_init_process(ngx_cycle_t *cycle);
static void ngx_http_wa_gateway_exit_process(ngx_cycle_t *cycle);
static void ngx_http_wa_gateway_stop(ngx_cycle_t *cycle);


static ngx_conf_enum_t  ngx_http_wa_gateway_langs[] = {
    { ngx_string("off"), NGX_HTTP_WA_GATEWAY_LANG_OFF },
    { ngx_string("ar"), NGX_HTTP_WA_GATEWAY_LANG_AR },
    { ngx_string("en"), NGX_HTTP_WA_GATEWAY_LANG_EN },
    { ngx_null_string, 0 }
};


static ngx_command_t  ngx_http_wa_gateway_commands[] = {

    { ngx_string("wa_gateway"),
      NGX_HTTP_UPS_CONF|NGX_CONF_ANY,
      ngx_http_wa_gateway_conf_upstream,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("wa_gateway_instances"),
      NGX_HTTP_UPS_CONF|NGX_CONF_1MORE,
      ngx_http_wa_gateway_peers_instances,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("wa_gateway_check"),
      NGX_HTTP_UPS_CONF|NGX_CONF_ANY,
      ngx_http_wa_gateway_check,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("wa_gateway_check_header"),
      NGX_HTTP_UPS_CONF|NGX_CONF_TAKE2,
      ngx_http_wa_gateway_check_header,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("wa_gateway_expect"),
      NGX_HTTP_UPS_CONF|NGX_CONF_1MORE,
      ngx_http_wa_gateway_check_expect,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("wa_gateway_passive"),
      NGX_HTTP_UPS_CONF|NGX_CONF_ANY,
      ngx_http_wa_gateway_passive,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("wa_gateway_keepalive"),
      NGX_HTTP_UPS_CONF|NGX_CONF_1MORE,
      ngx_http_wa_gateway_keepalive,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("wa_gateway_status"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_wa_gateway_conf_status,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("wa_gateway_health"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_wa_gateway_conf_health,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("wa_gateway_metrics"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_wa_gateway_conf_metrics,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("wa_gateway_errors"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_enum_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_wa_gateway_loc_conf_t, errors),
      &ngx_http_wa_gateway_langs },

    { ngx_string("wa_gateway_envelope"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_wa_gateway_loc_conf_t, envelope),
      NULL },

    { ngx_string("wa_gateway_api_key"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_wa_gateway_auth_key,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_wa_gateway_module_ctx = {
    ngx_http_wa_gateway_preconfiguration,  /* preconfiguration */
    ngx_http_wa_gateway_postconfiguration, /* postconfiguration */

    ngx_http_wa_gateway_conf_create_main,  /* create main configuration */
    NULL,                                  /* init main configuration */

    ngx_http_wa_gateway_conf_create_upstream, /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_wa_gateway_conf_create_location, /* create location conf. */
    ngx_http_wa_gateway_conf_merge_location   /* merge location conf. */
};


ngx_module_t  ngx_http_wa_gateway_module = {
    NGX_MODULE_V1,
    &ngx_http_wa_gateway_module_ctx,       /* module context */
    ngx_http_wa_gateway_commands,          /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    ngx_http_wa_gateway_init_module,       /* init module */
    ngx_http_wa_gateway_init_process,      /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_http_wa_gateway_exit_process,      /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_int_t
ngx_http_wa_gateway_preconfiguration(ngx_conf_t *cf)
{
    return ngx_http_wa_gateway_request_variables(cf);
}


static ngx_int_t
ngx_http_wa_gateway_postconfiguration(ngx_conf_t *cf)
{
    ngx_http_handler_pt        *h;
    ngx_http_core_main_conf_t  *cmcf;

    if (ngx_http_wa_gateway_conf_finish(cf) != NGX_OK) {
        return NGX_ERROR;
    }

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_ACCESS_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_wa_gateway_auth_handler;

    ngx_http_wa_gateway_filter_init();

    return NGX_OK;
}


static ngx_int_t
ngx_http_wa_gateway_init_module(ngx_cycle_t *cycle)
{
    ngx_uint_t                        i, again;
    ngx_http_wa_gateway_zone_t      **zones;
    ngx_http_wa_gateway_main_conf_t  *wmcf;

    wmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_wa_gateway_module);

    /*
     * A single process is not started anew for a new configuration: its old
     * checks end here, while the records they write to are still there.
     */

    again = (ngx_process == NGX_PROCESS_SINGLE
             && !ngx_is_init_cycle(cycle->old_cycle));

    if (again) {
        ngx_http_wa_gateway_stop(cycle->old_cycle);
    }

    if (wmcf) {
        zones = wmcf->zones.elts;

        for (i = 0; i < wmcf->zones.nelts; i++) {
            ngx_http_wa_gateway_zone_commit(zones[i]);
        }
    }

    return again ? ngx_http_wa_gateway_init_process(cycle) : NGX_OK;
}


static ngx_int_t
ngx_http_wa_gateway_init_process(ngx_cycle_t *cycle)
{
    ngx_uint_t                        i;
    ngx_http_wa_gateway_zone_t      **zones;
    ngx_http_wa_gateway_upstream_t  **usp;
    ngx_http_wa_gateway_main_conf_t  *wmcf;

    wmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_wa_gateway_module);

    /* the cache manager and loader are neither, no "http" block: no wmcf */

    if ((ngx_process != NGX_PROCESS_WORKER
         && ngx_process != NGX_PROCESS_SINGLE)
        || wmcf == NULL)
    {
        return NGX_OK;
    }

    zones = wmcf->zones.elts;

    for (i = 0; i < wmcf->zones.nelts; i++) {
        ngx_http_wa_gateway_zone_attach(zones[i]);
    }

    usp = wmcf->upstreams.elts;

    for (i = 0; i < wmcf->upstreams.nelts; i++) {
        if (ngx_http_wa_gateway_checker_start(cycle, usp[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static void
ngx_http_wa_gateway_exit_process(ngx_cycle_t *cycle)
{
    ngx_uint_t                        i;
    ngx_http_wa_gateway_zone_t      **zones;
    ngx_http_wa_gateway_main_conf_t  *wmcf;

    wmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_wa_gateway_module);

    if ((ngx_process != NGX_PROCESS_WORKER
         && ngx_process != NGX_PROCESS_SINGLE)
        || wmcf == NULL)
    {
        return;
    }

    ngx_http_wa_gateway_stop(cycle);

    zones = wmcf->zones.elts;

    for (i = 0; i < wmcf->zones.nelts; i++) {
        ngx_http_wa_gateway_zone_detach(zones[i]);
    }
}


static void
ngx_http_wa_gateway_stop(ngx_cycle_t *cycle)
{
    ngx_uint_t                        i;
    ngx_http_wa_gateway_upstream_t  **usp;
    ngx_http_wa_gateway_main_conf_t  *wmcf;

    wmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_wa_gateway_module);
    if (wmcf == NULL) {
        return;
    }

    usp = wmcf->upstreams.elts;

    for (i = 0; i < wmcf->upstreams.nelts; i++) {
        ngx_http_wa_gateway_checker_stop(usp[i]);
    }
}
