
/*
 * Copyright (C) the wa_gateway authors
 *
 * Templates of sends, tried with samples when the configuration is read.
 */


#ifndef _WAG_SAMPLE_H_INCLUDED_
#define _WAG_SAMPLE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_send.h"


/*
 * Makes each body that a template can give: for all types of recipients, and
 * with all that is optional in a file that is given as "source",
 * WAG_SEND_SOURCES for a text.  NGX_ERROR: one of them is no JSON, or lacks
 * the recipient or what is sent, which is logged.
 */
ngx_int_t wag_sample_fill(ngx_conf_t *cf, wag_send_template_t *t,
    ngx_uint_t source);


#endif /* _WAG_SAMPLE_H_INCLUDED_ */
