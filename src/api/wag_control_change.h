
/*
 * Copyright (C) the wa_gateway authors
 *
 * PATCH and DELETE of "wa_gateway_control".
 */


#ifndef _WAG_CONTROL_CHANGE_H_INCLUDED_
#define _WAG_CONTROL_CHANGE_H_INCLUDED_


#include "wag_control_keep.h"


/*
 * Changes the instance that the request names, as its body tells, or removes
 * it.  Each gives what the request is finalized with.
 */
ngx_int_t wag_control_change(wag_control_t *control);
ngx_int_t wag_control_remove(wag_control_t *control);


#endif /* _WAG_CONTROL_CHANGE_H_INCLUDED_ */
