
/*
 * Copyright (C) the wa_gateway authors
 *
 * What "wa_gateway_control" answers.  Each gives what the handler or finalizer
 * of a request is to return.
 */


#ifndef _WAG_CONTROL_ANSWER_H_INCLUDED_
#define _WAG_CONTROL_ANSWER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "wag_upstream.h"


/*
 * The instances of the location's upstream.
 */
ngx_int_t wag_control_answer_list(ngx_http_request_t *r);

/*
 * One of them, as the list has it.
 */
ngx_int_t wag_control_answer_one(ngx_http_request_t *r, wag_upstream_t *us,
    ngx_uint_t status, ngx_str_t *name);

/*
 * 204.
 */
ngx_int_t wag_control_answer_empty(ngx_http_request_t *r);

/*
 * An error; "member" and "details" may be NULL.
 */
ngx_int_t wag_control_answer_error(ngx_http_request_t *r, ngx_uint_t status,
    const char *code, const char *error, ngx_str_t *member,
    const char *details);

/*
 * 400 because of a member, and 404.
 */
ngx_int_t wag_control_answer_bad(ngx_http_request_t *r, const char *member,
    const char *details);
ngx_int_t wag_control_answer_unknown(ngx_http_request_t *r);


#endif /* _WAG_CONTROL_ANSWER_H_INCLUDED_ */
