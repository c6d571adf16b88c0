
/*
 * Copyright (C) the wa_gateway authors
 *
 * A worker's own roster: the instances that are up, laid out in slots by
 * weight.  The slots are taken in turn by one shared cursor, so the order is
 * exact across workers and a choice costs the same for any number.
 */


#ifndef _NGX_HTTP_WA_GATEWAY_ROSTER_H_INCLUDED_
#define _NGX_HTTP_WA_GATEWAY_ROSTER_H_INCLUDED_


#include "ngx_http_wa_gateway_module.h"


/*
 * Makes room for the rosters of an upstream whose peers are known.
 */
ngx_int_t ngx_http_wa_gateway_roster_create(ngx_conf_t *cf,
    ngx_http_wa_gateway_upstream_t *us);

/*
 * Moves the states that time alone moves, the end of an ejection and of a slow
 * start, and brings the rosters up to date.  For the timer and for traffic.
 */
void ngx_http_wa_gateway_roster_update(ngx_http_wa_gateway_upstream_t *us);

/*
 * Brings the rosters up to date if any state moved, or a slow start went on;
 * for what only reads.
 */
void ngx_http_wa_gateway_roster_refresh(ngx_http_wa_gateway_upstream_t *us);

/*
 * The peer whose turn it is; the roster must not be empty.
 */
ngx_http_wa_gateway_peer_t *ngx_http_wa_gateway_roster_next(
    ngx_http_wa_gateway_upstream_t *us, ngx_uint_t tier);


#endif /* _NGX_HTTP_WA_GATEWAY_ROSTER_H_INCLUDED_ */
