
/*
 * Copyright (C) the wa_gateway authors
 */


#include "ngx_http_wa_gateway_module.h"
#include "ngx_http_wa_gateway_answer.h"
#include "ngx_http_wa_gateway_envelope.h"


static ngx_uint_t ngx_http_wa_gateway_envelope_json(ngx_http_request_t *r);
static ngx_int_t ngx_http_wa_gateway_envelope_tail(ngx_http_request_t *r,
    ngx_str_t *tail);
static ngx_int_t ngx_http_wa_gateway_envelope_add(ngx_http_request_t *r,
    ngx_str_t *text, ngx_uint_t last, ngx_chain_t ***ll);


static ngx_str_t  ngx_http_wa_gateway_envelope_head =
    ngx_string("{\"success\":true,\"data\":");

static ngx_str_t  ngx_http_wa_gateway_envelope_null = ngx_string("null");


void
ngx_http_wa_gateway_envelope_header(ngx_http_request_t *r)
{
    ngx_http_wa_gateway_ctx_t  *ctx;

    /* none after a redirect: what is sent then is not the instance's answer */

    ctx = ngx_http_get_module_ctx(r, ngx_http_wa_gateway_module);

    if (ctx == NULL
        || ctx->peer == NULL
        || r->headers_out.status < NGX_HTTP_OK
        || r->headers_out.status >= NGX_HTTP_SPECIAL_RESPONSE
        || r->headers_out.status == NGX_HTTP_NO_CONTENT
        || r->headers_out.status == NGX_HTTP_PARTIAL_CONTENT
        || (r->headers_out.content_encoding
            && r->headers_out.content_encoding->value.len)
        || !ngx_http_wa_gateway_envelope_json(r))
    {
        return;
    }

    ctx->wrap = 1;

    ngx_http_clear_content_length(r);
    ngx_http_clear_accept_ranges(r);
    ngx_http_clear_last_modified(r);
    ngx_http_clear_etag(r);
}


/* RFC 8259 and the +json suffix of RFC 6839 */

static ngx_uint_t
ngx_http_wa_gateway_envelope_json(ngx_http_request_t *r)
{
    size_t      len;
    ngx_str_t  *type;

    type = &r->headers_out.content_type;
    len = r->headers_out.content_type_len;

    while (len && type->data[len - 1] == ' ') {
        len--;
    }

    if (len == sizeof("application/json") - 1
        && ngx_strncasecmp(type->data, (u_char *) "application/json", len)
           == 0)
    {
        return 1;
    }

    return len > sizeof("+json") - 1
           && ngx_strncasecmp(type->data + len - (sizeof("+json") - 1),
                              (u_char *) "+json", sizeof("+json") - 1)
              == 0;
}


ngx_int_t
ngx_http_wa_gateway_envelope_body(ngx_http_request_t *r, ngx_chain_t *in,
    ngx_chain_t **out)
{
    off_t                       size;
    ngx_str_t                   tail;
    ngx_uint_t                  last;
    ngx_chain_t                *cl, *copy, **ll;
    ngx_http_wa_gateway_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_wa_gateway_module);

    size = 0;
    last = 0;

    for (cl = in; cl; cl = cl->next) {
        size += ngx_buf_size(cl->buf);
        last |= cl->buf->last_buf;
    }

    if (!last && (ctx->wrapped || size == 0)) {
        *out = in;
        return NGX_OK;
    }

    ll = out;

    if (!ctx->wrapped
        && ngx_http_wa_gateway_envelope_add(r,
                         &ngx_http_wa_gateway_envelope_head, 0, &ll) != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (cl = in; cl; cl = cl->next) {

        cl->buf->last_buf = 0;
        cl->buf->last_in_chain = 0;

        if (ngx_buf_size(cl->buf) == 0 && !ngx_buf_special(cl->buf)) {
            continue;
        }

        copy = ngx_alloc_chain_link(r->pool);
        if (copy == NULL) {
            return NGX_ERROR;
        }

        copy->buf = cl->buf;
        *ll = copy;
        ll = &copy->next;
    }

    if (last) {

        if (!ctx->wrapped && size == 0
            && ngx_http_wa_gateway_envelope_add(r,
                         &ngx_http_wa_gateway_envelope_null, 0, &ll) != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (ngx_http_wa_gateway_envelope_tail(r, &tail) != NGX_OK
            || ngx_http_wa_gateway_envelope_add(r, &tail, 1, &ll) != NGX_OK)
        {
            return NGX_ERROR;
        }

        ctx->wrap = 0;
    }

    *ll = NULL;
    ctx->wrapped = 1;

    return NGX_OK;
}


/* the rest of the object, in place of its opening brace a comma */

static ngx_int_t
ngx_http_wa_gateway_envelope_tail(ngx_http_request_t *r, ngx_str_t *tail)
{
    cJSON                      *root;
    ngx_int_t                   rc;
    ngx_http_wa_gateway_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_wa_gateway_module);

    root = cJSON_CreateObject();

    if (ngx_http_wa_gateway_answer_string(root, "instance",
                         ctx->peer->name.data, ctx->peer->name.len) == NULL
        || ngx_http_wa_gateway_answer_time(root, "timestamp",
                                           ngx_http_wa_gateway_time())
           == NULL)
    {
        cJSON_Delete(root);
        return NGX_ERROR;
    }

    rc = ngx_http_wa_gateway_answer_print(r->pool, root, tail);

    cJSON_Delete(root);

    if (rc == NGX_OK) {
        tail->data[0] = ',';
    }

    return rc;
}


static ngx_int_t
ngx_http_wa_gateway_envelope_add(ngx_http_request_t *r, ngx_str_t *text,
    ngx_uint_t last, ngx_chain_t ***ll)
{
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    b = ngx_calloc_buf(r->pool);
    cl = ngx_alloc_chain_link(r->pool);

    if (b == NULL || cl == NULL) {
        return NGX_ERROR;
    }

    b->pos = text->data;
    b->last = text->data + text->len;
    b->memory = 1;
    b->last_buf = last;
    b->last_in_chain = last;

    cl->buf = b;
    **ll = cl;
    *ll = &cl->next;

    return NGX_OK;
}
