
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_file.h"


#define WAG_FILE_BOM  "\xef\xbb\xbf"


ngx_int_t
wag_file_read(ngx_conf_t *cf, ngx_str_t *name, size_t max, ngx_str_t *text)
{
    ssize_t   n;
    ngx_fd_t  fd;

    text->len = max + 1;

    text->data = ngx_pnalloc(cf->temp_pool, text->len);
    if (text->data == NULL) {
        return NGX_ERROR;
    }

    fd = ngx_open_file(name->data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_open_file_n " \"%V\" failed", name);
        return NGX_ERROR;
    }

    n = ngx_read_fd(fd, text->data, text->len);

    if (n == -1) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_read_fd_n " \"%V\" failed", name);

    } else if ((size_t) n > max) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is larger than %uzk", name, max / 1024);
    }

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_ALERT, cf, ngx_errno,
                           ngx_close_file_n " \"%V\" failed", name);
    }

    if (n == -1 || (size_t) n > max) {
        return NGX_ERROR;
    }

    text->len = n;

    return NGX_OK;
}


void
wag_file_skip_mark(ngx_str_t *text)
{
    if (text->len >= sizeof(WAG_FILE_BOM) - 1
        && ngx_memcmp(text->data, WAG_FILE_BOM, sizeof(WAG_FILE_BOM) - 1)
           == 0)
    {
        text->data += sizeof(WAG_FILE_BOM) - 1;
        text->len -= sizeof(WAG_FILE_BOM) - 1;
    }
}


ngx_uint_t
wag_file_line(ngx_str_t *text, ngx_str_t *line)
{
    u_char  *p, *last, *end, c;

    if (text->len == 0) {
        return 0;
    }

    p = text->data;
    last = p + text->len;

    end = ngx_strlchr(p, last, LF);

    line->data = p;
    line->len = (end ? end : last) - p;

    text->data = end ? end + 1 : last;
    text->len = last - text->data;

    if (line->len && line->data[line->len - 1] == CR) {
        line->len--;
    }

    while (line->len) {
        c = line->data[line->len - 1];

        if (c != ' ' && c != '\t') {
            break;
        }

        line->len--;
    }

    while (line->len && (line->data[0] == ' ' || line->data[0] == '\t')) {
        line->data++;
        line->len--;
    }

    return 1;
}


ngx_uint_t
wag_file_word(ngx_str_t *line, ngx_str_t *word)
{
    u_char  *p, *last;

    p = line->data;
    last = p + line->len;

    while (p < last && (*p == ' ' || *p == '\t')) {
        p++;
    }

    if (p < last && *p == '#') {
        p = last;
    }

    word->data = p;

    while (p < last && *p != ' ' && *p != '\t') {
        p++;
    }

    word->len = p - word->data;

    line->data = p;
    line->len = last - p;

    return word->len != 0;
}


ngx_int_t
wag_file_load(ngx_pool_t *pool, const char *name, size_t max, ngx_str_t *text)
{
    ssize_t          n;
    ngx_fd_t         fd;
    ngx_int_t        rc;
    ngx_file_info_t  fi;

    fd = ngx_open_file((char *) name, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE && ngx_errno == NGX_ENOENT) {
        return NGX_DECLINED;
    }

    rc = NGX_ERROR;

    if (fd != NGX_INVALID_FILE
        && ngx_fd_info(fd, &fi) != NGX_FILE_ERROR
        && (size_t) ngx_file_size(&fi) <= max)
    {
        text->len = ngx_file_size(&fi);
        text->data = ngx_pnalloc(pool, text->len + 1);

        n = text->data ? ngx_read_fd(fd, text->data, text->len) : -1;

        rc = (n == (ssize_t) text->len) ? NGX_OK : NGX_ERROR;
    }

    if (rc == NGX_ERROR) {
        ngx_log_error(NGX_LOG_WARN, pool->log, ngx_errno,
                      "\"%s\" cannot be read, or is larger than %uzk", name,
                      max / 1024);
    }

    if (fd != NGX_INVALID_FILE) {
        (void) ngx_close_file(fd);
    }

    return rc;
}
