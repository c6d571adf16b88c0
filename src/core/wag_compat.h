
/*
 * Copyright (C) the wa_gateway authors
 *
 * What differs between versions of nginx and between compilers.
 */


#ifndef _WAG_COMPAT_H_INCLUDED_
#define _WAG_COMPAT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#if (nginx_version < 1022000)
#error "wa_gateway needs nginx 1.22.0 or newer"
#endif


/*
 * Upstreams have "keepalive 32 local" from this version on, and "keepalive 0"
 * to be without.
 */

#define WAG_KEEPALIVE_DEFAULT  (nginx_version >= 1029007)


/*
 * Trailers may be kept from this version on.
 */

#if (nginx_version >= 1027002)
#define wag_parse_chunked(r, b, ctx)  ngx_http_parse_chunked(r, b, ctx, 0)
#else
#define wag_parse_chunked(r, b, ctx)  ngx_http_parse_chunked(r, b, ctx)
#endif


/*
 * "server name resolve;" and a "resolver" of an upstream's own; "ipv4=off" of
 * a resolver.
 */

#define WAG_RESOLVE        (NGX_HTTP_UPSTREAM_ZONE && nginx_version >= 1027003)
#define WAG_RESOLVER_IPV4  (nginx_version >= 1023001)


/*
 * For counters of 32 bits: ngx_atomic_t has 64 on most machines, and where
 * nginx has no assembly of its own this is what it uses too.
 */

#define wag_fetch_add(value, add)                                             \
    __sync_fetch_and_add(value, add)


#endif /* _WAG_COMPAT_H_INCLUDED_ */
