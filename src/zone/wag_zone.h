
/*
 * Copyright (C) the wa_gateway authors
 */


#ifndef _WAG_ZONE_H_INCLUDED_
#define _WAG_ZONE_H_INCLUDED_


#include "wag_conf.h"


/*
 * Finds or adds the zone of this name; size in bytes.  NULL after an error,
 * which is logged: no memory, another size, a name taken by another module.
 */
wag_zone_t *wag_zone_add(ngx_conf_t *cf, wag_main_conf_t *wmcf,
    ngx_str_t *name, ssize_t size);

/*
 * Makes the configuration of this cycle the one in force: to be called where
 * nothing can fail any more, see ngx_init_modules() in ngx_init_cycle().
 */
void wag_zone_commit(wag_zone_t *zone);

/*
 * A worker enters and leaves.  On entering it gives back what its predecessor,
 * killed, still held in flight; the last one does so for workers that have no
 * successor.
 */
void wag_zone_attach(wag_zone_t *zone);
void wag_zone_detach(wag_zone_t *zone);
void wag_zone_reclaim_dead_workers(wag_zone_t *zone);


#endif /* _WAG_ZONE_H_INCLUDED_ */
