
/*
 * Copyright (C) the wa_gateway authors
 *
 * A request's body, as nginx keeps it, handed to wag_body.
 */


#ifndef _WAG_BODY_CHAIN_H_INCLUDED_
#define _WAG_BODY_CHAIN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_body.h"


/*
 * Looks through what a chain has in memory or in files; its buffers stay as
 * they are.  Files are read by pieces of "size" bytes into "buf", which is
 * used for nothing else: 64 KB are well; without files it may be NULL.  A
 * chain may be a part of the body, as in a filter of request bodies, where
 * looking costs a third of what it does when the body is in a file.
 * NGX_OK: wag_body_end() tells, or the next part; NGX_ERROR: a file could not
 * be read, which is logged.
 */
ngx_int_t wag_body_chain(wag_body_t *b, ngx_chain_t *in, u_char *buf,
    size_t size);


#endif /* _WAG_BODY_CHAIN_H_INCLUDED_ */
