
/*
 * Copyright (C) the wa_gateway authors
 *
 * How a session is logged in by hand: "login" and "start" in the block of a
 * vendor.
 */


#ifndef _WAG_LOGIN_CONF_H_INCLUDED_
#define _WAG_LOGIN_CONF_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * The directives; "conf" is a wag_vendor_login_t, of the last one a
 * wag_vendor_question_t.  NGX_CONF_OK, NGX_CONF_ERROR or what is wrong with
 * the directive.
 */
char *wag_login_conf(ngx_conf_t *cf, void *conf);
char *wag_login_conf_start(ngx_conf_t *cf, void *conf);


#endif /* _WAG_LOGIN_CONF_H_INCLUDED_ */
