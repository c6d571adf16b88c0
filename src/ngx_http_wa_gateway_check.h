
/*
 * Copyright (C) the wa_gateway authors
 *
 * The configuration of active checks: what is asked and what is expected.
 */


#ifndef _NGX_HTTP_WA_GATEWAY_CHECK_H_INCLUDED_
#define _NGX_HTTP_WA_GATEWAY_CHECK_H_INCLUDED_


#include "ngx_http_wa_gateway_module.h"
#include "ngx_http_wa_gateway_expect.h"
#include "ngx_http_wa_gateway_probe.h"


/* wa_gateway_check, _check_header and _expect of an upstream; times in ms */

struct ngx_http_wa_gateway_check_s {
    ngx_str_t                     uri;
    ngx_str_t                     method;
    ngx_str_t                     host;
    ngx_str_t                     name;         /* ssl_name= */
    ngx_str_t                     certificate;  /* ssl_trusted_certificate= */
    ngx_uint_t                    port;         /* 0: the instance's */
    ngx_uint_t                    jitter;       /* percent of interval */
    ngx_msec_t                    interval;
    ngx_msec_t                    timeout;
    ngx_flag_t                    keepalive;
    ngx_flag_t                    ssl;
    ngx_flag_t                    ssl_verify;

    /* for the policy */

    ngx_uint_t                    fails;
    ngx_uint_t                    passes;
    ngx_msec_t                    slow_start;
    ngx_flag_t                    mandatory;

    ngx_array_t                   headers;      /* ngx_keyval_t */
    ngx_http_wa_gateway_expect_t  expect;
    ngx_uint_t                    hash;         /* of all that is asked */
    ngx_uint_t                    given;        /* wa_gateway_check itself */

#if (NGX_HTTP_SSL)
    ngx_ssl_t                    *ctx;
#endif
};


char *ngx_http_wa_gateway_check(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_wa_gateway_check_header(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_wa_gateway_check_expect(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * Completes the checks of an upstream when its peers are known: policy,
 * requests, TLS.  Errors are logged.
 */
ngx_int_t ngx_http_wa_gateway_check_finish(ngx_conf_t *cf,
    ngx_http_wa_gateway_upstream_t *us);

/*
 * What a probe has to know of how this instance is checked; who runs it and
 * what is done with the answer is the caller's.
 */
void ngx_http_wa_gateway_check_probe(ngx_http_wa_gateway_check_t *check,
    ngx_http_wa_gateway_peer_t *peer, ngx_http_wa_gateway_probe_t *p);


#endif /* _NGX_HTTP_WA_GATEWAY_CHECK_H_INCLUDED_ */
