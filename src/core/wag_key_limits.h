
/*
 * Copyright (C) the wa_gateway authors
 *
 * What an API key is limited to: the sessions and the numbers that it may see
 * and use.
 */


#ifndef _WAG_KEY_LIMITS_H_INCLUDED_
#define _WAG_KEY_LIMITS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define WAG_KEY_SESSION_LEN  128


/* in order, each once; NULL: none */

typedef struct {
    ngx_array_t         *numbers;    /* uint64_t */
    ngx_array_t         *sessions;   /* ngx_str_t */
} wag_key_limits_t;


/*
 * Reads what is written between commas, which is used up.  NULL, or what is
 * wrong.
 */
const char *wag_key_limits_set_numbers(wag_key_limits_t *limits,
    ngx_pool_t *pool, ngx_str_t *value);
const char *wag_key_limits_set_sessions(wag_key_limits_t *limits,
    ngx_pool_t *pool, ngx_str_t *value);

/*
 * Whether both allow the same.
 */
ngx_uint_t wag_key_limits_same(wag_key_limits_t *one, wag_key_limits_t *two);

/*
 * Whether a session is among them, by the name that is shown or by its number,
 * 0 if that is not known.
 */
ngx_uint_t wag_key_limits_allow(wag_key_limits_t *limits, ngx_str_t *session,
    uint64_t number);


#endif /* _WAG_KEY_LIMITS_H_INCLUDED_ */
