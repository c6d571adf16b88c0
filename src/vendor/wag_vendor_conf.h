
/*
 * Copyright (C) the wa_gateway authors
 *
 * The block of a vendor in the configuration.
 */


#ifndef _WAG_VENDOR_CONF_H_INCLUDED_
#define _WAG_VENDOR_CONF_H_INCLUDED_


#include "wag_conf.h"
#include "wag_vendor.h"


/* what is no vendor, and has no file */

#define WAG_VENDOR_PLAIN  "plain"


/*
 * wa_gateway_vendor NAME { ... }, in http.  All that is wrong is told with
 * file and line.
 */
char *wag_vendor_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/*
 * The vendor of this name, NULL if no block has defined it.
 */
wag_vendor_t *wag_vendor_conf_find(wag_main_conf_t *wmcf, ngx_str_t *name);


#endif /* _WAG_VENDOR_CONF_H_INCLUDED_ */
