
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_journal_file.h"
#include "wag_journal_load.h"
#include "wag_json_text.h"
#include "wag_marks_move.h"
#include "wag_stored.h"


#define WAG_JOURNAL_LOAD_SIZE  (1024 * 1024)

#define WAG_JOURNAL_ANSWER                                                    \
    "{\"success\":true,\"data\":null,\"messageId\":,\"dataKept\":false}"

#define wag_journal_text(p, text)  ngx_cpymem(p, text, sizeof(text) - 1)


typedef struct {
    ngx_str_t           *name;
    wag_marks_t         *marks;
    ngx_log_t           *log;
    uint64_t             now;
    u_char              *path;      /* of a file */
    u_char              *buf;
    ngx_uint_t           nfiles;

    ngx_fd_t             fd;
    off_t                offset;    /* in it, of buf */
    off_t                good;      /* a record ended there last */
    off_t                size;
} wag_journal_load_t;


static ngx_int_t wag_journal_load_files(wag_journal_load_t *load);
static ngx_int_t wag_journal_load_file(wag_journal_load_t *load);
static ngx_int_t wag_journal_load_records(wag_journal_load_t *load);
static u_char *wag_journal_load_piece(wag_journal_load_t *load, u_char *last);
static void wag_journal_load_good(wag_journal_load_t *load, off_t offset,
    size_t len);
static void wag_journal_load_end(wag_journal_load_t *load);
static void wag_journal_load_mark(wag_journal_load_t *load,
    wag_journal_record_t *record);
static size_t wag_journal_load_answer(wag_journal_record_t *record,
    u_char *buf);


ngx_int_t
wag_journal_load(ngx_str_t *name, wag_marks_t *marks, ngx_log_t *log)
{
    ngx_int_t           rc;
    wag_journal_load_t  load;

    ngx_memzero(&load, sizeof(wag_journal_load_t));

    load.name = name;
    load.marks = marks;
    load.log = log;
    load.now = wag_journal_file_now();

    load.path = ngx_alloc(wag_journal_file_len(name), log);
    load.buf = ngx_alloc(WAG_JOURNAL_LOAD_SIZE, log);

    rc = (load.path && load.buf) ? wag_journal_load_files(&load) : NGX_ERROR;

    if (rc == NGX_OK && load.nfiles) {
        ngx_log_error(NGX_LOG_NOTICE, log, 0,
                      "wa_gateway: journal \"%V\" knows %ui keys of requests, "
                      "of %ui files",
                      name, (ngx_uint_t) marks->nmarks, load.nfiles);
    }

    if (load.path) {
        ngx_free(load.path);
    }

    if (load.buf) {
        ngx_free(load.buf);
    }

    return rc;
}


static ngx_int_t
wag_journal_load_files(wag_journal_load_t *load)
{
    ngx_int_t   rc;
    ngx_uint_t  i, n, *numbers;

    if (wag_journal_file_list(load->name, &numbers, &n) != NGX_OK) {

        if (ngx_errno == NGX_ENOENT) {
            return NGX_OK;
        }

        ngx_log_error(NGX_LOG_EMERG, load->log, ngx_errno,
                      "the folder of journal \"%V\" cannot be read",
                      load->name);
        return NGX_ERROR;
    }

    rc = NGX_OK;

    for (i = 0; rc == NGX_OK && i < n; i++) {
        wag_journal_file_path(load->path, load->name, numbers[i]);

        load->fd = ngx_open_file(load->path, NGX_FILE_RDWR, NGX_FILE_OPEN, 0);

        rc = (load->fd == NGX_INVALID_FILE) ? NGX_ERROR
                                            : wag_journal_load_file(load);

        if (rc != NGX_OK) {
            ngx_log_error(NGX_LOG_EMERG, load->log, ngx_errno,
                          "\"%s\" of a journal cannot be read", load->path);
        }

        if (load->fd != NGX_INVALID_FILE) {
            (void) ngx_close_file(load->fd);
        }
    }

    load->nfiles = n;

    free(numbers);

    return rc;
}


static ngx_int_t
wag_journal_load_file(wag_journal_load_t *load)
{
    ngx_file_info_t     fi;
    wag_journal_head_t  head;

    if (ngx_fd_info(load->fd, &fi) == NGX_FILE_ERROR) {
        return NGX_ERROR;
    }

    load->size = ngx_file_size(&fi);

    if (load->size < WAG_JOURNAL_HEAD_LEN) {
        ngx_log_error(NGX_LOG_WARN, load->log, 0,
                      "wa_gateway: \"%s\" was not written to its end, and has "
                      "nothing", load->path);

        (void) ngx_delete_file(load->path);
        return NGX_OK;
    }

    if (pread(load->fd, load->buf, WAG_JOURNAL_HEAD_LEN, 0)
        != WAG_JOURNAL_HEAD_LEN)
    {
        return NGX_ERROR;
    }

    if (wag_journal_head_read(load->buf, &head) != NGX_OK) {
        ngx_log_error(NGX_LOG_WARN, load->log, 0,
                      "wa_gateway: \"%s\" is damaged at 0, its head is "
                      "skipped", load->path);

    } else if (head.until < load->now) {
        (void) ngx_delete_file(load->path);
        return NGX_OK;
    }

    load->offset = WAG_JOURNAL_HEAD_LEN;
    load->good = WAG_JOURNAL_HEAD_LEN;

    if (wag_journal_load_records(load) != NGX_OK) {
        return NGX_ERROR;
    }

    wag_journal_load_end(load);

    return NGX_OK;
}


