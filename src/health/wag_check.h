
/*
 * Copyright (C) the wa_gateway authors
 *
 * The configuration of active checks: what is asked and what is expected.
 */


#ifndef _WAG_CHECK_H_INCLUDED_
#define _WAG_CHECK_H_INCLUDED_


#include "wag_expect.h"
#include "wag_probe.h"
#include "wag_upstream.h"


/* wa_gateway_check, _check_header and _expect of an upstream; times in ms */

struct wag_check_s {
    ngx_str_t            uri;
    ngx_str_t            method;
    ngx_str_t            host;
    ngx_str_t            name;          /* ssl_name= */
    ngx_str_t            certificate;   /* ssl_trusted_certificate= */
    ngx_uint_t           port;          /* 0: the instance's */
    ngx_uint_t           jitter;        /* percent of interval */
    ngx_msec_t           interval;
    ngx_msec_t           timeout;
    ngx_flag_t           keepalive;
    ngx_flag_t           ssl;
    ngx_flag_t           ssl_verify;

    /* for the policy */

    ngx_uint_t           fails;
    ngx_uint_t           passes;
    ngx_msec_t           slow_start;
    ngx_flag_t           mandatory;

    ngx_array_t          headers;   /* ngx_keyval_t */
    wag_expect_t         expect;
    ngx_uint_t           hash;      /* of all that is asked */
    ngx_uint_t           given;     /* wa_gateway_check itself */
    ngx_uint_t           own;       /* says what is asked */

#if (NGX_HTTP_SSL)
    ngx_ssl_t           *ctx;
#endif
};


char *wag_check(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *wag_check_header(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *wag_check_expect(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/*
 * Sees to it that there are checks: vendors' lists are asked for by them.
 */
ngx_int_t wag_check_imply(ngx_conf_t *cf, wag_upstream_t *us);

/*
 * Completes the checks of an upstream when its peers are known: policy,
 * requests, TLS.  Errors are logged.
 */
ngx_int_t wag_check_finish(ngx_conf_t *cf, wag_upstream_t *us);

/*
 * The same for one server, whose name is known, from pool.
 * NGX_DECLINED: "err" tells what is wrong.
 */
ngx_int_t wag_check_server(ngx_pool_t *pool, wag_upstream_t *us,
    wag_server_t *server, ngx_str_t *err);

/*
 * What a probe has to know of how this instance is checked; who runs it, what
 * is done with the answer and whereto it goes, see wag_reach(), is the
 * caller's.
 */
void wag_check_probe(wag_check_t *check, wag_server_t *server, wag_probe_t *p);


#endif /* _WAG_CHECK_H_INCLUDED_ */
