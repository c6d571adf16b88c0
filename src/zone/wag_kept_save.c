
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_kept_save.h"


static ngx_int_t wag_kept_save_sync(ngx_pool_t *pool, ngx_str_t *name);


/* written aside, in the same folder, and named when all of it is there */

ngx_int_t
wag_kept_save(ngx_pool_t *pool, ngx_str_t *name, ngx_str_t *text)
{
    u_char     *aside;
    size_t      len;
    ssize_t     n;
    ngx_fd_t    fd;
    ngx_err_t   err;

    aside = ngx_pnalloc(pool, name->len + sizeof(".new"));
    if (aside == NULL) {
        return NGX_ERROR;
    }

    ngx_sprintf(aside, "%V.new%Z", name);

    fd = ngx_open_file(aside, NGX_FILE_WRONLY,
                       NGX_FILE_TRUNCATE|NGX_FILE_NOFOLLOW, 0600);

    if (fd == NGX_INVALID_FILE) {
        err = ngx_errno;
        goto failed;
    }

    err = 0;

    for (len = 0; err == 0 && len < text->len; len += n) {
        n = ngx_write_fd(fd, text->data + len, text->len - len);

        if (n <= 0) {
            err = (n == -1) ? ngx_errno : NGX_ENOSPC;
        }
    }

    if (err == 0 && fsync(fd) == -1) {
        err = ngx_errno;
    }

    if (ngx_close_file(fd) == NGX_FILE_ERROR && err == 0) {
        err = ngx_errno;
    }

    if (err == 0
        && ngx_rename_file(aside, name->data) == NGX_FILE_ERROR)
    {
        err = ngx_errno;
    }

    if (err == 0) {
        return wag_kept_save_sync(pool, name);
    }

    (void) ngx_delete_file(aside);

failed:

    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, err,
                  "wa_gateway: state file \"%V\" could not be written", name);

    return (err == NGX_ENOSPC || err == EDQUOT) ? NGX_BUSY : NGX_ERROR;
}


/* so that the name is on the disk as well */

static ngx_int_t
wag_kept_save_sync(ngx_pool_t *pool, ngx_str_t *name)
{
    int      fd;
    u_char  *p, *folder;

    folder = ngx_pstrdup(pool, name);
    if (folder == NULL) {
        return NGX_ERROR;
    }

    for (p = folder + name->len; p[-1] != '/'; p--) { /* void */ }

    *p = '\0';

    if (p == folder + name->len) {
        return NGX_ERROR;
    }

    fd = open((char *) folder, O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (fd == -1 || fsync(fd) == -1) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, ngx_errno,
                      "wa_gateway: folder of state file \"%V\" could not be "
                      "synced", name);
    }

    if (fd != -1) {
        (void) close(fd);
    }

    return NGX_OK;
}
