
/*
 * Copyright (C) the wa_gateway authors
 *
 * What of an upstream is to be kept, as the state file has it.
 */


#ifndef _WAG_KEPT_WRITE_H_INCLUDED_
#define _WAG_KEPT_WRITE_H_INCLUDED_


#include "wag_upstream.h"


/*
 * Writes all that there is.  NGX_OK; NGX_BUSY: the disk is full; NGX_ERROR.
 * The file of before is there still if it failed.
 */
ngx_int_t wag_kept_write(wag_upstream_t *us);


#endif /* _WAG_KEPT_WRITE_H_INCLUDED_ */
