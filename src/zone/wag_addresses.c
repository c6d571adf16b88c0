
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
    u_char          *p, *text;
    ngx_addr_t      *addr;
    ngx_uint_t       i, n;
    wag_addrs_t     *list;
    ngx_sockaddr_t  *sockaddr;

    n = set[0];

    list = ngx_alloc(sizeof(wag_addrs_t)
                     + n * (sizeof(ngx_addr_t) + sizeof(ngx_sockaddr_t)
                            + NGX_SOCKADDR_STRLEN), log);
    if (list == NULL) {
        return NULL;
    }

    addr = (ngx_addr_t *) (list + 1);
    sockaddr = (ngx_sockaddr_t *) (addr + n);
    text = (u_char *) (sockaddr + n);
    p = set + 1;

    list->refs = 1;
    list->naddrs = n;
    list->addrs = addr;

    for (i = 0; i < n; i++) {
        p = wag_addresses_next(p, &sockaddr[i], &addr[i].socklen);

        addr[i].sockaddr = &sockaddr[i].sockaddr;
        addr[i].name.data = text;
        addr[i].name.len = ngx_sock_ntop(addr[i].sockaddr, addr[i].socklen,
                                         text, NGX_SOCKADDR_STRLEN, 1);

        text += NGX_SOCKADDR_STRLEN;
    }

    return list;
}
