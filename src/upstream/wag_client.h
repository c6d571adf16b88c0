
/*
 * Copyright (C) the wa_gateway authors
 *
 * Whom a request is of: the key that it came with, and what that forbids.
 */


#ifndef _WAG_CLIENT_H_INCLUDED_
#define _WAG_CLIENT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "wag_keys.h"


/*
 * The key that the request came with, which a subrequest and an internal
 * redirect have of it; NULL if no key was asked for.
 */
wag_key_t *wag_client_key(ngx_http_request_t *r);

/*
 * Sets it, for a request that is no subrequest.
 */
ngx_int_t wag_client_set_key(ngx_http_request_t *r, wag_key_t *key);

/*
 * For what the key is not allowed: the status to return, which is answered as
 * "forbidden_session".
 */
ngx_int_t wag_client_forbid(ngx_http_request_t *r);


#endif /* _WAG_CLIENT_H_INCLUDED_ */
