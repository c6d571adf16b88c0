
/*
 * Copyright (C) the wa_gateway authors
 *
 * Reads the body of a change of instances.
 */


#ifndef _WAG_CONTROL_READ_H_INCLUDED_
#define _WAG_CONTROL_READ_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "wag_control_body.h"


#define WAG_CONTROL_SIZE  16384   /* bytes of a body */


/*
 * Reads the body that was received, of which members "may" be there; its
 * strings live as long as the request.  NGX_DECLINED: it is good, or what came
 * of the answer that tells what is wrong.
 */
ngx_int_t wag_control_read(ngx_http_request_t *r, ngx_uint_t may,
    wag_control_body_t *body);


#endif /* _WAG_CONTROL_READ_H_INCLUDED_ */
