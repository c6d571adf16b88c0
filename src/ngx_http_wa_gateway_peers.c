
/*
 * Copyright (C) the wa_gateway authors
 */


#include "ngx_http_wa_gateway_module.h"
#include "ngx_http_wa_gateway_check.h"
#include "ngx_http_wa_gateway_param.h"
#include "ngx_http_wa_gateway_peers.h"
#include "ngx_http_wa_gateway_url.h"


#define NGX_HTTP_WA_GATEWAY_MAX_WEIGHT  1000000


static char *ngx_http_wa_gateway_peers_url(ngx_conf_t *cf,
    ngx_http_wa_gateway_upstream_t *us, ngx_str_t *url);
static ngx_int_t ngx_http_wa_gateway_peers_check(ngx_conf_t *cf,
    ngx_http_upstream_srv_conf_t *uscf, ngx_http_upstream_server_t *server);
static ngx_int_t ngx_http_wa_gateway_peers_name(ngx_conf_t *cf,
    ngx_http_wa_gateway_upstream_t *us, ngx_http_upstream_server_t *server,
    ngx_str_t *name);
static ngx_int_t ngx_http_wa_gateway_peers_unique(ngx_conf_t *cf,
    ngx_http_wa_gateway_upstream_t *us);


char *
ngx_http_wa_gateway_peers_instances(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_wa_gateway_upstream_t *us = conf;

    char        *rv;
    ngx_str_t   *value, text, url;
    ngx_uint_t   i, n;

    us->directive = cmd->name;

    value = cf->args->elts;
    n = 0;

    for (i = 1; i < cf->args->nelts; i++) {
        text = value[i];

        while (ngx_http_wa_gateway_url_next(&text, &url)) {
            n++;

            rv = ngx_http_wa_gateway_peers_url(cf, us, &url);
            if (rv != NGX_CONF_OK) {
                return rv;
            }
        }
    }

    if (n == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "no instances in \"%V\" \"%V\"", &cmd->name,
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_wa_gateway_peers_url(ngx_conf_t *cf,
    ngx_http_wa_gateway_upstream_t *us, ngx_str_t *url)
{
    ngx_url_t                      u;
    ngx_str_t                      scheme, host;
    const char                    *err;
    ngx_http_upstream_server_t    *server;
    ngx_http_upstream_srv_conf_t  *uscf;

    uscf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_upstream_module);

    if (ngx_http_wa_gateway_url_scheme(url, &scheme) != NGX_OK) {
        err = "\"http://\" or \"https://\" is expected";
        goto invalid;
    }

    if (us->scheme.len && us->scheme.len != scheme.len) {
        err = "all instances must have the same scheme";
        goto invalid;
    }

    us->scheme = scheme;

    err = ngx_http_wa_gateway_url_host(url, &scheme, &host);
    if (err != NULL) {
        goto invalid;
    }

    ngx_memzero(&u, sizeof(ngx_url_t));

    u.url = host;
    u.default_port = (scheme.len == sizeof("https://") - 1) ? 443 : 80;

    if (ngx_parse_url(cf->pool, &u) != NGX_OK) {
        err = u.err ? u.err : "no memory";
        goto invalid;
    }

    if (u.family == AF_UNIX) {
        err = "a Unix socket is not allowed";
        goto invalid;
    }

    server = ngx_array_push(uscf->servers);
    if (server == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(server, sizeof(ngx_http_upstream_server_t));

    server->name = *url;
    server->addrs = u.addrs;
    server->naddrs = u.naddrs;
    server->weight = 1;
    server->max_fails = 1;
    server->fail_timeout = 10;

    return NGX_CONF_OK;

invalid:

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid instance \"%V\": %s",
                       url, err);

    return NGX_CONF_ERROR;
}


ngx_int_t
ngx_http_wa_gateway_peers_create(ngx_conf_t *cf,
    ngx_http_wa_gateway_upstream_t *us)
{
    ngx_uint_t                     i, primary;
    ngx_http_upstream_server_t    *server;
    ngx_http_wa_gateway_peer_t    *peer;
    ngx_http_upstream_srv_conf_t  *uscf;

    primary = 0;
    uscf = us->uscf;
    server = uscf->servers->elts;

    us->npeers = uscf->servers->nelts;

    us->peers = ngx_pcalloc(cf->pool,
                            us->npeers * sizeof(ngx_http_wa_gateway_peer_t));
    if (us->peers == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < us->npeers; i++) {
        peer = &us->peers[i];

        if (ngx_http_wa_gateway_peers_check(cf, uscf, &server[i]) != NGX_OK
            || ngx_http_wa_gateway_peers_name(cf, us, &server[i], &peer->name)
               != NGX_OK)
        {
            return NGX_ERROR;
        }

        peer->addrs = server[i].addrs;
        peer->naddrs = server[i].naddrs;
        peer->weight = server[i].weight;
        peer->max_conns = server[i].max_conns;
        peer->down = server[i].down;
        peer->tier = server[i].backup ? NGX_HTTP_WA_GATEWAY_BACKUP
                                      : NGX_HTTP_WA_GATEWAY_PRIMARY;
        primary += !server[i].backup;
    }

    if (primary == 0) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "no servers but backup in upstream \"%V\" in %s:%ui",
                      &uscf->host, uscf->file_name, uscf->line);
        return NGX_ERROR;
    }

    return ngx_http_wa_gateway_peers_unique(cf, us);
}


