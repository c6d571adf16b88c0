
/*
 * Copyright (C) the wa_gateway authors
 *
 * A request's body, as nginx keeps it, handed on piece by piece.
 */


#ifndef _WAG_BODY_CHAIN_H_INCLUDED_
#define _WAG_BODY_CHAIN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define WAG_BODY_CHAIN_PIECE  65536   /* of a file, in bytes */


/* A piece, which is only read; NGX_AGAIN: go on; all else ends it. */
typedef ngx_int_t (*wag_body_chain_pt)(void *data, u_char *pos, u_char *last);


/*
 * Hands on what a chain has in memory, or in files by pieces of "size" bytes,
 * which are allocated for that long; its buffers stay as they are.
 * NGX_AGAIN: that was all; NGX_ERROR: a file could not be read, or there is no
 * memory, both logged; what the handler said, if that ended it.
 */
ngx_int_t wag_body_chain(ngx_chain_t *in, size_t size, ngx_log_t *log,
    wag_body_chain_pt handler, void *data);


#endif /* _WAG_BODY_CHAIN_H_INCLUDED_ */
