
#include "fuzz.h"

#include "wag_qr.h"


/*
 * What a server answered, as an image, as base64, as a link and as a code.
 * What is taken for one of these can stand where it goes: an image is of a
 * type that is known, a path has nothing that a request line or a template
 * would read as something else, a code nothing but what a person types.
 */

static void fuzz_qr_image(ngx_str_t *text);
static void fuzz_qr_path(ngx_str_t *text);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t      i;
    u_char     *copy;
    ngx_str_t   text;

    copy = fuzz_copy(data, size);

    text.data = copy;
    text.len = size;

    fuzz_qr_image(&text);
    fuzz_qr_path(&text);

    if (wag_qr_is_code(&text)) {
        fuzz_assert(size > 0 && size <= WAG_QR_CODE_MAX);

        for (i = 0; i < size; i++) {
            fuzz_assert(copy[i] == '-' || isalnum(copy[i]));
        }
    }

    fuzz_assert(ngx_memcmp(copy, data, size) == 0);

    free(copy);

    return 0;
}


static void
fuzz_qr_image(ngx_str_t *text)
{
    ngx_str_t    image;
    ngx_pool_t  *pool;

    fuzz_assert(wag_qr_type(text) == NULL
                || (text->len >= 3 && text->data[0] >= 0x80));

    pool = ngx_create_pool(1024, fuzz_log());

    if (wag_qr_decode(pool, text, &image) == NGX_OK) {
        fuzz_assert(image.len <= ngx_base64_decoded_length(text->len));
        fuzz_assert(wag_qr_type(&image) == NULL || image.len <= WAG_QR_MAX);
    }

    ngx_destroy_pool(pool);
}


static void
fuzz_qr_path(ngx_str_t *text)
{
    size_t     i;
    ngx_str_t  path;

    if (wag_qr_path(text, &path) != NGX_OK) {
        return;
    }

    fuzz_assert(path.len > 0 && path.data[0] == '/');
    fuzz_assert(path.data + path.len == text->data + text->len);
    fuzz_assert(path.len == 1 || path.data[1] != '/');

    for (i = 0; i < path.len; i++) {
        fuzz_assert(path.data[i] > ' ' && path.data[i] < 0x7f);
        fuzz_assert(strchr("<>%#\\\"'{}", path.data[i]) == NULL);
        fuzz_assert(i == 0 || path.data[i - 1] != '/' || path.data[i] != '.');
    }
}
