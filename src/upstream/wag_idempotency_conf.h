
/*
 * Copyright (C) the wa_gateway authors
 */


#ifndef _WAG_IDEMPOTENCY_CONF_H_INCLUDED_
#define _WAG_IDEMPOTENCY_CONF_H_INCLUDED_


#include "wag_upstream.h"


/*
 * wa_gateway_idempotency on|required|off [ttl=] [zone=];
 */
char *wag_idempotency_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/*
 * Once the servers of the upstream are known: without a vendor there are no
 * sends that could be told from other requests.
 */
void wag_idempotency_conf_finish(ngx_conf_t *cf, wag_upstream_t *us);


#endif /* _WAG_IDEMPOTENCY_CONF_H_INCLUDED_ */
