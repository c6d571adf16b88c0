
/*
 * Copyright (C) the wa_gateway authors
 */


#ifndef _WAG_ENVELOPE_H_INCLUDED_
#define _WAG_ENVELOPE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/*
 * Filters for "wa_gateway_envelope": a 2xx JSON answer of an instance becomes
 * {"success":true,"data":...,"instance":"...","timestamp":"..."}, streamed.
 * "instance" is null where a cache answered instead.
 */
ngx_int_t wag_envelope_header(ngx_http_request_t *r);
ngx_int_t wag_envelope_body(ngx_http_request_t *r, ngx_chain_t *in,
    ngx_chain_t **out);


#endif /* _WAG_ENVELOPE_H_INCLUDED_ */
