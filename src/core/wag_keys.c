
/*
 * Copyright (C) the wa_gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_file.h"
#include "wag_keys.h"


typedef struct {
    ngx_str_t            name;
    const char        *(*set)(wag_key_t *key, ngx_pool_t *pool,
                              ngx_str_t *value);
} wag_key_parameter_t;


static wag_key_parameter_t *wag_keys_parameter(ngx_str_t *word);
static const char *wag_keys_set_label(wag_key_t *key, ngx_pool_t *pool,
    ngx_str_t *value);
static const char *wag_keys_set_numbers(wag_key_t *key, ngx_pool_t *pool,
    ngx_str_t *value);
static const char *wag_keys_set_sessions(wag_key_t *key, ngx_pool_t *pool,
    ngx_str_t *value);
static const char *wag_keys_read_line(ngx_array_t *keys, ngx_str_t *line);
static size_t wag_keys_last_word(ngx_str_t *text, ngx_str_t *word);


static wag_key_parameter_t  wag_key_parameters[] = {
    { ngx_string("label="), wag_keys_set_label },
    { ngx_string("numbers="), wag_keys_set_numbers },
    { ngx_string("sessions="), wag_keys_set_sessions },
    { ngx_null_string, NULL }
};


const char *
wag_keys_add(ngx_array_t *keys, ngx_str_t *key)
{
    wag_key_t  *k;
    ngx_uint_t  i, n;

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

    k = keys->elts;
    n = keys->nelts ? k[keys->nelts - 1].parameters : 0;

    k = ngx_array_push(keys);
    if (k == NULL) {
        return "no memory for key";
    }

    ngx_memzero(k, sizeof(wag_key_t));

    k->parameters = n;

    k->len = key->len;
    ngx_memcpy(k->data, key->data, key->len);

    return NULL;
}


ngx_uint_t
wag_keys_is_parameter(ngx_str_t *word)
{
    return wag_keys_parameter(word) != NULL;
}


static wag_key_parameter_t *
wag_keys_parameter(ngx_str_t *word)
{
    wag_key_parameter_t  *p;

    for (p = wag_key_parameters; p->name.len; p++) {
        if (word->len >= p->name.len
            && ngx_memcmp(word->data, p->name.data, p->name.len) == 0)
        {
            return p;
        }
    }

    return NULL;
}


const char *
wag_keys_set(ngx_array_t *keys, ngx_str_t *parameter)
{
    wag_key_t            *key;
    wag_key_parameter_t  *p;

    key = (wag_key_t *) keys->elts + keys->nelts - 1;

    p = wag_keys_parameter(parameter);

    parameter->data += p->name.len;
    parameter->len -= p->name.len;

    key->parameters++;

    return p->set(key, keys->pool, parameter);
}


static const char *
wag_keys_set_label(wag_key_t *key, ngx_pool_t *pool, ngx_str_t *value)
{
    u_char  *p;

    if (key->label.len) {
        return "duplicate label of key";
    }

    if (value->len == 0 || value->len > WAG_KEY_LABEL_LEN) {
        return "invalid label of key";
    }

    for (p = value->data; p < value->data + value->len; p++) {
        if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z')
              || (*p >= '0' && *p <= '9')
              || *p == '.' || *p == '_' || *p == '-'))
        {
            return "invalid label of key";
        }
    }

    key->label.data = ngx_pstrdup(pool, value);
    if (key->label.data == NULL) {
        return "no memory for key";
    }

    key->label.len = value->len;

    return NULL;
}


static const char *
wag_keys_set_numbers(wag_key_t *key, ngx_pool_t *pool, ngx_str_t *value)
{
    return wag_key_limits_set_numbers(&key->limits, pool, value);
}


static const char *
wag_keys_set_sessions(wag_key_t *key, ngx_pool_t *pool, ngx_str_t *value)
{
    return wag_key_limits_set_sessions(&key->limits, pool, value);
}


/*
 * A key that is there twice, and keys of one label, are one client: what it
 * may do must not depend on which of them it brings.
 */

const char *
wag_keys_check(ngx_array_t *keys)
{
    wag_key_t   *key, *last;
    ngx_uint_t   same, labels;

    key = keys->elts;
    last = key + keys->nelts - 1;

    if (last->parameters == 0) {
        return NULL;
    }

    for ( /* void */ ; key < last; key++) {

        same = (key->len == last->len
                && ngx_memcmp(key->data, last->data, last->len) == 0);

        labels = (key->label.len == last->label.len
                  && (last->label.len == 0
                      || ngx_memcmp(key->label.data, last->label.data,
                                    last->label.len) == 0));

        if (same && !labels) {
            return "key repeated with another label";
        }

        if (!same && (!labels || last->label.len == 0)) {
            continue;
        }

        if (!wag_key_limits_same(&key->limits, &last->limits)) {
            return same ? "key repeated with other limits"
                        : "label of key repeated with other limits";
        }
    }

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

        err = wag_keys_read_line(keys, &key);

        if (err != NULL) {
            *line = n;
            return err;
        }

        found = 1;
    }

    *line = 0;

    return found ? NULL : "no key";
}


/* a key may have blanks inside: only what is behind it is taken off */

static const char *
wag_keys_read_line(ngx_array_t *keys, ngx_str_t *line)
{
    size_t       len;
    ngx_str_t    key, word, rest;
    const char  *err;

    key = *line;

    for ( ;; ) {
        len = wag_keys_last_word(&key, &word);

        if (!wag_keys_is_parameter(&word)) {
            break;
        }

        key.len = len;
    }

    if (key.len == 0) {
        return "no key before its limits";
    }

    err = wag_keys_add(keys, &key);

    rest = *line;

    while (err == NULL && rest.len > key.len) {
        len = wag_keys_last_word(&rest, &word);
        err = wag_keys_set(keys, &word);
        rest.len = len;
    }

    return err ? err : wag_keys_check(keys);
}


/* gives the length of what is before it and before the blanks between */

static size_t
wag_keys_last_word(ngx_str_t *text, ngx_str_t *word)
{
    size_t  len;

    len = text->len;

    while (len && text->data[len - 1] != ' ' && text->data[len - 1] != '\t') {
        len--;
    }

    word->data = text->data + len;
    word->len = text->len - len;

    while (len && (text->data[len - 1] == ' ' || text->data[len - 1] == '\t'))
    {
        len--;
    }

    return len;
}


/*
 * All keys are compared, each over all of what was given: no branch and no
 * address depends on a key, its length included, nor on which one it is.
 */

ngx_uint_t
wag_keys_match(ngx_array_t *keys, ngx_str_t *given)
{
    size_t               j, len;
    wag_key_t           *key;
    ngx_uint_t           i, match;
    volatile size_t      diff;
    volatile ngx_uint_t  mask;

    key = keys->elts;
    len = ngx_min(given->len, WAG_KEY_LEN);
    match = 0;

    for (i = 0; i < keys->nelts; i++) {

        diff = key[i].len ^ given->len;

        for (j = 0; j < len; j++) {
            diff |= key[i].data[j] ^ given->data[j];
        }

        /* all bits, if they are the same */

        mask = 0 - (ngx_uint_t) (diff == 0);

        match = (match & ~mask) | ((i + 1) & mask);
    }

    return match;
}


ngx_uint_t
wag_keys_is_limited(wag_key_t *key)
{
    return key && (key->limits.numbers || key->limits.sessions);
}


ngx_uint_t
wag_keys_allows(wag_key_t *key, ngx_str_t *session, uint64_t number)
{
    return !wag_keys_is_limited(key)
           || wag_key_limits_allow(&key->limits, session, number);
}
