
/*
 * Copyright (C) the wa_gateway authors
 *
 * A short text that is safe to log and to show, of foreign bytes too.  Pure.
 */


#ifndef _WAG_REASON_H_INCLUDED_
#define _WAG_REASON_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define WAG_REASON_LEN        120
#define WAG_REASON_VALUE_LEN  48


/*
 * Why a check failed: a short text for logs and for JSON.  Always valid
 * UTF-8 without control characters, of at most the bytes above, whatever is
 * put in.
 */

typedef struct {
    size_t               len;
    u_char               data[WAG_REASON_LEN];
} wag_reason_t;


/* Starts over with a text, NUL-terminated. */
void wag_reason_set(wag_reason_t *r, const char *text);

/* Appends a text, NUL-terminated. */
void wag_reason_add(wag_reason_t *r, const char *text);

/*
 * Appends at most "max" bytes of a text that came from outside: what is no
 * UTF-8 or no printable character becomes "?", what is cut ends with "...".
 */
void wag_reason_add_value(wag_reason_t *r, ngx_str_t *value, size_t max);


#endif /* _WAG_REASON_H_INCLUDED_ */
