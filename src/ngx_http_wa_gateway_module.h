
/*
 * Copyright (C) the wa_gateway authors
 *
 * What the rooms share: the words they all use.  Everything below is data;
 * what a room does with it stands in the room's own header.
 */


#ifndef _NGX_HTTP_WA_GATEWAY_MODULE_H_INCLUDED_
#define _NGX_HTTP_WA_GATEWAY_MODULE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_wa_gateway_latency.h"
#include "ngx_http_wa_gateway_reason.h"


#define NGX_HTTP_WA_GATEWAY_VERSION      "0.1.0"

#define NGX_HTTP_WA_GATEWAY_NAME_LEN     256
#define NGX_HTTP_WA_GATEWAY_EVENTS       50

/* the sets an upstream's instances are chosen from, in this order */

#define NGX_HTTP_WA_GATEWAY_PRIMARY      0
#define NGX_HTTP_WA_GATEWAY_BACKUP       1
#define NGX_HTTP_WA_GATEWAY_TIERS        2

/* states; an instance takes messages in the first two only */

#define NGX_HTTP_WA_GATEWAY_UP           0
#define NGX_HTTP_WA_GATEWAY_SLOW_START   1
#define NGX_HTTP_WA_GATEWAY_CHECKING     2
#define NGX_HTTP_WA_GATEWAY_DOWN         3
#define NGX_HTTP_WA_GATEWAY_DRAINING     4
#define NGX_HTTP_WA_GATEWAY_STATES       5

/* what came of an attempt on an instance */

#define NGX_HTTP_WA_GATEWAY_NONE         0   /* nothing that tells of it */
#define NGX_HTTP_WA_GATEWAY_ANSWERED     1
#define NGX_HTTP_WA_GATEWAY_FAILED       2

/* how it failed */

#define NGX_HTTP_WA_GATEWAY_CONNECT      0
#define NGX_HTTP_WA_GATEWAY_TIMEOUT      1
#define NGX_HTTP_WA_GATEWAY_RESET        2
#define NGX_HTTP_WA_GATEWAY_INVALID      3
#define NGX_HTTP_WA_GATEWAY_FAILURES     4

/* wa_gateway retry= */

#define NGX_HTTP_WA_GATEWAY_RETRY_UNSENT  0
#define NGX_HTTP_WA_GATEWAY_RETRY_SAFE    1

/* was the message written to an instance */

#define NGX_HTTP_WA_GATEWAY_SENT_NO      0
#define NGX_HTTP_WA_GATEWAY_SENT_YES     1
#define NGX_HTTP_WA_GATEWAY_SENT_UNKNOWN 2

#define NGX_HTTP_WA_GATEWAY_LANG_OFF     0
#define NGX_HTTP_WA_GATEWAY_LANG_AR      1
#define NGX_HTTP_WA_GATEWAY_LANG_EN      2


typedef struct ngx_http_wa_gateway_group_s     ngx_http_wa_gateway_group_t;
typedef struct ngx_http_wa_gateway_peer_s      ngx_http_wa_gateway_peer_t;
typedef struct ngx_http_wa_gateway_check_s     ngx_http_wa_gateway_check_t;
typedef struct ngx_http_wa_gateway_checker_s   ngx_http_wa_gateway_checker_t;
typedef struct ngx_http_wa_gateway_upstream_s  ngx_http_wa_gateway_upstream_t;


/* health: state of one instance and the rules it moves by; times in ms */

typedef struct {
    ngx_uint_t                       state;
    ngx_uint_t                       fails;      /* checks, in a row */
    ngx_uint_t                       passes;     /* checks, in a row */
    ngx_uint_t                       errors;     /* attempts, in a row */
    ngx_uint_t                       statuses;   /* attempts, in a row */
    ngx_msec_t                       until;      /* end of eject, slow start */
} ngx_http_wa_gateway_health_t;


typedef struct {
    ngx_uint_t                       fails;
    ngx_uint_t                       passes;
    ngx_uint_t                       error_fails;   /* 0: never */
    ngx_uint_t                       status_fails;  /* 0: never */
    ngx_msec_t                       eject;
    ngx_msec_t                       slow_start;
    ngx_flag_t                       mandatory;
    ngx_uint_t                       checked;       /* has active checks */
} ngx_http_wa_gateway_policy_t;


