
/*
 * Copyright (C) the wa_gateway authors
 */


#include "ngx_http_wa_gateway_module.h"
#include "ngx_http_wa_gateway_check.h"
#include "ngx_http_wa_gateway_param.h"
#include "ngx_http_wa_gateway_probe.h"
#include "ngx_http_wa_gateway_tls.h"


static ngx_http_wa_gateway_check_t *ngx_http_wa_gateway_check_get(
    ngx_conf_t *cf, ngx_http_wa_gateway_upstream_t *us, ngx_str_t *directive);
static void ngx_http_wa_gateway_check_hash(ngx_http_wa_gateway_check_t *check,
    ngx_str_t *args, ngx_uint_t n);
static ngx_int_t ngx_http_wa_gateway_check_finish_ssl(ngx_conf_t *cf,
    ngx_http_wa_gateway_upstream_t *us);
static ngx_int_t ngx_http_wa_gateway_check_finish_peer(ngx_conf_t *cf,
    ngx_http_wa_gateway_upstream_t *us, ngx_http_wa_gateway_peer_t *peer);
static ngx_int_t ngx_http_wa_gateway_check_addrs(ngx_conf_t *cf,
    ngx_http_wa_gateway_upstream_t *us, ngx_http_wa_gateway_peer_t *peer);
static void ngx_http_wa_gateway_check_host(ngx_http_wa_gateway_peer_t *peer,
    ngx_str_t *host, ngx_str_t *name);


#define ngx_http_wa_gateway_check_offset(field)                               \
    offsetof(ngx_http_wa_gateway_check_t, field)


static ngx_http_wa_gateway_param_t  ngx_http_wa_gateway_check_params[] = {

    { ngx_string("uri="), NGX_HTTP_WA_GATEWAY_PARAM_STR,
      ngx_http_wa_gateway_check_offset(uri), 0, 0 },

    { ngx_string("method="), NGX_HTTP_WA_GATEWAY_PARAM_STR,
      ngx_http_wa_gateway_check_offset(method), 0, 0 },

    { ngx_string("host="), NGX_HTTP_WA_GATEWAY_PARAM_STR,
      ngx_http_wa_gateway_check_offset(host), 0, 0 },

    { ngx_string("port="), NGX_HTTP_WA_GATEWAY_PARAM_NUM,
      ngx_http_wa_gateway_check_offset(port), 1, 65535 },

    { ngx_string("interval="), NGX_HTTP_WA_GATEWAY_PARAM_MSEC,
      ngx_http_wa_gateway_check_offset(interval), 1,
      NGX_HTTP_WA_GATEWAY_MAX_MSEC },

    { ngx_string("timeout="), NGX_HTTP_WA_GATEWAY_PARAM_MSEC,
      ngx_http_wa_gateway_check_offset(timeout), 1,
      NGX_HTTP_WA_GATEWAY_MAX_MSEC },

    { ngx_string("jitter="), NGX_HTTP_WA_GATEWAY_PARAM_PERCENT,
      ngx_http_wa_gateway_check_offset(jitter), 0, 100 },

    { ngx_string("fails="), NGX_HTTP_WA_GATEWAY_PARAM_NUM,
      ngx_http_wa_gateway_check_offset(fails), 1,
      NGX_HTTP_WA_GATEWAY_MAX_NUM },

    { ngx_string("passes="), NGX_HTTP_WA_GATEWAY_PARAM_NUM,
      ngx_http_wa_gateway_check_offset(passes), 1,
      NGX_HTTP_WA_GATEWAY_MAX_NUM },

    { ngx_string("slow_start="), NGX_HTTP_WA_GATEWAY_PARAM_MSEC,
      ngx_http_wa_gateway_check_offset(slow_start), 0,
      NGX_HTTP_WA_GATEWAY_MAX_MSEC },

    { ngx_string("mandatory="), NGX_HTTP_WA_GATEWAY_PARAM_FLAG,
      ngx_http_wa_gateway_check_offset(mandatory), 0, 0 },

    { ngx_string("keepalive="), NGX_HTTP_WA_GATEWAY_PARAM_FLAG,
      ngx_http_wa_gateway_check_offset(keepalive), 0, 0 },

    { ngx_string("ssl="), NGX_HTTP_WA_GATEWAY_PARAM_FLAG,
      ngx_http_wa_gateway_check_offset(ssl), 0, 0 },

    { ngx_string("ssl_name="), NGX_HTTP_WA_GATEWAY_PARAM_STR,
      ngx_http_wa_gateway_check_offset(name), 0, 0 },

    { ngx_string("ssl_verify="), NGX_HTTP_WA_GATEWAY_PARAM_FLAG,
      ngx_http_wa_gateway_check_offset(ssl_verify), 0, 0 },

    { ngx_string("ssl_trusted_certificate="), NGX_HTTP_WA_GATEWAY_PARAM_STR,
      ngx_http_wa_gateway_check_offset(certificate), 0, 0 },

    { ngx_null_string, 0, 0, 0, 0 }
};


