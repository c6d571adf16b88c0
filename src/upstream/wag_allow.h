
/*
 * Copyright (C) the wa_gateway authors
 *
 * "wa_gateway_allow": what passes though the files of vendors refuse it.
 */


#ifndef _WAG_ALLOW_H_INCLUDED_
#define _WAG_ALLOW_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/*
 * The directive: "on", "off", or methods and paths as in "route" of a vendor.
 */
char *wag_allow_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/*
 * Whether the location of a request lets this one pass.
 */
ngx_uint_t wag_allow_allows(ngx_http_request_t *r, ngx_str_t *method,
    ngx_str_t *target);


#endif /* _WAG_ALLOW_H_INCLUDED_ */
