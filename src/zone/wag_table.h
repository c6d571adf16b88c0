
/*
 * Copyright (C) the wa_gateway authors
 *
 * The upstreams of a zone: how it is laid out, and what happens to upstreams
 * and instances when configurations come and go.  All of it is called with
 * shpool->mutex held.  Only the master, which nobody kills, allocates, frees
 * memory or links: a worker killed with the lock held leaves no list half
 * done.
 */


#ifndef _WAG_TABLE_H_INCLUDED_
#define _WAG_TABLE_H_INCLUDED_


#include "wag_slots.h"
#include "wag_upstream.h"


/*
 * The least size of a zone, in bytes, that surely holds what the
 * configuration puts into it, with room for one reload of equal size.
 */
size_t wag_table_size(wag_zone_t *zone);

/*
 * Finds the upstream and the slots of its instances by name, adds those that
 * are missing, and sees to room for the addresses.  NGX_ERROR if the zone is
 * full.  By the master only.
 */
ngx_int_t wag_table_add(wag_zone_t *zone, wag_upstream_t *us);

/*
 * Uses a free slot for an instance whose name no slot has.  WAG_NO_SLOT if
 * none is left that has the room.  By any process.
 */
ngx_uint_t wag_table_put(wag_root_t *root, wag_group_t *group,
    wag_newcomer_t *newcomer);

/*
 * What n slots for those that are added take of a zone, in bytes.
 */
size_t wag_table_spare_size(ngx_uint_t n);

/*
 * How many slots have an instance that was added at run time.
 */
ngx_uint_t wag_table_added(wag_group_t *group);

/*
 * The record of an upstream, NULL if there is none.
 */
wag_group_t *wag_table_find(wag_root_t *root, ngx_str_t *name);

/*
 * Frees what no configuration in force and no worker still draining uses.  By
 * the master only.
 */
void wag_table_sweep(wag_zone_t *zone);


#endif /* _WAG_TABLE_H_INCLUDED_ */
