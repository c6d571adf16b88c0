
#include "fuzz.h"

#include "wag_store_info.h"
#include "wag_store_result.h"
#include "wag_store_url.h"


/*
 * What a store answers, in pieces: whatever comes, an answer is within its
 * bounds, and what it tells of a claim, a meeting or itself, too.  The first
 * bytes say what was asked, how it is cut, and whether it is an URL instead.
 */


static void fuzz_url(const uint8_t *data, size_t size);
static void fuzz_answer(wag_store_answer_t *answer, uint8_t asked);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t               n, piece;
    u_char              *copy;
    uint8_t              asked;
    ngx_int_t            rc;
    wag_store_reader_t  *r;

    if (size < 2) {
        return 0;
    }

    asked = data[0];
    piece = data[1] ? data[1] : 1;

    data += 2;
    size -= 2;

    if (asked == 0xff) {
        fuzz_url(data, size);
        return 0;
    }

    r = wag_store_reader_create();
    fuzz_assert(r != NULL);

    for (rc = NGX_AGAIN; size && rc == NGX_AGAIN; data += n, size -= n) {
        n = ngx_min(size, piece);

        copy = fuzz_copy(data, n);
        rc = wag_store_reader_feed(r, copy, copy + n);
        free(copy);

        while (rc == NGX_OK) {
            rc = wag_store_reader_next(r);

            if (rc == NGX_OK) {
                fuzz_answer(&r->answer, asked);
            }
        }
    }

    wag_store_reader_free(r);

    return 0;
}


static void
fuzz_url(const uint8_t *data, size_t size)
{
    u_char           *copy;
    ngx_str_t         text;
    wag_store_url_t   url;

    copy = fuzz_copy(data, size);

    text.data = copy;
    text.len = size;

    if (wag_store_url(&text, &url) == NULL) {
        fuzz_assert(url.host.len && url.host.len < size);
        fuzz_assert(url.password.len + url.user.len < size);
        fuzz_assert(url.database < WAG_STORE_DATABASES);
        fuzz_assert(ngx_strlchr(url.host.data, url.host.data + url.host.len,
                                '@')
                    == NULL);
    }

    free(copy);
}


static void
fuzz_answer(wag_store_answer_t *answer, uint8_t asked)
{
    ngx_uint_t          i;
    wag_store_met_t     met;
    wag_store_info_t    info;
    wag_store_found_t   found;
    wag_store_claim_t  *claim;

    fuzz_assert(answer->nvalues <= WAG_STORE_VALUES);
    fuzz_assert(answer->len <= WAG_STORE_TEXT_LEN);

    for (i = 0; i < answer->nvalues; i++) {
        fuzz_assert(answer->values[i].text.data == NULL
                    || (answer->values[i].text.data >= answer->text
                        && answer->values[i].text.data
                           + answer->values[i].text.len
                           <= answer->text + answer->len));
    }

    ngx_memzero(&info, sizeof(wag_store_info_t));

    if (answer->nvalues) {
        wag_store_info_add(&info, &answer->values[0].text);

        fuzz_assert(info.run_len <= WAG_STORE_RUN_LEN);
        (void) wag_store_info_refuse(&info);
    }

    if (wag_store_result_meet(answer, &met) == NGX_OK) {
        fuzz_assert(met.marker && met.state <= WAG_STORE_MET_LOST);
        fuzz_assert((int64_t) met.serial >= 0);
    }

    claim = calloc(1, sizeof(wag_store_claim_t));

    claim->look = asked & 1;
    claim->nnumbers = (asked >> 1) & 3;

    for (i = 0; i < claim->nnumbers; i++) {
        claim->numbers[i] = 966500000000 + i;
    }

    if (wag_store_result_claim(answer, claim, &found) == NGX_OK) {
        fuzz_assert(found.found <= WAG_STORE_AWAY);
        fuzz_assert(found.status <= 999);
        fuzz_assert(found.answer.len <= answer->len);
        fuzz_assert(found.reason <= 2);
        fuzz_assert((int64_t) found.wait >= 0);

        if (found.spent.number) {
            fuzz_assert(found.spent.number >= 966500000000);
            fuzz_assert(found.spent.number < 966500000000 + claim->nnumbers);
        }
    }

    free(claim);
}
