
/*
 * Copyright (C) the wa_gateway authors
 *
 * POST of "wa_gateway_control": an instance is added.
 */


#ifndef _WAG_CONTROL_ADD_H_INCLUDED_
#define _WAG_CONTROL_ADD_H_INCLUDED_


#include "wag_control_keep.h"


/*
 * Adds what the body tells.  Gives what the request is finalized with.
 */
ngx_int_t wag_control_add(wag_control_t *control);


#endif /* _WAG_CONTROL_ADD_H_INCLUDED_ */
