
/*
 * Copyright (C) the wa_gateway authors
 *
 * "wa_gateway_send": a location where messages are sent in one way, whatever
 * the vendor of the instance.
 */


#ifndef _WAG_GENERIC_CONF_H_INCLUDED_
#define _WAG_GENERIC_CONF_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * "text", "media" or "off", and "country=" for numbers without one.
 */
char *wag_generic_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);


#endif /* _WAG_GENERIC_CONF_H_INCLUDED_ */
