
/*
 * Copyright (C) the wa_gateway authors
 *
 * JSON answers, made by cJSON.
 */


#ifndef _NGX_HTTP_WA_GATEWAY_ANSWER_H_INCLUDED_
#define _NGX_HTTP_WA_GATEWAY_ANSWER_H_INCLUDED_


#include "ngx_http_wa_gateway_module.h"

#include <cjson/cJSON.h>


#define NGX_HTTP_WA_GATEWAY_TIME_LEN  (sizeof("1970-01-01T00:00:00.000Z") - 1)


/*
 * Adds a string that has no terminating NUL.  NULL if there is no memory, as
 * with cJSON's own functions.
 */
cJSON *ngx_http_wa_gateway_answer_string(cJSON *object, const char *name,
    u_char *data, size_t len);

/*
 * Adds a time in ms since the Epoch, as RFC 3339 in UTC; null if it is 0.
 */
cJSON *ngx_http_wa_gateway_answer_time(cJSON *object, const char *name,
    uint64_t msec);

/*
 * The text of a value, from pool.
 */
ngx_int_t ngx_http_wa_gateway_answer_print(ngx_pool_t *pool, cJSON *value,
    ngx_str_t *text);

/*
 * NGX_OK if the method is GET or HEAD, else the status to return: 405, with
 * "Allow" added.  The body of the request is discarded.
 */
ngx_int_t ngx_http_wa_gateway_answer_begin(ngx_http_request_t *r);

/*
 * Sends the value with this status, and deletes it; NULL is answered by 500.
 */
ngx_int_t ngx_http_wa_gateway_answer_send(ngx_http_request_t *r,
    ngx_uint_t status, cJSON *value);

/*
 * Adds a header to the answer; the value must last as long as the request.
 */
ngx_int_t ngx_http_wa_gateway_answer_header(ngx_http_request_t *r,
    ngx_str_t *name, ngx_str_t *value);

/*
 * Adds "Cache-Control: no-store", RFC 9111, 5.2.2.5, and
 * "X-Content-Type-Options: nosniff": the answer holds words of others.
 */
ngx_int_t ngx_http_wa_gateway_answer_no_store(ngx_http_request_t *r);


#endif /* _NGX_HTTP_WA_GATEWAY_ANSWER_H_INCLUDED_ */
