
/*
 * Copyright (C) the wa_gateway authors
 */


#include <ngx_http.h>

#include "wag_addresses.h"
#include "wag_compat.h"
#include "wag_file.h"
#include "wag_hosts.h"
#include "wag_names.h"
#include "wag_url.h"


#define WAG_NAMES_HOSTS   "/etc/hosts"
#define WAG_NAMES_RESOLV  "/etc/resolv.conf"
#define WAG_NAMES_SIZE    (4 * 1024 * 1024)

/* resolv.conf(5): where it names no server, it is this host */

#define WAG_NAMES_SERVER  "127.0.0.1:53"

/* until a server is asked again or the next one, in s; of all of it, in ms */

#define WAG_NAMES_RESEND   2
#define WAG_NAMES_TIMEOUT  5000


static ngx_int_t wag_names_push(ngx_pool_t *pool, ngx_array_t *addrs,
    ngx_str_t *text, in_port_t port);
static ngx_int_t wag_names_file(ngx_pool_t *pool, ngx_array_t *addrs,
    ngx_url_t *u, ngx_str_t *hosts);
static ngx_uint_t wag_names_needed(wag_upstream_t *us);
static ngx_resolver_t *wag_names_given(ngx_conf_t *cf, wag_upstream_t *us,
    ngx_msec_t *timeout);
static ngx_resolver_t *wag_names_copy(ngx_conf_t *cf, ngx_resolver_t *given);
static ngx_resolver_t *wag_names_system(ngx_conf_t *cf, wag_resolv_t *system);
static ngx_int_t wag_names_server(ngx_pool_t *pool, ngx_str_t *text,
    ngx_str_t *server);


void
wag_names_hosts(ngx_pool_t *pool, ngx_str_t *hosts)
{
    if (wag_file_load(pool, WAG_NAMES_HOSTS, WAG_NAMES_SIZE, hosts) != NGX_OK)
    {
        ngx_str_set(hosts, "");
    }
}


