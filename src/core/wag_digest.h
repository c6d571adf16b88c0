
/*
 * Copyright (C) the wa_gateway authors
 *
 * BLAKE2b-256, RFC 7693, of what comes in parts: as strong as SHA-256, and
 * quicker where a processor has no instructions for that.  Pure.
 */


#ifndef _WAG_DIGEST_H_INCLUDED_
#define _WAG_DIGEST_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define WAG_DIGEST_LEN    32
#define WAG_DIGEST_BLOCK  128


typedef struct {
    uint64_t             state[8];
    uint64_t             count;      /* of bytes in blocks that are done */
    size_t               len;        /* of what the next block has */
    u_char               block[WAG_DIGEST_BLOCK];
} wag_digest_t;


/*
 * Begins, goes on and ends: "hash" has room for WAG_DIGEST_LEN bytes.
 */
void wag_digest_begin(wag_digest_t *digest);
void wag_digest_update(wag_digest_t *digest, void *data, size_t len);
void wag_digest_end(wag_digest_t *digest, u_char *hash);


#endif /* _WAG_DIGEST_H_INCLUDED_ */
