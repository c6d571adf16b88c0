
/*
 * Copyright (C) the wa_gateway authors
 *
 * "text", "media" and "timeout" in the block of a vendor.
 */


#ifndef _WAG_SEND_CONF_H_INCLUDED_
#define _WAG_SEND_CONF_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_vendor.h"


ngx_int_t wag_send_conf_init(ngx_pool_t *pool, wag_vendor_t *vendor);

/*
 * The directives, "conf" is the vendor, of the last its timeout.  NGX_CONF_OK,
 * NGX_CONF_ERROR or what is wrong with the directive.
 */
char *wag_send_conf_text(ngx_conf_t *cf, void *conf);
char *wag_send_conf_media(ngx_conf_t *cf, void *conf);
char *wag_send_conf_timeout(ngx_conf_t *cf, void *conf);

/*
 * What only all of the block can tell: what is wrong with it, else NULL.
 */
char *wag_send_conf_check(wag_vendor_t *vendor);

/*
 * Whether a template of sends has this place.
 */
ngx_uint_t wag_send_conf_uses(wag_vendor_t *vendor, ngx_uint_t value);


#endif /* _WAG_SEND_CONF_H_INCLUDED_ */
