
/*
 * Copyright (C) the wa_gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_key_limits.h"


#define WAG_KEY_MIN_DIGITS  8
#define WAG_KEY_MAX_DIGITS  15


static ngx_uint_t wag_key_limits_item(ngx_str_t *rest, ngx_str_t *item);
static uint64_t wag_key_limits_number(ngx_str_t *text);
static void wag_key_limits_order(ngx_array_t *array,
    int (*compare)(const void *one, const void *two));
static ngx_uint_t wag_key_limits_has(ngx_array_t *array, void *item,
    int (*compare)(const void *one, const void *two));
static ngx_uint_t wag_key_limits_same_array(ngx_array_t *one, ngx_array_t *two,
    int (*compare)(const void *one, const void *two));
static int ngx_libc_cdecl wag_key_limits_compare_numbers(const void *one,
    const void *two);
static int ngx_libc_cdecl wag_key_limits_compare_texts(const void *one,
    const void *two);


const char *
wag_key_limits_set_numbers(wag_key_limits_t *limits, ngx_pool_t *pool,
    ngx_str_t *value)
{
    uint64_t   *number;
    ngx_str_t   item;

    if (limits->numbers) {
        return "duplicate numbers of key";
    }

    limits->numbers = ngx_array_create(pool, 1, sizeof(uint64_t));
    if (limits->numbers == NULL) {
        return "no memory for key";
    }

    while (wag_key_limits_item(value, &item)) {

        number = ngx_array_push(limits->numbers);
        if (number == NULL) {
            return "no memory for key";
        }

        *number = wag_key_limits_number(&item);

        if (*number == 0) {
            return "invalid number of key";
        }
    }

    wag_key_limits_order(limits->numbers, wag_key_limits_compare_numbers);

    return NULL;
}


const char *
wag_key_limits_set_sessions(wag_key_limits_t *limits, ngx_pool_t *pool,
    ngx_str_t *value)
{
    u_char     *p;
    ngx_str_t  *name, item;

    if (limits->sessions) {
        return "duplicate sessions of key";
    }

    limits->sessions = ngx_array_create(pool, 1, sizeof(ngx_str_t));
    if (limits->sessions == NULL) {
        return "no memory for key";
    }

    while (wag_key_limits_item(value, &item)) {

        if (item.len == 0 || item.len > WAG_KEY_SESSION_LEN) {
            return "invalid session of key";
        }

        for (p = item.data; p < item.data + item.len; p++) {
            if (*p < 0x20 || *p == 0x7f) {
                return "control character in session of key";
            }
        }

        name = ngx_array_push(limits->sessions);
        if (name == NULL) {
            return "no memory for key";
        }

        name->len = item.len;
        name->data = ngx_pstrdup(pool, &item);

        if (name->data == NULL) {
            return "no memory for key";
        }
    }

    wag_key_limits_order(limits->sessions, wag_key_limits_compare_texts);

    return NULL;
}


ngx_uint_t
wag_key_limits_same(wag_key_limits_t *one, wag_key_limits_t *two)
{
    return wag_key_limits_same_array(one->numbers, two->numbers,
                                     wag_key_limits_compare_numbers)
           && wag_key_limits_same_array(one->sessions, two->sessions,
                                        wag_key_limits_compare_texts);
}


ngx_uint_t
wag_key_limits_allow(wag_key_limits_t *limits, ngx_str_t *session,
    uint64_t number)
{
    return wag_key_limits_has(limits->sessions, session,
                              wag_key_limits_compare_texts)
           || wag_key_limits_has(limits->numbers, &number,
                                 wag_key_limits_compare_numbers);
}


/* the next one between commas; text of no bytes has one */

static ngx_uint_t
wag_key_limits_item(ngx_str_t *rest, ngx_str_t *item)
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
wag_key_limits_number(ngx_str_t *text)
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
wag_key_limits_order(ngx_array_t *array,
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
wag_key_limits_has(ngx_array_t *array, void *item,
    int (*compare)(const void *one, const void *two))
{
    return array && bsearch(item, array->elts, array->nelts, array->size,
                            compare)
                    != NULL;
}


static ngx_uint_t
wag_key_limits_same_array(ngx_array_t *one, ngx_array_t *two,
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
wag_key_limits_compare_numbers(const void *one, const void *two)
{
    uint64_t  a, b;

    a = *(const uint64_t *) one;
    b = *(const uint64_t *) two;

    return (a > b) - (a < b);
}


static int ngx_libc_cdecl
wag_key_limits_compare_texts(const void *one, const void *two)
{
    const ngx_str_t  *a, *b;

    a = one;
    b = two;

    if (a->len != b->len) {
        return (a->len > b->len) ? 1 : -1;
    }

    return a->len ? ngx_memcmp(a->data, b->data, a->len) : 0;
}
