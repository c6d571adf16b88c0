
/*
 * Copyright (C) the wa_gateway authors
 *
 * Marking: what checks, traffic and time tell of an instance changes its
 * state.
 */


#ifndef _WAG_TRANSITION_H_INCLUDED_
#define _WAG_TRANSITION_H_INCLUDED_


#include "wag_upstream.h"


typedef struct {
    wag_upstream_t      *upstream;
    wag_peer_t          *peer;
    ngx_uint_t           event;
    ngx_str_t            reason;   /* when it may take one down */
} wag_health_signal_t;


/*
 * Feeds the state machine and tells of a change: in the log, by the group's
 * generation and in its list of events.
 */
void wag_transition_event(wag_health_signal_t *signal);

/*
 * Moves the states that time alone moves: the end of an ejection and of a slow
 * start.  For the timer and for traffic; who only reads does not call it.
 */
void wag_transition_tick(wag_upstream_t *us);


#endif /* _WAG_TRANSITION_H_INCLUDED_ */
