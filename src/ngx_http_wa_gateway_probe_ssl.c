
#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_http_wa_gateway_probe.h"


#if (NGX_OPENSSL)

static ngx_int_t ngx_http_wa_gateway_probe_ssl_sni(
    ngx_http_wa_gateway_probe_t *p);
static void ngx_http_wa_gateway_probe_ssl_handshake(
    ngx_http_wa_gateway_probe_t *p);
static void ngx_http_wa_gateway_probe_ssl_handler(ngx_event_t *ev);
static ngx_int_t ngx_http_wa_gateway_probe_ssl_check(
    ngx_http_wa_gateway_probe_t *p);
static ngx_int_t ngx_http_wa_gateway_probe_ssl_check_ip(ngx_connection_t *c,
    ngx_str_t *name);
static ngx_uint_t ngx_http_wa_gateway_probe_ssl_is_ip(ngx_str_t *name);


ngx_int_t
ngx_http_wa_gateway_probe_ssl_create(ngx_conf_t *cf, ngx_ssl_t **ssl,
    ngx_uint_t verify, ngx_str_t *trusted)
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


void
ngx_http_wa_gateway_probe_ssl(ngx_http_wa_gateway_probe_t *p)
{
    ngx_connection_t  *c;

    c = p->connection;

    if (ngx_ssl_create_connection(p->ssl, c, NGX_SSL_BUFFER|NGX_SSL_CLIENT)
        != NGX_OK
        || ngx_http_wa_gateway_probe_ssl_sni(p) != NGX_OK)
    {
        ngx_http_wa_gateway_probe_finish(p, NGX_ERROR, "no ssl connection");
        return;
    }

    ngx_http_wa_gateway_probe_ssl_handshake(p);
}


/* as ngx_http_upstream_ssl_name(): RFC 6066 permits no addresses */

static ngx_int_t
ngx_http_wa_gateway_probe_ssl_sni(ngx_http_wa_gateway_probe_t *p)
{
#ifdef SSL_CTRL_SET_TLSEXT_HOSTNAME

    u_char     *name;
    ngx_str_t  *s;

    s = &p->ssl_name;

    if (s->len == 0 || ngx_http_wa_gateway_probe_ssl_is_ip(s)) {
        return NGX_OK;
    }

    name = ngx_pnalloc(p->connection->pool, s->len + 1);
    if (name == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_cpystrn(name, s->data, s->len + 1);

    if (SSL_set_tlsext_host_name(p->connection->ssl->connection,
                                 (char *) name)
        == 0)
    {
        return NGX_ERROR;
    }

#endif

    return NGX_OK;
}


/*
 * The handler of ngx_ssl_handshake() does not look at c->close, hence the
 * connection would outlive a worker that exits: this room sets its own.
 */

static void
ngx_http_wa_gateway_probe_ssl_handshake(ngx_http_wa_gateway_probe_t *p)
{
    ngx_int_t          rc;
    ngx_connection_t  *c;

    c = p->connection;

    rc = ngx_ssl_handshake(c);

    if (rc == NGX_AGAIN) {
        c->read->handler = ngx_http_wa_gateway_probe_ssl_handler;
        c->write->handler = ngx_http_wa_gateway_probe_ssl_handler;
        return;
    }

    if (rc != NGX_OK || !c->ssl->handshaked) {
        ngx_http_wa_gateway_probe_finish(p, NGX_DECLINED,
                                         c->read->error
                                         ? "ssl handshake failed"
                                         : "closed in ssl handshake");
        return;
    }

    if (p->ssl_verify && ngx_http_wa_gateway_probe_ssl_check(p) != NGX_OK) {
        ngx_http_wa_gateway_probe_finish(p, NGX_DECLINED, "");
        return;
    }

    ngx_http_wa_gateway_probe_send(p);
}


static void
ngx_http_wa_gateway_probe_ssl_handler(ngx_event_t *ev)
{
    ngx_connection_t             *c;
    ngx_http_wa_gateway_probe_t  *p;

    c = ev->data;
    p = c->data;

    ngx_log_debug1(NGX_LOG_DEBUG_EVENT, ev->log, 0,
                   "wa_gateway probe ssl handler: %V", p->name);

    if (c->close) {
        ngx_http_wa_gateway_probe_finish(p, NGX_ERROR, "worker is exiting");
        return;
    }

    ngx_http_wa_gateway_probe_ssl_handshake(p);
}


static ngx_int_t
ngx_http_wa_gateway_probe_ssl_check(ngx_http_wa_gateway_probe_t *p)
{
    long               rc;
    ngx_int_t          match;
    ngx_connection_t  *c;

    c = p->connection;

    rc = SSL_get_verify_result(c->ssl->connection);

    if (rc != X509_V_OK) {
        ngx_http_wa_gateway_reason_set(&p->reason, "ssl certificate: ");
        ngx_http_wa_gateway_reason_add(&p->reason,
                                       X509_verify_cert_error_string(rc));
        return NGX_DECLINED;
    }

    match = ngx_http_wa_gateway_probe_ssl_is_ip(&p->ssl_name)
            ? ngx_http_wa_gateway_probe_ssl_check_ip(c, &p->ssl_name)
            : ngx_ssl_check_host(c, &p->ssl_name);

    if (match != NGX_OK) {
        ngx_http_wa_gateway_reason_set(&p->reason,
                                       "ssl certificate does not match \"");
        ngx_http_wa_gateway_reason_add_value(&p->reason, &p->ssl_name,
                                         NGX_HTTP_WA_GATEWAY_REASON_VALUE_LEN);
        ngx_http_wa_gateway_reason_add(&p->reason, "\"");

        return NGX_DECLINED;
    }

    return NGX_OK;
}


/* ngx_ssl_check_host() compares with names only, not with addresses */

static ngx_int_t
ngx_http_wa_gateway_probe_ssl_check_ip(ngx_connection_t *c, ngx_str_t *name)
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
ngx_http_wa_gateway_probe_ssl_is_ip(ngx_str_t *name)
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
