
/*
 * Copyright (C) the wa_gateway authors
 *
 * What the system says of name servers, see resolv.conf(5).  Pure.
 */


#ifndef _WAG_RESOLV_H_INCLUDED_
#define _WAG_RESOLV_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* as many as others take, too; bytes of a name without a dot at its end */

#define WAG_RESOLV_SERVERS  3
#define WAG_RESOLV_SEARCH   6
#define WAG_RESOLV_NAME     253


/* zeroed, it has no servers, and a name stands for itself */

typedef struct {
    ngx_str_t            servers[WAG_RESOLV_SERVERS];
    ngx_str_t            search[WAG_RESOLV_SEARCH];
    ngx_uint_t           nservers;
    ngx_uint_t           nsearch;
    ngx_uint_t           ndots;
} wag_resolv_t;


/*
 * Reads the text of such a file: servers as they are written, domains, and
 * "ndots"; all else is passed over.  What it gives points into the text.
 */
void wag_resolv_read(wag_resolv_t *conf, ngx_str_t *text);

/*
 * The nth name, from 0, that is to be looked up for a name, in a buffer of
 * WAG_RESOLV_NAME + 1 bytes.  NGX_DECLINED: it would be too long, the next one
 * may do; NGX_DONE: there is none.
 */
ngx_int_t wag_resolv_candidate(wag_resolv_t *conf, ngx_str_t *name,
    ngx_uint_t n, u_char *buf, ngx_str_t *candidate);


#endif /* _WAG_RESOLV_H_INCLUDED_ */