static ngx_int_t
wag_journal_load_records(wag_journal_load_t *load)
{
    u_char                *p, *last;
    size_t                 len;
    ngx_int_t              rc;
    wag_journal_record_t   record;

    p = load->buf;
    last = load->buf;

    for ( ;; ) {
        rc = wag_journal_record_read(p, last, &record, &len);

        if (rc == NGX_OK) {
            wag_journal_load_good(load, load->offset + (p - load->buf), len);
            wag_journal_load_mark(load, &record);

            p += len;
            continue;
        }

        if (rc == NGX_AGAIN && load->offset + (last - load->buf) < load->size)
        {
            ngx_memmove(load->buf, p, last - p);

            load->offset += p - load->buf;
            last = wag_journal_load_piece(load, load->buf + (last - p));
            p = load->buf;

            if (last == NULL) {
                return NGX_ERROR;
            }

            continue;
        }

        if (last - p < WAG_JOURNAL_RECORD_LEN) {
            return NGX_OK;
        }

        p += WAG_JOURNAL_UNIT;
    }
}


static u_char *
wag_journal_load_piece(wag_journal_load_t *load, u_char *last)
{
    off_t    offset;
    ssize_t  n;

    offset = load->offset + (last - load->buf);

    n = pread(load->fd, last, load->buf + WAG_JOURNAL_LOAD_SIZE - last,
              offset);

    if (n <= 0) {
        return NULL;
    }

    return last + n;
}


/* there was something before it that is no record */

static void
wag_journal_load_good(wag_journal_load_t *load, off_t offset, size_t len)
{
    if (offset != load->good) {
        ngx_log_error(NGX_LOG_WARN, load->log, 0,
                      "wa_gateway: \"%s\" is damaged at %O, %O bytes are "
                      "skipped",
                      load->path, load->good, offset - load->good);
    }

    load->good = offset + len;
}


static void
wag_journal_load_end(wag_journal_load_t *load)
{
    if (load->good == load->size) {
        return;
    }

    ngx_log_error(NGX_LOG_WARN, load->log, 0,
                  "wa_gateway: \"%s\" was not written to its end, %O bytes at "
                  "%O are cut off",
                  load->path, load->size - load->good, load->good);

    if (ftruncate(load->fd, load->good) == -1) {
        ngx_log_error(NGX_LOG_WARN, load->log, ngx_errno,
                      "wa_gateway: \"%s\" cannot be cut off", load->path);
    }
}


static void
wag_journal_load_mark(wag_journal_load_t *load, wag_journal_record_t *record)
{
    u_char           answer[WAG_STORED_HEAD_LEN + sizeof(WAG_JOURNAL_ANSWER)
                            + 6 * WAG_JOURNAL_MESSAGE_LEN + 2];
    ngx_msec_t       left;
    ngx_uint_t       state;
    wag_marks_key_t  key;

    state = record->state;
    left = 0;

    if (record->expires > load->now) {
        left = (ngx_msec_t) ngx_min(record->expires - load->now,
                                    (uint64_t) NGX_MAX_INT32_VALUE);

    } else {
        state = WAG_MARK_NONE;
    }

    if (state == WAG_MARK_IN_FLIGHT) {
        state = WAG_MARK_UNKNOWN;
    }

    ngx_memzero(&key, sizeof(wag_marks_key_t));
    ngx_memcpy(key.id, record->id, WAG_DIGEST_LEN);
    ngx_memcpy(key.request, record->request, WAG_SIPHASH_LEN);

    key.serial = record->serial;
    key.status = record->status;
    key.len = wag_journal_load_answer(record, answer);

    wag_marks_restore(load->marks, &key, state, ngx_current_msec + left,
                      answer);
}


/* all that is known of it besides its status */

static size_t
wag_journal_load_answer(wag_journal_record_t *record, u_char *buf)
{
    u_char        *p;
    wag_stored_t   stored;

    if (record->state != WAG_MARK_ANSWERED
        || record->status != NGX_HTTP_OK
        || record->message.len == 0)
    {
        return 0;
    }

    ngx_memzero(&stored, sizeof(wag_stored_t));

    ngx_str_set(&stored.type, "application/json");
    ngx_str_set(&stored.charset, "utf-8");

    p = wag_stored_write(buf, &stored);

    p = wag_journal_text(p, "{\"success\":true,\"data\":null,\"messageId\":");
    p = wag_json_text_write(p, &record->message);
    p = wag_journal_text(p, ",\"dataKept\":false}");

    return p - buf;
}
