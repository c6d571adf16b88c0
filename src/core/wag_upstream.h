
/*
 * Copyright (C) the wa_gateway authors
 *
 * An upstream as one configuration knows it, and what a worker keeps of it.
 */


#ifndef _WAG_UPSTREAM_H_INCLUDED_
#define _WAG_UPSTREAM_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "wag_record.h"
#include "wag_resolv.h"


/* wa_gateway_sender */

#define WAG_SENDER_ANY          0
#define WAG_SENDER_ONE          1
#define WAG_SENDER_CHAT         2
#define WAG_SENDER_CHAT_STRICT  3

/* wa_gateway retry= */

#define WAG_RETRY_UNSENT  0
#define WAG_RETRY_SAFE    1

/* wa_gateway_idempotency */

#define WAG_IDEMPOTENCY_OFF       0
#define WAG_IDEMPOTENCY_ON        1
#define WAG_IDEMPOTENCY_REQUIRED  2


typedef struct wag_check_s       wag_check_t;
typedef struct wag_checker_s     wag_checker_t;
typedef struct wag_kept_s        wag_kept_t;
typedef struct wag_knowns_s      wag_knowns_t;
typedef struct wag_lookups_s     wag_lookups_t;
typedef struct wag_pace_s        wag_pace_t;
typedef struct wag_upstream_s    wag_upstream_t;
typedef struct wag_marks_zone_s  wag_marks_zone_t;
typedef struct wag_store_s       wag_store_t;


/* a zone as one configuration uses it */

typedef struct {
    ngx_shm_zone_t      *shm_zone;
    ngx_slab_pool_t     *shpool;
    wag_root_t          *root;
    wag_in_flight_t     *in_flight;
    ngx_cycle_t         *cycle;
    ngx_array_t          upstreams;   /* upstream_t * */
    ngx_uint_t           nservers;
    ngx_uint_t           committed;   /* unsigned  committed:1; */
    ngx_uint_t           sized;       /* unsigned  sized:1; */
} wag_zone_t;


/* addresses as a worker has them; those it started with are never freed */

typedef struct {
    ngx_uint_t           version;   /* of the record's */
    ngx_uint_t           refs;      /* 0: of the configuration */
    ngx_uint_t           naddrs;
    ngx_addr_t          *addrs;
} wag_addrs_t;


/* an instance as one configuration has it */

typedef struct {
    ngx_str_t            name;      /* http://127.0.0.1:3001 */
    ngx_addr_t          *addrs;     /* none: "domain" is looked up */
    ngx_uint_t           naddrs;
    ngx_str_t            domain;
    in_port_t            port;

    ngx_uint_t           weight;
    ngx_uint_t           max_conns;
    ngx_uint_t           tier;
    ngx_uint_t           down;
    ngx_uint_t           slot;      /* its place in the zone */

    ngx_str_t            request;    /* of a check, in bytes */
    ngx_str_t            ssl_name;   /* ditto */

    struct wag_vendor_s *vendor;     /* NULL: plain */
    uint32_t             vendor_hash;
    ngx_str_t            key;        /* of its own, for the gateway */
    u_char               seal[16];   /* of ids of messages, of that */
    ngx_uint_t           sealed;
    ngx_str_t            host;       /* of requests to it */
    ngx_str_t            list;       /* the request for its sessions */

    ngx_pool_t          *pool;       /* of one added at run time */
    ngx_uint_t           refs;       /* 0: of the configuration */
    wag_addrs_t         *list_addrs; /* that hold addrs */
} wag_server_t;


/* what a worker keeps of a slot: the peer that a request asks */

typedef struct {
    ngx_str_t            name;
    wag_server_t        *server;     /* NULL: never was one */
    wag_instance_t      *instance;
    ngx_uint_t           slot;
    ngx_uint_t           incarnation;  /* even: nobody is there */

    ngx_uint_t           tier;
    ngx_uint_t           weight;     /* with what was set at run time */
    ngx_uint_t           max_conns;
    ngx_uint_t           down;
    ngx_uint_t           admin;      /* version of that */

    wag_addrs_t         *addrs;
    ngx_uint_t           address;    /* answered last */

    ngx_atomic_t        *held;       /* in flight from here, by steps */
    ngx_queue_t          idle;       /* connections */
    ngx_uint_t           nidle;
    ngx_uint_t           looked;     /* turn of the last look */
    ngx_msec_t           wary;       /* look at each until then */

#if (NGX_HTTP_SSL)
    ngx_ssl_session_t   *ssl_session;
#endif
} wag_peer_t;


/* balancer: a worker's own list of slots to ask, remade when states moved */

typedef struct {
    uint32_t            *turns;         /* of a round: slots */
    uint32_t            *starts;        /* scratch of the making */
    uint32_t            *slots;         /* that are up */
    uint32_t            *weights;       /* of these, reduced */
    uint32_t            *same_weight;   /* how many have that */
    uint32_t            *ranks;         /* among those */
    ngx_uint_t           nturns;
    ngx_uint_t           nslots;
    ngx_uint_t           max;           /* turns there is room for */
} wag_slot_table_t;


/* wa_gateway_keepalive; the counts and queues are of one worker */

