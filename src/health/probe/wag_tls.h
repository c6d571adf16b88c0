
/*
 * Copyright (C) the wa_gateway authors
 *
 * TLS of the gateway's own connections.
 */


#ifndef _WAG_TLS_H_INCLUDED_
#define _WAG_TLS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "wag_reason.h"


#if (NGX_OPENSSL)

/*
 * Makes the client's TLS context at configuration time, freed with cf->pool.
 * "trusted" is a file of CA certificates, or empty: those of the system.
 * NGX_OK, or NGX_ERROR, which is logged.
 */
ngx_int_t wag_tls_context(ngx_conf_t *cf, ngx_ssl_t **ssl, ngx_uint_t verify,
    ngx_str_t *trusted);

/*
 * Makes c a TLS connection that asks for "name" (RFC 6066, 3), unless that is
 * empty or an address.
 */
ngx_int_t wag_tls_create(ngx_connection_t *c, ngx_ssl_t *ssl, ngx_str_t *name);

/*
 * After the handshake: whether the certificate is trusted and for "name".
 * NGX_DECLINED: it is not, and "reason" is set.
 */
ngx_int_t wag_tls_verify(ngx_connection_t *c, ngx_str_t *name,
    wag_reason_t *reason);

#endif


#endif /* _WAG_TLS_H_INCLUDED_ */
