
/*
 * Copyright (C) the wa_gateway authors
 *
 * What is set at run time, in the records: instances come, change and go.
 * Any process may be killed at any step of it.  None is called with a lock
 * held.
 */


#ifndef _WAG_ADMIN_H_INCLUDED_
#define _WAG_ADMIN_H_INCLUDED_


#include "wag_slots.h"
#include "wag_upstream.h"


/* what is to be changed, and after it what was before */

typedef struct {
    ngx_uint_t           state;       /* WAG_ADMIN_UP ..., if set */
    ngx_uint_t           weight;      /* ditto */
    ngx_uint_t           max_conns;   /* ditto */
    unsigned             state_set:1;
    unsigned             weight_set:1;
    unsigned             max_conns_set:1;
} wag_admin_change_t;


/*
 * Adds an instance.  NGX_OK: it is there, in force for every choice made from
 * now on; NGX_DECLINED: its name is there already; NGX_ABORT: it is of the
 * configuration, which gives it its vendor and key; NGX_BUSY: no slot is free.
 * One of the configuration that was removed is there again.
 */
ngx_int_t wag_admin_add(wag_upstream_t *us, wag_newcomer_t *newcomer);

/*
 * NGX_OK, or NGX_DECLINED if there is no instance of that name.  "old" gets
 * what was set before.
 */
ngx_int_t wag_admin_change(wag_upstream_t *us, ngx_str_t *name,
    wag_admin_change_t *change, wag_admin_t *old);

/*
 * Whether there is an instance of that name.
 */
ngx_uint_t wag_admin_has(wag_upstream_t *us, ngx_str_t *name);

/*
 * Removes an instance: it gets no request from now on, and goes when those
 * that it has are over, see wag_admin_finish().
 */
ngx_int_t wag_admin_remove(wag_upstream_t *us, ngx_str_t *name,
    wag_admin_t *old);

/*
 * Undoes what these did, for it could not be kept.
 */
void wag_admin_undo(wag_upstream_t *us, ngx_str_t *name, wag_admin_t *old);

/*
 * Ends what waited for requests to be over at the instance of a slot, and
 * tells of it.
 */
void wag_admin_finish(wag_upstream_t *us, ngx_uint_t slot);

/*
 * The same for an instance by its name.
 */
void wag_admin_finish_name(wag_upstream_t *us, ngx_str_t *name);


#endif /* _WAG_ADMIN_H_INCLUDED_ */
