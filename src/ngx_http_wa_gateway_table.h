
/*
 * Copyright (C) the wa_gateway authors
 *
 * The instance table: how a zone is laid out and what happens to records when
 * configurations and workers come and go.  All of it is called by zone, with
 * shpool->mutex held.  Only the master, which nobody kills, allocates, frees
 * or links: a worker killed with the lock held leaves no list half done.
 */


#ifndef _NGX_HTTP_WA_GATEWAY_TABLE_H_INCLUDED_
#define _NGX_HTTP_WA_GATEWAY_TABLE_H_INCLUDED_


#include "ngx_http_wa_gateway_module.h"


/*
 * The least size of a zone, in bytes, that surely holds what the
 * configuration puts into it, with room for one reload of equal size.
 */
size_t ngx_http_wa_gateway_table_size(ngx_http_wa_gateway_zone_t *zone);

/*
 * Finds the records of an upstream and its instances by name, adds those that
 * are missing.  NGX_ERROR if the zone is full.
 */
ngx_int_t ngx_http_wa_gateway_table_add(ngx_http_wa_gateway_zone_t *zone,
    ngx_http_wa_gateway_upstream_t *us);

/*
 * The record of an upstream, NULL if there is none.
 */
ngx_http_wa_gateway_group_t *ngx_http_wa_gateway_table_find(
    ngx_http_wa_gateway_root_t *root, ngx_str_t *name);

/*
 * Frees what no configuration in force and no worker still draining uses.
 */
void ngx_http_wa_gateway_table_sweep(ngx_http_wa_gateway_zone_t *zone);


#endif /* _NGX_HTTP_WA_GATEWAY_TABLE_H_INCLUDED_ */
