
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_pace.h"
#include "wag_param.h"
#include "wag_store_claims.h"
#include "wag_store_conf.h"
#include "wag_store_url.h"


#define WAG_STORE_CONF_TIMEOUT  500
#define WAG_STORE_CONF_PAUSE    500


typedef struct {
    ngx_str_t            prefix;
    ngx_str_t            on_error;
    ngx_msec_t           timeout;
} wag_store_conf_args_t;


static char *wag_store_conf_read(ngx_conf_t *cf, wag_store_t **storep);
#if (WAG_HIREDIS)
static char *wag_store_conf_set(ngx_conf_t *cf, wag_store_t *store,
    wag_store_conf_args_t *args);
static char *wag_store_conf_url(ngx_conf_t *cf, wag_store_t *store);
static ngx_msec_t wag_store_conf_forget(wag_upstream_t *us);


static wag_param_t  wag_store_conf_params[] = {

    { ngx_string("prefix="), WAG_PARAM_STR,
      offsetof(wag_store_conf_args_t, prefix), 0, 0 },

    { ngx_string("timeout="), WAG_PARAM_MSEC,
      offsetof(wag_store_conf_args_t, timeout), 10, 60000 },

    { ngx_string("on_error="), WAG_PARAM_STR,
      offsetof(wag_store_conf_args_t, on_error), 0, 0 },

    { ngx_null_string, 0, 0, 0, 0 }
};
#endif


char *
wag_store_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    wag_upstream_t *us = conf;

    us->directive = cmd->name;

    return wag_store_conf_read(cf, &us->store);
}


char *
wag_store_conf_main(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    wag_main_conf_t *wmcf = conf;

    return wag_store_conf_read(cf, &wmcf->store);
}


#if (WAG_HIREDIS)

static char *
wag_store_conf_read(ngx_conf_t *cf, wag_store_t **storep)
{
    char                   *rv;
    wag_store_t             store;
    wag_store_conf_args_t   args;

    if (*storep) {
        return "is duplicate";
    }

    ngx_memzero(&args, sizeof(wag_store_conf_args_t));
    ngx_memzero(&store, sizeof(wag_store_t));

    args.timeout = WAG_STORE_CONF_TIMEOUT;
    ngx_str_set(&args.prefix, "wa_gateway:");

    rv = wag_param_parse_from(cf, 2, wag_store_conf_params, &args);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    rv = wag_store_conf_set(cf, &store, &args);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    rv = wag_store_conf_url(cf, &store);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    *storep = wag_store_add(cf, &store);
    if (*storep == NULL) {
        return NGX_CONF_ERROR;
    }

    wag_store_claims_keep(*storep);

    return NGX_CONF_OK;
}


static char *
wag_store_conf_set(ngx_conf_t *cf, wag_store_t *store,
    wag_store_conf_args_t *args)
{
    store->link.timeout = args->timeout;
    store->link.pause = WAG_STORE_CONF_PAUSE;
    store->names.prefix = args->prefix;

    if (args->prefix.len > WAG_STORE_PREFIX_LEN
        || !wag_param_printable(&args->prefix))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"prefix=%V\"", &args->prefix);
        return NGX_CONF_ERROR;
    }

    if (args->on_error.len == 0
        || ngx_strcmp(args->on_error.data, "refuse") == 0)
    {
        store->on_error = WAG_STORE_REFUSE;
        return NGX_CONF_OK;
    }

    if (ngx_strcmp(args->on_error.data, "local") == 0) {
        store->on_error = WAG_STORE_LOCAL;
        return NGX_CONF_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid parameter \"on_error=%V\", it is \"refuse\" "
                       "or \"local\"", &args->on_error);

    return NGX_CONF_ERROR;
}


/* a name is looked up here, by the master, and never again */

static char *
wag_store_conf_url(ngx_conf_t *cf, wag_store_t *store)
{
    u_char            *p;
    ngx_url_t          u;
    ngx_str_t         *value;
    const char        *error;
    wag_store_url_t    url;

    value = cf->args->elts;

    error = wag_store_url(&value[1], &url);

    if (error) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid URL of a store: %s", error);
        return NGX_CONF_ERROR;
    }

    ngx_memzero(&u, sizeof(ngx_url_t));

    u.url = url.host;
    u.default_port = WAG_STORE_PORT;

    if (ngx_parse_url(cf->pool, &u) != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%s in store \"%V\"",
                           u.err ? u.err : "no address", &url.host);
        return NGX_CONF_ERROR;
    }

    store->link.addrs = u.addrs;
    store->link.naddrs = u.naddrs;
    store->link.user = url.user;
    store->link.password = url.password;
    store->database = url.database;

    p = ngx_pnalloc(cf->pool, url.host.len + sizeof(":65535/65535"));
    if (p == NULL) {
        return NGX_CONF_ERROR;
    }

    store->shown.data = p;

    p = ngx_cpymem(p, url.host.data, url.host.len);

    if (u.no_port) {
        p = ngx_sprintf(p, ":%d", WAG_STORE_PORT);
    }

    p = ngx_sprintf(p, "/%ui", url.database);

    store->shown.len = p - store->shown.data;
    store->link.name = store->shown;

    return NGX_CONF_OK;
}

#else

static char *
wag_store_conf_read(ngx_conf_t *cf, wag_store_t **storep)
{
    (void) cf;
    (void) storep;

    return "needs hiredis, which this module was built without";
}

#endif


void
wag_store_conf_finish(ngx_conf_t *cf, wag_upstream_t *us)
{
    ngx_msec_t        forget;
    wag_main_conf_t  *wmcf;

    if (us->store == NULL) {
        wmcf = ngx_http_conf_get_module_main_conf(cf,
                                                  ngx_http_wa_gateway_module);
        us->store = wmcf->store;
    }

    if (us->store == NULL) {
        return;
    }

    if (us->idempotency) {

        if (us->idempotency->keeper) {
            ngx_log_error(NGX_LOG_NOTICE, cf->log, 0,
                          "the journal is not used in upstream \"%V\", since "
                          "\"wa_gateway_store\" keeps its keys",
                          &us->uscf->host);
        }

        us->idempotency->keeper = &us->store->keeper;
    }

    forget = wag_store_conf_forget(us);

    us->store->names.forget = ngx_max(us->store->names.forget, forget);
}


/* ms after which it makes no difference what the store had */

static ngx_msec_t
wag_store_conf_forget(wag_upstream_t *us)
{
    ngx_msec_t   forget;
    wag_pace_t  *pace;

    pace = us->pace;

    forget = us->idempotency ? us->idempotency->ttl : 0;

    if (pace) {
        forget = ngx_max(forget, (pace->number.interval * pace->number.size
                                  + pace->recipient.interval
                                    * pace->recipient.size) / 1000
                                 + pace->wait);
    }

    return (pace && pace->day)
           ? ngx_max(forget, (ngx_msec_t) WAG_BUCKET_DAY / 1000) : forget;
}