typedef struct {
    ngx_uint_t           connections;   /* of an instance */
    ngx_uint_t           requests;      /* of a connection */
    ngx_msec_t           time;
    ngx_msec_t           timeout;

    ngx_uint_t           count;
    ngx_queue_t          age;
    ngx_queue_t          free;
    ngx_event_t          timer;   /* of the oldest */
    ngx_event_t          end;     /* of the turn, posted */
    ngx_uint_t           turn;    /* of the event loop */
} wag_keepalive_t;


/* how names are looked up; times in ms */

typedef struct {
    ngx_resolver_t      *resolver;   /* of this upstream alone */
    ngx_log_t           *log;        /* of that */
    ngx_msec_t           refresh;    /* 0: one that was found, never */
    ngx_msec_t           timeout;
    time_t               valid;      /* s, for the TTL; 0: that itself */
    wag_resolv_t         system;     /* its domains; servers in order */
} wag_names_t;


/* wa_gateway_passive */

typedef struct {
    ngx_uint_t           error_fails;
    ngx_uint_t           status_fails;
    ngx_array_t         *statuses;   /* from, to, from, to */
    ngx_msec_t           eject;
} wag_passive_conf_t;


/* wa_gateway_idempotency */

typedef struct {
    ngx_uint_t           mode;      /* IDEMPOTENCY_ON ... */
    ngx_msec_t           ttl;
    wag_marks_zone_t    *zone;
    struct wag_keeper_s *keeper;    /* NULL: claims are in the zone only */
} wag_idempotency_conf_t;


struct wag_upstream_s {
    ngx_http_upstream_srv_conf_t  *uscf;
    wag_zone_t                    *zone;
    wag_group_t                   *group;

    wag_server_t                  *servers;
    ngx_uint_t                     nservers;

    wag_peer_t                    *slots;       /* by their number */
    ngx_uint_t                     nslots;
    wag_peer_t                   **peers;       /* as servers are ordered */
    ngx_uint_t                     npeers;
    ngx_uint_t                     capacity;    /* for those added */
    ngx_uint_t                     controlled;  /* wa_gateway_control */
    ngx_str_t                      state_file;
    ngx_fd_t                       writer;      /* of its lock */
    ngx_array_t                   *kept;        /* kept_t, read of it */
    ngx_uint_t                     keeping;     /* unsigned  keeping:1; */
#if (NGX_THREADS)
    ngx_thread_pool_t             *threads;     /* that write it */
#endif
    ngx_uint_t                     members;     /* of these peers */
    void                         (*leave[2])(wag_upstream_t *us,
                                             wag_peer_t *peer);

    wag_slot_table_t               slot_tables[WAG_TIERS];
    ngx_uint_t                     state_epoch;  /* of the slot tables */
    ngx_msec_t                     due;          /* remake by then, if timed */
    ngx_uint_t                     timed;        /* unsigned  timed:1; */

    ngx_uint_t                     tick_epoch;   /* of the states looked at */
    ngx_msec_t                     tick_due;     /* time moves one then */
    ngx_uint_t                     ticks;        /* unsigned  ticks:1; */

    wag_health_t                   initial;     /* of a new instance */
    wag_policy_t                   policy;
    wag_policy_t                   session_policy;
    wag_check_t                   *check;       /* NULL: no checks */
    wag_checker_t                 *checker;     /* of this worker */
    wag_passive_conf_t            *passive;     /* NULL: off */
    ngx_flag_t                     passive_off;
    wag_keepalive_t               *keepalive;   /* NULL: off */
    ngx_flag_t                     keepalive_off;
    ngx_uint_t                     retry;
    ngx_str_t                      scheme;      /* of wa_gateway_instances */
    ngx_str_t                      hosts;       /* file, while it is parsed */
    ngx_msec_t                     refresh;     /* of names */
    wag_names_t                   *names;       /* NULL: none to look up */
    wag_lookups_t                 *lookups;     /* of this worker */

    ngx_str_t                      vendor;      /* of those without one */
    ngx_str_t                      key;         /* ditto */
    ngx_array_t                   *keys;        /* key_file=, by URL */
    ngx_array_t                   *origins;     /* vendor=, key= of some */
    ngx_uint_t                     max_sessions;
    ngx_uint_t                     metric_sessions;   /* one each, up to */
    ngx_uint_t                     vendors;     /* servers that have one */
    ngx_array_t                    kinds;       /* vendor_t *, each once */
    wag_knowns_t                  *knowns;      /* sessions, of this worker */
    ngx_uint_t                     sender;      /* SENDER_ANY ... */
    wag_pace_t                    *pace;        /* NULL: off */
    ngx_flag_t                     sender_set;  /* unsigned  :1; */
    u_char                         moment[32];  /* as answers tell it */
    size_t                         moment_len;
    uint64_t                       second;      /* that it is of */
    wag_idempotency_conf_t        *idempotency; /* NULL: off */
    ngx_flag_t                     idempotency_set;
    wag_store_t                   *store;       /* NULL: this gateway alone */
    ngx_queue_t                    rounds;      /* that wait to ask */
    ngx_uint_t                     nquestions;  /* of this worker */
    ngx_str_t                      directive;   /* seen, needs wa_gateway */
};


#endif /* _WAG_UPSTREAM_H_INCLUDED_ */
