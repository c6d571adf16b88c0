
/*
 * Copyright (C) the wa_gateway authors
 */


#ifndef _WAG_FILTER_H_INCLUDED_
#define _WAG_FILTER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/*
 * Puts the module's header and body filters before those there are.
 */
void wag_filter_init(void);


#endif /* _WAG_FILTER_H_INCLUDED_ */
