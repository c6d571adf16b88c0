
/*
 * Copyright (C) the wa_gateway authors
 *
 * Where budgets are kept: a table of a fixed size, in a zone of its own, that
 * all workers share, also those of another configuration.
 */


#ifndef _WAG_PACE_TABLE_H_INCLUDED_
#define _WAG_PACE_TABLE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "wag_bucket.h"


#define WAG_PACE_TO_LEN  16


/*
 * An entry is used while its number is not 0, which is written last and taken
 * away first: who is killed in between leaves one that is free.
 */

typedef struct {
    uint64_t             number;
    u_char               to[WAG_PACE_TO_LEN];   /* all 0: of the number */
    wag_bucket_t         bucket;
    wag_daily_t          daily;
} wag_pace_entry_t;


typedef struct {
    ngx_uint_t           nsets;
    uint32_t             seq;       /* of an entry's first token */
    wag_pace_entry_t     entries[1];
} wag_pace_table_t;


typedef struct {
    ngx_shm_zone_t      *shm_zone;
    ngx_slab_pool_t     *shpool;
    wag_pace_table_t    *table;
    ngx_cycle_t         *cycle;
} wag_pace_zone_t;


/*
 * Adds the zone to the configuration, or finds it there.  NULL: it is not one
 * of these, or there is no memory.
 */
wag_pace_zone_t *wag_pace_zone(ngx_conf_t *cf, ngx_str_t *name, ssize_t size);

/*
 * The entry of a number and a recipient, of the number alone if that is NULL.
 * The lock is held.  find(): NULL if there is none.  get(): it is made, of a
 * free one or of the one that is idle longest, which "keep" is not; NULL: all
 * of them still count, the first until "free", in microseconds.
 */
wag_pace_entry_t *wag_pace_table_find(wag_pace_table_t *table,
    uint64_t number, u_char *to);
wag_pace_entry_t *wag_pace_table_get(wag_pace_table_t *table,
    uint64_t number, u_char *to, wag_day_clock_t *clock,
    wag_pace_entry_t *keep, uint64_t *free);


#endif /* _WAG_PACE_TABLE_H_INCLUDED_ */
