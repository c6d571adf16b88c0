
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_balancer.h"
#include "wag_balancer_conf.h"
#include "wag_check.h"
#include "wag_conf.h"
#include "wag_discovery.h"
#include "wag_idempotency_conf.h"
#include "wag_keepalive_conf.h"
#include "wag_names.h"
#include "wag_param.h"
#include "wag_passive.h"
#include "wag_server_vendor.h"
#include "wag_sessions_memory.h"
#include "wag_slot_table.h"
#include "wag_state.h"
#include "wag_store_conf.h"
#include "wag_table.h"
#include "wag_zone.h"


#define WAG_ZONE_SIZE  (256 * 1024)

/* sessions that have a metric each, at most */

#define WAG_SESSION_METRICS  1000

/* ms until a name is looked up again, at most */

#define WAG_DNS_REFRESH  30000


typedef struct {
    ngx_str_t            zone;
    ngx_str_t            retry;
    ngx_str_t            vendor;
    ngx_str_t            key;
    ngx_str_t            key_file;
    ngx_uint_t           sessions;
    ngx_uint_t           session_metrics;
    ngx_uint_t           capacity;
    ngx_msec_t           refresh;
} wag_balancer_args_t;


static ngx_int_t wag_balancer_conf_zone(ngx_conf_t *cf, wag_upstream_t *us,
    ngx_str_t *value);
static ngx_int_t wag_balancer_conf_vendor(ngx_conf_t *cf, wag_upstream_t *us,
    wag_balancer_args_t *args);
static void wag_balancer_conf_size(wag_upstream_t *us);
static ngx_int_t wag_balancer_conf_finish_upstream(ngx_conf_t *cf,
    ngx_http_upstream_srv_conf_t *uscf, wag_upstream_t *us);


static wag_param_t  wag_balancer_params[] = {

    { ngx_string("zone="), WAG_PARAM_STR,
      offsetof(wag_balancer_args_t, zone), 0, 0 },

    { ngx_string("retry="), WAG_PARAM_STR,
      offsetof(wag_balancer_args_t, retry), 0, 0 },

    { ngx_string("vendor="), WAG_PARAM_STR,
      offsetof(wag_balancer_args_t, vendor), 0, 0 },

    { ngx_string("key="), WAG_PARAM_SECRET,
      offsetof(wag_balancer_args_t, key), 0, 0 },

    { ngx_string("key_file="), WAG_PARAM_STR,
      offsetof(wag_balancer_args_t, key_file), 0, 0 },

    { ngx_string("sessions="), WAG_PARAM_NUM,
      offsetof(wag_balancer_args_t, sessions), 1, WAG_MAX_NUM },

    { ngx_string("session_metrics="), WAG_PARAM_NUM,
      offsetof(wag_balancer_args_t, session_metrics), 0, WAG_MAX_NUM },

    { ngx_string("capacity="), WAG_PARAM_NUM,
      offsetof(wag_balancer_args_t, capacity), 1, 10000 },

    { ngx_string("dns_refresh="), WAG_PARAM_MSEC,
      offsetof(wag_balancer_args_t, refresh), 0, WAG_MAX_MSEC },

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

    args.session_metrics = WAG_SESSION_METRICS;
    args.refresh = WAG_DNS_REFRESH;

    rv = wag_param_parse(cf, wag_balancer_params, &args);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    us->uscf = uscf;
    us->capacity = args.capacity;
    us->refresh = args.refresh;

    if (args.retry.len == 0 || ngx_strcmp(args.retry.data, "unsent") == 0) {
        us->retry = WAG_RETRY_UNSENT;

    } else if (ngx_strcmp(args.retry.data, "idempotent") == 0) {
        us->retry = WAG_RETRY_SAFE;

    } else {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"retry=%V\"", &args.retry);
        return NGX_CONF_ERROR;
    }

    if (wag_balancer_conf_zone(cf, us, &args.zone) != NGX_OK
        || wag_balancer_conf_vendor(cf, us, &args) != NGX_OK)
    {
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


char *
wag_balancer_conf_sender(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    wag_upstream_t *us = conf;

    ngx_str_t        *value;
    ngx_conf_enum_t  *sender;

    us->directive = cmd->name;

    if (us->sender_set) {
        return "is duplicate";
    }

    value = cf->args->elts;

    for (sender = cmd->post; sender->name.len; sender++) {
        if (ngx_strcmp(sender->name.data, value[1].data) == 0) {
            us->sender = sender->value;
            us->sender_set = 1;
            return NGX_CONF_OK;
        }
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid value \"%V\"",
                       &value[1]);

    return NGX_CONF_ERROR;
}


static ngx_int_t
wag_balancer_conf_zone(ngx_conf_t *cf, wag_upstream_t *us, ngx_str_t *value)
{
    ssize_t           size;
    ngx_int_t         rc;
    ngx_str_t         name;
    wag_upstream_t  **usp;
    wag_main_conf_t  *wmcf;

    if (!wag_param_printable(&us->uscf->host)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "control character, or no UTF-8, in the name of "
                           "upstream \"%V\"", &us->uscf->host);
        return NGX_ERROR;
    }

    name = us->uscf->host;
    size = WAG_ZONE_SIZE;

    rc = wag_param_zone(cf, value, &name, &size);
    if (rc == NGX_ERROR) {
        return rc;
    }

    wmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_wa_gateway_module);

    us->zone = wag_zone_add(cf, wmcf, &name, size);
    if (us->zone == NULL) {
        return NGX_ERROR;
    }

    us->zone->sized |= (rc == NGX_OK);

    usp = ngx_array_push(&us->zone->upstreams);
    if (usp == NULL) {
        return NGX_ERROR;
    }

    *usp = us;

    return NGX_OK;
}


static ngx_int_t
wag_balancer_conf_vendor(ngx_conf_t *cf, wag_upstream_t *us,
    wag_balancer_args_t *args)
{
    us->vendor = args->vendor;
    us->key = args->key;
    us->max_sessions = args->sessions;
    us->metric_sessions = args->session_metrics;

    if (args->key_file.len == 0) {
        return NGX_OK;
    }

    if (args->key.len) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"key=\" together with \"key_file=\"");
        return NGX_ERROR;
    }

    return wag_server_vendor_keys(cf, us, &args->key_file);
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

    if (wag_server_vendor_finish(cf, us) != NGX_OK
        || wag_names_finish(cf, us) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (us->vendors && wag_check_imply(cf, us) != NGX_OK) {
        return NGX_ERROR;
    }

    if (us->check && wag_check_finish(cf, us) != NGX_OK) {
        return NGX_ERROR;
    }

    if (wag_discovery_finish(cf, us) != NGX_OK) {
        return NGX_ERROR;
    }

    wag_idempotency_conf_finish(cf, us);
    wag_store_conf_finish(cf, us);

    wag_balancer_conf_size(us);

    wag_state_init(&us->initial, &us->policy);

    /* the room a slot table needs is known with slow_start= only */

    return wag_slot_table_create(cf, us);
}


/* a zone whose size was not given has room for sessions and capacity= */

static void
wag_balancer_conf_size(wag_upstream_t *us)
{
    if (!us->zone->sized) {
        us->zone->shm_zone->shm.size +=
                                  wag_sessions_memory_size(us->max_sessions)
                                  + wag_table_spare_size(us->capacity);
    }
}
