
/*
 * Copyright (C) the wa_gateway authors
 *
 * The API keys that open a location.  Pure: nothing is read or logged here.
 */


#ifndef _WAG_KEYS_H_INCLUDED_
#define _WAG_KEYS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define WAG_KEY_LEN    1024
#define WAG_KEYS_SIZE  65536   /* of a file of them */


/* the rest of data is zero, so that any key can be compared to any length */

typedef struct {
    size_t               len;
    u_char               data[WAG_KEY_LEN];
} wag_key_t;


/*
 * Adds a copy of a key.  NULL if it is there now, else what is wrong with it.
 */
const char *wag_keys_add(ngx_array_t *keys, ngx_str_t *key);

/*
 * Adds the keys of a text, one a line, as a file has them: blanks around a
 * key, blank lines, lines that begin with "#", a byte order mark and CRLF do
 * not count.  NULL if all are there now, else what is wrong in line *line; it
 * is 0 if there is no key at all.
 */
const char *wag_keys_read(ngx_array_t *keys, ngx_str_t *text,
    ngx_uint_t *line);

/*
 * Whether it is one of the keys.  How long that takes depends on the number
 * of keys and on the length of what was given, on nothing else.
 */
ngx_uint_t wag_keys_match(ngx_array_t *keys, ngx_str_t *given);


#endif /* _WAG_KEYS_H_INCLUDED_ */
