
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_writer.h"


#define WAG_WRITER_TRIES  500
#define WAG_WRITER_PAUSE  10     /* ms */


/*
 * Locks of bytes of the file "NAME.lock".  Who changes has the first one, by a
 * lock of its process.  Who uses the file has the one of its zone, by a lock
 * of the open file, which the master's workers have in common with it: so it
 * lasts as long as one of them.  A new binary does not get the open file.
 *
 * Without such locks the master's own does, for as long as it lives.
 */

#ifndef F_OFD_SETLK
#define F_OFD_SETLK  F_SETLK
#define F_OFD_GETLK  F_GETLK
#endif


static void wag_writer_cleanup(void *data);
static ngx_int_t wag_writer_lock(wag_upstream_t *us, int cmd, int type,
    off_t start, off_t len);


void
wag_writer_open(wag_upstream_t *us)
{
    u_char              *name;
    ngx_fd_t             fd;
    ngx_log_t           *log;
    ngx_pool_t          *pool;
    ngx_pool_cleanup_t  *cln;

    us->writer = NGX_INVALID_FILE;

    pool = us->zone->cycle->pool;
    log = us->zone->shm_zone->shm.log;

    name = ngx_pnalloc(pool, us->state_file.len + sizeof(".lock"));
    cln = ngx_pool_cleanup_add(pool, 0);

    if (name == NULL || cln == NULL) {
        return;
    }

    ngx_sprintf(name, "%V.lock%Z", &us->state_file);

    fd = open((char *) name, O_RDWR|O_CREAT|O_CLOEXEC|O_NOFOLLOW, 0600);

    if (fd == NGX_INVALID_FILE) {
        ngx_log_error(NGX_LOG_ERR, log, ngx_errno,
                      "wa_gateway: \"%s\" could not be opened, nothing can be "
                      "changed at run time", name);
        return;
    }

    us->writer = fd;

    cln->handler = wag_writer_cleanup;
    cln->data = us;

    if (wag_writer_lock(us, F_OFD_SETLK, F_RDLCK, us->zone->root->id, 1)
        != NGX_OK)
    {
        wag_writer_cleanup(us);
    }
}


static void
wag_writer_cleanup(void *data)
{
    wag_upstream_t *us = data;

    if (us->writer != NGX_INVALID_FILE) {
        (void) ngx_close_file(us->writer);
        us->writer = NGX_INVALID_FILE;
    }
}


void
wag_writer_wait(wag_upstream_t *us)
{
    ngx_uint_t  n;

    for (n = 0; n < WAG_WRITER_TRIES; n++) {

        if (wag_writer_lock(us, F_SETLK, F_WRLCK, 0, 1) != NGX_AGAIN) {
            break;
        }

        ngx_msleep(WAG_WRITER_PAUSE);
    }

    wag_writer_end(us);
}


ngx_int_t
wag_writer_begin(wag_upstream_t *us)
{
    off_t      id;
    ngx_int_t  rc;

    if (us->state_file.len == 0) {
        return NGX_OK;
    }

    /* a lock of the process does not keep it from itself */

    if (us->keeping) {
        return NGX_AGAIN;
    }

    rc = wag_writer_lock(us, F_SETLK, F_WRLCK, 0, 1);

    if (rc != NGX_OK) {
        return rc;
    }

    id = us->zone->root->id;

    rc = wag_writer_lock(us, F_OFD_GETLK, F_WRLCK, 1, id - 1);

    if (rc == NGX_OK) {
        rc = wag_writer_lock(us, F_OFD_GETLK, F_WRLCK, id + 1, 0);
    }

    if (rc != NGX_OK) {
        wag_writer_end(us);
        return rc;
    }

    us->keeping = 1;

    return NGX_OK;
}


void
wag_writer_end(wag_upstream_t *us)
{
    if (us->state_file.len) {
        us->keeping = 0;

        (void) wag_writer_lock(us, F_SETLK, F_UNLCK, 0, 1);
    }
}


/* len 0: up to the end; NGX_DECLINED: somebody has what was asked for */

static ngx_int_t
wag_writer_lock(wag_upstream_t *us, int cmd, int type, off_t start, off_t len)
{
    ngx_err_t     err;
    struct flock  fl;

    if (us->writer == NGX_INVALID_FILE) {
        return NGX_ERROR;
    }

    ngx_memzero(&fl, sizeof(struct flock));

    fl.l_type = type;
    fl.l_whence = SEEK_SET;
    fl.l_start = start;
    fl.l_len = len;

    if (fcntl(us->writer, cmd, &fl) != -1) {
        return (cmd == F_OFD_GETLK && fl.l_type != F_UNLCK) ? NGX_DECLINED
                                                            : NGX_OK;
    }

    err = ngx_errno;

    if (err == NGX_EAGAIN || err == NGX_EACCES) {
        return NGX_AGAIN;
    }

    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, err,
                  "wa_gateway: \"%V.lock\" could not be locked, nothing can "
                  "be changed at run time", &us->state_file);

    return NGX_ERROR;
}
