
/*
 * Copyright (C) the wa_gateway authors
 *
 * The parser of an answer, incremental.  Pure.
 */


#ifndef _WAG_HTTP_H_INCLUDED_
#define _WAG_HTTP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define WAG_HTTP_HEADER_SIZE   16384
#define WAG_HTTP_BODY_SIZE     65536
#define WAG_HTTP_DRAIN_SIZE    1048576

#define WAG_HTTP_MAX_HEADERS   100
#define WAG_HTTP_MAX_INTERIM   8


typedef enum {
    wag_http_status_st = 0,
    wag_http_header_st,
    wag_http_length_st,
    wag_http_close_st,
    wag_http_chunk_start_st,
    wag_http_chunk_size_st,
    wag_http_chunk_ws_st,
    wag_http_chunk_ext_st,
    wag_http_chunk_size_lf_st,
    wag_http_chunk_data_st,
    wag_http_chunk_end_st,
    wag_http_chunk_end_lf_st,
    wag_http_trailer_start_st,
    wag_http_trailer_end_lf_st,
    wag_http_trailer_st,
    wag_http_trailer_lf_st,
    wag_http_done_st
} wag_http_state_e;


typedef struct {
    ngx_str_t            name;
    ngx_str_t            value;
} wag_http_header_t;


typedef struct {
    /* the answer, complete after NGX_OK */

    ngx_uint_t           status;
    ngx_str_t            body;
    ngx_uint_t           nheaders;
    wag_http_header_t    headers[WAG_HTTP_MAX_HEADERS];

    const char          *error;
    size_t               extra;

    /* gets the body as it comes, which is then not kept; set after init() */

    void               (*sink)(void *data, u_char *start, size_t len);
    void                *data;

    unsigned             keepalive:1;
    unsigned             truncated:1;

    /* private */

    unsigned             head:1;
    unsigned             cr:1;
    unsigned             chunked:1;
    unsigned             close:1;
    unsigned             started:1;

    wag_http_state_e     state;
    ngx_uint_t           minor;
    ngx_uint_t           interim;

    u_char              *start;
    u_char              *line;
    u_char              *last;
    size_t               size;
    size_t               max;
    size_t               body_max;

    off_t                length;
    off_t                drained;
    off_t                drain_max;
} wag_http_t;


/*
 * Prepares the parser for one answer, may be repeated for the next one.
 * "header" and "body" are buffers of the caller, both must be larger than
 * zero bytes and outlive the answer; the body kept is one byte shorter than
 * its buffer, since it is always followed by a NUL.  After "drain" bytes of
 * body on the wire the answer counts as complete, truncated, and the
 * connection as not reusable.  "head" is set for an answer to HEAD.
 */
void wag_http_init(wag_http_t *h, ngx_str_t *header, ngx_str_t *body,
    off_t drain, ngx_uint_t head);

/*
 * Takes the next bytes of an answer, RFC 9112.  NGX_AGAIN: more is needed;
 * NGX_OK: the answer is complete, "extra" tells how many bytes lie beyond
 * it; NGX_ERROR: the answer is invalid, "error" tells why.  The verdict does
 * not depend on how the answer is split.
 */
ngx_int_t wag_http_parse(wag_http_t *h, u_char *pos, u_char *last);

/*
 * The peer closed the connection.  NGX_OK: the answer is complete;
 * NGX_ERROR: it is cut, "error" tells where.
 */
ngx_int_t wag_http_eof(wag_http_t *h);

/*
 * The next header of that name after "prev", or the first one if "prev" is
 * NULL; the case of the name does not matter.  NULL if there is none.
 */
wag_http_header_t *wag_http_find(wag_http_t *h, ngx_str_t *name,
    wag_http_header_t *prev);

/*
 * Decides where the body ends and whether the connection may be kept, from
 * the headers of a final answer, RFC 9112, 6.3 and 9.3.  NGX_OK; NGX_ERROR,
 * "error" tells why.  Called by wag_http_parse().
 */
ngx_int_t wag_http_framing(wag_http_t *h);

/*
 * The body part of wag_http_parse(): consumes bytes from
 * *pos on.  NGX_OK: go on with the state that is set now; NGX_ERROR.
 */
ngx_int_t wag_http_parse_body(wag_http_t *h, u_char **pos, u_char *last);


#endif /* _WAG_HTTP_H_INCLUDED_ */
