
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_param.h"


static ngx_int_t wag_param_set(ngx_conf_t *cf, wag_param_t *param,
    ngx_str_t *value, void *conf);
static ngx_int_t wag_param_number(wag_param_t *param, ngx_str_t *value,
    ngx_int_t *n);
static ngx_int_t wag_param_flag(ngx_str_t *value, ngx_flag_t *flag);


char *
wag_param_parse(ngx_conf_t *cf, wag_param_t *params, void *conf)
{
    return wag_param_parse_from(cf, 1, params, conf);
}


char *
wag_param_parse_from(ngx_conf_t *cf, ngx_uint_t first, wag_param_t *params,
    void *conf)
{
    ngx_str_t    *args, value;
    ngx_uint_t    i, seen, bit;
    wag_param_t  *param;

    args = cf->args->elts;
    seen = 0;

    for (i = first; i < cf->args->nelts; i++) {

        bit = 1;

        for (param = params; param->name.len; param++) {

            if (ngx_strncmp(args[i].data, param->name.data, param->name.len)
                == 0)
            {
                break;
            }

            bit <<= 1;
        }

        if (param->name.len == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\"", &args[i]);
            return NGX_CONF_ERROR;
        }

        if (seen & bit) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate parameter \"%V\"",
                               (param->type == WAG_PARAM_SECRET) ? &param->name
                                                                 : &args[i]);
            return NGX_CONF_ERROR;
        }

        seen |= bit;

        value.len = args[i].len - param->name.len;
        value.data = args[i].data + param->name.len;

        if (value.len == 0
            || wag_param_set(cf, param, &value, conf)
               != NGX_OK)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\"", &args[i]);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static ngx_int_t
wag_param_set(ngx_conf_t *cf, wag_param_t *param, ngx_str_t *value, void *conf)
{
    void          *p;
    ngx_int_t      n;
    ngx_array_t  **ranges;

    p = (char *) conf + param->offset;

    switch (param->type) {

    case WAG_PARAM_STR:
    case WAG_PARAM_SECRET:
        *(ngx_str_t *) p = *value;
        return NGX_OK;

    case WAG_PARAM_FLAG:
        return wag_param_flag(value, p);

    case WAG_PARAM_STATUS:
        ranges = p;
        *ranges = wag_param_statuses(cf, value, param->min, param->max);
        return (*ranges == NULL) ? NGX_ERROR : NGX_OK;

    default:

        if (wag_param_number(param, value, &n) != NGX_OK) {
            return NGX_ERROR;
        }

        /* ngx_msec_t and ngx_uint_t are one type */

        *(ngx_uint_t *) p = n;
        return NGX_OK;
    }
}


static ngx_int_t
wag_param_number(wag_param_t *param, ngx_str_t *value, ngx_int_t *n)
{
    switch (param->type) {

    case WAG_PARAM_MSEC:
        *n = ngx_parse_time(value, 0);
        break;

    case WAG_PARAM_PERCENT:

        if (value->data[value->len - 1] != '%') {
            return NGX_ERROR;
        }

        *n = ngx_atoi(value->data, value->len - 1);
        break;

    default:
        *n = ngx_atoi(value->data, value->len);
    }

    if (*n == NGX_ERROR || *n < param->min || *n > param->max) {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
wag_param_flag(ngx_str_t *value, ngx_flag_t *flag)
{
    if (ngx_strcmp(value->data, "on") == 0) {
        *flag = 1;
        return NGX_OK;
    }

    if (ngx_strcmp(value->data, "off") == 0) {
        *flag = 0;
        return NGX_OK;
    }

    return NGX_ERROR;
}


/* codes and ranges separated by commas, as pairs of first and last */

ngx_array_t *
wag_param_statuses(ngx_conf_t *cf, ngx_str_t *value, ngx_int_t min,
    ngx_int_t max)
{
    u_char       *p, *last, *end, *dash;
    ngx_int_t     from, to;
    ngx_uint_t   *range;
    ngx_array_t  *ranges;

    ranges = ngx_array_create(cf->pool, 2, sizeof(ngx_uint_t));
    if (ranges == NULL) {
        return NULL;
    }

    last = value->data + value->len;

    for (p = value->data; p <= last; p = end + 1) {

        end = ngx_strlchr(p, last, ',');
        if (end == NULL) {
            end = last;
        }

        dash = ngx_strlchr(p, end, '-');
        if (dash == NULL) {
            from = ngx_atoi(p, end - p);
            to = from;

        } else {
            from = ngx_atoi(p, dash - p);
            to = ngx_atoi(dash + 1, end - dash - 1);
        }

        if (from == NGX_ERROR || to == NGX_ERROR
            || from < min || to > max || from > to)
        {
            return NULL;
        }

        range = ngx_array_push_n(ranges, 2);
        if (range == NULL) {
            return NULL;
        }

        range[0] = from;
        range[1] = to;
    }

    return ranges;
}


ngx_int_t
wag_param_zone(ngx_conf_t *cf, ngx_str_t *value, ngx_str_t *name,
    ssize_t *size)
{
    u_char     *p;
    ngx_str_t   s;

    if (value->len == 0) {
        return NGX_DECLINED;
    }

    *name = *value;

    p = ngx_strlchr(value->data, value->data + value->len, ':');

    if (p) {
        name->len = p - name->data;

        s.data = p + 1;
        s.len = value->data + value->len - s.data;

        *size = ngx_parse_size(&s);
    }

    if (name->len == 0 || *size == NGX_ERROR || !wag_param_printable(name)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"zone=%V\"", value);
        return NGX_ERROR;
    }

    if (*size < (ssize_t) (8 * ngx_pagesize)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "zone \"%V\" is too small", value);
        return NGX_ERROR;
    }

    return p ? NGX_OK : NGX_DECLINED;
}


ngx_uint_t
wag_param_printable(ngx_str_t *name)
{
    u_char   *p, *last;
    uint32_t  c;

    p = name->data;
    last = p + name->len;

    while (p < last) {

        c = (*p < 0x80) ? *p++ : ngx_utf8_decode(&p, last - p);

        if (c < 0x20 || (c >= 0x7f && c < 0xa0) || c > 0x10ffff) {
            return 0;
        }
    }

    return 1;
}
