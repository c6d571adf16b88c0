
/*
 * Copyright (C) the wa_gateway authors
 *
 * Long answers in pieces: between two of them the worker serves others.
 */


#ifndef _NGX_HTTP_WA_GATEWAY_STREAM_H_INCLUDED_
#define _NGX_HTTP_WA_GATEWAY_STREAM_H_INCLUDED_


#include "ngx_http_wa_gateway_module.h"


/* bytes of a piece, and the most that one call of a producer may add */

#define NGX_HTTP_WA_GATEWAY_STREAM_SIZE  32768
#define NGX_HTTP_WA_GATEWAY_STREAM_UNIT  8192


typedef struct ngx_http_wa_gateway_stream_s  ngx_http_wa_gateway_stream_t;


/*
 * Adds the next unit to the answer.  NGX_OK: that was the last one; NGX_AGAIN:
 * there are more; NGX_ERROR: no memory.
 */
typedef ngx_int_t (*ngx_http_wa_gateway_stream_pt)(
    ngx_http_wa_gateway_stream_t *s);


struct ngx_http_wa_gateway_stream_s {
    ngx_http_request_t             *request;
    ngx_http_wa_gateway_stream_pt   produce;
    void                           *data;      /* of the producer */
    ngx_uint_t                      stage;     /* ditto, 0 at first */
    ngx_uint_t                      n;         /* ditto, 0 at first */

    ngx_buf_t                      *buf;
    ngx_int_t                       rc;        /* of the producer */
};


/*
 * Sends an answer of status 200, to be returned by a content handler.  One of
 * a single piece has a Content-Length.
 */
ngx_int_t ngx_http_wa_gateway_stream_send(ngx_http_request_t *r,
    ngx_str_t *type, ngx_http_wa_gateway_stream_pt produce, void *data);

/*
 * Adds a text.  NGX_ERROR if it exceeds the unit.
 */
ngx_int_t ngx_http_wa_gateway_stream_add(ngx_http_wa_gateway_stream_t *s,
    u_char *data, size_t len);


#endif /* _NGX_HTTP_WA_GATEWAY_STREAM_H_INCLUDED_ */
