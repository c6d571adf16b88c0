
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_control_answer.h"
#include "wag_control_read.h"


static void wag_control_read_cleanup(void *data);
static ngx_int_t wag_control_read_text(ngx_http_request_t *r, ngx_str_t *text);


ngx_int_t
wag_control_read(ngx_http_request_t *r, ngx_uint_t may,
    wag_control_body_t *body)
{
    ngx_int_t            rc;
    ngx_str_t            text, member;
    const char          *err;
    ngx_pool_cleanup_t  *cln;

    rc = wag_control_read_text(r, &text);

    if (rc != NGX_OK) {
        return rc;
    }

    cln = ngx_pool_cleanup_add(r->pool, 0);
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cln->data = wag_json_parse(&text, &err);

    if (cln->data == NULL && err == wag_json_no_memory) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (cln->data == NULL) {
        return wag_control_answer_error(r, NGX_HTTP_BAD_REQUEST, "bad_request",
                                        "Bad request", NULL, err);
    }

    cln->handler = wag_control_read_cleanup;

    err = wag_control_body_read(cln->data, may, body);

    if (err) {
        member.data = body->member;
        member.len = body->member_len;

        return wag_control_answer_error(r, NGX_HTTP_BAD_REQUEST, "bad_request",
                                        "Bad request",
                                        member.len ? &member : NULL, err);
    }

    return NGX_DECLINED;
}


static void
wag_control_read_cleanup(void *data)
{
    cJSON_Delete(data);
}


static ngx_int_t
wag_control_read_text(ngx_http_request_t *r, ngx_str_t *text)
{
    size_t        size, len;
    u_char       *p;
    ssize_t       n;
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    len = 0;

    for (cl = r->request_body ? r->request_body->bufs : NULL;
         cl && len <= WAG_CONTROL_SIZE;
         cl = cl->next)
    {
        len += ngx_buf_size(cl->buf);
    }

    if (len > WAG_CONTROL_SIZE) {
        return NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
    }

    p = ngx_pnalloc(r->pool, len + 1);
    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    text->data = p;
    text->len = len;

    for (cl = len ? r->request_body->bufs : NULL; cl; cl = cl->next) {
        b = cl->buf;
        size = ngx_buf_size(b);

        if (ngx_buf_in_memory(b)) {
            p = ngx_cpymem(p, b->pos, size);
            continue;
        }

        n = size ? ngx_read_file(b->file, p, size, b->file_pos) : 0;

        if (n != (ssize_t) size) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        p += n;
    }

    *p = '\0';

    return NGX_OK;
}
