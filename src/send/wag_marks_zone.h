
/*
 * Copyright (C) the wa_gateway authors
 *
 * The zone that has the marks of sends: made, taken over by the next
 * configuration, moved to another one if its size changes.
 */


#ifndef _WAG_MARKS_ZONE_H_INCLUDED_
#define _WAG_MARKS_ZONE_H_INCLUDED_


#include "wag_conf.h"
#include "wag_marks.h"


struct wag_marks_zone_s {
    ngx_shm_zone_t      *shm_zone;
    ngx_slab_pool_t     *shpool;
    wag_marks_t         *marks;    /* NULL: moved, and gone */
    ngx_cycle_t         *cycle;
    wag_digest_t        *digest;
    u_char              *buf;      /* for one answer */
    unsigned             made:1;   /* by this configuration */
    unsigned             taken:1;  /* over from another one */
    ngx_event_t          timer;
};


/*
 * Finds or adds the zone of this name; size in bytes.  NULL after an error,
 * which is logged.
 */
wag_marks_zone_t *wag_marks_zone_add(ngx_conf_t *cf, ngx_str_t *name,
    ssize_t size);

/*
 * A configuration is in force now: new zones have what was known before in
 * those that are not used any more.
 */
void wag_marks_zone_commit(ngx_cycle_t *cycle);

/*
 * A worker enters, and stops.
 */
void wag_marks_zone_attach(wag_marks_zone_t *zone);
void wag_marks_zone_detach(wag_marks_zone_t *zone);

/*
 * As the functions of wag_marks.h, with the lock; found answers are in
 * zone->buf until the next call.
 */
ngx_uint_t wag_marks_zone_look(wag_marks_zone_t *zone, wag_marks_key_t *key,
    ngx_uint_t claim);
void wag_marks_zone_close(wag_marks_zone_t *zone, wag_marks_key_t *key,
    ngx_uint_t state, ngx_uint_t status, u_char *answer, size_t len);
void wag_marks_zone_give_up(wag_marks_zone_t *zone, wag_marks_key_t *key);

/*
 * What it has at this moment, without its cells.
 */
void wag_marks_zone_figures(wag_marks_zone_t *zone, wag_marks_t *figures);


#endif /* _WAG_MARKS_ZONE_H_INCLUDED_ */
