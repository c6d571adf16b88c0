
/*
 * Copyright (C) the wa_gateway authors
 */


#ifndef _WAG_PARAM_H_INCLUDED_
#define _WAG_PARAM_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define WAG_PARAM_STR      0   /* ngx_str_t, not empty */
#define WAG_PARAM_MSEC     1   /* ngx_msec_t: 30s, 500ms */
#define WAG_PARAM_NUM      2   /* ngx_uint_t */
#define WAG_PARAM_PERCENT  3   /* ngx_uint_t: 10% */
#define WAG_PARAM_FLAG     4   /* ngx_flag_t: on, off */
#define WAG_PARAM_STATUS   5   /* ngx_array_t *: 500-599,429 */
#define WAG_PARAM_SECRET   6   /* STR that no message shows */


#define WAG_MAX_NUM        1000000
#define WAG_MAX_MSEC       (365 * 86400 * (ngx_int_t) 1000)


typedef struct {
    ngx_str_t            name;    /* with the "=", null_string at the end */
    ngx_uint_t           type;
    size_t               offset;  /* of the value in conf */
    ngx_int_t            min;     /* of ms, numbers, percents, statuses */
    ngx_int_t            max;
} wag_param_t;


/*
 * Reads the "name=value" arguments of a directive into conf.  An unknown, bad
 * or repeated one is logged as nginx does.
 */
char *wag_param_parse(ngx_conf_t *cf, wag_param_t *params, void *conf);

/*
 * The same for arguments from this one on, the name of the directive being 0.
 */
char *wag_param_parse_from(ngx_conf_t *cf, ngx_uint_t first,
    wag_param_t *params, void *conf);

/*
 * Statuses as of WAG_PARAM_STATUS, as pairs of first and last.  NULL: they are
 * wrong, or there is no memory.
 */
ngx_array_t *wag_param_statuses(ngx_conf_t *cf, ngx_str_t *value,
    ngx_int_t min, ngx_int_t max);

/*
 * A zone as "name" or "name:size", in bytes: what is not given stays as it is.
 * NGX_OK: the size is given; NGX_DECLINED: it is not; NGX_ERROR: it is wrong,
 * which is logged.
 */
ngx_int_t wag_param_zone(ngx_conf_t *cf, ngx_str_t *value, ngx_str_t *name,
    ssize_t *size);

/*
 * Whether a name can stand in a log line, a header, JSON and a label: UTF-8
 * (RFC 3629) without control characters.
 */
ngx_uint_t wag_param_printable(ngx_str_t *name);


#endif /* _WAG_PARAM_H_INCLUDED_ */
