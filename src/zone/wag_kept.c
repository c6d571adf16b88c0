
/*
 * Copyright (C) the wa_gateway authors
 */


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

    u_char           *p;
    ngx_str_t        *value;
    ngx_path_t       *path;
    ngx_file_info_t   fi;

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

    if (ngx_test_config) {
        return NGX_CONF_OK;
    }

    /*
     * The master makes the folder, and gives it to the workers' user; one that
     * is there, such as /etc, stays its owner's.
     */

    path = ngx_pcalloc(cf->pool, sizeof(ngx_path_t));
    if (path == NULL) {
        return NGX_CONF_ERROR;
    }

    for (p = us->state_file.data + us->state_file.len; p[-1] != '/'; p--) {
        /* void */
    }

    path->name.len = p - 1 - us->state_file.data;
    path->name.data = ngx_pnalloc(cf->pool, path->name.len + 1);
    if (path->name.data == NULL) {
        return NGX_CONF_ERROR;
    }

    (void) ngx_cpystrn(path->name.data, us->state_file.data,
                       path->name.len + 1);

    if (path->name.len == 0
        || ngx_file_info(path->name.data, &fi) != NGX_FILE_ERROR)
    {
        return NGX_CONF_OK;
    }

    path->conf_file = cf->conf_file->file.name.data;
    path->line = cf->conf_file->line;

    return (ngx_add_path(cf, &path) == NGX_OK) ? NGX_CONF_OK : NGX_CONF_ERROR;
}
