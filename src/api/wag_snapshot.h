
/*
 * Copyright (C) the wa_gateway authors
 */


#ifndef _WAG_SNAPSHOT_H_INCLUDED_
#define _WAG_SNAPSHOT_H_INCLUDED_


#include "wag_session_view.h"
#include "wag_upstream.h"


/* an instance as it was at one moment; the record itself moves on */

typedef struct {
    wag_peer_t          *peer;      /* while the snapshot is taken */
    ngx_str_t            name;
    ngx_uint_t           weight;
    ngx_uint_t           max_conns;
    struct wag_vendor_s *vendor;    /* NULL: plain */
    wag_instance_t       record;
    ngx_uint_t           state;     /* with what conf says */
    ngx_uint_t           healthy;   /* unsigned  healthy:1; */
    ngx_str_t            reason;
    wag_session_count_t  sessions;
} wag_view_t;


typedef struct {
    wag_upstream_t      *upstream;
    uint64_t             now;      /* ms since the Epoch */
    uint64_t             started;
    ngx_msec_t           uptime;   /* ms */
    ngx_uint_t           config_gen;
    ngx_uint_t           next;     /* view whose turn it is */
    ngx_uint_t           total;
    ngx_uint_t           healthy;

    wag_view_t          *views;    /* one for each peer that is told of */
    ngx_uint_t           shown;    /* of which state */
    ngx_uint_t           listed;   /* of these, so far */

    wag_session_count_t  sessions; /* of all */
    ngx_array_t          session_views;

    ngx_uint_t           nevents;
    wag_session_event_t *events;   /* the oldest first */
} wag_snapshot_t;


/*
 * Counts the instances and those that can take a message, and their sessions.
 * The states are what the balancer would go by now; one with a vendor is
 * healthy with a session that is ready.
 */
void wag_snapshot_count(wag_upstream_t *us, ngx_uint_t *total,
    ngx_uint_t *healthy, wag_session_count_t *sessions);

/*
 * Copies all there is to tell of an upstream to whoever has this key, from
 * pool.  A limited one has its sessions, and the instances they are on.  NULL
 * if there is no memory.
 */
wag_snapshot_t *wag_snapshot_take(ngx_pool_t *pool, wag_upstream_t *us,
    wag_key_t *key);

/*
 * Copies the sessions as well, if they are no more than have a metric each.
 */
ngx_int_t wag_snapshot_sessions(ngx_pool_t *pool, wag_snapshot_t *s);


/* what was set at run time, by WAG_ADMIN_CONFIGURED ... */

extern ngx_str_t  wag_snapshot_admins[];


#endif /* _WAG_SNAPSHOT_H_INCLUDED_ */
