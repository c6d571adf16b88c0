
/*
 * Copyright (C) the wa_gateway authors
 *
 * What of an upstream is to be kept, as the state file has it.
 */


#ifndef _WAG_KEPT_WRITE_H_INCLUDED_
#define _WAG_KEPT_WRITE_H_INCLUDED_


#include "wag_upstream.h"


typedef void (*wag_kept_done_pt)(void *data, ngx_int_t rc);


/*
 * Writes all that there is, but for the instance of the name "without", which
 * may be NULL; for whom, see wag_writer_begin().  NGX_OK: it is on the disk;
 * NGX_BUSY: the disk is full; NGX_ERROR; the file of before is there still
 * then.  NGX_AGAIN: a thread writes, and done() is called with one of these
 * when the worker is back in its event loop.
 */
ngx_int_t wag_kept_write(wag_upstream_t *us, ngx_str_t *without,
    wag_kept_done_pt done, void *data);


#endif /* _WAG_KEPT_WRITE_H_INCLUDED_ */
