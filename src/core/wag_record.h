
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
#define WAG_KEY_ROOM  256   /* of an instance added at run time */
#define WAG_EVENTS    50

/* bytes of a session's name; of that and its second text; of others */

#define WAG_SESSION_NAME_LEN    128
#define WAG_SESSION_TEXT_LEN    192
#define WAG_SESSION_LABEL_LEN   64
#define WAG_SESSION_STATE_LEN   32

/* what an instance tells of one; STOPPED is DOWN unless it is elsewhere */

#define WAG_SESSION_READY       0
#define WAG_SESSION_STARTING    1
#define WAG_SESSION_LOGIN       2
#define WAG_SESSION_DOWN        3
#define WAG_SESSION_STATES      4
#define WAG_SESSION_STOPPED     4
#define WAG_SESSION_ABSENT      5

/* no state: before a session was there, after it was */

#define WAG_SESSION_NONE        WAG_SESSION_STATES

/* the slot of a session that is in no chain of one */

#define WAG_SESSION_NO_SLOT     ((uint32_t) -1)

/* why a session is down that its instance calls ready */

#define WAG_SESSION_SUSPECT     1   /* sends were not confirmed */
#define WAG_SESSION_SILENT      2   /* nobody answers for it */

/* what of a session is not told yet: it may have moved */

#define WAG_SESSION_TOLD        0
#define WAG_SESSION_CAME        1
#define WAG_SESSION_WENT        2
#define WAG_SESSION_MOVED       3   /* told where it is now */

/* why a send was refused that a number had no budget for */

#define WAG_PACED_NUMBER        0
#define WAG_PACED_RECIPIENT     1
#define WAG_PACED_DAY           2
#define WAG_PACED_FULL          3   /* no room to count it */
#define WAG_PACED_REASONS       4

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
 * "incarnation", "state" and "in_flight" of a record and all counters are
 * atomics; the rest is written under the zone's shpool->mutex, and read under
 * it but for single words that may be a moment old: checks.next for checkers;
 * health.errors and health.statuses for traffic that has no news; health.until
 * for the slot table; the versions of addresses and of what was set.
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
    uint32_t             failed_in_row;
    uint32_t             last_status;     /* 0: none */
    ngx_uint_t           hash;            /* what is asked */
    ngx_pid_t            pid;             /* who asks, 0: nobody */
    ngx_msec_t           since;           /* it asks, monotonic */
} wag_checks_t;


/*
 * The addresses of an instance.  The set in force is sets[version & 1]; a new
 * one is written into the other, and then version moves: whoever is killed in
 * between leaves the old one whole.  See zone/wag_addresses.h.
 */

typedef struct {
    ngx_atomic_t         version;   /* 0: never set */
    size_t               room;      /* bytes of each set */
    u_char              *sets[2];
} wag_addresses_t;


/* what an instance is; the strings are the slot's, allocated by the master */

typedef struct {
    ngx_str_t            name;
    uint32_t             room;      /* bytes for the name */
    uint32_t             hash;      /* of the name */
    uint32_t             key_room;  /* bytes for the key */
    uint32_t             key_len;   /* of one that was added */
    u_char              *key;
    wag_addresses_t      addresses;
} wag_identity_t;


/* what was set at run time goes before what is configured */

#define WAG_ADMIN_CONFIGURED  0
#define WAG_ADMIN_UP          1
#define WAG_ADMIN_DRAIN       2
#define WAG_ADMIN_DOWN        3
#define WAG_ADMIN_REMOVING    4   /* no requests, until none are left */
#define WAG_ADMIN_REMOVED     5   /* though it is configured */

#define WAG_CONFIGURED        ((uint32_t) -1)

/* an instance whose name is looked up, and was not yet; 0: it is not */

#define WAG_NAMED             ((uint32_t) -1)


typedef struct {
    ngx_atomic_t         version;     /* moves last; 0: nothing was */
    uint32_t             state;
    uint32_t             told;        /* that nothing is in flight */
    uint32_t             weight;      /* CONFIGURED: as there */
    uint32_t             max_conns;   /* ditto */
} wag_admin_t;


/*
 * A slot: the place of an instance in an upstream.  It is used while its
 * incarnation is odd.  To use or to free it is to add one to that, the last
 * step of the one and the first of the other: whoever is killed in between
 * leaves a slot that is free or one that is whole.
 */

