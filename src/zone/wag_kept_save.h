
/*
 * Copyright (C) the wa_gateway authors
 *
 * A file that is there as a whole, or as it was.
 */


#ifndef _WAG_KEPT_SAVE_H_INCLUDED_
#define _WAG_KEPT_SAVE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* all that saving needs: a thread may do it, and allocates nothing */

typedef struct {
    ngx_str_t            name;     /* with a zero byte behind it, as others */
    ngx_str_t            aside;
    ngx_str_t            folder;
    ngx_str_t            text;
} wag_kept_file_t;


/*
 * Prepares to put a text on the disk under a name, which has a folder.
 * NGX_ERROR: no memory.
 */
ngx_int_t wag_kept_save_init(wag_kept_file_t *file, ngx_pool_t *pool,
    ngx_str_t *name, ngx_str_t *text);

/*
 * Does it: blocks until it is on the disk.  NGX_OK; NGX_BUSY: the disk is
 * full; NGX_ERROR; the file of before is there still then.
 */
ngx_int_t wag_kept_save(wag_kept_file_t *file, ngx_log_t *log);


#endif /* _WAG_KEPT_SAVE_H_INCLUDED_ */
