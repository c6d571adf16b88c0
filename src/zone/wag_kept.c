
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_file.h"
#include "wag_kept.h"


ngx_str_t  wag_kept_states[] = {
    ngx_string("configured"),
    ngx_string("up"),
    ngx_string("drain"),
    ngx_string("down"),
    ngx_string("removed"),
    ngx_string("removed")
};


char *
wag_kept_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    wag_upstream_t *us = conf;

    ngx_str_t  *value;

    us->directive = cmd->name;

    if (us->state_file.len) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (value[1].len == 0 || value[1].data[value[1].len - 1] == '/') {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid value \"%V\"",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    us->state_file = value[1];

    if (ngx_conf_full_name(cf->cycle, &us->state_file, 0) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

#if (NGX_THREADS)

    us->threads = ngx_thread_pool_add(cf, NULL);
    if (us->threads == NULL) {
        return NGX_CONF_ERROR;
    }

#endif

    return (wag_file_folder(cf, &us->state_file) == NGX_OK) ? NGX_CONF_OK
                                                            : NGX_CONF_ERROR;
}
