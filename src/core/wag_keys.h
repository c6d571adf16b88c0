
/*
 * Copyright (C) the wa_gateway authors
 *
 * The API keys that open a location, and what each of them is limited to.
 * Pure: nothing is read or logged here.
 */


#ifndef _WAG_KEYS_H_INCLUDED_
#define _WAG_KEYS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_key_limits.h"


#define WAG_KEY_LEN          1024
#define WAG_KEYS_SIZE        65536   /* of a file of them */
#define WAG_KEY_LABEL_LEN    64


/* the rest of data is zero, so that any key can be compared to any length */

typedef struct {
    size_t               len;
    ngx_str_t            label;      /* empty: none */
    wag_key_limits_t     limits;
    ngx_uint_t           parameters; /* of keys up to this one, in all */
    u_char               data[WAG_KEY_LEN];
} wag_key_t;


/*
 * Adds a copy of a key.  NULL if it is there now, else what is wrong with it.
 */
const char *wag_keys_add(ngx_array_t *keys, ngx_str_t *key);

/*
 * Whether it is a parameter of a key: label=, numbers= or sessions=.
 */
ngx_uint_t wag_keys_is_parameter(ngx_str_t *word);

/*
 * Gives the key that was added last such a parameter, which is used up.  NULL,
 * or what is wrong.
 */
const char *wag_keys_set(ngx_array_t *keys, ngx_str_t *parameter);

/*
 * To be called once the key that was added last has its parameters: NULL, or
 * that it contradicts one before it.
 */
const char *wag_keys_check(ngx_array_t *keys);

/*
 * Adds the keys of a text, one a line, as a file has them, with parameters
 * behind: blanks around a key, blank lines, lines that begin with "#", a byte
 * order mark and CRLF do not count.  NULL if all are there now, else what is
 * wrong in line *line; it is 0 if there is no key at all.
 */
const char *wag_keys_read(ngx_array_t *keys, ngx_str_t *text,
    ngx_uint_t *line);

/*
 * Which of the keys it is, from 1 on; 0 if it is none.  How long that takes
 * depends on the number of keys and on the length of what was given, on
 * nothing else.
 */
ngx_uint_t wag_keys_match(ngx_array_t *keys, ngx_str_t *given);

/*
 * Whether a key, NULL being none, is limited to some sessions; and whether it
 * may see and use this one, by the name that is shown or by its number, 0 if
 * that is not known.
 */
ngx_uint_t wag_keys_is_limited(wag_key_t *key);
ngx_uint_t wag_keys_allows(wag_key_t *key, ngx_str_t *session,
    uint64_t number);


#endif /* _WAG_KEYS_H_INCLUDED_ */
