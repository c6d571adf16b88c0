
/*
 * Copyright (C) the wa_gateway authors
 *
 * The ledger of one configuration: what each of its workers has in flight.
 * All of it is called with shpool->mutex held.
 */


#ifndef _NGX_HTTP_WA_GATEWAY_LEDGER_H_INCLUDED_
#define _NGX_HTTP_WA_GATEWAY_LEDGER_H_INCLUDED_


#include "ngx_http_wa_gateway_module.h"


/*
 * What a ledger takes of the zone, in bytes.
 */
size_t ngx_http_wa_gateway_ledger_size(ngx_http_wa_gateway_zone_t *zone);

/*
 * Opens the ledger of the workers to come.  NGX_ERROR if the zone is full.
 */
ngx_int_t ngx_http_wa_gateway_ledger_open(ngx_http_wa_gateway_zone_t *zone);

/*
 * A worker comes and goes.  Both give back what the one before it with the
 * same number, or it itself, still had in flight.
 */
void ngx_http_wa_gateway_ledger_enter(ngx_http_wa_gateway_zone_t *zone);
void ngx_http_wa_gateway_ledger_leave(ngx_http_wa_gateway_zone_t *zone);

/*
 * Gives back what workers that are no more had in flight.
 */
void ngx_http_wa_gateway_ledger_bury(ngx_http_wa_gateway_zone_t *zone);

/*
 * Frees the ledgers that no worker keeps.  Returns the oldest generation of a
 * configuration that some worker still runs.
 */
ngx_uint_t ngx_http_wa_gateway_ledger_sweep(ngx_http_wa_gateway_zone_t *zone);


#endif /* _NGX_HTTP_WA_GATEWAY_LEDGER_H_INCLUDED_ */
