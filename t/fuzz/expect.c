
#include "fuzz.h"

#include "wag_expect.h"
#include "wag_http.h"


/*
 * Lines of expectations, as in the configuration but parted by single blanks,
 * an empty line, then an answer, judged by those of them that are valid.
 */

#define FUZZ_EXPECT_WORDS  8
#define FUZZ_EXPECT_RULES  8


static const u_char *fuzz_expect_add(wag_expect_t *e, const u_char *p,
    const u_char *last);
static void fuzz_expect_judge(wag_expect_t *e, const u_char *p, size_t size);
static void fuzz_expect_reason(wag_reason_t *reason);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ngx_uint_t     n;
    ngx_pool_t    *pool;
    const u_char  *p, *last;
    wag_expect_t   e;

    pool = ngx_create_pool(4096, fuzz_log());
    fuzz_assert(pool != NULL);

    fuzz_assert(wag_expect_init(&e, pool) == NGX_OK);

    p = data;
    last = data + size;

    for (n = 0; n < FUZZ_EXPECT_RULES && p < last && *p != LF; n++) {
        p = fuzz_expect_add(&e, p, last);
    }

    if (p < last && *p == LF) {
        fuzz_expect_judge(&e, p + 1, last - p - 1);
    }

    ngx_destroy_pool(pool);

    return 0;
}


/* one line; what follows it */

static const u_char *
fuzz_expect_add(wag_expect_t *e, const u_char *p, const u_char *last)
{
    ngx_str_t      words[FUZZ_EXPECT_WORDS], err;
    ngx_int_t      rc;
    ngx_uint_t     n, nelts;
    const u_char  *end, *word;

    end = memchr(p, LF, last - p);
    if (end == NULL) {
        end = last;
    }

    for (n = 0; n < FUZZ_EXPECT_WORDS && p < end; n++) {

        for (word = p; p < end && *p != ' '; p++) { /* void */ }

        /* as in a configuration, a word is followed by a NUL */

        words[n].len = p - word;
        words[n].data = ngx_pcalloc(e->pool, words[n].len + 1);
        fuzz_assert(words[n].data != NULL);

        ngx_memcpy(words[n].data, word, words[n].len);

        p += (p < end);
    }

    ngx_str_null(&err);
    nelts = e->rules.nelts;

    rc = wag_expect_add(e, words, n, &err);

    fuzz_assert(rc == NGX_OK || rc == NGX_DECLINED);
    fuzz_assert((rc == NGX_DECLINED) == (err.len != 0));

    if (rc == NGX_DECLINED) {

        /* nginx would not start: what is left of the line does not judge */

        e->rules.nelts = nelts;
    }

    return end + (end < last);
}


static void
fuzz_expect_judge(wag_expect_t *e, const u_char *p, size_t size)
{
    u_char       *copy;
    ngx_int_t     rc, again;
    ngx_str_t     header, body;
    wag_http_t    h;
    wag_reason_t  reason, other;

    header.len = 2048;
    header.data = ngx_palloc(e->pool, header.len);

    body.len = 4096;
    body.data = ngx_palloc(e->pool, body.len);

    fuzz_assert(header.data != NULL && body.data != NULL);

    wag_http_init(&h, &header, &body, 8192, 0);

    copy = fuzz_copy(p, size);
    rc = wag_http_parse(&h, copy, copy + size);
    free(copy);

    if (rc == NGX_AGAIN) {
        rc = wag_http_eof(&h);
    }

    if (rc != NGX_OK) {
        return;
    }

    ngx_memset(&reason, 0x5a, sizeof(reason));
    ngx_memset(&other, 0xa5, sizeof(other));

    rc = wag_expect_check(e, &h, &reason);
    again = wag_expect_check(e, &h, &other);

    fuzz_assert(rc == NGX_OK || rc == NGX_DECLINED);
    fuzz_assert(rc == again);
    fuzz_assert((rc == NGX_OK) == (reason.len == 0));

    fuzz_assert(reason.len == other.len);
    fuzz_assert(ngx_memcmp(reason.data, other.data, reason.len) == 0);

    fuzz_assert(e->status || rc == NGX_DECLINED || h.status == 200);

    fuzz_expect_reason(&reason);
}


/* UTF-8 by the table in RFC 3629, 4, and no control character */

static void
fuzz_expect_reason(wag_reason_t *reason)
{
    u_char  *p, *last, low, high;
    size_t   n;

    fuzz_assert(reason->len <= WAG_REASON_LEN);

    p = reason->data;
    last = p + reason->len;

    while (p < last) {
        low = 0x80;
        high = 0xbf;

        if (*p < 0x80) {
            fuzz_assert(*p >= 0x20 && *p != 0x7f);
            p++;
            continue;
        }

        fuzz_assert(*p >= 0xc2 && *p <= 0xf4);

        n = (*p >= 0xf0) ? 3 : (*p >= 0xe0) ? 2 : 1;

        switch (*p) {
        case 0xc2: low = 0xa0; break;
        case 0xe0: low = 0xa0; break;
        case 0xed: high = 0x9f; break;
        case 0xf0: low = 0x90; break;
        case 0xf4: high = 0x8f; break;
        }

        fuzz_assert((size_t) (last - p) > n);
        fuzz_assert(p[1] >= low && p[1] <= high);

        for (p += 2, n--; n; p++, n--) {
            fuzz_assert(*p >= 0x80 && *p <= 0xbf);
        }
    }
}
