
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_pace.h"
#include "wag_pace_conf.h"
#include "wag_param.h"


#define WAG_PACE_ZONE_SIZE  (4 * 1024 * 1024)

#define WAG_PACE_MAX_COUNT  1000000

/* of three policies */

#define WAG_PACE_POLICY_LEN  256
#define WAG_PACE_MAX_WAIT   (3600 * 1000)


typedef struct {
    ngx_str_t            number;
    ngx_str_t            recipient;
    ngx_str_t            zone;
    ngx_str_t            day_start;
    ngx_uint_t           burst;
    ngx_uint_t           day;
    ngx_msec_t           wait;
    ngx_msec_t           jitter;
} wag_pace_args_t;


static char *wag_pace_conf_set(ngx_conf_t *cf, wag_upstream_t *us,
    wag_pace_args_t *args);
static ngx_int_t wag_pace_conf_rate(ngx_str_t *value, ngx_uint_t burst,
    wag_bucket_rule_t *rule, uint64_t *period, ngx_uint_t *count);
static ngx_int_t wag_pace_conf_time(ngx_str_t *value, ngx_uint_t *seconds);
static ngx_int_t wag_pace_conf_policies(ngx_conf_t *cf, wag_pace_t *pace);
static ngx_int_t wag_pace_conf_policy(ngx_conf_t *cf, wag_pace_t *pace,
    ngx_uint_t to, ngx_str_t *policy);
static char *wag_pace_conf_zone(ngx_conf_t *cf, wag_upstream_t *us,
    ngx_str_t *value);


static wag_param_t  wag_pace_params[] = {

    { ngx_string("number="), WAG_PARAM_STR,
      offsetof(wag_pace_args_t, number), 0, 0 },

    { ngx_string("recipient="), WAG_PARAM_STR,
      offsetof(wag_pace_args_t, recipient), 0, 0 },

    { ngx_string("burst="), WAG_PARAM_NUM,
      offsetof(wag_pace_args_t, burst), 1, 100000 },

    { ngx_string("day="), WAG_PARAM_NUM,
      offsetof(wag_pace_args_t, day), 1, WAG_MAX_NUM },

    { ngx_string("day_start="), WAG_PARAM_STR,
      offsetof(wag_pace_args_t, day_start), 0, 0 },

    { ngx_string("wait="), WAG_PARAM_MSEC,
      offsetof(wag_pace_args_t, wait), 0, WAG_PACE_MAX_WAIT },

    { ngx_string("jitter="), WAG_PARAM_MSEC,
      offsetof(wag_pace_args_t, jitter), 0, WAG_PACE_MAX_WAIT },

    { ngx_string("zone="), WAG_PARAM_STR,
      offsetof(wag_pace_args_t, zone), 0, 0 },

    { ngx_null_string, 0, 0, 0, 0 }
};


char *
wag_pace_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    wag_upstream_t *us = conf;

    char             *rv;
    wag_pace_args_t   args;

    us->directive = cmd->name;

    if (us->pace) {
        return "is duplicate";
    }

    us->pace = ngx_pcalloc(cf->pool, sizeof(wag_pace_t));
    if (us->pace == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(&args, sizeof(wag_pace_args_t));

    args.burst = 1;

    rv = wag_param_parse(cf, wag_pace_params, &args);

    return (rv == NGX_CONF_OK) ? wag_pace_conf_set(cf, us, &args) : rv;
}


static char *
wag_pace_conf_set(ngx_conf_t *cf, wag_upstream_t *us, wag_pace_args_t *args)
{
    wag_pace_t  *pace;

    pace = us->pace;

    pace->day = args->day;
    pace->wait = args->wait;
    pace->jitter = args->jitter;

    if (args->number.len
        && wag_pace_conf_rate(&args->number, args->burst, &pace->number,
                              &pace->period, &pace->count)
           != NGX_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"number=%V\", it is a rate "
                           "as 20/m, by s, m or h", &args->number);
        return NGX_CONF_ERROR;
    }

    if (args->recipient.len
        && wag_pace_conf_rate(&args->recipient, args->burst, &pace->recipient,
                              &pace->to_period, &pace->to_count)
           != NGX_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"recipient=%V\", it is a rate "
                           "as 10/m, by s, m or h", &args->recipient);
        return NGX_CONF_ERROR;
    }

    if (args->day_start.len
        && wag_pace_conf_time(&args->day_start, &pace->day_start) != NGX_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"day_start=%V\", it is a time "
                           "as 06:00", &args->day_start);
        return NGX_CONF_ERROR;
    }

    if (pace->number.interval == 0 && pace->recipient.interval == 0
        && pace->day == 0)
    {
        return "needs \"number=\", \"recipient=\" or \"day=\"";
    }

    if (wag_pace_conf_policies(cf, pace) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return wag_pace_conf_zone(cf, us, &args->zone);
}


