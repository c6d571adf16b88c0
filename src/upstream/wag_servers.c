
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_check.h"
#include "wag_compat.h"
#include "wag_names.h"
#include "wag_param.h"
#include "wag_server_vendor.h"
#include "wag_servers.h"
#include "wag_upstream.h"
#include "wag_url.h"


#define WAG_MAX_WEIGHT  1000000


static char *wag_servers_url(ngx_conf_t *cf, wag_upstream_t *us,
    ngx_str_t *url);
static ngx_int_t wag_servers_check(ngx_conf_t *cf,
    ngx_http_upstream_srv_conf_t *uscf, ngx_http_upstream_server_t *line);
static void wag_servers_addrs(wag_server_t *server,
    ngx_http_upstream_server_t *line);
static ngx_int_t wag_servers_name(ngx_conf_t *cf, wag_upstream_t *us,
    ngx_http_upstream_server_t *line, ngx_str_t *name);
static ngx_int_t wag_servers_unique(ngx_conf_t *cf, wag_upstream_t *us);


static ngx_str_t  wag_servers_schemes[] = {
    ngx_string("http://"),
    ngx_string("https://")
};


char *
wag_servers_instances(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    wag_upstream_t *us = conf;

    char                          *rv;
    ngx_str_t                     *value, text, url;
    ngx_uint_t                     i, n;
    wag_origin_t                  *origin;
    ngx_http_upstream_srv_conf_t  *uscf;

    us->directive = cmd->name;

    uscf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_upstream_module);

    if (wag_server_vendor_origin(cf, us, &origin, &i) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (origin) {
        origin->first = uscf->servers->nelts;
    }

    value = cf->args->elts;
    n = 0;

    for ( /* void */ ; i < cf->args->nelts; i++) {
        text = value[i];

        while (wag_url_next(&text, &url)) {
            n++;

            rv = wag_servers_url(cf, us, &url);
            if (rv != NGX_CONF_OK) {
                return rv;
            }
        }
    }

    if (n == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "no instances in \"%V\" \"%V\"", &cmd->name,
                           origin ? &us->uscf->host : &value[1]);
        return NGX_CONF_ERROR;
    }

    if (origin) {
        origin->last = uscf->servers->nelts;
    }

    return NGX_CONF_OK;
}


static char *
wag_servers_url(ngx_conf_t *cf, wag_upstream_t *us, ngx_str_t *url)
{
    ngx_url_t                      u;
    ngx_str_t                      scheme, host;
    const char                    *err;
    ngx_http_upstream_server_t    *line;
    ngx_http_upstream_srv_conf_t  *uscf;

    uscf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_upstream_module);

    if (wag_url_scheme(url, &scheme) != NGX_OK) {
        err = "\"http://\" or \"https://\" is expected";
        goto invalid;
    }

    if (us->scheme.len && us->scheme.len != scheme.len) {
        err = "all instances must have the same scheme";
        goto invalid;
    }

    us->scheme = scheme;

    err = wag_url_host(url, &scheme, &host);
    if (err != NULL) {
        goto invalid;
    }

    ngx_memzero(&u, sizeof(ngx_url_t));

    u.url = host;
    u.default_port = (scheme.len == sizeof("https://") - 1) ? 443 : 80;
    u.no_resolve = 1;

    if (ngx_parse_url(cf->pool, &u) != NGX_OK) {
        err = u.err ? u.err : "no memory";
        goto invalid;
    }

    if (u.family == AF_UNIX) {
        err = "a Unix socket is not allowed";
        goto invalid;
    }

    if (u.naddrs == 0 && us->hosts.data == NULL) {
        wag_names_hosts(cf->temp_pool, &us->hosts);
    }

    if (wag_names_pin(cf->pool, &u, &us->hosts) != NGX_OK) {
        err = u.err ? u.err : "no memory";
        goto invalid;
    }

    line = ngx_array_push(uscf->servers);
    if (line == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(line, sizeof(ngx_http_upstream_server_t));

    line->name = *url;
    line->addrs = u.addrs;
    line->naddrs = u.naddrs;
    line->weight = 1;
    line->max_fails = 1;
    line->fail_timeout = 10;

    return NGX_CONF_OK;

invalid:

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid instance \"%V\": %s",
                       url, err);

    return NGX_CONF_ERROR;
}


