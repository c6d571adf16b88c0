
/*
 * Copyright (C) the wa_gateway authors
 *
 * The slots of an upstream.  All of it is called with shpool->mutex held.
 * What allocates or frees memory is the master's, which nobody kills; what
 * fills or frees a slot may be killed at any step, see wag_instance_t.
 */


#ifndef _WAG_SLOTS_H_INCLUDED_
#define _WAG_SLOTS_H_INCLUDED_


#include "wag_upstream.h"


#define WAG_NO_SLOT  ((ngx_uint_t) -1)


/* what a new instance is made of */

typedef struct {
    ngx_str_t            name;
    ngx_addr_t          *addrs;
    ngx_uint_t           naddrs;
    ngx_uint_t           named;     /* they are looked up */
    wag_health_t         health;

    /* of one that is added at run time */

    ngx_uint_t           added;
    ngx_uint_t           config_gen;
    ngx_str_t            key;
    uint32_t             vendor;
    ngx_uint_t           same;      /* vendor and key are not told */
    wag_admin_t          admin;
} wag_newcomer_t;


/*
 * What n slots take of a zone, in bytes, besides their strings: whole pages,
 * and as many slots as go into them.
 */
size_t wag_slots_size(ngx_uint_t n);
ngx_uint_t wag_slots_fit(size_t size);

/*
 * Adds n slots at least.  NGX_ERROR if the zone is full.  By the master only.
 */
ngx_int_t wag_slots_grow(ngx_slab_pool_t *shpool, wag_group_t *group,
    ngx_uint_t n);

/*
 * Gives back the slots from "nslots" on, as far as all that were allocated
 * at once are free, or all of them and their strings.  By the master only.
 */
void wag_slots_shrink(ngx_slab_pool_t *shpool, wag_group_t *group,
    ngx_uint_t nslots);

/*
 * The slot of this number, which must be there.
 */
wag_instance_t *wag_slots_get(wag_group_t *group, ngx_uint_t slot);

/*
 * The number of the slot that an instance of this name uses, or WAG_NO_SLOT.
 * Looks at each: for one name, see wag_slots_index() for many.
 */
ngx_uint_t wag_slots_find(wag_group_t *group, ngx_str_t *name);

/*
 * Makes room in a slot for a name and for sets of addresses, in bytes; what
 * the slot has stays.  NGX_ERROR if the zone is full.  By the master only.
 */
ngx_int_t wag_slots_room(ngx_slab_pool_t *shpool, wag_instance_t *instance,
    size_t name, size_t addresses);

/*
 * The same for a key.  By the master only.
 */
ngx_int_t wag_slots_key_room(ngx_slab_pool_t *shpool, wag_instance_t *instance,
    size_t key);

/*
 * Empties what a new instance is made of: nothing was set at run time.
 */
void wag_slots_newcomer(wag_newcomer_t *newcomer);

/*
 * Uses a free slot.  NGX_DECLINED if it has no room for that.
 */
ngx_int_t wag_slots_use(wag_instance_t *instance, wag_newcomer_t *newcomer);

/*
 * Frees a slot that is used; its strings stay with it, but for the key.
 */
void wag_slots_free(wag_instance_t *instance);


/* the slots in use, by name */

typedef struct {
    ngx_pool_t          *pool;
    ngx_rbtree_t         rbtree;
    ngx_rbtree_node_t    sentinel;
} wag_slots_index_t;

/*
 * Makes an index, which lasts while no slot changes; NGX_ERROR if there is no
 * memory.  To be destroyed when it was made.
 */
ngx_int_t wag_slots_index(wag_slots_index_t *index, wag_group_t *group,
    ngx_log_t *log);
ngx_uint_t wag_slots_lookup(wag_slots_index_t *index, ngx_str_t *name);
void wag_slots_index_destroy(wag_slots_index_t *index);


#endif /* _WAG_SLOTS_H_INCLUDED_ */
