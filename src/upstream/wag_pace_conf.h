
/*
 * Copyright (C) the wa_gateway authors
 *
 * "wa_gateway_pace": how fast numbers may send.
 */


#ifndef _WAG_PACE_CONF_H_INCLUDED_
#define _WAG_PACE_CONF_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


char *wag_pace_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);


#endif /* _WAG_PACE_CONF_H_INCLUDED_ */
