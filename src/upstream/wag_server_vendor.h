
/*
 * Copyright (C) the wa_gateway authors
 *
 * Which vendor and which key each instance has.
 */


#ifndef _WAG_SERVER_VENDOR_H_INCLUDED_
#define _WAG_SERVER_VENDOR_H_INCLUDED_


#include "wag_conf.h"


/* instances that have a vendor or a key of their own, by their lines */

typedef struct {
    ngx_str_t            vendor;
    ngx_str_t            key;
    ngx_uint_t           first;   /* of uscf->servers */
    ngx_uint_t           last;    /* the one after them */
} wag_origin_t;


/*
 * Takes "vendor=" and "key=" where wa_gateway_instances begins with them.
 * Returns the first argument that is neither; NULL in "origin" where there is
 * none of both.
 */
ngx_int_t wag_server_vendor_origin(ngx_conf_t *cf, wag_upstream_t *us,
    wag_origin_t **origin, ngx_uint_t *next);

/*
 * Reads a file of keys: lines of "KEY" or "URL KEY".
 */
ngx_int_t wag_server_vendor_keys(ngx_conf_t *cf, wag_upstream_t *us,
    ngx_str_t *name);

/*
 * Gives each server its vendor and its key, when all blocks are read.
 */
ngx_int_t wag_server_vendor_finish(ngx_conf_t *cf, wag_upstream_t *us);


/*
 * NULL, or what is wrong with a key.
 */
const char *wag_server_vendor_key(ngx_str_t *key);


#endif /* _WAG_SERVER_VENDOR_H_INCLUDED_ */
