
/*
 * Copyright (C) the wa_gateway authors
 *
 * A load-balancing gateway in front of self-hosted WhatsApp HTTP APIs.
 */


#include "wag_access.h"
#include "wag_allow.h"
#include "wag_arrival.h"
#include "wag_balancer_conf.h"
#include "wag_check.h"
#include "wag_checker.h"
#include "wag_conf.h"
#include "wag_control.h"
#include "wag_ctx.h"
#include "wag_filter.h"
#include "wag_generic_conf.h"
#include "wag_idempotency_conf.h"
#include "wag_journal.h"
#include "wag_keepalive_conf.h"
#include "wag_kept.h"
#include "wag_log.h"
#include "wag_login_api.h"
#include "wag_marks_zone.h"
#include "wag_metrics.h"
#include "wag_pace_conf.h"
#include "wag_passive.h"
#include "wag_servers.h"
#include "wag_sessions_api.h"
#include "wag_status.h"
#include "wag_store.h"
#include "wag_store_conf.h"
#include "wag_vendor_conf.h"
#include "wag_zone.h"


static ngx_int_t wag_preconfiguration(ngx_conf_t *cf);
static ngx_int_t wag_postconfiguration(ngx_conf_t *cf);
static ngx_int_t wag_init_module(ngx_cycle_t *cycle);
static ngx_int_t wag_init_process(ngx_cycle_t *cycle);
static void wag_exit_process(ngx_cycle_t *cycle);
static void wag_stop(ngx_cycle_t *cycle);


