
/*
 * Copyright (C) the wa_gateway authors
 *
 * A change of a session, made while the zone's lock is held and told: in the
 * list of events at once, in the log when the lock is free.
 */


#ifndef _WAG_SESSION_CHANGE_H_INCLUDED_
#define _WAG_SESSION_CHANGE_H_INCLUDED_


#include "wag_sessions.h"
#include "wag_upstream.h"


typedef struct {
    wag_upstream_t      *upstream;
    wag_peer_t          *peer;
    wag_session_event_t  event;
    uint64_t             held;   /* ms that it was in "from" */
    ngx_uint_t           tell;   /* unsigned  tell:1; */
} wag_session_change_t;


/*
 * Takes the lock for what an instance told; frees it, and logs the change that
 * was told since, if one was.
 */
void wag_session_change_begin(wag_session_change_t *change,
    wag_upstream_t *us, wag_peer_t *peer);
void wag_session_change_end(wag_session_change_t *change);

/*
 * Why: a text and, if not NULL, a name; told with the change that follows.
 */
void wag_session_change_reason(wag_session_event_t *event, const char *text,
    ngx_str_t *name);

/*
 * Tells that a session of change->peer went from one state to another, both
 * WAG_SESSION_READY ... WAG_SESSION_NONE.
 */
void wag_session_change_tell(wag_session_change_t *change,
    wag_session_t *session, ngx_uint_t from, ngx_uint_t to);

/*
 * What is shown of a session's name, at most WAG_SESSION_NAME_LEN bytes: the
 * name; for one that is secret its label, if no other has that, else digits of
 * its hash.  The lock is held.
 */
size_t wag_session_shown(wag_group_t *group, wag_session_t *session,
    u_char *buf);


extern ngx_str_t  wag_session_states[WAG_SESSION_STATES + 1];


#endif /* _WAG_SESSION_CHANGE_H_INCLUDED_ */