/*
 * zone: what lives in shared memory.  Counters move by atomics; all else of
 * a record is written under the zone's shpool->mutex, and read under it but
 * for single words that may be a moment old: "state", the copy of
 * health.state, for all; next_check for the checker, health.errors and
 * health.statuses for traffic that has no news, health.until for the roster.
 */

typedef struct {
    ngx_str_node_t                   node;       /* by name */
    ngx_queue_t                      queue;      /* of group->instances */
    ngx_uint_t                       generation; /* last configured in */

    ngx_atomic_t                     state;
    ngx_atomic_t                     in_flight;
    ngx_atomic_t                     requests;
    ngx_atomic_t                     failures[NGX_HTTP_WA_GATEWAY_FAILURES];
    ngx_atomic_t                     codes[5];   /* 1xx to 5xx */
    ngx_atomic_t                     time;       /* ms, of all answers */
    ngx_http_wa_gateway_latency_t
                          latency[NGX_HTTP_WA_GATEWAY_LATENCY_BUCKETS];

    ngx_http_wa_gateway_health_t     health;
    uint64_t                         since;         /* ms since the Epoch */
    ngx_msec_t                       moved;         /* the same, monotonic */
    uint64_t                         last_checked;  /* ditto, 0: never */
    ngx_msec_t                       next_check;    /* monotonic, 0: now */
    ngx_msec_int_t                   response_time; /* ms, -1: none */
    ngx_msec_t                       check_time;    /* ms, of the last one */
    ngx_uint_t                       passed;
    ngx_uint_t                       failed;
    ngx_uint_t                       failed_in_row;
    ngx_uint_t                       last_status;   /* 0: none */
    ngx_uint_t                       check_hash;    /* what is asked */
    ngx_pid_t                        checking;      /* who asks, 0: nobody */
    ngx_msec_t                       checking_since;

    ngx_uint_t                       reason_len;
    u_char                           reason[NGX_HTTP_WA_GATEWAY_REASON_LEN];
} ngx_http_wa_gateway_instance_t;


typedef struct {
    uint64_t                         time;       /* ms since the Epoch */
    ngx_uint_t                       from;
    ngx_uint_t                       to;
    ngx_uint_t                       name_len;
    ngx_uint_t                       reason_len;
    u_char                           name[NGX_HTTP_WA_GATEWAY_NAME_LEN];
    u_char                           reason[NGX_HTTP_WA_GATEWAY_REASON_LEN];
} ngx_http_wa_gateway_event_t;


/* an upstream; the two words every request touches keep lines of their own */

struct ngx_http_wa_gateway_group_s {
    ngx_atomic_t                     cursor[NGX_HTTP_WA_GATEWAY_TIERS];
    u_char                           pad[128];
    ngx_atomic_t                     generation; /* moves with any state */

    ngx_atomic_t                     failovers;
    ngx_atomic_t                     ambiguous;
    ngx_atomic_t                     no_instance;

    ngx_queue_t                      queue;      /* of root->groups */
    ngx_str_t                        name;
    ngx_uint_t                       used;       /* configured generation */
    ngx_queue_t                      instances;
    ngx_rbtree_t                     rbtree;
    ngx_rbtree_node_t                sentinel;

    ngx_uint_t                       nevents;    /* ever */
    ngx_http_wa_gateway_event_t      events[NGX_HTTP_WA_GATEWAY_EVENTS];
};


/*
 * What each worker of one configuration has in flight at each instance, so
 * that what a killed worker held can be given back.
 */

typedef struct {
    ngx_queue_t                      queue;      /* of root->ledgers */
    ngx_uint_t                       generation; /* 0: not in force yet */
    ngx_uint_t                       nworkers;
    ngx_uint_t                       ninstances;
    ngx_http_wa_gateway_instance_t **instances;
    ngx_pid_t                       *pids;       /* by ngx_worker, 0: none */
    uint32_t                        *counts;     /* by worker, by instance */
} ngx_http_wa_gateway_ledger_t;


