
/*
 * Copyright (C) the wa_gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_file.h"
#include "wag_keys.h"


#define WAG_KEY_MIN_DIGITS  8
#define WAG_KEY_MAX_DIGITS  15


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
static ngx_uint_t wag_keys_item(ngx_str_t *rest, ngx_str_t *item);
static uint64_t wag_keys_number(ngx_str_t *text);
static void wag_keys_order(ngx_array_t *array,
    int (*compare)(const void *one, const void *two));
static ngx_uint_t wag_keys_has(ngx_array_t *array, void *item,
    int (*compare)(const void *one, const void *two));
static ngx_uint_t wag_keys_alike(ngx_array_t *one, ngx_array_t *two,
    int (*compare)(const void *one, const void *two));
static int ngx_libc_cdecl wag_keys_compare_numbers(const void *one,
    const void *two);
static int ngx_libc_cdecl wag_keys_compare_texts(const void *one,
    const void *two);


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
    uint64_t   *number;
    ngx_str_t   item;

    if (key->numbers) {
        return "duplicate numbers of key";
    }

    key->numbers = ngx_array_create(pool, 1, sizeof(uint64_t));
    if (key->numbers == NULL) {
        return "no memory for key";
    }

    while (wag_keys_item(value, &item)) {

        number = ngx_array_push(key->numbers);
        if (number == NULL) {
            return "no memory for key";
        }

        *number = wag_keys_number(&item);

        if (*number == 0) {
            return "invalid number of key";
        }
    }

    wag_keys_order(key->numbers, wag_keys_compare_numbers);

    return NULL;
}


static const char *
wag_keys_set_sessions(wag_key_t *key, ngx_pool_t *pool, ngx_str_t *value)
{
    u_char     *p;
    ngx_str_t  *name, item;

    if (key->sessions) {
        return "duplicate sessions of key";
    }

    key->sessions = ngx_array_create(pool, 1, sizeof(ngx_str_t));
    if (key->sessions == NULL) {
        return "no memory for key";
    }

    while (wag_keys_item(value, &item)) {

        if (item.len == 0 || item.len > WAG_KEY_SESSION_LEN) {
            return "invalid session of key";
        }

        for (p = item.data; p < item.data + item.len; p++) {
            if (*p < 0x20 || *p == 0x7f) {
                return "control character in session of key";
            }
        }

        name = ngx_array_push(key->sessions);
        if (name == NULL) {
            return "no memory for key";
        }

        name->len = item.len;
        name->data = ngx_pstrdup(pool, &item);

        if (name->data == NULL) {
            return "no memory for key";
        }
    }

    wag_keys_order(key->sessions, wag_keys_compare_texts);

    return NULL;
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

        labels = (wag_keys_compare_texts(&key->label, &last->label) == 0);

        if (same && !labels) {
            return "key repeated with another label";
        }

        if (!same && (!labels || last->label.len == 0)) {
            continue;
        }

        if (!wag_keys_alike(key->numbers, last->numbers,
                            wag_keys_compare_numbers)
            || !wag_keys_alike(key->sessions, last->sessions,
                               wag_keys_compare_texts))
        {
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


/* the next one between commas; text of no bytes has one */

static ngx_uint_t
wag_keys_item(ngx_str_t *rest, ngx_str_t *item)
{
    u_char  *comma;

    if (rest->data == NULL) {
        return 0;
    }

    *item = *rest;

    comma = ngx_strlchr(rest->data, rest->data + rest->len, ',');

    if (comma == NULL) {
        ngx_str_null(rest);
        return 1;
    }

    item->len = comma - rest->data;

    rest->len -= item->len + 1;
    rest->data = comma + 1;

    return 1;
}


/* 0 if it is none */

static uint64_t
wag_keys_number(ngx_str_t *text)
{
    u_char    *p, *last;
    uint64_t   number;

    p = text->data;
    last = p + text->len;

    if (p < last && *p == '+') {
        p++;
    }

    if (last - p < WAG_KEY_MIN_DIGITS || last - p > WAG_KEY_MAX_DIGITS) {
        return 0;
    }

    for (number = 0; p < last; p++) {

        if (*p < '0' || *p > '9') {
            return 0;
        }

        number = number * 10 + (*p - '0');
    }

    return number;
}


/*
 * A request may have to look at many sessions, and a key may have many.
 */

static void
wag_keys_order(ngx_array_t *array,
    int (*compare)(const void *one, const void *two))
{
    u_char      *item, *kept;
    ngx_uint_t   i;

    ngx_qsort(array->elts, array->nelts, array->size, compare);

    item = array->elts;
    kept = item;

    for (i = 1; i < array->nelts; i++) {
        item += array->size;

        if (compare(kept, item) != 0) {
            kept += array->size;
            ngx_memmove(kept, item, array->size);
        }
    }

    array->nelts = (kept - (u_char *) array->elts) / array->size + 1;
}


static ngx_uint_t
wag_keys_has(ngx_array_t *array, void *item,
    int (*compare)(const void *one, const void *two))
{
    return array && bsearch(item, array->elts, array->nelts, array->size,
                            compare)
                    != NULL;
}


static ngx_uint_t
wag_keys_alike(ngx_array_t *one, ngx_array_t *two,
    int (*compare)(const void *one, const void *two))
{
    u_char      *a, *b;
    ngx_uint_t   i;

    if (one == NULL || two == NULL) {
        return one == two;
    }

    if (one->nelts != two->nelts) {
        return 0;
    }

    a = one->elts;
    b = two->elts;

    for (i = 0; i < one->nelts; i++) {
        if (compare(a + i * one->size, b + i * two->size) != 0) {
            return 0;
        }
    }

    return 1;
}


static int ngx_libc_cdecl
wag_keys_compare_numbers(const void *one, const void *two)
{
    uint64_t  a, b;

    a = *(const uint64_t *) one;
    b = *(const uint64_t *) two;

    return (a > b) - (a < b);
}


static int ngx_libc_cdecl
wag_keys_compare_texts(const void *one, const void *two)
{
    const ngx_str_t  *a, *b;

    a = one;
    b = two;

    if (a->len != b->len) {
        return (a->len > b->len) ? 1 : -1;
    }

    return a->len ? ngx_memcmp(a->data, b->data, a->len) : 0;
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
    return key && (key->numbers || key->sessions);
}


ngx_uint_t
wag_keys_allows(wag_key_t *key, ngx_str_t *session, uint64_t number)
{
    return !wag_keys_is_limited(key)
           || wag_keys_has(key->sessions, session, wag_keys_compare_texts)
           || wag_keys_has(key->numbers, &number, wag_keys_compare_numbers);
}
