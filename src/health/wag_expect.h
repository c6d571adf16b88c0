
/*
 * Copyright (C) the wa_gateway authors
 *
 * Whether the answer to a check is as it is expected to be.  Pure.
 */


#ifndef _WAG_EXPECT_H_INCLUDED_
#define _WAG_EXPECT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_http.h"
#include "wag_json.h"
#include "wag_reason.h"


typedef enum {
    wag_expect_status_e = 0,
    wag_expect_header_e,
    wag_expect_body_e,
    wag_expect_json_e
} wag_expect_type_e;


typedef struct {
    ngx_str_t            text;
    double               number;   /* of JSON */
    ngx_uint_t           from;     /* of a status */
    ngx_uint_t           to;
    unsigned             numeric:1;
} wag_expect_value_t;


typedef struct {
    wag_expect_type_e    type;
    ngx_str_t            name;    /* of a header */
    wag_json_path_t      path;
    ngx_array_t          values;
    void                *regex;   /* ngx_regex_t */
} wag_expect_rule_t;


typedef struct {
    ngx_pool_t          *pool;
    ngx_array_t          rules;
    unsigned             status:1;
} wag_expect_t;


/*
 * Prepares an empty list of expectations, which requires status 200.
 * NGX_OK, or NGX_ERROR if there is no memory.
 */
ngx_int_t wag_expect_init(wag_expect_t *e, ngx_pool_t *pool);

/*
 * Adds one expectation, from the arguments that follow the directive's name,
 * which must outlive it:
 *
 *     status  code|from-to ...
 *     header  name = value ...
 *     header  name ~ regex
 *     body    ~ regex
 *     json    path = value ...
 *
 * NGX_OK; NGX_DECLINED, "err" names the bad value; NGX_ERROR if there is no
 * memory.
 */
ngx_int_t wag_expect_add(wag_expect_t *e, ngx_str_t *args, ngx_uint_t nargs,
    ngx_str_t *err);

/*
 * Judges a complete answer.  NGX_OK: everything that is expected holds;
 * NGX_DECLINED: "reason" tells what was found instead; NGX_ERROR: it tells
 * that there is no memory.  Status 200 is
 * required where no "status" was added.  The values of one expectation are
 * alternatives, several expectations must hold together.
 *
 * A JSON value is compared by its text: 200 matches the number 200 (or
 * 200.0) and the string "200", true matches true and "true", null matches
 * null and "null"; an object or an array matches nothing.  Numbers are
 * compared as doubles.
 */
ngx_int_t wag_expect_check(wag_expect_t *e, wag_http_t *h,
    wag_reason_t *reason);


#endif /* _WAG_EXPECT_H_INCLUDED_ */
