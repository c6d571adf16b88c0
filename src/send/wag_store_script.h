
/*
 * Copyright (C) the wa_gateway authors
 *
 * What a store is asked: three scripts, each of which the store runs whole or
 * not at all, and the words that they use.  Pure.
 *
 * Names of keys: <prefix>store, what all gateways know of it; <prefix>h:<hex>,
 * there as long as a worker of a gateway lives; <prefix>m:<hex>, the mark of a
 * send's key; <prefix>b:<scope>:<number>[:<recipient>], a budget.
 */


#ifndef _WAG_STORE_SCRIPT_H_INCLUDED_
#define _WAG_STORE_SCRIPT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define WAG_STORE_CLAIM    0
#define WAG_STORE_END      1
#define WAG_STORE_MEET     2
#define WAG_STORE_SCRIPTS  3

#define WAG_STORE_SHA1_LEN  40

/* what was found */

#define WAG_STORE_NONE      0   /* nothing: it is claimed, or was not there */
#define WAG_STORE_FLIGHT    1
#define WAG_STORE_ANSWERED  2
#define WAG_STORE_UNKNOWN   3
#define WAG_STORE_REUSED    4
#define WAG_STORE_PACED     5   /* no budget within the wait */
#define WAG_STORE_AWAY      6   /* the store is not to be used now */
#define WAG_STORE_FULL      7


/*
 * The words for these, up to STORE_AWAY; an empty one ends them.
 */
extern ngx_str_t  wag_store_script_words[];

/*
 * The text of a script, and its SHA-1 in hex digits.
 */
ngx_str_t *wag_store_script_text(ngx_uint_t n);
void wag_store_script_sha1(ngx_uint_t n, u_char *hex);


#endif /* _WAG_STORE_SCRIPT_H_INCLUDED_ */