ngx_int_t
wag_servers_create(ngx_conf_t *cf, wag_upstream_t *us)
{
    ngx_uint_t                     i, primary;
    wag_server_t                  *server;
    ngx_http_upstream_server_t    *line;
    ngx_http_upstream_srv_conf_t  *uscf;

    primary = 0;
    uscf = us->uscf;
    line = uscf->servers->elts;

    us->nservers = uscf->servers->nelts;

    us->servers = ngx_pcalloc(cf->pool, us->nservers * sizeof(wag_server_t));
    if (us->servers == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < us->nservers; i++) {
        server = &us->servers[i];

        if (wag_servers_check(cf, uscf, &line[i]) != NGX_OK
            || wag_servers_name(cf, us, &line[i], &server->name)
               != NGX_OK)
        {
            return NGX_ERROR;
        }

        wag_servers_addrs(server, &line[i]);

        server->weight = line[i].weight;
        server->max_conns = line[i].max_conns;
        server->down = line[i].down;
        server->tier = line[i].backup ? WAG_BACKUP : WAG_PRIMARY;
        primary += !line[i].backup;
    }

    if (primary == 0) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "no servers but backup in upstream \"%V\" in %s:%ui",
                      &uscf->host, uscf->file_name, uscf->line);
        return NGX_ERROR;
    }

    return wag_servers_unique(cf, us);
}


static ngx_int_t
wag_servers_check(ngx_conf_t *cf, ngx_http_upstream_srv_conf_t *uscf,
    ngx_http_upstream_server_t *line)
{
    char  *err;

    if (line->max_fails != 1 || line->fail_timeout != 10) {
        err = "\"max_fails\" and \"fail_timeout\" are not supported, "
              "see \"wa_gateway_passive\"";

    } else if (line->weight > WAG_MAX_WEIGHT) {
        err = "\"weight\" is above 1000000";

#if (WAG_RESOLVE)

    } else if (line->service.len) {
        err = "\"service\" is not supported";

#endif

    } else if (!wag_param_printable(&line->name)) {
        err = "control character, or no UTF-8";

    } else {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                  "invalid server \"%V\" in upstream \"%V\" in %s:%ui: %s",
                  &line->name, &uscf->host, uscf->file_name, uscf->line, err);

    return NGX_ERROR;
}


/* without an address, the name is looked up at run time */

static void
wag_servers_addrs(wag_server_t *server, ngx_http_upstream_server_t *line)
{
#if (WAG_RESOLVE)

    if (line->host.len) {
        server->domain = line->host;
        server->port = ngx_inet_get_port(line->addrs[0].sockaddr);
        return;
    }

#endif

    server->addrs = line->addrs;
    server->naddrs = line->naddrs;

    if (line->naddrs == 0) {
        wag_url_domain(&server->name, &server->domain, &server->port);
    }
}


static ngx_int_t
wag_servers_name(ngx_conf_t *cf, wag_upstream_t *us,
    ngx_http_upstream_server_t *line, ngx_str_t *name)
{
    u_char     *p;
    ngx_str_t   scheme, *guess;

    if (wag_url_scheme(&line->name, &scheme) == NGX_OK) {
        *name = line->name;
        return NGX_OK;
    }

    /* a "server" line has no scheme: that of the checks is the best guess */

    guess = &wag_servers_schemes[us->check && us->check->ssl == 1];

    name->len = guess->len + line->name.len;

    name->data = ngx_pnalloc(cf->pool, name->len);
    if (name->data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(name->data, guess->data, guess->len);
    ngx_memcpy(p, line->name.data, line->name.len);

    return NGX_OK;
}


ngx_str_t *
wag_servers_scheme(wag_upstream_t *us)
{
    return us->scheme.len
           ? &us->scheme
           : &wag_servers_schemes[us->check && us->check->ssl == 1];
}


/* names are the keys of /status and of the table in shared memory */

static ngx_int_t
wag_servers_unique(ngx_conf_t *cf, wag_upstream_t *us)
{
    uint32_t           hash;
    ngx_str_t         *name;
    ngx_uint_t         i;
    ngx_rbtree_t       rbtree;
    ngx_str_node_t    *nodes;
    ngx_rbtree_node_t  sentinel;

    nodes = ngx_palloc(cf->temp_pool, us->nservers * sizeof(ngx_str_node_t));
    if (nodes == NULL) {
        return NGX_ERROR;
    }

    ngx_rbtree_init(&rbtree, &sentinel, ngx_str_rbtree_insert_value);

    for (i = 0; i < us->nservers; i++) {
        name = &us->servers[i].name;
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
