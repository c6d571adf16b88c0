
/*
 * Copyright (C) the wa_gateway authors
 *
 * A worker's copy of the sessions of an upstream follows their table.
 */


#ifndef _WAG_KNOWN_REFRESH_H_INCLUDED_
#define _WAG_KNOWN_REFRESH_H_INCLUDED_


#include "wag_known.h"


/*
 * Takes over what moved since it was asked last.  Makes the copy first if
 * there is none; NGX_ERROR if there is no memory for it.
 */
ngx_int_t wag_known_refresh(wag_upstream_t *us);


#endif /* _WAG_KNOWN_REFRESH_H_INCLUDED_ */
