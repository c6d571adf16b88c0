
/*
 * Copyright (C) the wa_gateway authors
 *
 * "to" in the block of a vendor: how it wants recipients written.
 */


#ifndef _WAG_TO_CONF_H_INCLUDED_
#define _WAG_TO_CONF_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * The directive, "conf" is the vendor.  NGX_CONF_OK, NGX_CONF_ERROR or what is
 * wrong with the directive.
 */
char *wag_to_conf(ngx_conf_t *cf, void *conf);


#endif /* _WAG_TO_CONF_H_INCLUDED_ */
