
/*
 * Copyright (C) the wa_gateway authors
 *
 * JSON that the gateway says: with cJSON, or written at once where each
 * message has it.
 */


#ifndef _WAG_JSON_TEXT_H_INCLUDED_
#define _WAG_JSON_TEXT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <cjson/cJSON.h>


/* bytes of a string, at most */

#define WAG_JSON_STRING_LEN  256

#define WAG_JSON_TIME_LEN    (sizeof("1970-01-01T00:00:00.000Z") - 1)


/*
 * Adds a string that has no terminating NUL.  NULL if there is no memory, as
 * with cJSON's own functions.
 */
cJSON *wag_json_text_string(cJSON *object, const char *name, u_char *data,
    size_t len);

/*
 * The same; null if it is empty.
 */
cJSON *wag_json_text_or_null(cJSON *object, const char *name, ngx_str_t *text);

/*
 * Adds a time in ms since the Epoch, as RFC 3339 in UTC; null if it is 0.
 */
cJSON *wag_json_text_time(cJSON *object, const char *name, uint64_t msec);

/*
 * The text of a value, from pool.
 */
ngx_int_t wag_json_text_print(ngx_pool_t *pool, cJSON *value, ngx_str_t *text);

/*
 * Writes a string, in quotes, to where there is room for 6 bytes for each of
 * its own and for 2 more; gives the end.
 */
u_char *wag_json_text_write(u_char *p, ngx_str_t *text);

/*
 * Writes a number to where there is room for NGX_INT64_LEN bytes; gives the
 * end.
 */
u_char *wag_json_text_write_number(u_char *p, uint64_t n);

/*
 * Writes a time as wag_json_text_time() does, in quotes, to where there is
 * room for WAG_JSON_TIME_LEN bytes and 2 more; gives the end.
 */
u_char *wag_json_text_write_time(u_char *p, uint64_t msec);


#endif /* _WAG_JSON_TEXT_H_INCLUDED_ */
