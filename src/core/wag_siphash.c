
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_siphash.h"


#define wag_siphash_rotate(x, n)  (((x) << (n)) | ((x) >> (64 - (n))))

#define wag_siphash_round(v)                                                  \
    v[0] += v[1];                                                             \
    v[2] += v[3];                                                             \
    v[1] = wag_siphash_rotate(v[1], 13) ^ v[0];                               \
    v[3] = wag_siphash_rotate(v[3], 16) ^ v[2];                               \
    v[0] = wag_siphash_rotate(v[0], 32);                                      \
    v[2] += v[1];                                                             \
    v[0] += v[3];                                                             \
    v[1] = wag_siphash_rotate(v[1], 17) ^ v[2];                               \
    v[3] = wag_siphash_rotate(v[3], 21) ^ v[0];                               \
    v[2] = wag_siphash_rotate(v[2], 32)


static ngx_inline uint64_t wag_siphash_read(u_char *p);
static ngx_inline void wag_siphash_write(u_char *p, uint64_t word);
static ngx_inline void wag_siphash_mix(uint64_t *v, uint64_t word);
static uint64_t wag_siphash_finish(uint64_t *v);


void
wag_siphash_begin(wag_siphash_t *siphash, u_char *key)
{
    uint64_t  low, high;

    low = wag_siphash_read(key);
    high = wag_siphash_read(key + 8);

    /* "somepseudorandomlygeneratedbytes", and 0xee for 128 bits */

    siphash->v[0] = low ^ 0x736f6d6570736575ULL;
    siphash->v[1] = high ^ 0x646f72616e646f6dULL ^ 0xee;
    siphash->v[2] = low ^ 0x6c7967656e657261ULL;
    siphash->v[3] = high ^ 0x7465646279746573ULL;

    siphash->word = 0;
    siphash->len = 0;
}


void
wag_siphash_update(wag_siphash_t *siphash, void *data, size_t len)
{
    u_char      *p, *last;
    uint64_t     v[4], word, next;
    ngx_uint_t   shift;

    p = data;
    last = p + len;

    shift = 8 * (siphash->len % 8);
    word = siphash->word;

    siphash->len += len;

    ngx_memcpy(v, siphash->v, sizeof(v));

    while (last - p >= 8) {
        next = wag_siphash_read(p);
        p += 8;

        wag_siphash_mix(v, word | next << shift);

        word = shift ? next >> (64 - shift) : 0;
    }

    while (p < last) {
        word |= (uint64_t) *p++ << shift;
        shift += 8;

        if (shift == 64) {
            wag_siphash_mix(v, word);

            word = 0;
            shift = 0;
        }
    }

    ngx_memcpy(siphash->v, v, sizeof(v));

    siphash->word = word;
}


void
wag_siphash_end(wag_siphash_t *siphash, u_char *hash)
{
    uint64_t  *v;

    v = siphash->v;

    wag_siphash_mix(v, siphash->word | (uint64_t) siphash->len << 56);

    v[2] ^= 0xee;
    wag_siphash_write(hash, wag_siphash_finish(v));

    v[1] ^= 0xdd;
    wag_siphash_write(hash + 8, wag_siphash_finish(v));
}


static ngx_inline uint64_t
wag_siphash_read(u_char *p)
{
#if (NGX_HAVE_LITTLE_ENDIAN)

    uint64_t  word;

    ngx_memcpy(&word, p, sizeof(word));

    return word;

#else

    uint64_t    word;
    ngx_uint_t  i;

    word = 0;

    for (i = 0; i < 8; i++) {
        word |= (uint64_t) p[i] << 8 * i;
    }

    return word;

#endif
}


static ngx_inline void
wag_siphash_write(u_char *p, uint64_t word)
{
#if (NGX_HAVE_LITTLE_ENDIAN)

    ngx_memcpy(p, &word, sizeof(word));

#else

    ngx_uint_t  i;

    for (i = 0; i < 8; i++) {
        p[i] = (u_char) (word >> 8 * i);
    }

#endif
}


static ngx_inline void
wag_siphash_mix(uint64_t *v, uint64_t word)
{
    v[3] ^= word;

    wag_siphash_round(v);
    wag_siphash_round(v);

    v[0] ^= word;
}


static uint64_t
wag_siphash_finish(uint64_t *v)
{
    wag_siphash_round(v);
    wag_siphash_round(v);
    wag_siphash_round(v);
    wag_siphash_round(v);

    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
