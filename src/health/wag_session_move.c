
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_peers.h"
#include "wag_session_move.h"
#include "wag_slots.h"
#include "wag_state.h"


/* which other session of the same name */

#define WAG_SESSION_ANY_LIVE   0
#define WAG_SESSION_JUST_CAME  1
#define WAG_SESSION_LOST       2
#define WAG_SESSION_RUNNING    3


static ngx_uint_t wag_session_move_came(wag_session_change_t *change,
    wag_session_t *session, ngx_uint_t from);
static ngx_uint_t wag_session_move_may_leave(wag_session_change_t *change,
    wag_session_t *session);
static ngx_uint_t wag_session_move_from_elsewhere(wag_session_change_t *change,
    wag_session_t *session);
static ngx_uint_t wag_session_move_went(wag_session_change_t *change,
    wag_session_t *session);
static wag_session_t *wag_session_move_elsewhere(wag_session_change_t *change,
    wag_session_t *session, ngx_uint_t which);
static ngx_uint_t wag_session_move_is(wag_session_change_t *change,
    wag_session_t *other, ngx_uint_t which);
static void wag_session_move_tell(wag_session_change_t *change,
    wag_session_t *session, wag_session_t *lost);


/*
 * What is to be told of a session that was in the state "from", as the
 * instance told; one that is STOPPED is not live: another may be.
 */

void
wag_session_move_news(wag_session_change_t *change, wag_session_t *session,
    ngx_uint_t from, ngx_uint_t told)
{
    ngx_uint_t  to, news;

    to = wag_session_state(session);
    news = session->news;

    if (session->told != WAG_SESSION_STOPPED && told == WAG_SESSION_STOPPED) {

        if (wag_session_move_came(change, session, from)) {
            return;
        }

    } else if (session->told == WAG_SESSION_STOPPED
               && told != WAG_SESSION_STOPPED)
    {
        session->was = (news == WAG_SESSION_TOLD) ? from : session->was;

        (void) wag_session_move_went(change, session);
        return;
    }

    if (news == WAG_SESSION_CAME
        && (wag_session_move_from_elsewhere(change, session)
            || wag_session_move_may_leave(change, session)))
    {
        return;
    }

    if (news == WAG_SESSION_CAME || news == WAG_SESSION_WENT) {
        from = session->was;
    }

    session->news = WAG_SESSION_TOLD;

    if (from == WAG_SESSION_NONE
        && (change->peer->instance->listed == 0
            || wag_session_move_hides(change->upstream, session)))
    {
        /* a first list is told in one line, and a copy is no news */

        session->was = to;
        return;
    }

    if (from != to) {
        wag_session_change_tell(change, session, from, to);
    }
}


/*
 * It is here now.  Returns 1 if that is all there is to tell: it moved, or may
 * have, which the next list of the other instance shows.
 */

static ngx_uint_t
wag_session_move_came(wag_session_change_t *change, wag_session_t *session,
    ngx_uint_t from)
{
    wag_group_t    *group;
    wag_session_t  *other;

    group = change->upstream->group;

    if (wag_session_move_from_elsewhere(change, session)) {
        return 1;
    }

    other = change->peer->instance->listed
            ? wag_session_move_elsewhere(change, session, WAG_SESSION_ANY_LIVE)
            : NULL;

    if (other == NULL) {
        return 0;
    }

    session->news = WAG_SESSION_CAME;
    session->was = from;
    session->since = wag_time();
    session->other_list = wag_slots_get(group, other->slot)->asked;

    return 1;
}


/* whether the other instance was not asked for its own since this one came */

static ngx_uint_t
wag_session_move_may_leave(wag_session_change_t *change,
    wag_session_t *session)
{
    wag_session_t  *other;

    other = wag_session_move_elsewhere(change, session, WAG_SESSION_ANY_LIVE);

    return other
           && (int32_t) (other->list - session->other_list) <= 0;
}


static ngx_uint_t
wag_session_move_from_elsewhere(wag_session_change_t *change,
    wag_session_t *session)
{
    wag_session_t  *other;

    other = wag_session_move_elsewhere(change, session, WAG_SESSION_LOST);

    if (other == NULL) {
        return 0;
    }

    session->news = WAG_SESSION_TOLD;

    wag_session_move_tell(change, session, other);

    return 1;
}


