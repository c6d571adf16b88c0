
/*
 * Copyright (C) the wa_gateway authors
 *
 * What lies in shared memory.
 */


#ifndef _WAG_RECORD_H_INCLUDED_
#define _WAG_RECORD_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_health.h"
#include "wag_latency.h"
#include "wag_reason.h"


#define WAG_NAME_LEN  256
#define WAG_EVENTS    50

/* the sets an upstream's instances are chosen from, in this order */

#define WAG_PRIMARY      0
#define WAG_BACKUP       1
#define WAG_TIERS        2

/* how it failed */

#define WAG_CONNECT      0
#define WAG_TIMEOUT      1
#define WAG_RESET        2
#define WAG_INVALID      3
#define WAG_FAILURES     4


/*
 * Counters move by atomics; all else of a record is written under the zone's
 * shpool->mutex, and read under it but for single words that may be a moment
 * old: "state", the copy of health.state, for all; checks.next for checkers;
 * health.errors and health.statuses for traffic that has no news; health.until
 * for the slot table.
 */

typedef struct {
    ngx_atomic_t         requests;
    ngx_atomic_t         failures[WAG_FAILURES];
    ngx_atomic_t         codes[5];   /* 1xx to 5xx */
    ngx_atomic_t         time;       /* ms, of all answers */
    wag_latency_t        latency[WAG_LATENCY_BUCKETS];
} wag_counters_t;


typedef struct {
    uint64_t             last;            /* ms since the Epoch, 0: never */
    ngx_msec_t           next;            /* monotonic, 0: now */
    ngx_msec_int_t       response_time;   /* ms, -1: none */
    ngx_msec_t           time;            /* ms, of the last one */
    ngx_uint_t           passed;
    ngx_uint_t           failed;
    ngx_uint_t           failed_in_row;
    ngx_uint_t           last_status;     /* 0: none */
    ngx_uint_t           hash;            /* what is asked */
    ngx_pid_t            pid;             /* who asks, 0: nobody */
    ngx_msec_t           since;           /* it asks, monotonic */
} wag_checks_t;


typedef struct {
    ngx_str_node_t       node;         /* by name */
    ngx_queue_t          queue;        /* of group->instances */
    ngx_uint_t           config_gen;   /* last configured in */

    ngx_atomic_t         state;
    ngx_atomic_t         in_flight;
    wag_counters_t       counters;

    wag_health_t         health;
    uint64_t             since;        /* ms since the Epoch */
    ngx_msec_t           moved;        /* the same, monotonic */
    ngx_uint_t           reason_len;
    u_char               reason[WAG_REASON_LEN];

    wag_checks_t         checks;
} wag_instance_t;


typedef struct {
    uint64_t             time;   /* ms since the Epoch */
    ngx_uint_t           from;
    ngx_uint_t           to;
    ngx_uint_t           name_len;
    ngx_uint_t           reason_len;
    u_char               name[WAG_NAME_LEN];
    u_char               reason[WAG_REASON_LEN];
} wag_event_t;


/* an upstream; the two words every request touches keep lines of their own */

typedef struct {
    ngx_atomic_t         cursor[WAG_TIERS];
    u_char               pad[128];
    ngx_atomic_t         state_epoch;   /* moves with any state */

    ngx_atomic_t         failovers;
    ngx_atomic_t         ambiguous;
    ngx_atomic_t         no_instance;

    ngx_queue_t          queue;        /* of root->groups */
    ngx_str_t            name;
    ngx_uint_t           config_gen;   /* last configured in */
    ngx_queue_t          instances;
    ngx_rbtree_t         rbtree;
    ngx_rbtree_node_t    sentinel;

    ngx_uint_t           nevents;   /* ever */
    wag_event_t          events[WAG_EVENTS];
} wag_group_t;


/*
 * What each worker of one configuration has in flight at each instance, so
 * that what a killed worker held can be given back.
 */

typedef struct {
    ngx_queue_t          queue;        /* of root->in_flight_tables */
    ngx_uint_t           config_gen;   /* 0: not in force yet */
    ngx_uint_t           nworkers;
    ngx_uint_t           ninstances;
    wag_instance_t     **instances;
    ngx_pid_t           *pids;         /* by ngx_worker, 0: none */
    uint32_t            *counts;       /* by worker, by instance */
} wag_in_flight_t;


typedef struct {
    uint64_t             started;      /* ms since the Epoch */
    ngx_msec_t           origin;       /* monotonic ms */
    ngx_uint_t           config_gen;   /* configurations so far */
    ngx_queue_t          groups;
    ngx_queue_t          in_flight_tables;
} wag_root_t;


#define wag_available(instance)  ((instance)->state <= WAG_SLOW_START)


/* ms since the Epoch */

static ngx_inline uint64_t
wag_time(void)
{
    ngx_time_t  *tp;

    tp = ngx_timeofday();

    return (uint64_t) tp->sec * 1000 + tp->msec;
}


#endif /* _WAG_RECORD_H_INCLUDED_ */