char *
ngx_http_wa_gateway_check(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_wa_gateway_upstream_t *us = conf;

    char                         *rv;
    ngx_http_wa_gateway_check_t  *check;

    check = ngx_http_wa_gateway_check_get(cf, us, &cmd->name);
    if (check == NULL) {
        return NGX_CONF_ERROR;
    }

    if (check->given) {
        return "is duplicate";
    }

    check->given = 1;

    rv = ngx_http_wa_gateway_param_parse(cf, ngx_http_wa_gateway_check_params,
                                         check);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    if (check->uri.data[0] != '/') {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"uri=%V\", it must begin "
                           "with \"/\"", &check->uri);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


char *
ngx_http_wa_gateway_check_header(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_wa_gateway_upstream_t *us = conf;

    ngx_str_t                    *value;
    ngx_keyval_t                 *kv;
    ngx_http_wa_gateway_check_t  *check;

    check = ngx_http_wa_gateway_check_get(cf, us, &cmd->name);
    if (check == NULL) {
        return NGX_CONF_ERROR;
    }

    kv = ngx_array_push(&check->headers);
    if (kv == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    kv->key = value[1];
    kv->value = value[2];

    return NGX_CONF_OK;
}


char *
ngx_http_wa_gateway_check_expect(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_wa_gateway_upstream_t *us = conf;

    ngx_str_t                    *value, err;
    ngx_int_t                     rc;
    ngx_http_wa_gateway_check_t  *check;

    check = ngx_http_wa_gateway_check_get(cf, us, &cmd->name);
    if (check == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    rc = ngx_http_wa_gateway_expect_add(&check->expect, &value[1],
                                        cf->args->nelts - 1, &err);

    if (rc == NGX_DECLINED) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%V", &err);
    }

    if (rc != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    ngx_http_wa_gateway_check_hash(check, &value[1], cf->args->nelts - 1);

    return NGX_CONF_OK;
}


static ngx_http_wa_gateway_check_t *
ngx_http_wa_gateway_check_get(ngx_conf_t *cf,
    ngx_http_wa_gateway_upstream_t *us, ngx_str_t *directive)
{
    ngx_http_wa_gateway_check_t  *check;

    us->directive = *directive;

    if (us->check) {
        return us->check;
    }

    check = ngx_pcalloc(cf->pool, sizeof(ngx_http_wa_gateway_check_t));
    if (check == NULL) {
        return NULL;
    }

    ngx_str_set(&check->uri, "/health");
    ngx_str_set(&check->method, "GET");
    check->interval = 30000;
    check->timeout = 10000;
    check->jitter = 10;
    check->fails = 1;
    check->passes = 1;
    check->keepalive = 1;
    check->ssl = NGX_CONF_UNSET;

    if (ngx_http_wa_gateway_expect_init(&check->expect, cf->pool) != NGX_OK
        || ngx_array_init(&check->headers, cf->pool, 1, sizeof(ngx_keyval_t))
           != NGX_OK)
    {
        return NULL;
    }

    us->check = check;

    return check;
}


/* so that after a reload a changed check is seen to be another one */

static void
ngx_http_wa_gateway_check_hash(ngx_http_wa_gateway_check_t *check,
    ngx_str_t *args, ngx_uint_t n)
{
    uint32_t    crc;
    ngx_uint_t  i;

    for (i = 0; i < n; i++) {
        crc = ngx_crc32_long(args[i].data, args[i].len);
        check->hash = ngx_hash(check->hash, crc);
    }
}


ngx_int_t
ngx_http_wa_gateway_check_finish(ngx_conf_t *cf,
    ngx_http_wa_gateway_upstream_t *us)
{
    ngx_uint_t                    i;
    ngx_http_wa_gateway_check_t  *check;

    check = us->check;

    if (!check->given) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"%V\" requires \"wa_gateway_check\" in upstream "
                      "\"%V\" in %s:%ui", &us->directive, &us->uscf->host,
                      us->uscf->file_name, us->uscf->line);
        return NGX_ERROR;
    }

    us->policy.fails = check->fails;
    us->policy.passes = check->passes;
    us->policy.slow_start = check->slow_start;
    us->policy.mandatory = check->mandatory;
    us->policy.checked = 1;

    if (ngx_http_wa_gateway_check_finish_ssl(cf, us) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < us->npeers; i++) {
        if (ngx_http_wa_gateway_check_finish_peer(cf, us, &us->peers[i])
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_wa_gateway_check_finish_ssl(ngx_conf_t *cf,
    ngx_http_wa_gateway_upstream_t *us)
{
    ngx_http_wa_gateway_check_t  *check;

    check = us->check;

    if (check->ssl == NGX_CONF_UNSET) {
        check->ssl = (us->scheme.len == sizeof("https://") - 1);
    }

    if (!check->ssl) {
        return NGX_OK;
    }

#if (NGX_HTTP_SSL)

    return ngx_http_wa_gateway_tls_context(cf, &check->ctx, check->ssl_verify,
                                           &check->certificate);

#else

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                  "checks of upstream \"%V\" in %s:%ui need SSL, with which "
                  "nginx was not built", &us->uscf->host,
                  us->uscf->file_name, us->uscf->line);

    return NGX_ERROR;

#endif
}


static ngx_int_t
ngx_http_wa_gateway_check_finish_peer(ngx_conf_t *cf,
    ngx_http_wa_gateway_upstream_t *us, ngx_http_wa_gateway_peer_t *peer)
{
    ngx_int_t                             rc;
    ngx_str_t                             err;
    ngx_http_wa_gateway_check_t          *check;
    ngx_http_wa_gateway_probe_request_t   request;

    check = us->check;

    ngx_memzero(&request, sizeof(ngx_http_wa_gateway_probe_request_t));

    ngx_http_wa_gateway_check_host(peer, &request.host, &peer->ssl_name);

    if (check->host.len) {
        request.host = check->host;
    }

    if (check->name.len) {
        peer->ssl_name = check->name;
    }

    request.method = check->method;
    request.uri = check->uri;
    request.headers = &check->headers;
    request.keepalive = check->keepalive;
    ngx_str_set(&request.user_agent,
                "wa_gateway/" NGX_HTTP_WA_GATEWAY_VERSION);

    rc = ngx_http_wa_gateway_probe_request(cf->pool, &request, &peer->request,
                                           &err);

    if (rc == NGX_DECLINED) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "%V in the checks of upstream \"%V\" in %s:%ui",
                      &err, &us->uscf->host, us->uscf->file_name,
                      us->uscf->line);
    }

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_http_wa_gateway_check_hash(check, &peer->request, 1);

    return ngx_http_wa_gateway_check_addrs(cf, us, peer);
}


/* the instance's own addresses, or the same at another port */

static ngx_int_t
ngx_http_wa_gateway_check_addrs(ngx_conf_t *cf,
    ngx_http_wa_gateway_upstream_t *us, ngx_http_wa_gateway_peer_t *peer)
{
    ngx_uint_t   i;
    ngx_addr_t  *addr;

    peer->check_addrs = peer->addrs;

    if (us->check->port == 0) {
        return NGX_OK;
    }

    addr = ngx_palloc(cf->pool, peer->naddrs * sizeof(ngx_addr_t));
    if (addr == NULL) {
        return NGX_ERROR;
    }

    peer->check_addrs = addr;

    for (i = 0; i < peer->naddrs; i++) {

        if (peer->addrs[i].sockaddr->sa_family == AF_UNIX) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "\"port=%ui\" with \"%V\", which has none, in "
                          "upstream \"%V\" in %s:%ui", us->check->port,
                          &peer->name, &us->uscf->host, us->uscf->file_name,
                          us->uscf->line);
            return NGX_ERROR;
        }

        addr[i] = peer->addrs[i];

        addr[i].sockaddr = ngx_palloc(cf->pool, addr[i].socklen);
        if (addr[i].sockaddr == NULL) {
            return NGX_ERROR;
        }

        ngx_memcpy(addr[i].sockaddr, peer->addrs[i].sockaddr,
                   addr[i].socklen);

        ngx_inet_set_port(addr[i].sockaddr, us->check->port);
    }

    return NGX_OK;
}


