
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_json_response.h"
#include "wag_json_text.h"


static ngx_str_t  wag_allow = ngx_string("Allow");
static ngx_str_t  wag_allowed = ngx_string("GET, HEAD");
static ngx_str_t  wag_cache = ngx_string("Cache-Control");
static ngx_str_t  wag_no_store = ngx_string("no-store");
static ngx_str_t  wag_options = ngx_string("X-Content-Type-Options");
static ngx_str_t  wag_nosniff = ngx_string("nosniff");


ngx_int_t
wag_json_response_begin(ngx_http_request_t *r)
{
    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {

        if (wag_json_response_header(r, &wag_allow, &wag_allowed) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        return NGX_HTTP_NOT_ALLOWED;
    }

    return ngx_http_discard_request_body(r);
}


ngx_int_t
wag_json_response_send(ngx_http_request_t *r, ngx_uint_t status, cJSON *value)
{
    ngx_int_t    rc;
    ngx_buf_t   *b;
    ngx_str_t    text;
    ngx_chain_t  out;

    if (value == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = wag_json_text_print(r->pool, value, &text);

    cJSON_Delete(value);

    b = (rc == NGX_OK) ? ngx_calloc_buf(r->pool) : NULL;

    if (b == NULL || wag_json_response_no_store(r) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->headers_out.status = status;
    r->headers_out.content_length_n = text.len;
    r->headers_out.content_type_len = sizeof("application/json") - 1;
    ngx_str_set(&r->headers_out.content_type, "application/json");
    r->headers_out.content_type_lowcase = NULL;
    ngx_str_set(&r->headers_out.charset, "utf-8");

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    b->pos = text.data;
    b->last = text.data + text.len;
    b->memory = 1;
    b->last_buf = (r == r->main);
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


ngx_int_t
wag_json_response_no_store(ngx_http_request_t *r)
{
    if (wag_json_response_header(r, &wag_cache, &wag_no_store) != NGX_OK) {
        return NGX_ERROR;
    }

    return wag_json_response_header(r, &wag_options, &wag_nosniff);
}


ngx_int_t
wag_json_response_bad(ngx_http_request_t *r, const char *error,
    const char *details)
{
    cJSON  *root;

    root = cJSON_CreateObject();

    if (cJSON_AddFalseToObject(root, "success") == NULL
        || cJSON_AddStringToObject(root, "error", error) == NULL
        || cJSON_AddStringToObject(root, "code", "bad_request") == NULL
        || cJSON_AddStringToObject(root, "details", details) == NULL)
    {
        cJSON_Delete(root);
        root = NULL;
    }

    return wag_json_response_send(r, NGX_HTTP_BAD_REQUEST, root);
}


ngx_int_t
wag_json_response_arg(ngx_http_request_t *r, const char *name,
    ngx_str_t *value)
{
    u_char     *dst, *src;
    ngx_str_t   raw;

    if (ngx_http_arg(r, (u_char *) name, ngx_strlen(name), &raw) != NGX_OK) {
        return NGX_DECLINED;
    }

    dst = ngx_pnalloc(r->pool, raw.len + 1);
    if (dst == NULL) {
        return NGX_ERROR;
    }

    value->data = dst;
    src = raw.data;

    ngx_unescape_uri(&dst, &src, raw.len, 0);

    value->len = dst - value->data;

    return NGX_OK;
}


ngx_int_t
wag_json_response_header(ngx_http_request_t *r, ngx_str_t *name,
    ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    /* "next" is there since nginx 1.23.0 */

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->hash = 1;
    h->key = *name;
    h->value = *value;

    return NGX_OK;
}
