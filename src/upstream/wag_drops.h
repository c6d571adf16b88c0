
/*
 * Copyright (C) the wa_gateway authors
 *
 * Which headers of a client's request an instance does not get, by its vendor.
 */


#ifndef _WAG_DROPS_H_INCLUDED_
#define _WAG_DROPS_H_INCLUDED_


#include "wag_vendor.h"


/*
 * The gateway's own, by which a session is named; ends with an empty one.
 */
extern ngx_str_t    wag_drops_headers[];
extern wag_name_set_t  wag_drops_own;


/*
 * Makes those of a vendor, if it has none yet: of a native request that gets
 * the instance's key, and of a message.  NGX_ERROR if there is no memory.
 */
ngx_int_t wag_drops_make(ngx_pool_t *pool, wag_vendor_t *vendor);


#endif /* _WAG_DROPS_H_INCLUDED_ */
