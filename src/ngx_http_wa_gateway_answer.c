
/*
 * Copyright (C) the wa_gateway authors
 */


#include "ngx_http_wa_gateway_module.h"
#include "ngx_http_wa_gateway_answer.h"


static ngx_str_t  ngx_http_wa_gateway_allow = ngx_string("Allow");
static ngx_str_t  ngx_http_wa_gateway_allowed = ngx_string("GET, HEAD");
static ngx_str_t  ngx_http_wa_gateway_cache = ngx_string("Cache-Control");
static ngx_str_t  ngx_http_wa_gateway_no_store = ngx_string("no-store");
static ngx_str_t  ngx_http_wa_gateway_options =
    ngx_string("X-Content-Type-Options");
static ngx_str_t  ngx_http_wa_gateway_nosniff = ngx_string("nosniff");


cJSON *
ngx_http_wa_gateway_answer_string(cJSON *object, const char *name,
    u_char *data, size_t len)
{
    char    buf[NGX_HTTP_WA_GATEWAY_NAME_LEN + 1];
    u_char *last;

    last = ngx_cpymem(buf, data, ngx_min(len, NGX_HTTP_WA_GATEWAY_NAME_LEN));
    *last = '\0';

    return cJSON_AddStringToObject(object, name, buf);
}


cJSON *
ngx_http_wa_gateway_answer_time(cJSON *object, const char *name, uint64_t msec)
{
    ngx_tm_t  tm;
    u_char    buf[NGX_HTTP_WA_GATEWAY_TIME_LEN + 1];

    if (msec == 0) {
        return cJSON_AddNullToObject(object, name);
    }

    ngx_gmtime(msec / 1000, &tm);

    ngx_sprintf(buf, "%4d-%02d-%02dT%02d:%02d:%02d.%03dZ%Z",
                tm.ngx_tm_year, tm.ngx_tm_mon, tm.ngx_tm_mday, tm.ngx_tm_hour,
                tm.ngx_tm_min, tm.ngx_tm_sec, (int) (msec % 1000));

    return cJSON_AddStringToObject(object, name, (char *) buf);
}


ngx_int_t
ngx_http_wa_gateway_answer_print(ngx_pool_t *pool, cJSON *value,
    ngx_str_t *text)
{
    char  *s;

    s = cJSON_PrintUnformatted(value);
    if (s == NULL) {
        return NGX_ERROR;
    }

    text->len = ngx_strlen(s);
    text->data = ngx_pnalloc(pool, text->len);

    if (text->data) {
        ngx_memcpy(text->data, s, text->len);
    }

    cJSON_free(s);

    return text->data ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_http_wa_gateway_answer_begin(ngx_http_request_t *r)
{
    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {

        if (ngx_http_wa_gateway_answer_header(r, &ngx_http_wa_gateway_allow,
                                              &ngx_http_wa_gateway_allowed)
            != NGX_OK)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        return NGX_HTTP_NOT_ALLOWED;
    }

    return ngx_http_discard_request_body(r);
}


ngx_int_t
ngx_http_wa_gateway_answer_send(ngx_http_request_t *r, ngx_uint_t status,
    cJSON *value)
{
    ngx_int_t    rc;
    ngx_buf_t   *b;
    ngx_str_t    text;
    ngx_chain_t  out;

    if (value == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_wa_gateway_answer_print(r->pool, value, &text);

    cJSON_Delete(value);

    b = (rc == NGX_OK) ? ngx_calloc_buf(r->pool) : NULL;

    if (b == NULL || ngx_http_wa_gateway_answer_no_store(r) != NGX_OK) {
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
ngx_http_wa_gateway_answer_no_store(ngx_http_request_t *r)
{
    if (ngx_http_wa_gateway_answer_header(r, &ngx_http_wa_gateway_cache,
                                          &ngx_http_wa_gateway_no_store)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_wa_gateway_answer_header(r, &ngx_http_wa_gateway_options,
                                             &ngx_http_wa_gateway_nosniff);
}


ngx_int_t
ngx_http_wa_gateway_answer_header(ngx_http_request_t *r, ngx_str_t *name,
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
