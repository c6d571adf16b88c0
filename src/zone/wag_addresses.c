
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_addresses.h"


static u_char *wag_addresses_next(u_char *p, ngx_sockaddr_t *sockaddr,
    socklen_t *socklen);
static ngx_uint_t wag_addresses_same(u_char *set, ngx_addr_t *addrs,
    ngx_uint_t n);
static ngx_uint_t wag_addresses_has(u_char *set, ngx_addr_t *addr);
static ngx_uint_t wag_addresses_equal(ngx_addr_t *one, ngx_addr_t *other);
static wag_addrs_t *wag_addresses_alloc(ngx_uint_t n, ngx_log_t *log);
static void wag_addresses_text(ngx_addr_t *addr);


size_t
wag_addresses_size(ngx_addr_t *addrs, ngx_uint_t n)
{
    size_t      size;
    ngx_uint_t  i;

    size = 1;

    for (i = 0; i < ngx_min(n, WAG_ADDRESSES); i++) {
        size += 1 + addrs[i].socklen;
    }

    return size;
}


size_t
wag_addresses_room(ngx_addr_t *addrs, ngx_uint_t n)
{
    return n ? wag_addresses_size(addrs, n) : WAG_ADDRESSES_ROOM;
}


ngx_uint_t
wag_addresses_fit(wag_addresses_t *addresses, ngx_addr_t *addrs, ngx_uint_t n)
{
    while (n && wag_addresses_size(addrs, n) > addresses->room) {
        n--;
    }

    return n;
}


ngx_int_t
wag_addresses_set(wag_addresses_t *addresses, ngx_addr_t *addrs, ngx_uint_t n)
{
    u_char      *p;
    ngx_uint_t   i;

    n = ngx_min(n, WAG_ADDRESSES);

    if (addresses->version
        && wag_addresses_same(wag_addresses_get(addresses), addrs, n))
    {
        return NGX_DONE;
    }

    if (wag_addresses_size(addrs, n) > addresses->room) {
        return NGX_DECLINED;
    }

    p = addresses->sets[(addresses->version + 1) & 1];

    *p++ = (u_char) n;

    for (i = 0; i < n; i++) {
        *p++ = (u_char) addrs[i].socklen;
        p = ngx_cpymem(p, addrs[i].sockaddr, addrs[i].socklen);
    }

    (void) ngx_atomic_fetch_add(&addresses->version, 1);

    return NGX_OK;
}


u_char *
wag_addresses_get(wag_addresses_t *addresses)
{
    return addresses->sets[addresses->version & 1];
}


static u_char *
wag_addresses_next(u_char *p, ngx_sockaddr_t *sockaddr, socklen_t *socklen)
{
    *socklen = *p++;

    ngx_memcpy(sockaddr, p, *socklen);

    return p + *socklen;
}


/* each has all of the other's: one may be there twice */

static ngx_uint_t
wag_addresses_same(u_char *set, ngx_addr_t *addrs, ngx_uint_t n)
{
    u_char          *p;
    ngx_uint_t       i, j;
    ngx_addr_t       addr;
    ngx_sockaddr_t   sockaddr;

    for (i = 0; i < n; i++) {
        if (!wag_addresses_has(set, &addrs[i])) {
            return 0;
        }
    }

    p = set + 1;
    addr.sockaddr = &sockaddr.sockaddr;

    for (i = 0; i < set[0]; i++) {
        p = wag_addresses_next(p, &sockaddr, &addr.socklen);

        for (j = 0; j < n && !wag_addresses_equal(&addr, &addrs[j]); j++) {
            /* void */
        }

        if (j == n) {
            return 0;
        }
    }

    return 1;
}


static ngx_uint_t
wag_addresses_has(u_char *set, ngx_addr_t *addr)
{
    u_char          *p;
    ngx_uint_t       i;
    ngx_addr_t       other;
    ngx_sockaddr_t   sockaddr;

    p = set + 1;
    other.sockaddr = &sockaddr.sockaddr;

    for (i = 0; i < set[0]; i++) {
        p = wag_addresses_next(p, &sockaddr, &other.socklen);

        if (wag_addresses_equal(&other, addr)) {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
wag_addresses_equal(ngx_addr_t *one, ngx_addr_t *other)
{
    return ngx_cmp_sockaddr(one->sockaddr, one->socklen, other->sockaddr,
                            other->socklen, 1)
           == NGX_OK;
}


wag_addrs_t *
wag_addresses_list(u_char *set, ngx_log_t *log)
{
    u_char       *p;
    ngx_addr_t   *addr;
    ngx_uint_t    i;
    wag_addrs_t  *list;

    list = wag_addresses_alloc(set[0], log);
    if (list == NULL) {
        return NULL;
    }

    p = set + 1;
    addr = list->addrs;

    for (i = 0; i < list->naddrs; i++) {
        p = wag_addresses_next(p, (ngx_sockaddr_t *) addr[i].sockaddr,
                               &addr[i].socklen);
        wag_addresses_text(&addr[i]);
    }

    return list;
}


wag_addrs_t *
wag_addresses_at(wag_addrs_t *addrs, in_port_t port, ngx_log_t *log)
{
    ngx_addr_t   *addr;
    ngx_uint_t    i;
    wag_addrs_t  *list;

    list = wag_addresses_alloc(addrs->naddrs, log);
    if (list == NULL) {
        return NULL;
    }

    list->version = addrs->version;
    addr = list->addrs;

    for (i = 0; i < list->naddrs; i++) {
        addr[i].socklen = addrs->addrs[i].socklen;

        ngx_memcpy(addr[i].sockaddr, addrs->addrs[i].sockaddr,
                   addr[i].socklen);

        ngx_inet_set_port(addr[i].sockaddr, port);
        wag_addresses_text(&addr[i]);
    }

    return list;
}


static wag_addrs_t *
wag_addresses_alloc(ngx_uint_t n, ngx_log_t *log)
{
    u_char          *text;
    ngx_addr_t      *addr;
    ngx_uint_t       i;
    wag_addrs_t     *list;
    ngx_sockaddr_t  *sockaddr;

    list = ngx_calloc(sizeof(wag_addrs_t)
                      + n * (sizeof(ngx_addr_t) + sizeof(ngx_sockaddr_t)
                             + NGX_SOCKADDR_STRLEN), log);
    if (list == NULL) {
        return NULL;
    }

    addr = (ngx_addr_t *) (list + 1);
    sockaddr = (ngx_sockaddr_t *) (addr + n);
    text = (u_char *) (sockaddr + n);

    list->refs = 1;
    list->naddrs = n;
    list->addrs = addr;

    for (i = 0; i < n; i++) {
        addr[i].sockaddr = &sockaddr[i].sockaddr;
        addr[i].name.data = text + i * NGX_SOCKADDR_STRLEN;
    }

    return list;
}


static void
wag_addresses_text(ngx_addr_t *addr)
{
    addr->name.len = ngx_sock_ntop(addr->sockaddr, addr->socklen,
                                   addr->name.data, NGX_SOCKADDR_STRLEN, 1);
}
