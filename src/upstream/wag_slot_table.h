
/*
 * Copyright (C) the wa_gateway authors
 *
 * A worker's own slot table: the slots whose instances are up, each with as
 * many turns in a round as its weight says.  One shared cursor takes the turns
 * in order, so the order is exact across workers and a choice costs the same
 * for any number.
 */


#ifndef _WAG_SLOT_TABLE_H_INCLUDED_
#define _WAG_SLOT_TABLE_H_INCLUDED_


#include "wag_upstream.h"


/*
 * Makes room for the slot tables of an upstream whose servers are known.
 */
ngx_int_t wag_slot_table_create(ngx_conf_t *cf, wag_upstream_t *us);

/*
 * Brings the slot tables up to date if any state moved, or a slow start went
 * on.  States stay as they are.
 */
void wag_slot_table_refresh(wag_upstream_t *us);

/*
 * The peer whose turn it is; the slot table must not be empty.
 */
wag_peer_t *wag_slot_table_next(wag_upstream_t *us, ngx_uint_t tier);


#endif /* _WAG_SLOT_TABLE_H_INCLUDED_ */