typedef struct {
    ngx_atomic_t         incarnation;
    ngx_atomic_t         state;        /* a copy of health.state */
    ngx_atomic_t         in_flight;
    wag_admin_t          admin;

    wag_counters_t       counters;
    wag_identity_t       identity;
    ngx_uint_t           config_gen;   /* last configured in */

    wag_health_t         health;
    uint64_t             since;        /* ms since the Epoch */
    ngx_msec_t           moved;        /* the same, monotonic */
    ngx_uint_t           reason_len;
    u_char               reason[WAG_REASON_LEN];

    wag_checks_t         checks;

    uint32_t             vendor;       /* hash of its name, 0: plain */
    uint32_t             added;        /* at run time */
    ngx_atomic_t         ask;          /* for a list, soon */
    uint32_t             placed;       /* sessions that were made here */
    uint32_t             placed_known; /* of these, listed or not made */
    uint32_t             asked;        /* for a list, so often */
    uint32_t             list;         /* the last that was taken over */
    uint32_t             listed;       /* complete ones */
    uint32_t             sessions;     /* the first, chained */
    uint32_t             named;        /* looked up in this config_gen */
    uint32_t             recount;      /* in_flight may be off */
} wag_instance_t;


/* slots that were allocated at once */

typedef struct wag_slots_s  wag_slots_t;

struct wag_slots_s {
    wag_slots_t         *next;
    ngx_uint_t           n;
    wag_instance_t       slots[1];
};


/*
 * A session: one WhatsApp account on an instance.  It is used while its
 * incarnation is odd, as a slot is.  Sessions of the same label, and those of
 * the same slot, are chained by number, 1 for the first, 0 for none; a free
 * one may still be chained, if a worker was killed when it freed it.
 */

typedef struct {
    ngx_atomic_t         incarnation;
    uint32_t             hash;         /* of the label */
    uint32_t             next;         /* of that hash */
    uint32_t             slot;
    uint32_t             sibling;      /* the next of the slot */
    u_char              *text;         /* name, second text */
    uint64_t             number;       /* digits, 0: not known */

    uint64_t             since;        /* ms since the Epoch */
    uint64_t             seen;         /* ditto */
    uint64_t             last_sent;    /* ditto, 0: never */
    ngx_atomic_t         sent;
    ngx_atomic_t         failed;
    ngx_atomic_t         unknown;
    ngx_atomic_t         rest;         /* throttled until, monotonic, or 0 */

    wag_health_t         health;
    uint32_t             list;         /* last seen in */
    uint32_t             other_list;   /* of where it may come from */
    uint8_t              told;
    uint8_t              missed;       /* complete lists, in a row */
    uint8_t              reason;
    uint8_t              news;         /* not told yet */
    uint8_t              was;          /* shown, before these */
    uint8_t              unsure;       /* the number may be another's */
    uint8_t              secret;       /* the name is one */
    uint8_t              name_len;
    uint8_t              second_len;   /* of label or token */
    uint8_t              state_len;
    u_char               state[WAG_SESSION_STATE_LEN];
} wag_session_t;


/* sessions that were allocated at once */

typedef struct wag_session_extent_s  wag_session_extent_t;

struct wag_session_extent_s {
    wag_session_extent_t  *next;
    ngx_uint_t             n;
    wag_session_t          sessions[1];
};


typedef struct {
    uint64_t             time;   /* ms since the Epoch */
    ngx_uint_t           from;
    ngx_uint_t           to;
    ngx_uint_t           name_len;
    ngx_uint_t           reason_len;
    u_char               name[WAG_NAME_LEN];
    u_char               reason[WAG_REASON_LEN];
} wag_event_t;


/* of a session: the instance and the states are those of the event */

typedef struct {
    wag_event_t          event;
    uint64_t             number;   /* 0: not known */
    ngx_uint_t           len;
    u_char               session[WAG_SESSION_NAME_LEN];
} wag_session_event_t;


typedef struct {
    ngx_uint_t           n;        /* ever */
    wag_session_event_t  events[WAG_EVENTS];
} wag_session_events_t;


/* whose turn it is among the sessions of a filter; a hash, 0: free */

#define WAG_TURNS  256

typedef struct {
    ngx_atomic_t         filter;
    ngx_atomic_t         cursor;
} wag_turn_t;


/* the sessions that changed last, by the epochs in which they did */

#define WAG_SESSION_CHANGES  1024


