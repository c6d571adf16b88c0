
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_kept_save.h"


static void wag_kept_save_folder(wag_kept_file_t *file, ngx_log_t *log);


ngx_int_t
wag_kept_save_init(wag_kept_file_t *file, ngx_pool_t *pool, ngx_str_t *name,
    ngx_str_t *text)
{
    u_char  *p;

    file->name = *name;
    file->text = *text;

    file->aside.len = name->len + sizeof(".new") - 1;
    file->aside.data = ngx_pnalloc(pool, file->aside.len + 1);

    for (p = name->data + name->len; p[-1] != '/'; p--) { /* void */ }

    file->folder.len = p - name->data;
    file->folder.data = ngx_pnalloc(pool, file->folder.len + 1);

    if (file->aside.data == NULL || file->folder.data == NULL) {
        return NGX_ERROR;
    }

    ngx_sprintf(file->aside.data, "%V.new%Z", name);
    ngx_cpystrn(file->folder.data, name->data, file->folder.len + 1);

    return NGX_OK;
}


/* written aside, in the same folder, and named when all of it is there */

ngx_int_t
wag_kept_save(wag_kept_file_t *file, ngx_log_t *log)
{
    size_t      len;
    u_char     *aside;
    ssize_t     n;
    ngx_fd_t    fd;
    ngx_err_t   err;
    ngx_str_t  *text;

    aside = file->aside.data;
    text = &file->text;

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
        && ngx_rename_file(aside, file->name.data) == NGX_FILE_ERROR)
    {
        err = ngx_errno;
    }

    if (err == 0) {
        wag_kept_save_folder(file, log);
        return NGX_OK;
    }

    (void) ngx_delete_file(aside);

failed:

    ngx_log_error(NGX_LOG_ERR, log, err,
                  "wa_gateway: state file \"%V\" could not be written",
                  &file->name);

    return (err == NGX_ENOSPC || err == EDQUOT) ? NGX_BUSY : NGX_ERROR;
}


/* so that the name is on the disk as well */

static void
wag_kept_save_folder(wag_kept_file_t *file, ngx_log_t *log)
{
    int  fd;

    fd = open((char *) file->folder.data, O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (fd == -1 || fsync(fd) == -1) {
        ngx_log_error(NGX_LOG_ERR, log, ngx_errno,
                      "wa_gateway: folder of state file \"%V\" could not be "
                      "synced", &file->name);
    }

    if (fd != -1) {
        (void) close(fd);
    }
}