/* an interval is rounded up, so that none is ever over */

static ngx_int_t
wag_pace_conf_rate(ngx_str_t *value, ngx_uint_t burst, wag_bucket_rule_t *rule,
    uint64_t *period, ngx_uint_t *count)
{
    ngx_int_t  n;

    if (value->len < 3 || value->data[value->len - 2] != '/') {
        return NGX_ERROR;
    }

    switch (value->data[value->len - 1]) {

    case 's':
        *period = 1000000;
        break;

    case 'm':
        *period = 60 * 1000000;
        break;

    case 'h':
        *period = (uint64_t) 3600 * 1000000;
        break;

    default:
        return NGX_ERROR;
    }

    n = ngx_atoi(value->data, value->len - 2);

    if (n < 1 || n > WAG_PACE_MAX_COUNT) {
        return NGX_ERROR;
    }

    *count = n;

    rule->interval = (*period + n - 1) / n;
    rule->size = burst;

    return NGX_OK;
}


static ngx_int_t
wag_pace_conf_time(ngx_str_t *value, ngx_uint_t *seconds)
{
    ngx_int_t  hours, minutes;

    if (value->len != 5 || value->data[2] != ':') {
        return NGX_ERROR;
    }

    hours = ngx_atoi(value->data, 2);
    minutes = ngx_atoi(value->data + 3, 2);

    if (hours == NGX_ERROR || hours > 23
        || minutes == NGX_ERROR || minutes > 59)
    {
        return NGX_ERROR;
    }

    *seconds = hours * 3600 + minutes * 60;

    return NGX_OK;
}


static char *
wag_pace_conf_zone(ngx_conf_t *cf, wag_upstream_t *us, ngx_str_t *value)
{
    ssize_t                        size;
    ngx_str_t                      name;
    ngx_http_upstream_srv_conf_t  *uscf;

    size = WAG_PACE_ZONE_SIZE;

    if (value->len == 0) {
        uscf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_upstream_module);

        name.len = uscf->host.len + sizeof(":pace") - 1;
        name.data = ngx_pnalloc(cf->pool, name.len);
        if (name.data == NULL) {
            return NGX_CONF_ERROR;
        }

        ngx_sprintf(name.data, "%V:pace", &uscf->host);
    }

    if (wag_param_zone(cf, value, &name, &size) == NGX_ERROR) {
        return NGX_CONF_ERROR;
    }

    us->pace->zone = wag_pace_zone(cf, &name, size);

    return us->pace->zone ? NGX_CONF_OK : NGX_CONF_ERROR;
}


/* draft-ietf-httpapi-ratelimit-headers: what is the same in all answers */

static ngx_int_t
wag_pace_conf_policies(ngx_conf_t *cf, wag_pace_t *pace)
{
    return (wag_pace_conf_policy(cf, pace, 0, &pace->policy) == NGX_OK)
           ? wag_pace_conf_policy(cf, pace, 1, &pace->to_policy) : NGX_ERROR;
}


static ngx_int_t
wag_pace_conf_policy(ngx_conf_t *cf, wag_pace_t *pace, ngx_uint_t to,
    ngx_str_t *policy)
{
    u_char  *p;

    p = ngx_pnalloc(cf->pool, WAG_PACE_POLICY_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    policy->data = p;

    if (pace->number.interval) {
        p = ngx_sprintf(p, "\"number\";q=%ui;w=%uL, ", pace->count,
                        pace->period / 1000000);
    }

    if (to && pace->recipient.interval) {
        p = ngx_sprintf(p, "\"recipient\";q=%ui;w=%uL, ", pace->to_count,
                        pace->to_period / 1000000);
    }

    if (pace->day) {
        p = ngx_sprintf(p, "\"day\";q=%ui;w=86400, ", pace->day);
    }

    /* without the ", " at the end, if there is any */

    policy->len = (p == policy->data) ? 0 : p - policy->data - 2;

    return NGX_OK;
}