typedef struct {
    ngx_atomic_t           epoch;      /* moves with any session */
    ngx_atomic_t           cursor;     /* whose turn it is to send */
    wag_turn_t            *turns;      /* TURNS of them */
    ngx_atomic_t           asked;      /* for: a name nobody has */
    ngx_atomic_t           ask_next;   /* monotonic, for all instances */
    ngx_uint_t             capacity;   /* of all extents */
    ngx_uint_t             limit;      /* sessions= */
    ngx_uint_t             free;       /* look there first */
    ngx_uint_t             full;       /* times that it was */
    ngx_uint_t             full_told;  /* since it is */
    ngx_msec_t             found_full; /* last, monotonic */
    ngx_uint_t             mask;       /* of buckets */
    uint32_t              *changes;    /* from 0, SESSION_CHANGES of them */
    uint32_t              *buckets;    /* by hash of the label */
    wag_session_extent_t  *extents;
    wag_session_events_t  *events;
} wag_sessions_t;


/* an upstream; the two words every request touches keep lines of their own */

typedef struct {
    ngx_atomic_t         cursor[WAG_TIERS];
    u_char               pad[128];
    ngx_atomic_t         state_epoch;   /* moves with any state */
    ngx_atomic_t         members;       /* with who is there, before that */

    ngx_atomic_t         failovers;
    ngx_atomic_t         ambiguous;
    ngx_atomic_t         no_instance;
    ngx_atomic_t         held;         /* sends, ever */
    ngx_atomic_t         paced[WAG_PACED_REASONS];

    ngx_queue_t          queue;        /* of root->groups */
    ngx_str_t            name;
    ngx_uint_t           config_gen;   /* last configured in */
    ngx_uint_t           nslots;       /* of all of these */
    wag_slots_t         *slots;
    ngx_uint_t           capacity;     /* of those added at run time */
    wag_sessions_t       sessions;

    ngx_uint_t           nevents;   /* ever */
    wag_event_t          events[WAG_EVENTS];
} wag_group_t;


/*
 * What each worker of one configuration has in flight in each slot, so that
 * what a killed worker held can be given back.  Above it, in the same word, is
 * how many steps it took to change that: odd while it is in between.
 */

#define WAG_IN_FLIGHT_BITS  (NGX_PTR_SIZE * 4)
#define WAG_IN_FLIGHT_STEP  ((ngx_atomic_uint_t) 1 << WAG_IN_FLIGHT_BITS)

#define wag_in_flight_count(held)  ((held) & (WAG_IN_FLIGHT_STEP - 1))
#define wag_in_flight_moves(held)  ((held) & WAG_IN_FLIGHT_STEP)


typedef struct {
    wag_group_t         *group;
    ngx_uint_t           nslots;       /* that this configuration knows */
} wag_in_flight_part_t;


typedef struct {
    ngx_queue_t            queue;      /* of root->in_flight_tables */
    ngx_uint_t             config_gen; /* 0: not in force yet */
    ngx_uint_t             nworkers;
    ngx_uint_t             nparts;
    ngx_uint_t             nslots;     /* of all parts */
    ngx_uint_t             row;        /* counts of a worker, and to spare */
    wag_in_flight_part_t  *parts;      /* one for each upstream */
    ngx_pid_t             *pids;       /* by ngx_worker, 0: none */
    ngx_atomic_t          *counts;     /* by worker, by part, by slot */
} wag_in_flight_t;


typedef struct {
    off_t                id;           /* no other zone's, but its heir's */
    uint64_t             started;      /* ms since the Epoch */
    ngx_msec_t           origin;       /* monotonic ms */
    ngx_uint_t           config_gen;   /* configurations so far */
    ngx_queue_t          groups;
    ngx_queue_t          in_flight_tables;
    ngx_uint_t           recount;      /* of some instance */
} wag_root_t;


#define wag_available(instance)  ((instance)->state <= WAG_SLOW_START)

/* a slot or a session */

#define wag_used(record)  ((record)->incarnation & 1)


/* of an instance; the lock is held */

static ngx_inline void
wag_event_record(wag_group_t *group, wag_event_t *event)
{
    group->events[group->nevents % WAG_EVENTS] = *event;
    group->nevents++;
}


/* the state of a session that is shown, while its instance is up */

static ngx_inline ngx_uint_t
wag_session_state(wag_session_t *session)
{
    if (session->told == WAG_SESSION_READY) {
        return (session->health.state <= WAG_SLOW_START) ? WAG_SESSION_READY
                                                         : WAG_SESSION_DOWN;
    }

    return ngx_min(session->told, WAG_SESSION_DOWN);
}


/* ms since the Epoch */

static ngx_inline uint64_t
wag_time(void)
{
    ngx_time_t  *tp;

    tp = ngx_timeofday();

    return (uint64_t) tp->sec * 1000 + tp->msec;
}


#endif /* _WAG_RECORD_H_INCLUDED_ */
