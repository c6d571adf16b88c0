
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_journal_file.h"

#include <dirent.h>
#include <stdio.h>


/* ms that clocks may be set back while a file is written to */

#define WAG_JOURNAL_FILE_SLACK  60000

/* a file takes records for this part of their time */

#define WAG_JOURNAL_FILE_SHARE  4


static void wag_journal_file_drop(wag_journal_file_t *file);
static ngx_int_t wag_journal_file_open(wag_journal_file_t *file);
static ngx_int_t wag_journal_file_create(wag_journal_file_t *file,
    ngx_uint_t number);
static ngx_int_t wag_journal_file_sync_folder(ngx_str_t *name);
static void wag_journal_file_sweep(wag_journal_file_t *file,
    ngx_uint_t *numbers, ngx_uint_t n);
static ngx_uint_t wag_journal_file_number(ngx_str_t *last, const char *entry);
static int wag_journal_file_compare(const void *one, const void *two);
static ngx_int_t wag_journal_file_write(ngx_fd_t fd, u_char *text, size_t len,
    off_t offset);


ngx_int_t
wag_journal_file_append(wag_journal_file_t *file, u_char *text, size_t len,
    ngx_uint_t sync, ngx_err_t *err)
{
    int       rc;
    uint64_t  now;

    now = wag_journal_file_now();

    if (file->fd != NGX_INVALID_FILE
        && now - file->opened > file->ttl / WAG_JOURNAL_FILE_SHARE)
    {
        wag_journal_file_close(file);
    }

    if (file->fd == NGX_INVALID_FILE && len == 0) {
        return NGX_OK;
    }

    if (file->fd == NGX_INVALID_FILE && wag_journal_file_open(file) != NGX_OK)
    {
        *err = ngx_errno;
        return NGX_ERROR;
    }

    if (wag_journal_file_write(file->fd, text, len, file->offset) == NGX_OK
        && (!sync || fdatasync(file->fd) == 0))
    {
        file->offset += len;
        file->dirty = !sync;

        return NGX_OK;
    }

    *err = ngx_errno;

    /*
     * What a failed sync leaves is not known, also by the next one: records
     * that were refused may stay there, which only means that they are taken
     * for unknown; but none that count may follow.
     */

    rc = ftruncate(file->fd, file->offset);

    if (rc == -1 || file->offset == WAG_JOURNAL_HEAD_LEN) {
        wag_journal_file_drop(file);
    }

    wag_journal_file_close(file);

    return NGX_ERROR;
}


void
wag_journal_file_close(wag_journal_file_t *file)
{
    if (file->fd != NGX_INVALID_FILE) {

        if (file->dirty) {
            (void) fdatasync(file->fd);
        }

        (void) close(file->fd);

        file->fd = NGX_INVALID_FILE;
        file->dirty = 0;
    }
}


/* a full disk would get a file of nothing for each claim that is refused */

static void
wag_journal_file_drop(wag_journal_file_t *file)
{
    u_char  *path;

    if (file->offset != WAG_JOURNAL_HEAD_LEN) {
        return;
    }

    path = malloc(wag_journal_file_len(&file->name));

    if (path) {
        wag_journal_file_path(path, &file->name, file->number);
        (void) unlink((char *) path);
        free(path);
    }
}


static ngx_int_t
wag_journal_file_open(wag_journal_file_t *file)
{
    ngx_int_t    rc;
    ngx_uint_t   n, number, *numbers;

    if (wag_journal_file_list(&file->name, &numbers, &n) != NGX_OK) {
        return NGX_ERROR;
    }

    wag_journal_file_sweep(file, numbers, n);

    number = n ? numbers[n - 1] : 0;

    free(numbers);

    /* others make some at the same time */

    do {
        rc = wag_journal_file_create(file, ++number);
    } while (rc == NGX_DECLINED);

    return rc;
}


/* NGX_DECLINED: another one has the number */

static ngx_int_t
wag_journal_file_create(wag_journal_file_t *file, ngx_uint_t number)
{
    u_char              *path, head[WAG_JOURNAL_HEAD_LEN];
    ngx_fd_t             fd;
    ngx_err_t            err;
    wag_journal_head_t   h;

    path = malloc(wag_journal_file_len(&file->name));
    if (path == NULL) {
        return NGX_ERROR;
    }

    wag_journal_file_path(path, &file->name, number);

    fd = open((char *) path, O_WRONLY|O_CREAT|O_EXCL|O_CLOEXEC, 0600);

    if (fd == -1) {
        err = ngx_errno;
        free(path);
        ngx_set_errno(err);

        return (err == NGX_EEXIST) ? NGX_DECLINED : NGX_ERROR;
    }

    h.opened = wag_journal_file_now();
    h.until = h.opened + file->ttl + file->ttl / WAG_JOURNAL_FILE_SHARE
              + WAG_JOURNAL_FILE_SLACK;

    wag_journal_head_write(head, &h);

    if (wag_journal_file_write(fd, head, WAG_JOURNAL_HEAD_LEN, 0) != NGX_OK
        || fdatasync(fd) == -1
        || wag_journal_file_sync_folder(&file->name) != NGX_OK)
    {
        err = ngx_errno;

        (void) unlink((char *) path);
        (void) close(fd);
        free(path);
        ngx_set_errno(err);

        return NGX_ERROR;
    }

    free(path);

    file->fd = fd;
    file->number = number;
    file->offset = WAG_JOURNAL_HEAD_LEN;
    file->opened = h.opened;

    return NGX_OK;
}


