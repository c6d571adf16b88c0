
/*
 * Copyright (C) the wa_gateway authors
 *
 * JSON answers, made by cJSON.
 */


#ifndef _WAG_JSON_RESPONSE_H_INCLUDED_
#define _WAG_JSON_RESPONSE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <cjson/cJSON.h>


/*
 * NGX_OK if the method is GET or HEAD, else the status to return: 405, with
 * "Allow" added.  The body of the request is discarded.
 */
ngx_int_t wag_json_response_begin(ngx_http_request_t *r);

/*
 * Sends the value with this status, and deletes it; NULL is answered by 500.
 */
ngx_int_t wag_json_response_send(ngx_http_request_t *r, ngx_uint_t status,
    cJSON *value);

/*
 * Sends 400 with the code "bad_request".
 */
ngx_int_t wag_json_response_bad(ngx_http_request_t *r, const char *error,
    const char *details);

/*
 * An argument of the query, decoded once (RFC 3986, 2.4), from the request's
 * pool.  NGX_DECLINED if it is not there.
 */
ngx_int_t wag_json_response_arg(ngx_http_request_t *r, const char *name,
    ngx_str_t *value);

/*
 * Adds a header to the answer; the value must last as long as the request.
 */
ngx_int_t wag_json_response_header(ngx_http_request_t *r, ngx_str_t *name,
    ngx_str_t *value);

/*
 * Adds "Cache-Control: no-store", RFC 9111, 5.2.2.5, and
 * "X-Content-Type-Options: nosniff": the answer holds words of others.
 */
ngx_int_t wag_json_response_no_store(ngx_http_request_t *r);


#endif /* _WAG_JSON_RESPONSE_H_INCLUDED_ */
