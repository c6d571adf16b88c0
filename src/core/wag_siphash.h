
/*
 * Copyright (C) the wa_gateway authors
 *
 * SipHash-2-4 with 128 bits, of what comes in parts (J.-P. Aumasson, D. J.
 * Bernstein: SipHash: a fast short-input PRF, 2012): who does not know the key
 * cannot tell what its hashes will be.  For short texts it costs a fourth of
 * wag_digest.  Pure.
 */


#ifndef _WAG_SIPHASH_H_INCLUDED_
#define _WAG_SIPHASH_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define WAG_SIPHASH_KEY_LEN  16
#define WAG_SIPHASH_LEN      16


typedef struct {
    uint64_t             v[4];
    uint64_t             word;     /* the bytes of it that are there */
    size_t               len;      /* of all so far, in bytes */
} wag_siphash_t;


/*
 * Begins with a key of WAG_SIPHASH_KEY_LEN bytes, goes on and ends: "hash" has
 * room for WAG_SIPHASH_LEN bytes.
 */
void wag_siphash_begin(wag_siphash_t *siphash, u_char *key);
void wag_siphash_update(wag_siphash_t *siphash, void *data, size_t len);
void wag_siphash_end(wag_siphash_t *siphash, u_char *hash);


#endif /* _WAG_SIPHASH_H_INCLUDED_ */
