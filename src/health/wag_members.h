
/*
 * Copyright (C) the wa_gateway authors
 *
 * Who is in the slots of an upstream: each worker takes over the instances
 * that are added at run time, and lets those go that are removed.
 */


#ifndef _WAG_MEMBERS_H_INCLUDED_
#define _WAG_MEMBERS_H_INCLUDED_


#include "wag_slots.h"
#include "wag_upstream.h"


/*
 * To be called where nothing walks us->peers and no check is being told of:
 * peers come and go here.
 */
#define wag_members_refresh(us)                                               \
    if ((us)->members != (us)->group->members) {                              \
        wag_members_take(us);                                                 \
    }

void wag_members_take(wag_upstream_t *us);


/*
 * The vendor of this hash, of those that the upstream's servers have; NULL.
 */
struct wag_vendor_s *wag_members_known(wag_upstream_t *us, uint32_t hash);

/*
 * Whether an instance can be asked as its vendor and its key have it: NGX_OK;
 * NGX_DECLINED; NGX_ERROR if there is no memory.
 */
ngx_int_t wag_members_try(wag_upstream_t *us, wag_newcomer_t *newcomer);


#endif /* _WAG_MEMBERS_H_INCLUDED_ */