ngx_int_t
wag_names_pin(ngx_pool_t *pool, ngx_url_t *u, ngx_str_t *hosts)
{
    ngx_str_t        text;
    ngx_array_t      addrs;
    struct in_addr   in;
    u_char           buf[NGX_INET_ADDRSTRLEN];

    if (u->naddrs) {
        return NGX_OK;
    }

    if (ngx_array_init(&addrs, pool, 1, sizeof(ngx_addr_t)) != NGX_OK) {
        return NGX_ERROR;
    }

    text.data = ngx_pnalloc(pool, u->host.len + 1);
    if (text.data == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_cpystrn(text.data, u->host.data, u->host.len + 1);

    /* forms such as 127.1, which have always been understood */

    if (inet_aton((char *) text.data, &in)) {
        text.len = ngx_inet_ntop(AF_INET, &in, buf, NGX_INET_ADDRSTRLEN);
        text.data = buf;

        if (wag_names_push(pool, &addrs, &text, u->port) != NGX_OK) {
            return NGX_ERROR;
        }

    } else {
        u->err = (char *) wag_url_name(&u->host);

        if (u->err) {
            return NGX_DECLINED;
        }

        if (wag_names_file(pool, &addrs, u, hosts) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    u->addrs = addrs.elts;
    u->naddrs = addrs.nelts;

    return NGX_OK;
}


/* all of its lines, those of IPv4 first */

static ngx_int_t
wag_names_file(ngx_pool_t *pool, ngx_array_t *addrs, ngx_url_t *u,
    ngx_str_t *hosts)
{
    ngx_str_t   rest, address;
    ngx_uint_t  six, local;

    for (six = 0; six < 2; six++) {
        rest = *hosts;

        while (wag_hosts_next(&rest, &u->host, &address)) {

            local = (ngx_strlchr(address.data, address.data + address.len, ':')
                     != NULL);

            if (local == six
                && wag_names_push(pool, addrs, &address, u->port) == NGX_ERROR)
            {
                return NGX_ERROR;
            }
        }
    }

    /* RFC 6761, 6.3: no name server is asked for it */

    if (addrs->nelts == 0
        && u->host.len == sizeof("localhost") - 1
        && ngx_strncasecmp(u->host.data, (u_char *) "localhost", u->host.len)
           == 0)
    {
        ngx_str_set(&address, "127.0.0.1");

        return wag_names_push(pool, addrs, &address, u->port);
    }

    return NGX_OK;
}


/* NGX_DECLINED: it is no address */

static ngx_int_t
wag_names_push(ngx_pool_t *pool, ngx_array_t *addrs, ngx_str_t *text,
    in_port_t port)
{
    ngx_int_t    rc;
    ngx_addr_t  *addr, parsed;

    rc = ngx_parse_addr(pool, &parsed, text->data, text->len);

    if (rc != NGX_OK || addrs->nelts == WAG_ADDRESSES) {
        return (rc == NGX_ERROR) ? NGX_ERROR : NGX_DECLINED;
    }

    addr = ngx_array_push(addrs);
    if (addr == NULL) {
        return NGX_ERROR;
    }

    *addr = parsed;

    ngx_inet_set_port(addr->sockaddr, port);

    addr->name.data = ngx_pnalloc(pool, NGX_SOCKADDR_STRLEN);
    if (addr->name.data == NULL) {
        return NGX_ERROR;
    }

    addr->name.len = ngx_sock_ntop(addr->sockaddr, addr->socklen,
                                   addr->name.data, NGX_SOCKADDR_STRLEN, 1);

    return NGX_OK;
}


ngx_int_t
wag_names_finish(ngx_conf_t *cf, wag_upstream_t *us)
{
    wag_names_t     *names;
    ngx_resolver_t  *given;

    if (!wag_names_needed(us)) {
        return NGX_OK;
    }

    names = ngx_pcalloc(cf->pool, sizeof(wag_names_t));
    if (names == NULL) {
        return NGX_ERROR;
    }

    names->log = ngx_pcalloc(cf->pool, sizeof(ngx_log_t));
    if (names->log == NULL) {
        return NGX_ERROR;
    }

    names->timeout = WAG_NAMES_TIMEOUT;
    names->refresh = us->refresh;

    given = wag_names_given(cf, us, &names->timeout);

    if (given) {
        names->valid = given->valid;
        names->resolver = wag_names_copy(cf, given);

    } else {
        names->resolver = wag_names_system(cf, &names->system);
    }

    if (names->resolver == NULL) {
        return NGX_ERROR;
    }

    /*
     * How long an answer holds is seen to by who asks.  Not 0, which would be
     * its TTL; not below: the resolver relies on an alias to hold while it is
     * followed.
     */

    names->resolver->valid = 1;
    names->resolver->resend_timeout = WAG_NAMES_RESEND;
    names->resolver->log = names->log;

    us->names = names;

    return NGX_OK;
}


static ngx_uint_t
wag_names_needed(wag_upstream_t *us)
{
    ngx_uint_t  i;

    for (i = 0; i < us->nservers; i++) {
        if (us->servers[i].naddrs == 0) {
            return 1;
        }
    }

    return us->capacity != 0;
}


/* NULL: none */

static ngx_resolver_t *
wag_names_given(ngx_conf_t *cf, wag_upstream_t *us, ngx_msec_t *timeout)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

#if (WAG_RESOLVE)

    if (us->uscf->resolver) {

        if (us->uscf->resolver_timeout != NGX_CONF_UNSET_MSEC) {
            *timeout = ngx_min(*timeout, us->uscf->resolver_timeout);
        }

        return us->uscf->resolver;
    }

#endif

    if (clcf->resolver == NULL || clcf->resolver->connections.nelts == 0) {
        return NULL;
    }

    if (clcf->resolver_timeout != NGX_CONF_UNSET_MSEC) {
        *timeout = ngx_min(*timeout, clcf->resolver_timeout);
    }

    return clcf->resolver;
}


/* that of a block answers others, too, from what it keeps */

static ngx_resolver_t *
wag_names_copy(ngx_conf_t *cf, ngx_resolver_t *given)
{
    ngx_str_t                  *servers;
    ngx_uint_t                  i;
    ngx_resolver_t             *resolver;
    ngx_resolver_connection_t  *rec;

    rec = given->connections.elts;

    servers = ngx_palloc(cf->temp_pool,
                         given->connections.nelts * sizeof(ngx_str_t));
    if (servers == NULL) {
        return NULL;
    }

    for (i = 0; i < given->connections.nelts; i++) {
        servers[i] = rec[i].server;
    }

    resolver = ngx_resolver_create(cf, servers, given->connections.nelts);
    if (resolver == NULL) {
        return NULL;
    }

#if (NGX_HAVE_INET6)
    resolver->ipv6 = given->ipv6;
#endif

#if (WAG_RESOLVER_IPV4)
    resolver->ipv4 = given->ipv4;
#endif

    return resolver;
}


static ngx_resolver_t *
wag_names_system(ngx_conf_t *cf, wag_resolv_t *system)
{
    ngx_str_t   text, servers[WAG_RESOLV_SERVERS];
    ngx_uint_t  i, n;

    if (wag_file_load(cf->pool, WAG_NAMES_RESOLV, WAG_NAMES_SIZE, &text)
        != NGX_OK)
    {
        ngx_str_set(&text, "");
    }

    wag_resolv_read(system, &text);

    for (i = 0, n = 0; i < system->nservers; i++) {

        switch (wag_names_server(cf->pool, &system->servers[i], &servers[n])) {

        case NGX_OK:
            n++;
            break;

        case NGX_DECLINED:
            ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                          "name server \"%V\" of \"" WAG_NAMES_RESOLV
                          "\" is not used", &system->servers[i]);
            break;

        default: /* NGX_ERROR */
            return NULL;
        }
    }

    if (n == 0) {
        ngx_str_set(&servers[0], WAG_NAMES_SERVER);
        n = 1;
    }

    system->nservers = n;

    return ngx_resolver_create(cf, servers, n);
}


/* as the "resolver" directive takes it; NGX_DECLINED: it is no address */

static ngx_int_t
wag_names_server(ngx_pool_t *pool, ngx_str_t *text, ngx_str_t *server)
{
    ngx_int_t   rc;
    ngx_addr_t  addr;

    rc = ngx_parse_addr_port(pool, &addr, text->data, text->len);

    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_inet_get_port(addr.sockaddr) == 0) {
        ngx_inet_set_port(addr.sockaddr, 53);
    }

    server->data = ngx_pnalloc(pool, NGX_SOCKADDR_STRLEN);
    if (server->data == NULL) {
        return NGX_ERROR;
    }

    server->len = ngx_sock_ntop(addr.sockaddr, addr.socklen, server->data,
                                NGX_SOCKADDR_STRLEN, 1);

    return NGX_OK;
}
