
/*
 * Copyright (C) the wa_gateway authors
 *
 * The memory of a table of sessions.  All of it is the master's, and called
 * with shpool->mutex held: workers allocate nothing.
 */


#ifndef _WAG_SESSIONS_MEMORY_H_INCLUDED_
#define _WAG_SESSIONS_MEMORY_H_INCLUDED_


#include "wag_record.h"


/*
 * What n sessions take of a zone, in bytes.
 */
size_t wag_sessions_memory_size(ngx_uint_t n);

/*
 * Makes room for n sessions in all; what is there stays.  How many there may
 * be is table->limit, set here if it was not yet.  NGX_ERROR if the zone is
 * full.
 */
ngx_int_t wag_sessions_memory_grow(ngx_slab_pool_t *shpool,
    wag_group_t *group, ngx_uint_t n);

/*
 * Gives all of the table back.
 */
void wag_sessions_memory_free(ngx_slab_pool_t *shpool, wag_group_t *group);


#endif /* _WAG_SESSIONS_MEMORY_H_INCLUDED_ */
