
/*
 * Copyright (C) the wa_gateway authors
 *
 * The file that keeps what was set at run time: which instances were added,
 * changed and removed since the configuration.  The master reads it when an
 * upstream gets its zone; a worker writes it with each change.
 */


#ifndef _WAG_KEPT_H_INCLUDED_
#define _WAG_KEPT_H_INCLUDED_


#include "wag_upstream.h"


/*
 * The handler of "wa_gateway_state".
 */
char *wag_kept_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/*
 * Reads the file of an upstream, from the cycle's pool, and puts what it has
 * into the records.  One that is damaged is set aside, and nothing of it is
 * used.  The zone's lock is held by who puts, not by who reads.
 */
void wag_kept_read(wag_upstream_t *us);
void wag_kept_put(wag_upstream_t *us);

/*
 * Writes all that there is.  NGX_OK; NGX_BUSY: the disk is full; NGX_ERROR.
 * The file of before is there still if it failed.
 */
ngx_int_t wag_kept_write(wag_upstream_t *us);


#endif /* _WAG_KEPT_H_INCLUDED_ */
