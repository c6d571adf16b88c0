
/*
 * Copyright (C) the wa_gateway authors
 *
 * "sent" and "unsent" in the block of a vendor.
 */


#ifndef _WAG_PROOF_CONF_H_INCLUDED_
#define _WAG_PROOF_CONF_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_vendor.h"


/* arguments, at most */

#define WAG_PROOF_CONF_ARGS  16


ngx_int_t wag_proof_conf_init(ngx_pool_t *pool, wag_vendor_t *vendor);

/*
 * The directives, "conf" is the vendor.  NGX_CONF_OK, NGX_CONF_ERROR or what
 * is wrong with the directive.
 */
char *wag_proof_conf_sent(ngx_conf_t *cf, void *conf);
char *wag_proof_conf_unsent(ngx_conf_t *cf, void *conf);


#endif /* _WAG_PROOF_CONF_H_INCLUDED_ */
