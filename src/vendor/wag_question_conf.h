
/*
 * Copyright (C) the wa_gateway authors
 *
 * What a vendor's servers are asked: "list", "ask", "number" and "token" in
 * its block.
 */


#ifndef _WAG_QUESTION_CONF_H_INCLUDED_
#define _WAG_QUESTION_CONF_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * The directives; "conf" is the vendor, of the last two a
 * wag_vendor_question_t.  NGX_CONF_OK, NGX_CONF_ERROR or what is wrong with
 * the directive.
 */
char *wag_question_conf_list(ngx_conf_t *cf, void *conf);
char *wag_question_conf_ask(ngx_conf_t *cf, void *conf);
char *wag_question_conf_value(ngx_conf_t *cf, void *conf);


#endif /* _WAG_QUESTION_CONF_H_INCLUDED_ */
