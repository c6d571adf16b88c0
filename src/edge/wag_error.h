
/*
 * Copyright (C) the wa_gateway authors
 */


#ifndef _WAG_ERROR_H_INCLUDED_
#define _WAG_ERROR_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "wag_ctx.h"
#include "wag_json.h"


/*
 * Filters that put JSON in place of the pages nginx itself makes for errors,
 * where "wa_gateway_errors" is on.  What an instance answered, what a
 * configuration answers by "return" or "error_page" stays as it is.
 */
ngx_int_t wag_error_header(ngx_http_request_t *r);
ngx_int_t wag_error_body(ngx_http_request_t *r, ngx_chain_t *in,
    ngx_chain_t **out);

/*
 * The JSON of an error, which may add headers to the answer; NULL if there is
 * no memory.  To be deleted.
 */
cJSON *wag_error_object(ngx_http_request_t *r, wag_ctx_t *ctx,
    ngx_uint_t status);


#endif /* _WAG_ERROR_H_INCLUDED_ */
