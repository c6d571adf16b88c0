
/*
 * Copyright (C) the wa_gateway authors
 *
 * The sessions of an upstream, a table of fixed capacity.  All of it is
 * called with shpool->mutex held, and may be killed at any step, see
 * wag_session_t.  Its memory is in "sessions_memory".
 */


#ifndef _WAG_SESSIONS_H_INCLUDED_
#define _WAG_SESSIONS_H_INCLUDED_


#include "wag_upstream.h"


/* how long a table that was found full is taken to be so, in ms */

#define WAG_SESSIONS_FULL  1000


/*
 * A session as its instance lists it.  The label is what is shown and logged,
 * and what sessions are found by; where the name is no secret they are one.
 * Together they have at most WAG_SESSION_TEXT_LEN bytes, a name at most
 * WAG_SESSION_NAME_LEN.
 */

typedef struct {
    ngx_str_t            name;
    ngx_str_t            label;
    ngx_uint_t           secret;   /* unsigned  secret:1; */
} wag_session_name_t;


/*
 * The session of this number, from 0 on; below capacity.
 */
wag_session_t *wag_sessions_get(wag_group_t *group, ngx_uint_t n);

/*
 * A session of a slot by its name, NULL if there is none.
 */
wag_session_t *wag_sessions_find(wag_group_t *group, ngx_uint_t slot,
    wag_session_name_t *name);

/*
 * The next session in use after "prev" of the same label, or of the same
 * slot; the first if "prev" is NULL.  NULL after the last.
 */
wag_session_t *wag_sessions_of_label(wag_group_t *group, ngx_str_t *label,
    wag_session_t *prev);
wag_session_t *wag_sessions_of_slot(wag_group_t *group, ngx_uint_t slot,
    wag_session_t *prev);

/*
 * Uses a free one for a session that the slot does not have.  NULL if the
 * table is full, which is looked at once in a second.
 */
wag_session_t *wag_sessions_put(wag_group_t *group, ngx_uint_t slot,
    wag_session_name_t *name);

/*
 * Frees one session, or all of a slot.
 */
void wag_sessions_free(wag_group_t *group, wag_session_t *session);
void wag_sessions_free_slot(wag_group_t *group, ngx_uint_t slot);

/*
 * Tells readers that a session changed: the epoch moves.
 */
void wag_sessions_changed(wag_group_t *group, wag_session_t *session);

/*
 * The name and the label of a session, within its text.
 */
void wag_sessions_name(wag_session_t *session, wag_session_name_t *name);

/*
 * Whether a session has this name; its label may be another.
 */
ngx_uint_t wag_sessions_is(wag_session_t *session, ngx_str_t *name);

/*
 * The token of a session that was asked for, empty if there is none; a token
 * has no room beside a label or a long name: NGX_DECLINED.
 */
void wag_sessions_token(wag_session_t *session, ngx_str_t *token);
ngx_int_t wag_sessions_set_token(wag_session_t *session, ngx_str_t *token);

/*
 * Takes over a session of another zone, into this slot; as put().
 */
wag_session_t *wag_sessions_copy(wag_group_t *group, ngx_uint_t slot,
    wag_session_t *from);


#endif /* _WAG_SESSIONS_H_INCLUDED_ */
