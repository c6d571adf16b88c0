
/*
 * Copyright (C) the wa_gateway authors
 *
 * Sessions come and go.  One that is missing here may have gone elsewhere, so
 * either half is held back until the other is known: a move is one event.
 */


#ifndef _WAG_SESSION_MOVE_H_INCLUDED_
#define _WAG_SESSION_MOVE_H_INCLUDED_


#include "wag_session_change.h"


/*
 * Tells what there is to tell of a session that the instance told of: "from"
 * is the state that it was shown in before, "told" what the instance had told.
 */
void wag_session_move_news(wag_session_change_t *change,
    wag_session_t *session, ngx_uint_t from, ngx_uint_t told);

/*
 * A complete list lacks it: down, and with the second one freed.
 */
void wag_session_move_missed(wag_session_change_t *change,
    wag_session_t *session);

/*
 * Whether a session is not shown: its instance does not run it, and another
 * one that shares its store does.  The lock is held.
 */
ngx_uint_t wag_session_move_hides(wag_upstream_t *us, wag_session_t *session);


#endif /* _WAG_SESSION_MOVE_H_INCLUDED_ */
