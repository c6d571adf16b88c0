
/*
 * Copyright (C) the wa_gateway authors
 *
 * What is decorated in ngx_http_upstream: it sees the header of each answer,
 * the start of another attempt, and the end.
 */


#ifndef _WAG_DECORATE_H_INCLUDED_
#define _WAG_DECORATE_H_INCLUDED_


#include "wag_ctx.h"


/*
 * Puts the module's own callbacks before those that "proxy_pass" has set, once
 * for each time that the request comes to an upstream.
 */
void wag_decorate(wag_ctx_t *ctx);


#endif /* _WAG_DECORATE_H_INCLUDED_ */
