
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


#endif /* _WAG_LOG_H_INCLUDED_ */
