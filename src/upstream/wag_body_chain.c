
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_body_chain.h"
#include "wag_record.h"


#if (WAG_BODY_VALUE_LEN != WAG_SESSION_NAME_LEN)
#error "a session's name has other lengths in a body"
#endif


static ngx_int_t wag_body_chain_file(wag_body_t *b, ngx_buf_t *in, u_char *buf,
    size_t size);


ngx_int_t
wag_body_chain(wag_body_t *b, ngx_chain_t *in, u_char *buf, size_t size)
{
    for ( /* void */ ; in; in = in->next) {

        if (ngx_buf_in_memory(in->buf)) {
            (void) wag_body_parse(b, in->buf->pos, in->buf->last);

        } else if (in->buf->in_file
                   && wag_body_chain_file(b, in->buf, buf, size) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/*
 * Mapped instead of read, a body of 16 MB would cost a fifth less, but a disk
 * that fails would end the worker by SIGBUS.
 */

static ngx_int_t
wag_body_chain_file(wag_body_t *b, ngx_buf_t *in, u_char *buf, size_t size)
{
    off_t       pos;
    size_t      len;
    ssize_t     n;
    ngx_file_t  file;

    /* ngx_read_file() moves the file's own offset */

    file = *in->file;

    for (pos = in->file_pos; pos < in->file_last; pos += n) {
        len = (size_t) ngx_min(in->file_last - pos, (off_t) size);

        n = ngx_read_file(&file, buf, len, pos);

        if (n == NGX_ERROR) {
            return NGX_ERROR;
        }

        if (n == 0) {
            ngx_log_error(NGX_LOG_CRIT, file.log, 0,
                          "wa_gateway: request body in \"%s\" ends at %O, "
                          "not at %O", file.name.data, pos, in->file_last);
            return NGX_ERROR;
        }

        if (wag_body_parse(b, buf, buf + n) == NGX_ERROR) {
            break;
        }
    }

    return NGX_OK;
}
