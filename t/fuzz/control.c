
#include "fuzz.h"

#include "wag_control_body.h"


/*
 * A body that adds an instance, or one that changes one by the first byte:
 * what is taken is of its kind and within its bounds, what is not is named.
 */


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cJSON               *json;
    u_char              *copy;
    ngx_str_t            text;
    ngx_uint_t           may;
    const char          *error;
    wag_control_body_t   body;

    if (size == 0) {
        return 0;
    }

    may = (data[0] & 1) ? WAG_CONTROL_ADD : WAG_CONTROL_CHANGE;

    copy = malloc(size);
    ngx_memcpy(copy, data + 1, size - 1);
    copy[size - 1] = '\0';

    text.data = copy;
    text.len = size - 1;

    json = wag_json_parse(&text, &error);

    if (json) {
        error = wag_control_body_read(json, may, &body);

        fuzz_assert(body.member_len <= WAG_CONTROL_MEMBER);
        fuzz_assert(error || body.member_len == 0);
        fuzz_assert((body.set & ~may) == 0);

        if (error == NULL) {
            fuzz_assert(!(body.set & WAG_CONTROL_URL) == !body.url.len);
            fuzz_assert(!(body.set & WAG_CONTROL_KEY) == !body.key.len);
            fuzz_assert(!(body.set & WAG_CONTROL_STATE) == !body.state.len);
            fuzz_assert(body.weight <= 1000000);
            fuzz_assert(body.max_conns <= 1000000);
            fuzz_assert(!(body.set & WAG_CONTROL_WEIGHT) || body.weight);
        }

        cJSON_Delete(json);
    }

    free(copy);

    return 0;
}
