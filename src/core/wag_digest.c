
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_digest.h"


#define wag_digest_rotate(x, n)  (((x) >> (n)) | ((x) << (64 - (n))))

/* RFC 7693, 3.1 */

#define wag_digest_mix(v, a, b, c, d, x, y)                                   \
    v[a] += v[b] + (x);                                                       \
    v[d] = wag_digest_rotate(v[d] ^ v[a], 32);                                \
    v[c] += v[d];                                                             \
    v[b] = wag_digest_rotate(v[b] ^ v[c], 24);                                \
    v[a] += v[b] + (y);                                                       \
    v[d] = wag_digest_rotate(v[d] ^ v[a], 16);                                \
    v[c] += v[d];                                                             \
    v[b] = wag_digest_rotate(v[b] ^ v[c], 63)


/* the tables are no data: each index is part of an instruction */

#define wag_digest_round(v, m, r)                                             \
    wag_digest_mix(v, 0, 4, 8, 12, wag_digest_word(m, r, 0),                  \
                   wag_digest_word(m, r, 1));                                 \
    wag_digest_mix(v, 1, 5, 9, 13, wag_digest_word(m, r, 2),                  \
                   wag_digest_word(m, r, 3));                                 \
    wag_digest_mix(v, 2, 6, 10, 14, wag_digest_word(m, r, 4),                 \
                   wag_digest_word(m, r, 5));                                 \
    wag_digest_mix(v, 3, 7, 11, 15, wag_digest_word(m, r, 6),                 \
                   wag_digest_word(m, r, 7));                                 \
    wag_digest_mix(v, 0, 5, 10, 15, wag_digest_word(m, r, 8),                 \
                   wag_digest_word(m, r, 9));                                 \
    wag_digest_mix(v, 1, 6, 11, 12, wag_digest_word(m, r, 10),                \
                   wag_digest_word(m, r, 11));                                \
    wag_digest_mix(v, 2, 7, 8, 13, wag_digest_word(m, r, 12),                 \
                   wag_digest_word(m, r, 13));                                \
    wag_digest_mix(v, 3, 4, 9, 14, wag_digest_word(m, r, 14),                 \
                   wag_digest_word(m, r, 15))

#define wag_digest_word(m, r, i)  (m)[wag_digest_sigma[r][i]]


static void wag_digest_compress(wag_digest_t *digest, u_char *block,
    uint64_t last);


static const uint64_t  wag_digest_iv[8] = {
    0x6a09e667f3bcc908ULL, 0xbb67ae8584caa73bULL,
    0x3c6ef372fe94f82bULL, 0xa54ff53a5f1d36f1ULL,
    0x510e527fade682d1ULL, 0x9b05688c2b3e6c1fULL,
    0x1f83d9abfb41bd6bULL, 0x5be0cd19137e2179ULL
};


static const u_char  wag_digest_sigma[10][16] = {
    { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 },
    { 14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3 },
    { 11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4 },
    { 7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8 },
    { 9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13 },
    { 2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9 },
    { 12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11 },
    { 13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10 },
    { 6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5 },
    { 10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0 }
};


/* no key, 32 bytes of hash */

void
wag_digest_begin(wag_digest_t *digest)
{
    ngx_memcpy(digest->state, wag_digest_iv, sizeof(wag_digest_iv));

    digest->state[0] ^= 0x01010000 | WAG_DIGEST_LEN;
    digest->count = 0;
    digest->len = 0;
}


/* the last block, also a full one, is done at the end */

void
wag_digest_update(wag_digest_t *digest, void *data, size_t len)
{
    u_char  *p;
    size_t   room;

    p = data;
    room = WAG_DIGEST_BLOCK - digest->len;

    if (len > room) {

        if (digest->len) {
            ngx_memcpy(digest->block + digest->len, p, room);

            digest->count += WAG_DIGEST_BLOCK;
            wag_digest_compress(digest, digest->block, 0);

            digest->len = 0;
            p += room;
            len -= room;
        }

        for ( /* void */ ; len > WAG_DIGEST_BLOCK; len -= WAG_DIGEST_BLOCK) {
            digest->count += WAG_DIGEST_BLOCK;
            wag_digest_compress(digest, p, 0);

            p += WAG_DIGEST_BLOCK;
        }
    }

    ngx_memcpy(digest->block + digest->len, p, len);
    digest->len += len;
}


void
wag_digest_end(wag_digest_t *digest, u_char *hash)
{
#if !(NGX_HAVE_LITTLE_ENDIAN)
    ngx_uint_t  i;
#endif

    ngx_memzero(digest->block + digest->len, WAG_DIGEST_BLOCK - digest->len);

    digest->count += digest->len;
    wag_digest_compress(digest, digest->block, (uint64_t) -1);

#if (NGX_HAVE_LITTLE_ENDIAN)

    ngx_memcpy(hash, digest->state, WAG_DIGEST_LEN);

#else

    for (i = 0; i < WAG_DIGEST_LEN; i++) {
        hash[i] = (u_char) (digest->state[i / 8] >> (8 * (i % 8)));
    }

#endif
}


static void
wag_digest_compress(wag_digest_t *digest, u_char *block, uint64_t last)
{
    uint64_t    v[16], m[16];
    ngx_uint_t  i;

#if (NGX_HAVE_LITTLE_ENDIAN)

    ngx_memcpy(m, block, WAG_DIGEST_BLOCK);

#else

    ngx_memzero(m, WAG_DIGEST_BLOCK);

    for (i = 0; i < WAG_DIGEST_BLOCK; i++) {
        m[i / 8] |= (uint64_t) block[i] << (8 * (i % 8));
    }

#endif

    ngx_memcpy(v, digest->state, sizeof(digest->state));
    ngx_memcpy(v + 8, wag_digest_iv, sizeof(wag_digest_iv));

    v[12] ^= digest->count;
    v[14] ^= last;

    wag_digest_round(v, m, 0);
    wag_digest_round(v, m, 1);
    wag_digest_round(v, m, 2);
    wag_digest_round(v, m, 3);
    wag_digest_round(v, m, 4);
    wag_digest_round(v, m, 5);
    wag_digest_round(v, m, 6);
    wag_digest_round(v, m, 7);
    wag_digest_round(v, m, 8);
    wag_digest_round(v, m, 9);
    wag_digest_round(v, m, 0);
    wag_digest_round(v, m, 1);

    for (i = 0; i < 8; i++) {
        digest->state[i] ^= v[i] ^ v[i + 8];
    }
}