/* Host (RFC 9110, 7.2) and the name for TLS: of the instance's URL */

static void
ngx_http_wa_gateway_check_host(ngx_http_wa_gateway_peer_t *peer,
    ngx_str_t *host, ngx_str_t *name)
{
    u_char  *p, *last;

    last = peer->name.data + peer->name.len;

    host->data = ngx_strlchr(peer->name.data, last, '/') + 2;
    host->len = last - host->data;

    if (ngx_strncmp(host->data, "unix:", 5) == 0) {
        ngx_str_set(host, "localhost");
        *name = *host;
        return;
    }

    *name = *host;

    if (name->data[0] == '[') {
        p = ngx_strlchr(name->data, last, ']');
        name->data++;

    } else {
        p = ngx_strlchr(name->data, last, ':');
    }

    if (p) {
        name->len = p - name->data;
    }
}


void
ngx_http_wa_gateway_check_probe(ngx_http_wa_gateway_check_t *check,
    ngx_http_wa_gateway_peer_t *peer, ngx_http_wa_gateway_probe_t *p)
{
    p->name = &peer->name;
    p->addrs = peer->check_addrs;
    p->naddrs = peer->naddrs;
    p->request = peer->request;
    p->timeout = check->timeout;
    p->keepalive = check->keepalive;
    p->head = (ngx_strcmp(check->method.data, "HEAD") == 0);

#if (NGX_HTTP_SSL)
    p->transport.ssl = check->ctx;
    p->transport.ssl_name = peer->ssl_name;
    p->transport.ssl_verify = check->ssl_verify;
#endif
}
