
/*
 * Copyright (C) the wa_gateway authors
 *
 * The URL of a store: redis://[[user]:password@]host[:port][/database].  Pure.
 */


#ifndef _WAG_STORE_URL_H_INCLUDED_
#define _WAG_STORE_URL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define WAG_STORE_PORT       6379
#define WAG_STORE_DATABASES  65536


typedef struct {
    ngx_str_t            user;       /* empty: none is given */
    ngx_str_t            password;   /* ditto */
    ngx_str_t            host;       /* with its port, if that is given */
    ngx_uint_t           database;
} wag_store_url_t;


/*
 * Takes it apart; user and password are decoded where they are, RFC 3986, 2.1.
 * NULL, or what is wrong with it, which tells nothing of a password.
 */
const char *wag_store_url(ngx_str_t *text, wag_store_url_t *url);


#endif /* _WAG_STORE_URL_H_INCLUDED_ */
