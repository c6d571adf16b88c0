
/*
 * Copyright (C) the wa_gateway authors
 *
 * The value of Idempotency-Key, draft-ietf-httpapi-idempotency-key-header.
 * Pure.
 */


#ifndef _WAG_REPEAT_KEY_H_INCLUDED_
#define _WAG_REPEAT_KEY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define WAG_REPEAT_KEY_LEN  255


/*
 * Reads it: a string of RFC 8941, 3.3.3, without parameters, or, as many
 * clients write it, the bare key of visible ASCII but for quotes, commas and
 * semicolons.  The key goes to buf, which has room for WAG_REPEAT_KEY_LEN;
 * its length, or 0 if it is none.
 */
size_t wag_repeat_key(ngx_str_t *value, u_char *buf);


#endif /* _WAG_REPEAT_KEY_H_INCLUDED_ */
