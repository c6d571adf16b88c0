
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_check.h"
#include "wag_conf.h"
#include "wag_param.h"
#include "wag_probe.h"
#include "wag_tls.h"


static wag_check_t *wag_check_get(ngx_conf_t *cf, wag_upstream_t *us,
    ngx_str_t *directive);
static void wag_check_hash(wag_check_t *check, ngx_str_t *args, ngx_uint_t n);
static void wag_check_defaults(wag_check_t *check);
static ngx_int_t wag_check_finish_ssl(ngx_conf_t *cf, wag_upstream_t *us);
static ngx_int_t wag_check_finish_peer(ngx_conf_t *cf, wag_upstream_t *us,
    wag_server_t *server);
static void wag_check_host(wag_server_t *server, ngx_str_t *host,
    ngx_str_t *name);


#define wag_check_offset(field)                                               \
    offsetof(wag_check_t, field)


static wag_param_t  wag_check_params[] = {

    { ngx_string("uri="), WAG_PARAM_STR,
      wag_check_offset(uri), 0, 0 },

    { ngx_string("method="), WAG_PARAM_STR,
      wag_check_offset(method), 0, 0 },

    { ngx_string("host="), WAG_PARAM_STR,
      wag_check_offset(host), 0, 0 },

    { ngx_string("port="), WAG_PARAM_NUM,
      wag_check_offset(port), 1, 65535 },

    { ngx_string("interval="), WAG_PARAM_MSEC,
      wag_check_offset(interval), 1,
      WAG_MAX_MSEC },

    { ngx_string("timeout="), WAG_PARAM_MSEC,
      wag_check_offset(timeout), 1,
      WAG_MAX_MSEC },

    { ngx_string("jitter="), WAG_PARAM_PERCENT,
      wag_check_offset(jitter), 0, 100 },

    { ngx_string("fails="), WAG_PARAM_NUM,
      wag_check_offset(fails), 1,
      WAG_MAX_NUM },

    { ngx_string("passes="), WAG_PARAM_NUM,
      wag_check_offset(passes), 1,
      WAG_MAX_NUM },

    { ngx_string("slow_start="), WAG_PARAM_MSEC,
      wag_check_offset(slow_start), 0,
      WAG_MAX_MSEC },

    { ngx_string("mandatory="), WAG_PARAM_FLAG,
      wag_check_offset(mandatory), 0, 0 },

    { ngx_string("keepalive="), WAG_PARAM_FLAG,
      wag_check_offset(keepalive), 0, 0 },

    { ngx_string("ssl="), WAG_PARAM_FLAG,
      wag_check_offset(ssl), 0, 0 },

    { ngx_string("ssl_name="), WAG_PARAM_STR,
      wag_check_offset(name), 0, 0 },

    { ngx_string("ssl_verify="), WAG_PARAM_FLAG,
      wag_check_offset(ssl_verify), 0, 0 },

    { ngx_string("ssl_trusted_certificate="), WAG_PARAM_STR,
      wag_check_offset(certificate), 0, 0 },

    { ngx_null_string, 0, 0, 0, 0 }
};


