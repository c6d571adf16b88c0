
/*
 * Copyright (C) the wa_gateway authors
 *
 * A file that is there as a whole, or as it was.
 */


#ifndef _WAG_KEPT_SAVE_H_INCLUDED_
#define _WAG_KEPT_SAVE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * Puts a text on the disk under a name.  NGX_OK; NGX_BUSY: the disk is full;
 * NGX_ERROR; the file of before is there still then.
 */
ngx_int_t wag_kept_save(ngx_pool_t *pool, ngx_str_t *name, ngx_str_t *text);


#endif /* _WAG_KEPT_SAVE_H_INCLUDED_ */