/* else a file that is new may be lost with what was synced in it */

static ngx_int_t
wag_journal_file_sync_folder(ngx_str_t *name)
{
    u_char     *p, *path;
    ngx_fd_t    fd;
    ngx_int_t   rc;

    path = malloc(name->len + 1);
    if (path == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpystrn(path, name->data, name->len + 1);

    while (*--p != '/') { /* void */ }

    p[p == path] = '\0';

    fd = open((char *) path, O_RDONLY|O_CLOEXEC);

    rc = (fd != -1 && fsync(fd) == 0) ? NGX_OK : NGX_ERROR;

    if (fd != -1) {
        (void) close(fd);
    }

    free(path);

    return rc;
}


/* whoever has one of them open writes no more to it */

static void
wag_journal_file_sweep(wag_journal_file_t *file, ngx_uint_t *numbers,
    ngx_uint_t n)
{
    u_char              *path, head[WAG_JOURNAL_HEAD_LEN];
    ngx_fd_t             fd;
    uint64_t             now;
    ngx_uint_t           i;
    wag_journal_head_t   h;

    path = malloc(wag_journal_file_len(&file->name));
    if (path == NULL) {
        return;
    }

    now = wag_journal_file_now();

    for (i = 0; i < n; i++) {
        wag_journal_file_path(path, &file->name, numbers[i]);

        fd = open((char *) path, O_RDONLY|O_CLOEXEC);

        if (fd == -1) {
            continue;
        }

        if (pread(fd, head, WAG_JOURNAL_HEAD_LEN, 0) == WAG_JOURNAL_HEAD_LEN
            && wag_journal_head_read(head, &h) == NGX_OK
            && h.until < now)
        {
            (void) unlink((char *) path);
        }

        (void) close(fd);
    }

    free(path);
}


ngx_int_t
wag_journal_file_list(ngx_str_t *name, ngx_uint_t **numbers, ngx_uint_t *n)
{
    DIR            *dir;
    u_char         *p, *path;
    ngx_err_t       err;
    ngx_str_t       last;
    ngx_uint_t      number, room, *more;
    struct dirent  *entry;

    *numbers = NULL;
    *n = 0;

    path = malloc(name->len + 1);
    if (path == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpystrn(path, name->data, name->len + 1);

    while (*--p != '/') { /* void */ }

    last.data = name->data + (p - path) + 1;
    last.len = name->len - (p - path) - 1;

    p[p == path] = '\0';

    dir = opendir((char *) path);

    free(path);

    if (dir == NULL) {
        return NGX_ERROR;
    }

    room = 0;

    for ( ;; ) {
        ngx_set_errno(0);
        entry = readdir(dir);

        if (entry == NULL) {
            err = ngx_errno;
            break;
        }

        number = wag_journal_file_number(&last, entry->d_name);

        if (number == 0) {
            continue;
        }

        if (*n == room) {
            room = 2 * room + 16;
            more = realloc(*numbers, room * sizeof(ngx_uint_t));

            if (more == NULL) {
                err = NGX_ENOMEM;
                break;
            }

            *numbers = more;
        }

        (*numbers)[(*n)++] = number;
    }

    (void) closedir(dir);

    if (err) {
        free(*numbers);
        *numbers = NULL;
        *n = 0;

        ngx_set_errno(err);

        return NGX_ERROR;
    }

    if (*n) {
        qsort(*numbers, *n, sizeof(ngx_uint_t), wag_journal_file_compare);
    }

    return NGX_OK;
}


/* 0: it is no file of the journal */

static ngx_uint_t
wag_journal_file_number(ngx_str_t *last, const char *entry)
{
    size_t     len;
    ngx_int_t  n;

    len = ngx_strlen(entry);

    if (len < last->len + 2
        || ngx_memcmp(entry, last->data, last->len) != 0
        || entry[last->len] != '.')
    {
        return 0;
    }

    n = ngx_atoi((u_char *) entry + last->len + 1, len - last->len - 1);

    return (n > 0 && n < 100000000 && len == last->len + 9) ? n : 0;
}


static int
wag_journal_file_compare(const void *one, const void *two)
{
    const ngx_uint_t *first = one;
    const ngx_uint_t *second = two;

    return (*first > *second) - (*first < *second);
}


void
wag_journal_file_path(u_char *buf, ngx_str_t *name, ngx_uint_t number)
{
    (void) ngx_sprintf(buf, "%V.%08ui%Z", name, number);
}


uint64_t
wag_journal_file_now(void)
{
    struct timeval  tv;

    ngx_gettimeofday(&tv);

    return (uint64_t) tv.tv_sec * 1000 + tv.tv_usec / 1000;
}


static ngx_int_t
wag_journal_file_write(ngx_fd_t fd, u_char *text, size_t len, off_t offset)
{
    ssize_t  n;

    while (len) {
        n = pwrite(fd, text, len, offset);

        if (n == -1) {

            if (ngx_errno == NGX_EINTR) {
                continue;
            }

            return NGX_ERROR;
        }

        if (n == 0) {
            ngx_set_errno(NGX_ENOSPC);
            return NGX_ERROR;
        }

        text += n;
        len -= n;
        offset += n;
    }

    return NGX_OK;
}