static ngx_int_t
ngx_http_wa_gateway_peers_check(ngx_conf_t *cf,
    ngx_http_upstream_srv_conf_t *uscf, ngx_http_upstream_server_t *server)
{
    char  *err;

    if (server->max_fails != 1 || server->fail_timeout != 10) {
        err = "\"max_fails\" and \"fail_timeout\" are not supported, "
              "see \"wa_gateway_passive\"";

    } else if (server->weight > NGX_HTTP_WA_GATEWAY_MAX_WEIGHT) {
        err = "\"weight\" is above 1000000";

    } else if (server->naddrs == 0) {
        err = "no address is known at start, \"resolve\" is not supported";

    } else if (!ngx_http_wa_gateway_param_printable(&server->name)) {
        err = "control character, or no UTF-8";

    } else {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                  "invalid server \"%V\" in upstream \"%V\" in %s:%ui: %s",
                  &server->name, &uscf->host, uscf->file_name, uscf->line,
                  err);

    return NGX_ERROR;
}


static ngx_int_t
ngx_http_wa_gateway_peers_name(ngx_conf_t *cf,
    ngx_http_wa_gateway_upstream_t *us, ngx_http_upstream_server_t *server,
    ngx_str_t *name)
{
    u_char     *p;
    ngx_str_t   scheme;

    if (ngx_http_wa_gateway_url_scheme(&server->name, &scheme) == NGX_OK) {
        *name = server->name;
        return NGX_OK;
    }

    /* a "server" line has no scheme: that of the checks is the best guess */

    if (us->check && us->check->ssl == 1) {
        ngx_str_set(&scheme, "https://");

    } else {
        ngx_str_set(&scheme, "http://");
    }

    name->len = scheme.len + server->name.len;

    name->data = ngx_pnalloc(cf->pool, name->len);
    if (name->data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(name->data, scheme.data, scheme.len);
    ngx_memcpy(p, server->name.data, server->name.len);

    return NGX_OK;
}


/* names are the keys of /status and of the table in shared memory */

static ngx_int_t
ngx_http_wa_gateway_peers_unique(ngx_conf_t *cf,
    ngx_http_wa_gateway_upstream_t *us)
{
    uint32_t            hash;
    ngx_str_t          *name;
    ngx_uint_t          i;
    ngx_rbtree_t        rbtree;
    ngx_str_node_t     *nodes;
    ngx_rbtree_node_t   sentinel;

    nodes = ngx_palloc(cf->temp_pool, us->npeers * sizeof(ngx_str_node_t));
    if (nodes == NULL) {
        return NGX_ERROR;
    }

    ngx_rbtree_init(&rbtree, &sentinel, ngx_str_rbtree_insert_value);

    for (i = 0; i < us->npeers; i++) {
        name = &us->peers[i].name;
        hash = ngx_crc32_short(name->data, name->len);

        if (ngx_str_rbtree_lookup(&rbtree, name, hash)) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "duplicate instance \"%V\" in upstream \"%V\" "
                          "in %s:%ui", name, &us->uscf->host,
                          us->uscf->file_name, us->uscf->line);
            return NGX_ERROR;
        }

        nodes[i].str = *name;
        nodes[i].node.key = hash;

        ngx_rbtree_insert(&rbtree, &nodes[i].node);
    }

    return NGX_OK;
}
