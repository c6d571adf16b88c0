
#include "fuzz.h"

#include "wag_http.h"


/*
 * The answer parser.  Four bytes choose the sizes of the buffers, the drain,
 * HEAD and how the rest, an answer, is split; the verdict on the pieces must
 * be that on the whole.
 */

typedef struct {
    wag_http_t           h;
    ngx_str_t            header;
    ngx_str_t            body;
    ngx_int_t            rc;
    ngx_int_t            eof;
} fuzz_http_t;


static void fuzz_http_run(fuzz_http_t *f, const uint8_t *setup,
    const uint8_t *data, size_t size, size_t step);
static void fuzz_http_sound(fuzz_http_t *f);
static void fuzz_http_same(fuzz_http_t *a, fuzz_http_t *b);
static void fuzz_http_free(fuzz_http_t *f);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_http_t  whole, split, bytes;

    if (size < 4) {
        return 0;
    }

    (void) fuzz_log();

    fuzz_http_run(&whole, data, data + 4, size - 4, size);
    fuzz_http_run(&split, data, data + 4, size - 4, 1 + (data[3] >> 1));
    fuzz_http_run(&bytes, data, data + 4, size - 4, 1);

    fuzz_http_same(&whole, &split);
    fuzz_http_same(&whole, &bytes);

    fuzz_http_free(&whole);
    fuzz_http_free(&split);
    fuzz_http_free(&bytes);

    return 0;
}


static void
fuzz_http_run(fuzz_http_t *f, const uint8_t *setup, const uint8_t *data,
    size_t size, size_t step)
{
    u_char  *p;
    size_t   n;

    f->header.len = 1 + setup[0] * 4;
    f->header.data = malloc(f->header.len);

    f->body.len = 1 + setup[1];
    f->body.data = malloc(f->body.len);

    wag_http_init(&f->h, &f->header, &f->body, 1 + setup[2] * 8, setup[3] & 1);

    f->rc = NGX_AGAIN;

    do {
        n = ngx_min(step, size);

        p = fuzz_copy(data, n);
        f->rc = wag_http_parse(&f->h, p, p + n);
        free(p);

        data += n;
        size -= n;

        fuzz_http_sound(f);

    } while (size && f->rc != NGX_ERROR);

    f->eof = wag_http_eof(&f->h);

    fuzz_http_sound(f);

    fuzz_assert(f->eof == NGX_OK || f->eof == NGX_ERROR);
    fuzz_assert(f->rc != NGX_OK || f->eof == NGX_OK);
    fuzz_assert(f->eof != NGX_ERROR || f->h.error != NULL);
    fuzz_assert(f->h.keepalive == 0);
}


static void
fuzz_http_sound(fuzz_http_t *f)
{
    u_char             *start, *last;
    ngx_uint_t          i;
    wag_http_header_t  *hdr;

    fuzz_assert(f->rc == NGX_OK || f->rc == NGX_AGAIN || f->rc == NGX_ERROR);
    fuzz_assert((f->rc == NGX_ERROR) <= (f->h.error != NULL));

    fuzz_assert(f->h.body.data == f->body.data);
    fuzz_assert(f->h.body.len < f->body.len);
    fuzz_assert(f->h.body.data[f->h.body.len] == '\0');

    fuzz_assert(f->h.nheaders <= WAG_HTTP_MAX_HEADERS);

    if (f->rc != NGX_OK) {
        fuzz_assert(f->rc == NGX_AGAIN || f->h.keepalive == 0);
        return;
    }

    fuzz_assert(f->h.status >= 200 && f->h.status <= 999);
    fuzz_assert(!f->h.keepalive || f->h.extra == 0);

    start = f->header.data;
    last = start + f->header.len;

    for (i = 0; i < f->h.nheaders; i++) {
        hdr = &f->h.headers[i];

        fuzz_assert(hdr->name.len > 0);
        fuzz_assert(hdr->name.data >= start);
        fuzz_assert(hdr->name.data + hdr->name.len <= hdr->value.data);
        fuzz_assert(hdr->value.data + hdr->value.len <= last);

        fuzz_assert(ngx_strlchr(hdr->value.data,
                                hdr->value.data + hdr->value.len, LF)
                    == NULL);

        start = hdr->value.data + hdr->value.len;
    }
}


static void
fuzz_http_same(fuzz_http_t *a, fuzz_http_t *b)
{
    ngx_uint_t          i;
    wag_http_header_t  *ha, *hb;

    fuzz_assert(a->rc == b->rc);
    fuzz_assert(a->eof == b->eof);
    fuzz_assert(a->h.error == b->h.error);
    fuzz_assert(a->h.status == b->h.status);
    fuzz_assert(a->h.extra == b->h.extra);
    fuzz_assert(a->h.truncated == b->h.truncated);
    fuzz_assert(a->h.nheaders == b->h.nheaders);

    fuzz_assert(a->h.body.len == b->h.body.len);
    fuzz_assert(ngx_memcmp(a->h.body.data, b->h.body.data, a->h.body.len)
                == 0);

    for (i = 0; i < a->h.nheaders; i++) {
        ha = &a->h.headers[i];
        hb = &b->h.headers[i];

        fuzz_assert(ha->name.len == hb->name.len);
        fuzz_assert(ngx_memcmp(ha->name.data, hb->name.data, ha->name.len)
                    == 0);
        fuzz_assert(ha->value.len == hb->value.len);
        fuzz_assert(ngx_memcmp(ha->value.data, hb->value.data, ha->value.len)
                    == 0);
    }
}


static void
fuzz_http_free(fuzz_http_t *f)
{
    free(f->header.data);
    free(f->body.data);
}
