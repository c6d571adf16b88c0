
/*
 * Copyright (C) the wa_gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_file.h"
#include "wag_keys.h"


const char *
wag_keys_add(ngx_array_t *keys, ngx_str_t *key)
{
    wag_key_t  *k;
    ngx_uint_t  i;

    if (key->len == 0) {
        return "empty key";
    }

    if (key->len > WAG_KEY_LEN) {
        return "key is longer than 1024 bytes";
    }

    /* a header could not bring it */

    for (i = 0; i < key->len; i++) {
        if (key->data[i] < 0x20 || key->data[i] == 0x7f) {
            return "control character in key";
        }
    }

    if (key->data[0] == ' ' || key->data[key->len - 1] == ' ') {
        return "blank around key";
    }

    k = ngx_array_push(keys);
    if (k == NULL) {
        return "no memory for key";
    }

    ngx_memzero(k, sizeof(wag_key_t));

    k->len = key->len;
    ngx_memcpy(k->data, key->data, key->len);

    return NULL;
}


const char *
wag_keys_read(ngx_array_t *keys, ngx_str_t *text, ngx_uint_t *line)
{
    ngx_str_t    rest, key;
    ngx_uint_t   n, found;
    const char  *err;

    found = 0;
    rest = *text;

    wag_file_skip_mark(&rest);

    for (n = 1; wag_file_line(&rest, &key); n++) {

        if (key.len == 0 || key.data[0] == '#') {
            continue;
        }

        err = wag_keys_add(keys, &key);

        if (err != NULL) {
            *line = n;
            return err;
        }

        found = 1;
    }

    *line = 0;

    return found ? NULL : "no key";
}


/*
 * All keys are compared, each over all of what was given: no branch and no
 * address depends on a key, its length included.
 */

ngx_uint_t
wag_keys_match(ngx_array_t *keys, ngx_str_t *given)
{
    size_t           j, len;
    wag_key_t       *key;
    ngx_uint_t       i, match;
    volatile size_t  diff;

    key = keys->elts;
    len = ngx_min(given->len, WAG_KEY_LEN);
    match = 0;

    for (i = 0; i < keys->nelts; i++) {

        diff = key[i].len ^ given->len;

        for (j = 0; j < len; j++) {
            diff |= key[i].data[j] ^ given->data[j];
        }

        match |= (diff == 0);
    }

    return match;
}
