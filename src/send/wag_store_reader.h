
/*
 * Copyright (C) the wa_gateway authors
 *
 * What a store answers, as it comes: hiredis' reader, with answers of a fixed
 * size.  Whatever is sent, no more than that is kept.  Pure.
 */


#ifndef _WAG_STORE_READER_H_INCLUDED_
#define _WAG_STORE_READER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* values of an answer, and bytes of all its texts */

#define WAG_STORE_VALUES    16
#define WAG_STORE_TEXT_LEN  32768


/* a text, or a number where the text has no data */

typedef struct {
    int64_t              number;
    ngx_str_t            text;
} wag_store_value_t;


typedef struct {
    ngx_uint_t           error;     /* the text is an error of the store */
    ngx_uint_t           nvalues;
    wag_store_value_t    values[WAG_STORE_VALUES];
    size_t               len;
    u_char               text[WAG_STORE_TEXT_LEN];
} wag_store_answer_t;


typedef struct {
    struct redisReader  *reader;
    wag_store_answer_t   answer;
} wag_store_reader_t;


/*
 * NULL if there is no memory, or the module was built without hiredis.
 */
wag_store_reader_t *wag_store_reader_create(void);
void wag_store_reader_free(wag_store_reader_t *r);

/*
 * Begins anew, for another connection.  NGX_ERROR if there is no memory.
 */
ngx_int_t wag_store_reader_reset(wag_store_reader_t *r);

/*
 * Takes bytes that came.  NGX_ERROR: they are more than an answer has, or
 * there is no memory.
 */
ngx_int_t wag_store_reader_feed(wag_store_reader_t *r, u_char *start,
    u_char *end);

/*
 * The next answer of what was taken: NGX_OK: it is in r->answer until the next
 * call; NGX_AGAIN: it is not whole; NGX_ERROR: it is none.
 */
ngx_int_t wag_store_reader_next(wag_store_reader_t *r);

/*
 * A command as it is written to a store, to be freed with free().  Its length,
 * or -1 if there is no memory.
 */
ssize_t wag_store_reader_format(char **command, ngx_uint_t argc,
    ngx_str_t *argv);


#endif /* _WAG_STORE_READER_H_INCLUDED_ */
