
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_argument.h"
#include "wag_param.h"
#include "wag_question_conf.h"
#include "wag_vendor.h"


/* the arguments of what is asked, as they are written */

typedef struct {
    ngx_str_t            items;
    ngx_str_t            name;
    ngx_str_t            label;
    ngx_str_t            number;
    ngx_str_t            state;
    ngx_array_t         *statuses;
    ngx_array_t         *absent;
    ngx_flag_t           empty;
    ngx_flag_t           secret;
} wag_question_args_t;


static ngx_int_t wag_question_conf_request(ngx_conf_t *cf,
    wag_vendor_question_t *question);
static ngx_int_t wag_question_conf_paths(ngx_conf_t *cf, ngx_str_t *text,
    wag_vendor_question_t *question);


static wag_param_t  wag_question_list_params[] = {

    { ngx_string("items="), WAG_PARAM_STR,
      offsetof(wag_question_args_t, items), 0, 0 },

    { ngx_string("name="), WAG_PARAM_STR,
      offsetof(wag_question_args_t, name), 0, 0 },

    { ngx_string("label="), WAG_PARAM_STR,
      offsetof(wag_question_args_t, label), 0, 0 },

    { ngx_string("number="), WAG_PARAM_STR,
      offsetof(wag_question_args_t, number), 0, 0 },

    { ngx_string("state="), WAG_PARAM_STR,
      offsetof(wag_question_args_t, state), 0, 0 },

    { ngx_string("status="), WAG_PARAM_STATUS,
      offsetof(wag_question_args_t, statuses), 200, 599 },

    { ngx_string("empty="), WAG_PARAM_FLAG,
      offsetof(wag_question_args_t, empty), 0, 0 },

    { ngx_string("secret="), WAG_PARAM_FLAG,
      offsetof(wag_question_args_t, secret), 0, 0 },

    { ngx_null_string, 0, 0, 0, 0 }
};


static wag_param_t  wag_question_ask_params[] = {

    { ngx_string("state="), WAG_PARAM_STR,
      offsetof(wag_question_args_t, state), 0, 0 },

    { ngx_string("number="), WAG_PARAM_STR,
      offsetof(wag_question_args_t, number), 0, 0 },

    { ngx_string("status="), WAG_PARAM_STATUS,
      offsetof(wag_question_args_t, statuses), 200, 599 },

    { ngx_string("absent="), WAG_PARAM_STATUS,
      offsetof(wag_question_args_t, absent), 200, 599 },

    { ngx_null_string, 0, 0, 0, 0 }
};


char *
wag_question_conf_list(ngx_conf_t *cf, void *conf)
{
    wag_vendor_t *vendor = conf;

    char                   *rv;
    wag_question_args_t     args;
    wag_vendor_question_t  *list;

    list = &vendor->list;

    if (list->method.len) {
        return "is duplicate";
    }

    ngx_memzero(&args, sizeof(wag_question_args_t));

    rv = wag_param_parse_from(cf, 3, wag_question_list_params, &args);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    if (args.name.len == 0) {
        return "needs \"name=\"";
    }

    if (args.label.len && !args.secret) {
        return "has \"label=\", which is for \"secret=on\"";
    }

    list->statuses = args.statuses;
    list->empty = args.empty;
    vendor->secret = args.secret;

    if (wag_question_conf_request(cf, list) != NGX_OK
        || wag_argument_path(cf, &args.items, &list->items) != NGX_OK
        || wag_argument_path(cf, &args.name, &list->name) != NGX_OK
        || wag_argument_path(cf, &args.label, &list->label) != NGX_OK
        || wag_argument_path(cf, &args.number, &list->number) != NGX_OK
        || wag_question_conf_paths(cf, &args.state, list) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (list->items == NULL) {
        return "needs \"items=\"";
    }

    return NGX_CONF_OK;
}


char *
wag_question_conf_ask(ngx_conf_t *cf, void *conf)
{
    wag_vendor_question_t *ask = conf;

    char                 *rv;
    wag_question_args_t   args;

    if (ask->method.len) {
        return "is duplicate";
    }

    ngx_memzero(&args, sizeof(wag_question_args_t));

    rv = wag_param_parse_from(cf, 3, wag_question_ask_params, &args);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    if (args.state.len == 0) {
        return "needs \"state=\"";
    }

    ask->statuses = args.statuses;
    ask->absent = args.absent;

    return (wag_question_conf_request(cf, ask) == NGX_OK
            && wag_argument_path(cf, &args.number, &ask->number) == NGX_OK
            && wag_question_conf_paths(cf, &args.state, ask) == NGX_OK)
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


char *
wag_question_conf_value(ngx_conf_t *cf, void *conf)
{
    wag_vendor_question_t *question = conf;

    ngx_str_t  *value;

    if (question->method.len) {
        return "is duplicate";
    }

    value = cf->args->elts;

    question->statuses = ngx_array_create(cf->pool, 2, sizeof(ngx_uint_t));
    if (question->statuses == NULL) {
        return NGX_CONF_ERROR;
    }

    /* a token is 201 */

    *(ngx_uint_t *) ngx_array_push(question->statuses) = 200;
    *(ngx_uint_t *) ngx_array_push(question->statuses) = 201;

    return (wag_question_conf_request(cf, question) == NGX_OK
            && wag_argument_path(cf, &value[3], &question->value) == NGX_OK)
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


/* METHOD URI, the first two arguments of each */

static ngx_int_t
wag_question_conf_request(ngx_conf_t *cf, wag_vendor_question_t *question)
{
    ngx_str_t  *value;

    value = cf->args->elts;

    question->method = value[1];

    return wag_argument_request(cf, &value[1], "GET", "POST",
                                WAG_TEMPLATE_ASK, &question->uri);
}


/* several, with commas between them */

static ngx_int_t
wag_question_conf_paths(ngx_conf_t *cf, ngx_str_t *text,
    wag_vendor_question_t *question)
{
    u_char     *p, *last, *end;
    ngx_str_t   one;

    p = text->data;
    last = p + text->len;

    while (text->len && p <= last) {

        if (question->nstates == WAG_VENDOR_STATES) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "more than %d paths in \"%V\"",
                               WAG_VENDOR_STATES, text);
            return NGX_ERROR;
        }

        end = ngx_strlchr(p, last, ',');
        if (end == NULL) {
            end = last;
        }

        one.data = p;
        one.len = end - p;

        if (one.len == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "empty path in \"%V\"",
                               text);
            return NGX_ERROR;
        }

        if (wag_argument_path(cf, &one,
                              &question->states[question->nstates++])
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        p = end + 1;
    }

    return NGX_OK;
}
