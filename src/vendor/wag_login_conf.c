
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_argument.h"
#include "wag_login_conf.h"
#include "wag_param.h"
#include "wag_vendor.h"


/* in ms; WhatsApp has a new QR code every 20 seconds */

#define WAG_LOGIN_REFRESH      5000
#define WAG_LOGIN_MAX_REFRESH  600000


typedef struct {
    ngx_str_t            base64;
    ngx_str_t            link;
    ngx_str_t            code;
    ngx_array_t         *statuses;
    ngx_msec_t           refresh;
} wag_login_args_t;


static ngx_int_t wag_login_conf_request(ngx_conf_t *cf,
    wag_vendor_question_t *asked);
static ngx_int_t wag_login_conf_body(ngx_conf_t *cf, ngx_str_t *text);


static wag_param_t  wag_login_params[] = {

    { ngx_string("base64="), WAG_PARAM_STR,
      offsetof(wag_login_args_t, base64), 0, 0 },

    { ngx_string("link="), WAG_PARAM_STR,
      offsetof(wag_login_args_t, link), 0, 0 },

    { ngx_string("code="), WAG_PARAM_STR,
      offsetof(wag_login_args_t, code), 0, 0 },

    { ngx_string("status="), WAG_PARAM_STATUS,
      offsetof(wag_login_args_t, statuses), 200, 599 },

    { ngx_string("refresh="), WAG_PARAM_MSEC,
      offsetof(wag_login_args_t, refresh), 1000,
      WAG_LOGIN_MAX_REFRESH },

    { ngx_null_string, 0, 0, 0, 0 }
};


static wag_param_t  wag_login_start_params[] = {

    { ngx_string("status="), WAG_PARAM_STATUS,
      offsetof(wag_login_args_t, statuses), 200, 599 },

    { ngx_null_string, 0, 0, 0, 0 }
};


char *
wag_login_conf(ngx_conf_t *cf, void *conf)
{
    wag_vendor_login_t *login = conf;

    char              *rv;
    wag_login_args_t   args;

    if (login->asked.method.len) {
        return "is duplicate";
    }

    ngx_memzero(&args, sizeof(wag_login_args_t));
    args.refresh = WAG_LOGIN_REFRESH;

    rv = wag_param_parse_from(cf, 3, wag_login_params, &args);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    if (args.base64.len && args.link.len) {
        return "has \"base64=\" and \"link=\"";
    }

    login->form = args.base64.len ? WAG_VENDOR_LOGIN_BASE64
                  : args.link.len ? WAG_VENDOR_LOGIN_LINK
                                  : WAG_VENDOR_LOGIN_IMAGE;

    if (args.code.len && login->form == WAG_VENDOR_LOGIN_IMAGE) {
        return "has \"code=\", which an image has not";
    }

    login->refresh = args.refresh;
    login->asked.statuses = args.statuses;

    return (wag_login_conf_request(cf, &login->asked) == NGX_OK
            && wag_argument_path(cf, &args.code, &login->code) == NGX_OK
            && wag_argument_path(cf, args.base64.len ? &args.base64
                                                     : &args.link,
                                 &login->asked.value)
               == NGX_OK)
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


char *
wag_login_conf_start(ngx_conf_t *cf, void *conf)
{
    wag_vendor_question_t *start = conf;

    char              *rv;
    ngx_str_t         *value;
    ngx_uint_t         first;
    wag_login_args_t   args;

    if (start->method.len) {
        return "is duplicate";
    }

    value = cf->args->elts;
    first = 3;

    if (cf->args->nelts > 3 && value[3].len && value[3].data[0] == '{') {

        if (ngx_strcmp(value[1].data, "POST") != 0) {
            return "has a body, which is for POST";
        }

        if (wag_login_conf_body(cf, &value[3]) != NGX_OK) {
            return NGX_CONF_ERROR;
        }

        start->body = value[3];
        first++;
    }

    ngx_memzero(&args, sizeof(wag_login_args_t));

    rv = wag_param_parse_from(cf, first, wag_login_start_params, &args);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    start->statuses = args.statuses;

    return (wag_login_conf_request(cf, start) == NGX_OK) ? NGX_CONF_OK
                                                         : NGX_CONF_ERROR;
}


static ngx_int_t
wag_login_conf_request(ngx_conf_t *cf, wag_vendor_question_t *asked)
{
    ngx_str_t  *value;

    value = cf->args->elts;

    asked->method = value[1];

    return wag_argument_request(cf, &value[1], "GET", "POST",
                                WAG_TEMPLATE_ASK, &asked->uri);
}


/* it is sent as it is */

static ngx_int_t
wag_login_conf_body(ngx_conf_t *cf, ngx_str_t *text)
{
    cJSON       *json;
    const char  *err;

    json = wag_json_parse(text, &err);

    if (json == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid JSON \"%V\": %s",
                           text, err);
        return NGX_ERROR;
    }

    cJSON_Delete(json);

    return NGX_OK;
}
