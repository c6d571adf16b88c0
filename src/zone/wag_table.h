
/*
 * Copyright (C) the wa_gateway authors
 *
 * The instance table: how a zone is laid out and what happens to records when
 * configurations and workers come and go.  All of it is called by zone, with
 * shpool->mutex held.  Only the master, which nobody kills, allocates, frees
 * or links: a worker killed with the lock held leaves no list half done.
 */


#ifndef _WAG_TABLE_H_INCLUDED_
#define _WAG_TABLE_H_INCLUDED_


#include "wag_upstream.h"


/*
 * The least size of a zone, in bytes, that surely holds what the
 * configuration puts into it, with room for one reload of equal size.
 */
size_t wag_table_size(wag_zone_t *zone);

/*
 * Finds the records of an upstream and its instances by name, adds those that
 * are missing.  NGX_ERROR if the zone is full.
 */
ngx_int_t wag_table_add(wag_zone_t *zone, wag_upstream_t *us);

/*
 * The record of an upstream, NULL if there is none.
 */
wag_group_t *wag_table_find(wag_root_t *root, ngx_str_t *name);

/*
 * Frees what no configuration in force and no worker still draining uses.
 */
void wag_table_sweep(wag_zone_t *zone);


#endif /* _WAG_TABLE_H_INCLUDED_ */
