
/*
 * Copyright (C) the wa_gateway authors
 *
 * Who may change what the state file keeps: one at a time, and nobody while
 * two masters use the file, as in an upgrade of the binary.  Each has memory
 * of its own then, and would not hear of what the other changes.
 */


#ifndef _WAG_WRITER_H_INCLUDED_
#define _WAG_WRITER_H_INCLUDED_


#include "wag_upstream.h"


/*
 * The master, for each configuration: from now on whoever looks sees that it
 * uses the state file, until it and all its workers have ended.  What is wrong
 * is logged, and makes wag_writer_begin() fail.
 */
void wag_writer_open(wag_upstream_t *us);

/*
 * Waits until nobody changes the file, 5 s at most.
 */
void wag_writer_wait(wag_upstream_t *us);

/*
 * The right to change: NGX_OK; NGX_AGAIN while somebody else has it, in this
 * process or another; NGX_DECLINED while another master or its workers use
 * the file; NGX_ERROR.  A process that is killed has it no more.  Who has no
 * state file needs none.
 */
ngx_int_t wag_writer_begin(wag_upstream_t *us);
void wag_writer_end(wag_upstream_t *us);


#endif /* _WAG_WRITER_H_INCLUDED_ */
