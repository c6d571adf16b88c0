
/*
 * Copyright (C) the wa_gateway authors
 */


#ifndef _WAG_PASSIVE_H_INCLUDED_
#define _WAG_PASSIVE_H_INCLUDED_


#include "wag_upstream.h"


/*
 * The handler of "wa_gateway_passive", and the policy that follows from it,
 * or from the defaults without it.
 */
char *wag_passive(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
ngx_int_t wag_passive_finish(ngx_conf_t *cf, wag_upstream_t *us);


#endif /* _WAG_PASSIVE_H_INCLUDED_ */
