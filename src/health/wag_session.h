
/*
 * Copyright (C) the wa_gateway authors
 *
 * What an instance tells of its sessions, and what comes of their sends, goes
 * into the table, through the state machine.
 */


#ifndef _WAG_SESSION_H_INCLUDED_
#define _WAG_SESSION_H_INCLUDED_


#include "wag_sessions.h"
#include "wag_upstream.h"


/* what an instance said of one session, at one time */

typedef struct {
    wag_session_name_t   name;
    ngx_uint_t           told;     /* SESSION_READY ...; ABSENT: not here */
    uint64_t             number;   /* 0: it did not say */
    ngx_str_t            state;    /* in its own words */
    uint32_t             list;     /* the number of its list */
    ngx_uint_t           taken;    /* private: something of it was */
} wag_session_report_t;


/* when a list was asked for: it tells of no later time */

typedef struct {
    uint32_t             number;   /* of the list */
    uint32_t             placed;   /* sessions that were made before */
} wag_session_asked_t;


/* how far a complete list was gone through */

typedef struct {
    wag_session_t       *next;
    ngx_uint_t           begun;    /* unsigned  begun:1; */
    ngx_uint_t           first;    /* unsigned  first:1; */
    ngx_uint_t           total;
    ngx_uint_t           ready;
} wag_session_walk_t;


/*
 * An instance is asked for its list; the answer is taken over, if no later one
 * was.
 */
void wag_session_ask(wag_upstream_t *us, wag_peer_t *peer,
    wag_session_asked_t *asked);
void wag_session_begin(wag_upstream_t *us, wag_peer_t *peer,
    wag_session_asked_t *asked);

/*
 * A session that the list has, with what is said of it; of a session that the
 * list has twice the first item counts.  NGX_OK; NGX_AGAIN if it is ready and
 * its number is not known, or was before it last was not ready; NGX_DECLINED
 * if the table is full.
 */
ngx_int_t wag_session_seen(wag_upstream_t *us, wag_peer_t *peer,
    wag_session_report_t *report);

/*
 * One that the list has by its name alone, and nobody answered for:
 * unanswered() counts that as a check that failed, listed() does not.
 */
void wag_session_listed(wag_upstream_t *us, wag_peer_t *peer,
    wag_session_report_t *report);
void wag_session_unanswered(wag_upstream_t *us, wag_peer_t *peer,
    wag_session_report_t *report);

/*
 * What came of a send by a session, if it is still this one: whether it was
 * confirmed.  Some in a row that were not make it a suspect.
 */
void wag_session_sent(wag_upstream_t *us, wag_peer_t *peer,
    wag_session_t *session, ngx_uint_t incarnation, ngx_uint_t confirmed);

/*
 * The list was complete, and all of it is told: what it does not have is
 * missing.  Looks at some of the sessions; NGX_AGAIN: at the others in the
 * next turn of the event loop, with the same "walk", zeroed at first.
 */
ngx_int_t wag_session_complete(wag_upstream_t *us, wag_peer_t *peer,
    wag_session_asked_t *asked, wag_session_walk_t *walk);

/*
 * The token of a session; NGX_DECLINED if it is not known, or has none.  The
 * text is a copy, of at most WAG_SESSION_TEXT_LEN bytes.
 */
ngx_int_t wag_session_token(wag_upstream_t *us, wag_peer_t *peer,
    wag_session_name_t *name, u_char *buf, ngx_str_t *token);

/*
 * Sets the token of a session; an empty one is forgotten.
 */
void wag_session_set_token(wag_upstream_t *us, wag_peer_t *peer,
    wag_session_name_t *name, ngx_str_t *token);


#endif /* _WAG_SESSION_H_INCLUDED_ */
