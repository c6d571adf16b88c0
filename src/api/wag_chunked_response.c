
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_chunked_response.h"
#include "wag_conf.h"
#include "wag_ctx.h"
#include "wag_json_response.h"


static ngx_int_t wag_chunked_response_fill(wag_chunked_response_t *s);
static ngx_int_t wag_chunked_response_header(wag_chunked_response_t *s,
    ngx_str_t *type);
static ngx_int_t wag_chunked_response_output(wag_chunked_response_t *s);
static void wag_chunked_response_handler(ngx_http_request_t *r);
static ngx_int_t wag_chunked_response_wait(wag_chunked_response_t *s);


ngx_int_t
wag_chunked_response_send(ngx_http_request_t *r, ngx_str_t *type,
    wag_chunked_response_pt produce, void *data)
{
    ngx_int_t                rc;
    wag_ctx_t               *ctx;
    wag_chunked_response_t  *s;

    ctx = wag_ctx_get(r);
    s = ngx_pcalloc(r->pool, sizeof(wag_chunked_response_t));

    if (ctx == NULL || s == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    s->request = r;
    s->produce = produce;
    s->data = data;

    s->buf = ngx_create_temp_buf(r->pool, WAG_CHUNKED_RESPONSE_SIZE);

    if (s->buf == NULL || wag_chunked_response_fill(s) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = wag_chunked_response_header(s, type);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    if (s->rc != NGX_BUSY) {
        rc = wag_chunked_response_output(s);
    }

    if (rc == NGX_ERROR || s->rc == NGX_OK) {
        return rc;
    }

    ctx->stream = s;

    r->write_event_handler = wag_chunked_response_handler;
    r->main->count++;

    if (wag_chunked_response_wait(s) != NGX_OK) {
        r->main->count--;
        return NGX_ERROR;
    }

    return NGX_DONE;
}


static ngx_int_t
wag_chunked_response_fill(wag_chunked_response_t *s)
{
    if (s->rc != NGX_BUSY) {
        s->buf->pos = s->buf->start;
        s->buf->last = s->buf->start;
    }

    do {
        s->rc = s->produce(s);

    } while (s->rc == NGX_AGAIN
             && s->buf->end - s->buf->last >= WAG_CHUNKED_RESPONSE_UNIT);

    return (s->rc == NGX_ERROR) ? NGX_ERROR : NGX_OK;
}


static ngx_int_t
wag_chunked_response_header(wag_chunked_response_t *s, ngx_str_t *type)
{
    ngx_http_request_t  *r;

    r = s->request;

    if (wag_json_response_no_store(r) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_type = *type;
    r->headers_out.content_type_len = type->len;
    r->headers_out.content_type_lowcase = NULL;
    ngx_str_set(&r->headers_out.charset, "utf-8");

    if (s->rc == NGX_OK) {
        r->headers_out.content_length_n = s->buf->last - s->buf->pos;
    }

    return ngx_http_send_header(r);
}


static ngx_int_t
wag_chunked_response_output(wag_chunked_response_t *s)
{
    ngx_chain_t  out;

    s->buf->flush = 1;
    s->buf->last_in_chain = 1;
    s->buf->last_buf = (s->rc == NGX_OK && s->request == s->request->main);

    out.buf = s->buf;
    out.next = NULL;

    return ngx_http_output_filter(s->request, &out);
}


static void
wag_chunked_response_handler(ngx_http_request_t *r)
{
    ngx_int_t                rc;
    wag_ctx_t               *ctx;
    ngx_event_t             *wev;
    wag_chunked_response_t  *s;

    ctx = ngx_http_get_module_ctx(r, ngx_http_wa_gateway_module);

    s = ctx->stream;
    wev = r->connection->write;

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, wev->log, 0,
                   "wa_gateway stream handler, stage: %ui, n: %ui",
                   s->stage, s->n);

    if (wev->timedout) {
        r->connection->timedout = 1;
        ngx_log_error(NGX_LOG_INFO, wev->log, NGX_ETIMEDOUT,
                      "client timed out");
        ngx_http_finalize_request(r, NGX_HTTP_REQUEST_TIME_OUT);
        return;
    }

    if (wev->delayed) {

        /* by limit_rate: the timer of the write filter goes on from here */

        if (wag_chunked_response_wait(s) != NGX_OK) {
            ngx_http_finalize_request(r, NGX_ERROR);
        }

        return;
    }

    rc = NGX_OK;

    if (s->rc != NGX_BUSY && s->buf->pos < s->buf->last) {
        rc = ngx_http_output_filter(r, NULL);

    } else if (wag_chunked_response_fill(s) != NGX_OK) {
        rc = NGX_ERROR;

    } else if (s->rc != NGX_BUSY) {
        rc = wag_chunked_response_output(s);
    }

    if (rc == NGX_ERROR || s->rc == NGX_OK) {

        /* what is still buffered is sent by ngx_http_writer() */

        ngx_http_finalize_request(r, rc);
        return;
    }

    if (wag_chunked_response_wait(s) != NGX_OK) {
        ngx_http_finalize_request(r, NGX_ERROR);
    }
}


/* for the client, or only for the next turn of the event loop */

static ngx_int_t
wag_chunked_response_wait(wag_chunked_response_t *s)
{
    ngx_event_t               *wev;
    ngx_http_core_loc_conf_t  *clcf;

    wev = s->request->connection->write;

    clcf = ngx_http_get_module_loc_conf(s->request, ngx_http_core_module);

    if (wev->delayed) {
        return ngx_handle_write_event(wev, clcf->send_lowat);
    }

    if (s->rc == NGX_BUSY || s->buf->pos == s->buf->last) {

        if (wev->timer_set) {
            ngx_del_timer(wev);
        }

        ngx_post_event(wev, &ngx_posted_next_events);

        return NGX_OK;
    }

    ngx_add_timer(wev, clcf->send_timeout);

    return ngx_handle_write_event(wev, clcf->send_lowat);
}


ngx_int_t
wag_chunked_response_add(wag_chunked_response_t *s, u_char *data, size_t len)
{
    if ((size_t) (s->buf->end - s->buf->last) < len) {
        ngx_log_error(NGX_LOG_ALERT, s->request->connection->log, 0,
                      "wa_gateway stream unit of %uz bytes is too long", len);
        return NGX_ERROR;
    }

    s->buf->last = ngx_cpymem(s->buf->last, data, len);

    return NGX_OK;
}


ngx_int_t
wag_chunked_response_add_json(wag_chunked_response_t *s, char *before,
    cJSON *value, size_t head, size_t tail)
{
    char       *text;
    size_t      len;
    ngx_int_t   rc;

    text = cJSON_PrintUnformatted(value);

    cJSON_Delete(value);

    if (text == NULL) {
        return NGX_ERROR;
    }

    len = ngx_strlen(text) - head - tail;

    rc = wag_chunked_response_add(s, (u_char *) before, ngx_strlen(before));

    if (rc == NGX_OK) {
        rc = wag_chunked_response_add(s, (u_char *) text + head, len);
    }

    cJSON_free(text);

    return rc;
}
