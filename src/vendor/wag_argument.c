
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_argument.h"
#include "wag_template_compile.h"


ngx_int_t
wag_argument_template(ngx_conf_t *cf, ngx_str_t *text, ngx_uint_t places,
    wag_template_t *template)
{
    ngx_int_t  rc;
    ngx_str_t  bad, names;

    rc = wag_template_compile(cf->pool, text, places, template, &bad);

    if (rc == NGX_DECLINED
        && wag_template_compile_names(cf->pool, places, &names) == NGX_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "unknown \"%V\" in \"%V\", there are %V", &bad,
                           text, &names);
    }

    return (rc == NGX_OK) ? NGX_OK : NGX_ERROR;
}


ngx_int_t
wag_argument_request(ngx_conf_t *cf, ngx_str_t *value, const char *method,
    const char *other, ngx_uint_t places, wag_template_t *uri)
{
    if (ngx_strcmp(value[0].data, method) != 0
        && ngx_strcmp(value[0].data, other) != 0)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid method \"%V\", it is %s or %s", &value[0],
                           method, other);
        return NGX_ERROR;
    }

    if (value[1].len == 0 || value[1].data[0] != '/') {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid URI \"%V\", it must begin with \"/\"",
                           &value[1]);
        return NGX_ERROR;
    }

    return wag_argument_template(cf, &value[1], places, uri);
}


ngx_int_t
wag_argument_path(ngx_conf_t *cf, ngx_str_t *text, wag_json_path_t **path)
{
    ngx_int_t  rc;

    if (text->len == 0) {
        *path = NULL;
        return NGX_OK;
    }

    *path = ngx_palloc(cf->pool, sizeof(wag_json_path_t));
    if (*path == NULL) {
        return NGX_ERROR;
    }

    rc = wag_json_path(cf->pool, text, *path);

    if (rc == NGX_DECLINED) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid JSON path \"%V\"",
                           text);
    }

    return (rc == NGX_OK) ? NGX_OK : NGX_ERROR;
}


ngx_uint_t
wag_argument_next(ngx_str_t *rest, u_char ch, ngx_str_t *part)
{
    u_char  *end, *last;

    if (rest->data == NULL) {
        return 0;
    }

    last = rest->data + rest->len;
    end = ngx_strlchr(rest->data, last, ch);

    part->data = rest->data;
    part->len = (end ? end : last) - rest->data;

    rest->len = end ? (size_t) (last - end - 1) : 0;
    rest->data = end ? end + 1 : NULL;

    return 1;
}


ngx_uint_t
wag_argument_is_name(ngx_str_t *name, const char *also)
{
    u_char  ch;
    size_t  i;

    for (i = 0; i < name->len; i++) {
        ch = name->data[i];

        if (!((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z')
              || (ch >= '0' && ch <= '9') || ngx_strchr(also, ch) != NULL))
        {
            return 0;
        }
    }

    return name->len > 0;
}
