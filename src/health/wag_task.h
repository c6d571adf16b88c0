
/*
 * Copyright (C) the wa_gateway authors
 *
 * The checks of one instance, by the worker whose share it is in: a timer,
 * and a probe each time, or the list of its sessions.
 */


#ifndef _WAG_TASK_H_INCLUDED_
#define _WAG_TASK_H_INCLUDED_


#include "wag_discovery.h"
#include "wag_probe.h"
#include "wag_upstream.h"


typedef struct {
    wag_probe_t          probe;
    ngx_event_t          timer;

    wag_upstream_t      *upstream;
    wag_peer_t          *peer;
    wag_server_t        *server;
    wag_discovery_t     *discovery;   /* of sessions; NULL: no vendor */
    wag_addrs_t         *addrs;
    ngx_uint_t           ntasks;      /* of this worker */

    ngx_msec_t           turn;   /* due without jitter */
    ngx_msec_t           next;   /* of the record, as known */
    ngx_msec_t           begun;
    ngx_msec_t           listed;   /* the list was begun */

    unsigned             first:1;
    unsigned             fault:1;   /* ours, told already */
    unsigned             claimed:1; /* the right to check */
    unsigned             list:1;    /* the check is that of the list */
    unsigned             wanted:1;  /* its list, out of turn */
} wag_task_t;


/*
 * For an instance that a server is configured or added for; "ntasks": how many
 * the worker may have.  NULL if there is no memory.
 */
wag_task_t *wag_task_create(wag_upstream_t *us, wag_peer_t *peer,
    ngx_uint_t ntasks, ngx_log_t *log);

/*
 * The first check is at once, or "spread" ms from now; or where the schedule
 * stands after a reload or the death of the worker before.
 */
void wag_task_start(wag_task_t *task, ngx_msec_t spread);

/*
 * The schedule in the record may have moved: traffic that takes an instance
 * out, in any worker, moves it.
 */
void wag_task_follow(wag_task_t *task);

/*
 * The list of sessions is asked for now, by an instance that has a vendor.
 */
void wag_task_ask(wag_task_t *task);

/*
 * Ends it, with the check under way.
 */
void wag_task_destroy(wag_task_t *task);


#endif /* _WAG_TASK_H_INCLUDED_ */
