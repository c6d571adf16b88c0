
/*
 * Copyright (C) the wa_gateway authors
 *
 * The addresses of an instance in shared memory: a set is the number of them
 * in a byte, then for each its length in a byte and the sockaddr itself.  Who
 * writes or reads one holds shpool->mutex; a set that was copied needs none.
 */


#ifndef _WAG_ADDRESSES_H_INCLUDED_
#define _WAG_ADDRESSES_H_INCLUDED_


#include "wag_upstream.h"


/* of one instance; their number and the length of each are a byte */

#define WAG_ADDRESSES  255

/* bytes of a set where addresses are looked up, or added at run time */

#define WAG_ADDRESSES_ROOM  512


/*
 * What these addresses take as a set, in bytes; of more than WAG_ADDRESSES
 * the first ones.
 */
size_t wag_addresses_size(ngx_addr_t *addrs, ngx_uint_t n);

/*
 * What addresses that are or may be looked up take, in bytes: the same, or
 * the room that such sets have.
 */
size_t wag_addresses_room(ngx_addr_t *addrs, ngx_uint_t n);

/*
 * How many of these addresses there is room for.
 */
ngx_uint_t wag_addresses_fit(wag_addresses_t *addresses, ngx_addr_t *addrs,
    ngx_uint_t n);

/*
 * Puts these addresses in force.  NGX_OK: they differ from those that were,
 * and the version moved; NGX_DONE: the same sockaddrs, in whatever order;
 * NGX_DECLINED: there is no room for them.
 */
ngx_int_t wag_addresses_set(wag_addresses_t *addresses, ngx_addr_t *addrs,
    ngx_uint_t n);

/*
 * The set in force.
 */
u_char *wag_addresses_get(wag_addresses_t *addresses);

/*
 * A worker's own list of a set that was copied, with the text of each, from
 * ngx_alloc(), with one reference.  NULL if there is no memory.
 */
wag_addrs_t *wag_addresses_list(u_char *set, ngx_log_t *log);

/*
 * A list of the same addresses at another port; else as this.
 */
wag_addrs_t *wag_addresses_at(wag_addrs_t *addrs, in_port_t port,
    ngx_log_t *log);


#endif /* _WAG_ADDRESSES_H_INCLUDED_ */
