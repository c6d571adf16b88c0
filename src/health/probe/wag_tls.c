
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_tls.h"


#if (NGX_OPENSSL)

static ngx_int_t wag_tls_check_ip(ngx_connection_t *c, ngx_str_t *name);
static ngx_uint_t wag_tls_is_ip(ngx_str_t *name);


ngx_int_t
wag_tls_context(ngx_conf_t *cf, ngx_ssl_t **ssl, ngx_uint_t verify,
    ngx_str_t *trusted)
{
    ngx_ssl_t           *s;
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    s = ngx_pcalloc(cf->pool, sizeof(ngx_ssl_t));
    if (s == NULL) {
        return NGX_ERROR;
    }

    s->log = cf->log;

    /* RFC 8996 */

    if (ngx_ssl_create(s, NGX_SSL_TLSv1_2|NGX_SSL_TLSv1_3, NULL) != NGX_OK) {
        return NGX_ERROR;
    }

    cln->handler = ngx_ssl_cleanup_ctx;
    cln->data = s;

    if (verify) {

        if (ngx_ssl_trusted_certificate(cf, s, trusted, 4) != NGX_OK) {
            return NGX_ERROR;
        }

        if (trusted->len == 0
            && SSL_CTX_set_default_verify_paths(s->ctx) == 0)
        {
            ngx_ssl_error(NGX_LOG_EMERG, cf->log, 0,
                          "SSL_CTX_set_default_verify_paths() failed");
            return NGX_ERROR;
        }
    }

    *ssl = s;

    return NGX_OK;
}


ngx_int_t
wag_tls_create(ngx_connection_t *c, ngx_ssl_t *ssl, ngx_str_t *name)
{
#ifdef SSL_CTRL_SET_TLSEXT_HOSTNAME
    u_char  *p;
#endif

    if (ngx_ssl_create_connection(ssl, c, NGX_SSL_BUFFER|NGX_SSL_CLIENT)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

#ifdef SSL_CTRL_SET_TLSEXT_HOSTNAME

    /* as ngx_http_upstream_ssl_name() */

    if (name->len == 0 || wag_tls_is_ip(name)) {
        return NGX_OK;
    }

    p = ngx_pnalloc(c->pool, name->len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_cpystrn(p, name->data, name->len + 1);

    if (SSL_set_tlsext_host_name(c->ssl->connection, (char *) p) == 0) {
        return NGX_ERROR;
    }

#endif

    return NGX_OK;
}


ngx_int_t
wag_tls_verify(ngx_connection_t *c, ngx_str_t *name, wag_reason_t *reason)
{
    long       rc;
    ngx_int_t  match;

    rc = SSL_get_verify_result(c->ssl->connection);

    if (rc != X509_V_OK) {
        wag_reason_set(reason, "ssl certificate: ");
        wag_reason_add(reason, X509_verify_cert_error_string(rc));
        return NGX_DECLINED;
    }

    match = wag_tls_is_ip(name)
            ? wag_tls_check_ip(c, name)
            : ngx_ssl_check_host(c, name);

    if (match != NGX_OK) {
        wag_reason_set(reason, "ssl certificate does not match \"");
        wag_reason_add_value(reason, name, WAG_REASON_VALUE_LEN);
        wag_reason_add(reason, "\"");

        return NGX_DECLINED;
    }

    return NGX_OK;
}


/* ngx_ssl_check_host() compares with names only, not with addresses */

static ngx_int_t
wag_tls_check_ip(ngx_connection_t *c, ngx_str_t *name)
{
    int        rc;
    X509      *cert;
    u_char     text[NGX_SOCKADDR_STRLEN + 1];
    ngx_str_t  ip;

    ip = *name;

    if (ip.data[0] == '[') {
        ip.data++;
        ip.len -= 2;
    }

    if (ip.len > NGX_SOCKADDR_STRLEN) {
        return NGX_DECLINED;
    }

    (void) ngx_cpystrn(text, ip.data, ip.len + 1);

    cert = SSL_get_peer_certificate(c->ssl->connection);
    if (cert == NULL) {
        return NGX_DECLINED;
    }

    rc = X509_check_ip_asc(cert, (char *) text, 0);

    X509_free(cert);

    return (rc == 1) ? NGX_OK : NGX_DECLINED;
}


/* an IPv6 address may stand in brackets */

static ngx_uint_t
wag_tls_is_ip(ngx_str_t *name)
{
#if (NGX_HAVE_INET6)
    u_char  addr[16];
#endif

    if (ngx_inet_addr(name->data, name->len) != INADDR_NONE) {
        return 1;
    }

#if (NGX_HAVE_INET6)

    if (name->len > 2 && name->data[0] == '['
        && name->data[name->len - 1] == ']')
    {
        return ngx_inet6_addr(name->data + 1, name->len - 2, addr) == NGX_OK;
    }

    return ngx_inet6_addr(name->data, name->len, addr) == NGX_OK;

#else

    return 0;

#endif
}

#endif
