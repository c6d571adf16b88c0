
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_digest.h"


#if (WAG_DIGESTS)


struct wag_digest_s {
    EVP_MD_CTX          *ctx;
};


static void wag_digest_cleanup(void *data);


wag_digest_t *
wag_digest_create(ngx_pool_t *pool)
{
    wag_digest_t        *digest;
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(pool, sizeof(wag_digest_t));
    if (cln == NULL) {
        return NULL;
    }

    digest = cln->data;

    digest->ctx = EVP_MD_CTX_create();
    if (digest->ctx == NULL) {
        return NULL;
    }

    cln->handler = wag_digest_cleanup;

    /* that of the library is looked up once, it takes longer than a hash */

    if (EVP_DigestInit_ex(digest->ctx, EVP_sha256(), NULL) != 1) {
        return NULL;
    }

    return digest;
}


static void
wag_digest_cleanup(void *data)
{
    wag_digest_t *digest = data;

    EVP_MD_CTX_destroy(digest->ctx);
}


ngx_int_t
wag_digest_begin(wag_digest_t *digest)
{
    return (EVP_DigestInit_ex(digest->ctx, NULL, NULL) == 1) ? NGX_OK
                                                             : NGX_ERROR;
}


ngx_int_t
wag_digest_update(wag_digest_t *digest, void *data, size_t len)
{
    return (EVP_DigestUpdate(digest->ctx, data, len) == 1) ? NGX_OK
                                                           : NGX_ERROR;
}


ngx_int_t
wag_digest_end(wag_digest_t *digest, u_char *hash)
{
    return (EVP_DigestFinal_ex(digest->ctx, hash, NULL) == 1) ? NGX_OK
                                                              : NGX_ERROR;
}


#else


wag_digest_t *
wag_digest_create(ngx_pool_t *pool)
{
    return NULL;
}


ngx_int_t
wag_digest_begin(wag_digest_t *digest)
{
    return NGX_ERROR;
}


ngx_int_t
wag_digest_update(wag_digest_t *digest, void *data, size_t len)
{
    return NGX_ERROR;
}


ngx_int_t
wag_digest_end(wag_digest_t *digest, u_char *hash)
{
    return NGX_ERROR;
}


#endif