/* it is not here any more; returns 1 if it is known where it is */

static ngx_uint_t
wag_session_move_went(wag_session_change_t *change, wag_session_t *session)
{
    wag_session_t  *other;

    other = wag_session_move_elsewhere(change, session, WAG_SESSION_JUST_CAME);

    if (other == NULL) {
        session->news = WAG_SESSION_WENT;
        return 0;
    }

    session->news = WAG_SESSION_MOVED;
    other->news = WAG_SESSION_TOLD;

    wag_session_move_tell(change, other, session);

    return 1;
}


void
wag_session_move_missed(wag_session_change_t *change, wag_session_t *session)
{
    session->missed = ngx_min(session->missed + 1, 2);

    if (session->missed == 1) {

        if (session->news == WAG_SESSION_TOLD) {
            session->was = wag_session_state(session);
        }

        session->told = WAG_SESSION_DOWN;
        session->unsure = 1;
        session->state_len = 0;

        wag_sessions_changed(change->upstream->group, session);

        if (session->news != WAG_SESSION_MOVED
            && wag_session_move_went(change, session))
        {
            wag_sessions_free(change->upstream->group, session);
        }

        return;
    }

    if (session->news != WAG_SESSION_MOVED
        && session->was != WAG_SESSION_NONE)
    {
        wag_session_change_tell(change, session, session->was,
                                WAG_SESSION_NONE);
    }

    wag_sessions_free(change->upstream->group, session);
}


/* one of the same name on another instance of the same vendor */

static wag_session_t *
wag_session_move_elsewhere(wag_session_change_t *change,
    wag_session_t *session, ngx_uint_t which)
{
    wag_group_t         *group;
    wag_session_t       *other;
    wag_session_name_t   name;

    group = change->upstream->group;
    other = NULL;

    wag_sessions_name(session, &name);

    while ((other = wag_sessions_of_label(group, &name.label, other))) {

        if (other->slot != session->slot
            && other->slot < change->upstream->nslots
            && wag_sessions_is(other, &name.name)
            && wag_session_move_is(change, other, which))
        {
            return other;
        }
    }

    return NULL;
}


static ngx_uint_t
wag_session_move_is(wag_session_change_t *change, wag_session_t *other,
    ngx_uint_t which)
{
    wag_peer_t  *peer;

    peer = &change->upstream->slots[other->slot];

    if (peer->server == NULL
        || wag_peers_gone(peer)
        || peer->server->vendor_hash
           != change->peer->server->vendor_hash)
    {
        return 0;
    }

    switch (which) {

    case WAG_SESSION_JUST_CAME:
        return other->news == WAG_SESSION_CAME;

    case WAG_SESSION_LOST:
        return other->news != WAG_SESSION_MOVED
               && other->was != WAG_SESSION_NONE
               && (other->missed || other->news == WAG_SESSION_WENT
                   || (other->told != WAG_SESSION_STOPPED
                       && !wag_available(peer->instance)));

    case WAG_SESSION_RUNNING:
        return other->missed == 0 && other->told != WAG_SESSION_STOPPED;

    default: /* WAG_SESSION_ANY_LIVE */
        return other->missed == 0
               && other->told != WAG_SESSION_STOPPED
               && wag_available(peer->instance);
    }
}


ngx_uint_t
wag_session_move_hides(wag_upstream_t *us, wag_session_t *session)
{
    wag_session_change_t  change;

    if (session->told != WAG_SESSION_STOPPED) {
        return 0;
    }

    change.upstream = us;
    change.peer = &us->slots[session->slot];

    return wag_session_move_elsewhere(&change, session, WAG_SESSION_RUNNING)
           != NULL;
}


static void
wag_session_move_tell(wag_session_change_t *change, wag_session_t *session,
    wag_session_t *lost)
{
    ngx_uint_t   from;
    wag_peer_t  *peer, *here;

    here = change->peer;
    peer = &change->upstream->slots[lost->slot];

    from = (lost->news == WAG_SESSION_TOLD) ? wag_session_state(lost)
                                            : lost->was;

    wag_session_change_reason(&change->event, "moved from ", &peer->name);

    change->peer = &change->upstream->slots[session->slot];

    wag_session_change_tell(change, session, from, wag_session_state(session));

    change->peer = here;

    /* nothing more is told of it there */

    lost->news = WAG_SESSION_MOVED;
}