char *
wag_check(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    wag_upstream_t *us = conf;

    char         *rv;
    wag_check_t  *check;

    check = wag_check_get(cf, us, &cmd->name);
    if (check == NULL) {
        return NGX_CONF_ERROR;
    }

    if (check->given) {
        return "is duplicate";
    }

    check->given = 1;

    rv = wag_param_parse(cf, wag_check_params, check);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    if (check->uri.len && check->uri.data[0] != '/') {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"uri=%V\", it must begin "
                           "with \"/\"", &check->uri);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


char *
wag_check_header(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    wag_upstream_t *us = conf;

    ngx_str_t     *value;
    wag_check_t   *check;
    ngx_keyval_t  *kv;

    check = wag_check_get(cf, us, &cmd->name);
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
wag_check_expect(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    wag_upstream_t *us = conf;

    ngx_str_t    *value, err;
    ngx_int_t     rc;
    wag_check_t  *check;

    check = wag_check_get(cf, us, &cmd->name);
    if (check == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    rc = wag_expect_add(&check->expect, &value[1], cf->args->nelts - 1, &err);

    if (rc == NGX_DECLINED) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%V", &err);
    }

    if (rc != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    wag_check_hash(check, &value[1], cf->args->nelts - 1);

    return NGX_CONF_OK;
}


static wag_check_t *
wag_check_get(ngx_conf_t *cf, wag_upstream_t *us, ngx_str_t *directive)
{
    wag_check_t  *check;

    us->directive = *directive;

    if (us->check) {
        return us->check;
    }

    check = ngx_pcalloc(cf->pool, sizeof(wag_check_t));
    if (check == NULL) {
        return NULL;
    }

    check->interval = 30000;
    check->timeout = 10000;
    check->jitter = 10;
    check->fails = 1;
    check->passes = 1;
    check->keepalive = 1;
    check->ssl = NGX_CONF_UNSET;

    if (wag_expect_init(&check->expect, cf->pool) != NGX_OK
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
wag_check_hash(wag_check_t *check, ngx_str_t *args, ngx_uint_t n)
{
    uint32_t    crc;
    ngx_uint_t  i;

    for (i = 0; i < n; i++) {
        crc = ngx_crc32_long(args[i].data, args[i].len);
        check->hash = ngx_hash(check->hash, crc);
    }
}


ngx_int_t
wag_check_imply(ngx_conf_t *cf, wag_upstream_t *us)
{
    ngx_str_t     directive;
    wag_check_t  *check;

    directive = us->directive;

    check = wag_check_get(cf, us, &directive);
    if (check == NULL) {
        return NGX_ERROR;
    }

    check->given = 1;

    return NGX_OK;
}


ngx_int_t
wag_check_finish(ngx_conf_t *cf, wag_upstream_t *us)
{
    ngx_uint_t    i;
    wag_check_t  *check;

    check = us->check;

    if (!check->given) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"%V\" requires \"wa_gateway_check\" in upstream "
                      "\"%V\" in %s:%ui", &us->directive, &us->uscf->host,
                      us->uscf->file_name, us->uscf->line);
        return NGX_ERROR;
    }

    wag_check_defaults(check);

    us->policy.fails = check->fails;
    us->policy.passes = check->passes;
    us->policy.slow_start = check->slow_start;
    us->policy.mandatory = check->mandatory;
    us->policy.checked = 1;

    if (wag_check_finish_ssl(cf, us) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < us->nservers; i++) {
        if (wag_check_finish_peer(cf, us, &us->servers[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* with a vendor, nothing but its list is asked for unless it is said */

static void
wag_check_defaults(wag_check_t *check)
{
    check->own = (check->uri.len || check->method.len
                  || check->headers.nelts || check->expect.rules.nelts);

    if (check->uri.len == 0) {
        ngx_str_set(&check->uri, "/health");
    }

    if (check->method.len == 0) {
        ngx_str_set(&check->method, "GET");
    }
}


static ngx_int_t
wag_check_finish_ssl(ngx_conf_t *cf, wag_upstream_t *us)
{
    wag_check_t  *check;

    check = us->check;

    if (check->ssl == NGX_CONF_UNSET) {
        check->ssl = (us->scheme.len == sizeof("https://") - 1);
    }

    if (!check->ssl) {
        return NGX_OK;
    }

#if (NGX_HTTP_SSL)

    return wag_tls_context(cf, &check->ctx, check->ssl_verify,
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
wag_check_finish_peer(ngx_conf_t *cf, wag_upstream_t *us, wag_server_t *server)
{
    ngx_int_t   rc;
    ngx_str_t   err;
    ngx_uint_t  i;

    for (i = 0; us->check->port && i < server->naddrs; i++) {

        if (server->addrs[i].sockaddr->sa_family == AF_UNIX) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "\"port=%ui\" with \"%V\", which has none, in "
                          "upstream \"%V\" in %s:%ui", us->check->port,
                          &server->name, &us->uscf->host, us->uscf->file_name,
                          us->uscf->line);
            return NGX_ERROR;
        }
    }

    rc = wag_check_server(cf->pool, us, server, &err);

    if (rc == NGX_DECLINED) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "%V in the checks of upstream \"%V\" in %s:%ui",
                      &err, &us->uscf->host, us->uscf->file_name,
                      us->uscf->line);
    }

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    wag_check_hash(us->check, &server->request, 1);

    return NGX_OK;
}


ngx_int_t
wag_check_server(ngx_pool_t *pool, wag_upstream_t *us, wag_server_t *server,
    ngx_str_t *err)
{
    wag_check_t   *check;
    wag_request_t  request;

    check = us->check;

    ngx_memzero(&request, sizeof(wag_request_t));

    wag_check_host(server, &request.host, &server->ssl_name);

    server->host = request.host;

    if (check->host.len) {
        request.host = check->host;
    }

    if (check->name.len) {
        server->ssl_name = check->name;
    }

    request.method = check->method;
    request.uri = check->uri;
    request.headers = &check->headers;
    request.keepalive = check->keepalive;
    ngx_str_set(&request.user_agent, "wa_gateway/" WAG_VERSION);

    return wag_request_make(pool, &request, &server->request, err);
}


/* Host (RFC 9110, 7.2) and the name for TLS: of the instance's URL */

static void
wag_check_host(wag_server_t *server, ngx_str_t *host, ngx_str_t *name)
{
    u_char  *p, *last;

    last = server->name.data + server->name.len;

    host->data = ngx_strlchr(server->name.data, last, '/') + 2;
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
wag_check_probe(wag_check_t *check, wag_server_t *server, wag_probe_t *p)
{
    p->name = &server->name;
    p->request = server->request;
    p->timeout = check->timeout;
    p->keepalive = check->keepalive;
    p->head = (ngx_strcmp(check->method.data, "HEAD") == 0);

#if (NGX_HTTP_SSL)
    p->transport.ssl = check->ctx;
    p->transport.ssl_name = server->ssl_name;
    p->transport.ssl_verify = check->ssl_verify;
#endif
}