static ngx_conf_enum_t  wag_langs[] = {
    { ngx_string("off"), WAG_LANG_OFF },
    { ngx_string("ar"), WAG_LANG_AR },
    { ngx_string("en"), WAG_LANG_EN },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  wag_senders[] = {
    { ngx_string("any"), WAG_SENDER_ANY },
    { ngx_string("one"), WAG_SENDER_ONE },
    { ngx_string("chat"), WAG_SENDER_CHAT },
    { ngx_string("chat-strict"), WAG_SENDER_CHAT_STRICT },
    { ngx_null_string, 0 }
};


static ngx_command_t  wag_commands[] = {

    { ngx_string("wa_gateway"),
      NGX_HTTP_UPS_CONF|NGX_CONF_ANY,
      wag_balancer_conf,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("wa_gateway_instances"),
      NGX_HTTP_UPS_CONF|NGX_CONF_1MORE,
      wag_servers_instances,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("wa_gateway_check"),
      NGX_HTTP_UPS_CONF|NGX_CONF_ANY,
      wag_check,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("wa_gateway_check_header"),
      NGX_HTTP_UPS_CONF|NGX_CONF_TAKE2,
      wag_check_header,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("wa_gateway_expect"),
      NGX_HTTP_UPS_CONF|NGX_CONF_1MORE,
      wag_check_expect,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("wa_gateway_passive"),
      NGX_HTTP_UPS_CONF|NGX_CONF_ANY,
      wag_passive,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("wa_gateway_keepalive"),
      NGX_HTTP_UPS_CONF|NGX_CONF_1MORE,
      wag_keepalive_conf,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("wa_gateway_sender"),
      NGX_HTTP_UPS_CONF|NGX_CONF_TAKE1,
      wag_balancer_conf_sender,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      &wag_senders },

    { ngx_string("wa_gateway_pace"),
      NGX_HTTP_UPS_CONF|NGX_CONF_1MORE,
      wag_pace_conf,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("wa_gateway_sender"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_enum_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(wag_loc_conf_t, sender),
      &wag_senders },

    { ngx_string("wa_gateway_idempotency"),
      NGX_HTTP_UPS_CONF|NGX_CONF_1MORE,
      wag_idempotency_conf,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("wa_gateway_store"),
      NGX_HTTP_UPS_CONF|NGX_CONF_1MORE,
      wag_store_conf,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("wa_gateway_store"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      wag_store_conf_main,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("wa_gateway_send"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
      wag_generic_conf,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("wa_gateway_allow"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      wag_allow_conf,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("wa_gateway_state"),
      NGX_HTTP_UPS_CONF|NGX_CONF_TAKE1,
      wag_kept_conf,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("wa_gateway_vendor"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_BLOCK|NGX_CONF_TAKE1,
      wag_vendor_conf,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("wa_gateway_sessions"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      wag_sessions_api_conf,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("wa_gateway_status"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      wag_status_conf,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("wa_gateway_health"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      wag_health_conf,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("wa_gateway_metrics"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      wag_metrics_conf,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("wa_gateway_errors"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_enum_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(wag_loc_conf_t, errors),
      &wag_langs },

    { ngx_string("wa_gateway_envelope"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(wag_loc_conf_t, envelope),
      NULL },

    { ngx_string("wa_gateway_api_key"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      wag_access_key,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(wag_loc_conf_t, keys),
      NULL },

    { ngx_string("wa_gateway_admin_key"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      wag_access_key,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(wag_loc_conf_t, admin_keys),
      NULL },

    { ngx_string("wa_gateway_control"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      wag_control_conf,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("wa_gateway_login"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      wag_login_api_conf,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  wag_module_ctx = {
    wag_preconfiguration,                  /* preconfiguration */
    wag_postconfiguration,                 /* postconfiguration */

    wag_conf_create_main,                  /* create main configuration */
    NULL,                                  /* init main configuration */

    wag_conf_create_upstream,              /* create server configuration */
    NULL,                                  /* merge server configuration */

    wag_conf_create_location,              /* create location configuration */
    wag_conf_merge_location                /* merge location configuration */
};


ngx_module_t  ngx_http_wa_gateway_module = {
    NGX_MODULE_V1,
    &wag_module_ctx,                       /* module context */
    wag_commands,                          /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    wag_init_module,                       /* init module */
    wag_init_process,                      /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    wag_exit_process,                      /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_int_t
wag_preconfiguration(ngx_conf_t *cf)
{
    return (wag_ctx_variables(cf) == NGX_OK) ? wag_log_variable(cf)
                                             : NGX_ERROR;
}


static ngx_int_t
wag_postconfiguration(ngx_conf_t *cf)
{
    ngx_http_handler_pt        *h;
    ngx_http_core_main_conf_t  *cmcf;

    if (wag_balancer_conf_finish(cf) != NGX_OK) {
        return NGX_ERROR;
    }

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_ACCESS_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = wag_access_handler;

    wag_filter_init();
    wag_arrival_init();

    return NGX_OK;
}


static ngx_int_t
wag_init_module(ngx_cycle_t *cycle)
{
    ngx_uint_t        i, again;
    wag_zone_t      **zones;
    wag_main_conf_t  *wmcf;

    wmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_wa_gateway_module);

    /*
     * A single process is not started anew for a new configuration: its old
     * checks end here, while the records they write to are still there.
     */

    again = (ngx_process == NGX_PROCESS_SINGLE
             && !ngx_is_init_cycle(cycle->old_cycle));

    if (again) {
        wag_stop(cycle->old_cycle);
    }

    if (wmcf) {
        zones = wmcf->zones.elts;

        for (i = 0; i < wmcf->zones.nelts; i++) {
            wag_zone_commit(zones[i]);
        }

        wag_marks_zone_commit(cycle);
    }

    return again ? wag_init_process(cycle) : NGX_OK;
}


static ngx_int_t
wag_init_process(ngx_cycle_t *cycle)
{
    ngx_uint_t          i;
    wag_zone_t        **zones;
    wag_upstream_t    **usp;
    wag_journal_t     **journals;
    wag_main_conf_t    *wmcf;
    wag_store_t       **stores;
    wag_marks_zone_t  **mzones;

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
        wag_zone_attach(zones[i]);
    }

    mzones = wmcf->marks_zones.elts;

    for (i = 0; i < wmcf->marks_zones.nelts; i++) {
        wag_marks_zone_attach(mzones[i]);
    }

    stores = wmcf->stores.elts;

    for (i = 0; i < wmcf->stores.nelts; i++) {
        if (wag_store_attach(stores[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    journals = wmcf->journals.elts;

    for (i = 0; i < wmcf->journals.nelts; i++) {
        if (wag_journal_attach(journals[i], cycle) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    usp = wmcf->upstreams.elts;

    for (i = 0; i < wmcf->upstreams.nelts; i++) {
        if (wag_checker_start(cycle, usp[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static void
wag_exit_process(ngx_cycle_t *cycle)
{
    ngx_uint_t        i;
    wag_zone_t      **zones;
    wag_journal_t   **journals;
    wag_main_conf_t  *wmcf;

    wmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_wa_gateway_module);

    if ((ngx_process != NGX_PROCESS_WORKER
         && ngx_process != NGX_PROCESS_SINGLE)
        || wmcf == NULL)
    {
        return;
    }

    /* there are no threads any more, those of nginx end before */

    journals = wmcf->journals.elts;

    for (i = 0; i < wmcf->journals.nelts; i++) {
        wag_journal_end(journals[i]);
    }

    wag_stop(cycle);

    zones = wmcf->zones.elts;

    for (i = 0; i < wmcf->zones.nelts; i++) {
        wag_zone_detach(zones[i]);
    }
}


static void
wag_stop(ngx_cycle_t *cycle)
{
    ngx_uint_t          i;
    wag_upstream_t    **usp;
    wag_journal_t     **journals;
    wag_store_t       **stores;
    wag_main_conf_t    *wmcf;
    wag_marks_zone_t  **zones;

    wmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_wa_gateway_module);
    if (wmcf == NULL) {
        return;
    }

    stores = wmcf->stores.elts;

    for (i = 0; i < wmcf->stores.nelts; i++) {
        wag_store_detach(stores[i]);
    }

    journals = wmcf->journals.elts;

    for (i = 0; i < wmcf->journals.nelts; i++) {
        wag_journal_detach(journals[i]);
    }

    zones = wmcf->marks_zones.elts;

    for (i = 0; i < wmcf->marks_zones.nelts; i++) {
        wag_marks_zone_detach(zones[i]);
    }

    usp = wmcf->upstreams.elts;

    for (i = 0; i < wmcf->upstreams.nelts; i++) {
        wag_checker_stop(usp[i]);
    }
}