typedef struct {
    uint64_t                         started;    /* ms since the Epoch */
    ngx_msec_t                       origin;     /* monotonic ms */
    ngx_uint_t                       generation; /* configurations so far */
    ngx_queue_t                      groups;
    ngx_queue_t                      ledgers;
} ngx_http_wa_gateway_root_t;


typedef struct {
    ngx_shm_zone_t                  *shm_zone;
    ngx_slab_pool_t                 *shpool;
    ngx_http_wa_gateway_root_t      *root;
    ngx_http_wa_gateway_ledger_t    *ledger;
    ngx_cycle_t                     *cycle;
    ngx_array_t                      upstreams;  /* upstream_t * */
    ngx_uint_t                       npeers;
    ngx_uint_t                       committed;  /* unsigned  committed:1; */
} ngx_http_wa_gateway_zone_t;


/* conf: an instance as one configuration knows it */

struct ngx_http_wa_gateway_peer_s {
    ngx_str_t                        name;       /* http://127.0.0.1:3001 */
    ngx_addr_t                      *addrs;
    ngx_uint_t                       naddrs;
    ngx_uint_t                       address;    /* answered last */

    ngx_uint_t                       weight;
    ngx_uint_t                       max_conns;
    ngx_uint_t                       tier;
    ngx_uint_t                       down;

    ngx_http_wa_gateway_instance_t  *instance;
    uint32_t                        *held;       /* in flight from here */
    ngx_queue_t                      idle;       /* connections */
    ngx_uint_t                       nidle;
    ngx_uint_t                       looked;     /* turn of the last look */
    ngx_msec_t                       wary;       /* look at each until then */

    ngx_str_t                        request;    /* of a check, in bytes */
    ngx_str_t                        ssl_name;   /* ditto */
    ngx_addr_t                      *check_addrs;

#if (NGX_HTTP_SSL)
    ngx_ssl_session_t               *ssl_session;
#endif
};


/* balancer: a worker's own list of whom to ask, remade when states moved */

typedef struct {
    uint32_t                        *slots;      /* indices of peers */
    uint32_t                        *starts;     /* scratch of the making */
    uint32_t                        *peers;      /* that are up */
    uint32_t                        *weights;    /* of these, reduced */
    uint32_t                        *alike;      /* how many have that */
    uint32_t                        *ranks;      /* among those */
    ngx_uint_t                       nslots;
    ngx_uint_t                       npeers;
    ngx_uint_t                       max;        /* slots there is room for */
} ngx_http_wa_gateway_roster_t;


/* wa_gateway_keepalive; the counts and queues are of one worker */

typedef struct {
    ngx_uint_t                       connections; /* of an instance */
    ngx_uint_t                       requests;    /* of a connection */
    ngx_msec_t                       time;
    ngx_msec_t                       timeout;

    ngx_uint_t                       count;
    ngx_queue_t                      age;
    ngx_queue_t                      free;
    ngx_event_t                      timer;       /* of the oldest */
    ngx_event_t                      end;         /* of the turn, posted */
    ngx_uint_t                       turn;        /* of the event loop */
} ngx_http_wa_gateway_keepalive_t;


/* wa_gateway_passive */

typedef struct {
    ngx_uint_t                       error_fails;
    ngx_uint_t                       status_fails;
    ngx_array_t                     *statuses;     /* from, to, from, to */
    ngx_msec_t                       eject;
} ngx_http_wa_gateway_passive_conf_t;


struct ngx_http_wa_gateway_upstream_s {
    ngx_http_upstream_srv_conf_t    *uscf;
    ngx_http_wa_gateway_zone_t      *zone;
    ngx_http_wa_gateway_group_t     *group;

    ngx_http_wa_gateway_peer_t      *peers;
    ngx_uint_t                       npeers;

    ngx_http_wa_gateway_roster_t     rosters[NGX_HTTP_WA_GATEWAY_TIERS];
    ngx_uint_t                       generation; /* of the rosters */
    ngx_msec_t                       due;        /* remake by then, if timed */
    ngx_uint_t                       timed;      /* unsigned  timed:1; */

