
/*
 * Copyright (C) the wa_gateway authors
 */


#ifndef _NGX_HTTP_WA_GATEWAY_ZONE_H_INCLUDED_
#define _NGX_HTTP_WA_GATEWAY_ZONE_H_INCLUDED_


#include "ngx_http_wa_gateway_module.h"


/*
 * Finds or adds the zone of this name; size in bytes.  NULL after an error,
 * which is logged: no memory, another size, a name taken by another module.
 */
ngx_http_wa_gateway_zone_t *ngx_http_wa_gateway_zone_add(ngx_conf_t *cf,
    ngx_http_wa_gateway_main_conf_t *wmcf, ngx_str_t *name, ssize_t size);

/*
 * Makes the configuration of this cycle the one in force: to be called where
 * nothing can fail any more, see ngx_init_modules() in ngx_init_cycle().
 */
void ngx_http_wa_gateway_zone_commit(ngx_http_wa_gateway_zone_t *zone);

/*
 * A worker enters and leaves.  On entering it gives back what its predecessor,
 * killed, still held in flight; bury() does so for workers with no successor.
 */
void ngx_http_wa_gateway_zone_attach(ngx_http_wa_gateway_zone_t *zone);
void ngx_http_wa_gateway_zone_detach(ngx_http_wa_gateway_zone_t *zone);
void ngx_http_wa_gateway_zone_bury(ngx_http_wa_gateway_zone_t *zone);

/*
 * Counts a request in flight.  NGX_BUSY if max_conns are in flight already.
 */
ngx_int_t ngx_http_wa_gateway_zone_hold(ngx_http_wa_gateway_peer_t *peer);
void ngx_http_wa_gateway_zone_release(ngx_http_wa_gateway_peer_t *peer);

#endif /* _NGX_HTTP_WA_GATEWAY_ZONE_H_INCLUDED_ */
