
/*
 * Copyright (C) the wa_gateway authors
 *
 * What the error log tells of a request to instances that have a vendor.
 */


#ifndef _WAG_LOG_H_INCLUDED_
#define _WAG_LOG_H_INCLUDED_


#include "wag_ctx.h"


/*
 * From here on no line of a request shows its query, which may hold a key or
 * the token of a session; nor its path, where a vendor has them there.
 */
void wag_log_hide(wag_ctx_t *ctx);

/*
 * Adds $wa_gateway_path: the path of a request without what may be a key or a
 * token, for access logs.
 */
ngx_int_t wag_log_variable(ngx_conf_t *cf);


#endif /* _WAG_LOG_H_INCLUDED_ */
