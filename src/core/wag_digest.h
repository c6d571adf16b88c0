
/*
 * Copyright (C) the wa_gateway authors
 *
 * SHA-256, FIPS 180-4, of what comes in parts.
 */


#ifndef _WAG_DIGEST_H_INCLUDED_
#define _WAG_DIGEST_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define WAG_DIGEST_LEN  32

/* nginx has none of its own */

#if (NGX_OPENSSL)
#define WAG_DIGESTS  1
#endif


typedef struct wag_digest_s  wag_digest_t;


/*
 * One that is used again and again, freed with the pool; NULL if there is no
 * memory, or no SHA-256.
 */
wag_digest_t *wag_digest_create(ngx_pool_t *pool);

/*
 * Begins, goes on and ends.  NGX_ERROR if there is no memory.
 */
ngx_int_t wag_digest_begin(wag_digest_t *digest);
ngx_int_t wag_digest_update(wag_digest_t *digest, void *data, size_t len);
ngx_int_t wag_digest_end(wag_digest_t *digest, u_char *hash);


#endif /* _WAG_DIGEST_H_INCLUDED_ */
