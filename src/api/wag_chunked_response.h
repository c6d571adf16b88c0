
/*
 * Copyright (C) the wa_gateway authors
 *
 * Long answers in pieces: between two of them the worker serves others.
 */


#ifndef _WAG_CHUNKED_RESPONSE_H_INCLUDED_
#define _WAG_CHUNKED_RESPONSE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <cjson/cJSON.h>


/* bytes of a piece, and the most that one call of a producer may add */

#define WAG_CHUNKED_RESPONSE_SIZE  32768
#define WAG_CHUNKED_RESPONSE_UNIT  8192


typedef struct wag_chunked_response_s  wag_chunked_response_t;


/*
 * Adds the next unit to the answer.  NGX_OK: that was the last one; NGX_AGAIN:
 * there are more; NGX_BUSY: so there are, but others have their turn first;
 * NGX_ERROR: no memory.
 */
typedef ngx_int_t (*wag_chunked_response_pt)(wag_chunked_response_t *s);


struct wag_chunked_response_s {
    ngx_http_request_t      *request;
    wag_chunked_response_pt  produce;
    void                    *data;    /* of the producer */
    ngx_uint_t               stage;   /* ditto, 0 at first */
    ngx_uint_t               n;       /* ditto, 0 at first */

    ngx_buf_t               *buf;
    ngx_int_t                rc;   /* of the producer */
};


/*
 * Sends an answer of status 200, to be returned by a content handler.  One of
 * a single piece has a Content-Length.
 */
ngx_int_t wag_chunked_response_send(ngx_http_request_t *r, ngx_str_t *type,
    wag_chunked_response_pt produce, void *data);

/*
 * Adds a text.  NGX_ERROR if it exceeds the unit.
 */
ngx_int_t wag_chunked_response_add(wag_chunked_response_t *s, u_char *data,
    size_t len);

/*
 * Adds a text, then that of a value without so many bytes at its ends, and
 * deletes the value.
 */
ngx_int_t wag_chunked_response_add_json(wag_chunked_response_t *s,
    char *before, cJSON *value, size_t head, size_t tail);


#endif /* _WAG_CHUNKED_RESPONSE_H_INCLUDED_ */