    ngx_uint_t                       tick_epoch; /* of the states looked at */
    ngx_msec_t                       tick_due;   /* time moves one then */
    ngx_uint_t                       ticks;      /* unsigned  ticks:1; */

    ngx_http_wa_gateway_policy_t     policy;
    ngx_http_wa_gateway_check_t     *check;      /* NULL: no checks */
    ngx_http_wa_gateway_checker_t   *checker;    /* of this worker */
    ngx_http_wa_gateway_passive_conf_t  *passive;  /* NULL: off */
    ngx_flag_t                       passive_off;
    ngx_http_wa_gateway_keepalive_t *keepalive;  /* NULL: off */
    ngx_flag_t                       keepalive_off;
    ngx_uint_t                       retry;
    ngx_str_t                        scheme;     /* of wa_gateway_instances */
    ngx_str_t                        directive;  /* seen, needs wa_gateway */
};


/* request: what became of one, over all its attempts and redirects */

typedef struct {
    ngx_http_request_t              *request;
    ngx_http_wa_gateway_upstream_t  *upstream;
    ngx_http_wa_gateway_peer_t      *peer;       /* asked last */

    uintptr_t                       *tried;      /* a bit for each peer */
    ngx_uint_t                       address;    /* of the peer */
    ngx_uint_t                       naddress;   /* of these, tried */
    ngx_uint_t                       attempts;   /* instances asked */
    ngx_uint_t                       tries;      /* that may follow */
    ngx_uint_t                       method;     /* it came with */
    ngx_uint_t                       nstates;    /* of upstreams, seen */

    ngx_uint_t                       outcome;    /* of the last attempt */
    ngx_uint_t                       failure;    /* if it failed */
    ngx_uint_t                       status;     /* if it was answered */
    char                            *reason;     /* if it failed */
    ngx_uint_t                       sent;

    ngx_int_t                      (*process_header)(ngx_http_request_t *r);
    ngx_int_t                      (*reinit_request)(ngx_http_request_t *r);
    void                           (*finalize_request)(ngx_http_request_t *r,
                                                       ngx_int_t rc);
    ngx_int_t                        rc;         /* it was finalized with */
    ngx_uint_t                       interims;   /* answers that were */

    ngx_str_t                        body;       /* of an error answer */
    void                            *stream;     /* of a long answer */

    unsigned                         again:1;    /* same peer and address */
    unsigned                         resend:1;   /* nothing was written */
    unsigned                         refused:1;  /* no instance to ask */
    unsigned                         written:1;  /* in part at least */
    unsigned                         barred:1;   /* written, not again */
    unsigned                         wrap:1;
    unsigned                         wrapped:1;
    unsigned                         unasked:1;  /* a cache answers */
    unsigned                         blank:1;    /* no mark may follow */
    unsigned                         bom:2;      /* bytes of a mark */
} ngx_http_wa_gateway_ctx_t;


typedef struct {
    ngx_array_t                      upstreams;  /* upstream_t * */
    ngx_array_t                      zones;      /* zone_t * */
} ngx_http_wa_gateway_main_conf_t;


typedef struct {
    ngx_uint_t                       errors;     /* LANG_OFF, _AR, _EN */
    ngx_flag_t                       envelope;
    ngx_array_t                     *keys;       /* key_t, NULL: none */

    ngx_str_t                        name;       /* of the upstream shown */
    u_char                          *file_name;
    ngx_uint_t                       line;
    ngx_http_wa_gateway_upstream_t  *upstream;
} ngx_http_wa_gateway_loc_conf_t;


#define ngx_http_wa_gateway_available(instance)                               \
    ((instance)->state <= NGX_HTTP_WA_GATEWAY_SLOW_START)


/* ms since the Epoch */

static ngx_inline uint64_t
ngx_http_wa_gateway_time(void)
{
    ngx_time_t  *tp;

    tp = ngx_timeofday();

    return (uint64_t) tp->sec * 1000 + tp->msec;
}


extern ngx_module_t  ngx_http_wa_gateway_module;


#endif /* _NGX_HTTP_WA_GATEWAY_MODULE_H_INCLUDED_ */
