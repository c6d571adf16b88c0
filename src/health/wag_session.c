
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_lock.h"
#include "wag_peers.h"
#include "wag_reason.h"
#include "wag_secret.h"
#include "wag_session.h"
#include "wag_slots.h"
#include "wag_state.h"


/* a change while the lock is held, to be told when it is not */

typedef struct {
    wag_upstream_t      *upstream;
    wag_peer_t          *peer;
    wag_session_event_t  event;
    uint64_t             held;   /* ms that it was in "from" */
    ngx_uint_t           tell;
} wag_session_change_t;


/* sessions of a complete list that are looked at in a turn */

#define WAG_SESSION_WALK       128

/* which other session of the same name */

#define WAG_SESSION_ANY_LIVE   0
#define WAG_SESSION_JUST_CAME  1
#define WAG_SESSION_LOST       2
#define WAG_SESSION_RUNNING    3


static wag_session_t *wag_session_of(wag_upstream_t *us, wag_peer_t *peer,
    wag_session_name_t *name);
static void wag_session_begin(wag_session_change_t *change,
    wag_upstream_t *us, wag_peer_t *peer);
static void wag_session_end(wag_session_change_t *change);
static ngx_uint_t wag_session_current(wag_session_change_t *change,
    uint32_t list);
static void wag_session_take(wag_session_change_t *change,
    wag_session_t *session, wag_session_report_t *report);
static void wag_session_feed(wag_session_change_t *change,
    wag_session_t *session, ngx_uint_t event);
static void wag_session_news(wag_session_change_t *change,
    wag_session_t *session, ngx_uint_t from, ngx_uint_t told);
static ngx_uint_t wag_session_came(wag_session_change_t *change,
    wag_session_t *session, ngx_uint_t from);
static ngx_uint_t wag_session_from_elsewhere(wag_session_change_t *change,
    wag_session_t *session);
static ngx_uint_t wag_session_may_leave(wag_session_change_t *change,
    wag_session_t *session);
static ngx_uint_t wag_session_went(wag_session_change_t *change,
    wag_session_t *session);
static void wag_session_miss(wag_session_change_t *change,
    wag_session_t *session);
static wag_session_t *wag_session_elsewhere(wag_session_change_t *change,
    wag_session_t *session, ngx_uint_t which);
static ngx_uint_t wag_session_is(wag_session_change_t *change,
    wag_session_t *other, ngx_uint_t which);
static void wag_session_moved(wag_session_change_t *change,
    wag_session_t *session, wag_session_t *lost);
static void wag_session_changed(wag_session_change_t *change,
    wag_session_t *session, ngx_uint_t from, ngx_uint_t to);
static void wag_session_reason(wag_session_event_t *event, const char *text,
    ngx_str_t *name);
static void wag_session_log(wag_session_change_t *change);
static void wag_session_log_first(wag_peer_t *peer, ngx_uint_t total,
    ngx_uint_t ready);


ngx_str_t  wag_session_states[] = {
    ngx_string("ready"),
    ngx_string("starting"),
    ngx_string("login"),
    ngx_string("down"),
    ngx_null_string
};


uint32_t
wag_session_list(wag_upstream_t *us, wag_peer_t *peer)
{
    uint32_t  list;

    list = 0;

    wag_lock(us->zone->shpool);

    if (!wag_peers_gone(peer)) {
        list = ++peer->instance->lists;
        peer->instance->placed_list = peer->instance->placed;
    }

    wag_unlock(us->zone->shpool);

    return list;
}


ngx_int_t
wag_session_seen(wag_upstream_t *us, wag_peer_t *peer,
    wag_session_report_t *report)
{
    ngx_int_t              rc;
    ngx_uint_t             from, told, full;
    wag_session_t         *session;
    wag_session_change_t   change;

    rc = NGX_OK;
    full = 0;

    wag_session_begin(&change, us, peer);

    if (!wag_session_current(&change, report->list)) {
        wag_session_end(&change);
        return NGX_OK;
    }

    session = wag_sessions_find(us->group, peer->slot, &report->name);

    if (report->told == WAG_SESSION_ABSENT) {

        if (session && session->list != report->list) {
            session->list = report->list;
            wag_session_miss(&change, session);
        }

    } else if (session) {
        from = wag_session_state(session);
        told = session->told;

        wag_session_take(&change, session, report);
        wag_session_news(&change, session, from, told);

    } else {
        session = wag_sessions_put(us->group, peer->slot, &report->name);

        if (session) {
            wag_session_take(&change, session, report);
            wag_session_news(&change, session, WAG_SESSION_NONE,
                             WAG_SESSION_STOPPED);
        } else {
            rc = NGX_DECLINED;

            full = !us->group->sessions.full_told;
            us->group->sessions.full_told = 1;
        }
    }

    if (session
        && report->told == WAG_SESSION_READY
        && (session->number == 0 || session->unsure))
    {
        rc = NGX_AGAIN;
    }

    wag_session_end(&change);

    if (full) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "wa_gateway: \"sessions=%ui\" of upstream \"%V\" are "
                      "all in use, a session of %V has no place",
                      us->max_sessions, &us->uscf->host, &peer->name);
    }

    return rc;
}


void
wag_session_listed(wag_upstream_t *us, wag_peer_t *peer,
    wag_session_report_t *report)
{
    wag_session_t         *session;
    wag_session_change_t   change;

    wag_session_begin(&change, us, peer);

    session = wag_session_current(&change, report->list)
              ? wag_sessions_find(us->group, peer->slot, &report->name) : NULL;

    if (session) {
        session->list = report->list;
    }

    wag_session_end(&change);
}


void
wag_session_unanswered(wag_upstream_t *us, wag_peer_t *peer,
    wag_session_report_t *report)
{
    ngx_uint_t             from, to;
    wag_session_t         *session;
    wag_session_change_t   change;

    wag_session_begin(&change, us, peer);

    session = wag_session_current(&change, report->list)
              ? wag_sessions_find(us->group, peer->slot, &report->name) : NULL;

    if (session) {
        session->list = report->list;

        from = wag_session_state(session);

        wag_session_feed(&change, session, WAG_FAIL);

        to = wag_session_state(session);

        if (from != to) {
            session->reason = WAG_SESSION_SILENT;

            wag_session_reason(&change.event, "no answer", NULL);
            wag_session_changed(&change, session, from, to);
        }
    }

    wag_session_end(&change);
}


void
wag_session_sent(wag_upstream_t *us, wag_peer_t *peer, wag_session_t *session,
    ngx_uint_t incarnation, ngx_uint_t confirmed)
{
    ngx_uint_t            from, to;
    wag_session_change_t  change;

    /* the lock is for what may move a state: not for success after success */

    if (confirmed && session->health.statuses == 0) {
        return;
    }

    wag_session_begin(&change, us, peer);

    if (session->incarnation == incarnation) {
        from = wag_session_state(session);

        wag_session_feed(&change, session, confirmed ? WAG_OK : WAG_STATUS);

        to = wag_session_state(session);

        if (from != to) {
            session->reason = WAG_SESSION_SUSPECT;

            /* until it was asked again */

            peer->instance->ask = 1;

            wag_session_reason(&change.event, "suspect", NULL);
            wag_session_changed(&change, session, from, to);
        }
    }

    wag_session_end(&change);
}


ngx_int_t
wag_session_complete(wag_upstream_t *us, wag_peer_t *peer, uint32_t list,
    wag_session_walk_t *walk)
{
    ngx_uint_t             n, current;
    wag_session_t         *session;
    wag_session_change_t   change;

    for (n = 0; n < WAG_SESSION_WALK; n++) {

        /* one at a time: what is missing has an event each */

        wag_session_begin(&change, us, peer);

        /* while the list is the last one, nobody else frees sessions of it */

        current = wag_session_current(&change, list);

        if (current && !walk->begun) {
            walk->begun = 1;
            walk->first = (peer->instance->listed++ == 0);
            walk->next = wag_sessions_of_slot(us->group, peer->slot, NULL);

            /* those that were made before it are in it, or were not made */

            peer->instance->placed -= ngx_min(peer->instance->placed,
                                              peer->instance->placed_list);
        }

        session = current ? walk->next : NULL;

        if (session) {
            walk->next = wag_sessions_of_slot(us->group, peer->slot, session);

            walk->total++;
            walk->ready += (wag_session_state(session) == WAG_SESSION_READY);

            if (session->list != list) {
                wag_session_miss(&change, session);
            }
        }

        wag_session_end(&change);

        if (session == NULL) {
            break;
        }
    }

    if (n == WAG_SESSION_WALK) {
        return NGX_AGAIN;
    }

    if (current && walk->first) {
        wag_session_log_first(peer, walk->total, walk->ready);
    }

    return NGX_OK;
}


ngx_int_t
wag_session_token(wag_upstream_t *us, wag_peer_t *peer,
    wag_session_name_t *name, u_char *buf, ngx_str_t *token)
{
    ngx_int_t       rc;
    ngx_str_t       text;
    wag_session_t  *session;

    rc = NGX_DECLINED;

    wag_lock(us->zone->shpool);

    session = wag_session_of(us, peer, name);

    if (session) {
        wag_sessions_token(session, &text);

        if (text.len) {
            token->data = buf;
            token->len = text.len;

            ngx_memcpy(buf, text.data, text.len);

            rc = NGX_OK;
        }
    }

    wag_unlock(us->zone->shpool);

    return rc;
}


void
wag_session_set_token(wag_upstream_t *us, wag_peer_t *peer,
    wag_session_name_t *name, ngx_str_t *token)
{
    wag_session_t  *session;

    wag_lock(us->zone->shpool);

    session = wag_session_of(us, peer, name);

    if (session && wag_sessions_set_token(session, token) == NGX_OK) {
        wag_sessions_changed(us->group, session);
    }

    wag_unlock(us->zone->shpool);
}


/* NULL as well if the instance is gone; the lock is held */

static wag_session_t *
wag_session_of(wag_upstream_t *us, wag_peer_t *peer, wag_session_name_t *name)
{
    return wag_peers_gone(peer)
           ? NULL : wag_sessions_find(us->group, peer->slot, name);
}


static void
wag_session_begin(wag_session_change_t *change, wag_upstream_t *us,
    wag_peer_t *peer)
{
    change->upstream = us;
    change->peer = peer;
    change->tell = 0;
    change->event.event.reason_len = 0;

    wag_lock(us->zone->shpool);
}


static void
wag_session_end(wag_session_change_t *change)
{
    wag_unlock(change->upstream->zone->shpool);

    if (change->tell) {
        wag_session_log(change);
    }
}


/*
 * Over a reload, and after a worker was stopped for long, two may ask the same
 * instance: only who began the last list tells what came of it.  Nor does it
 * matter what an instance says that is not configured any more, or as a server
 * of another kind.
 */

static ngx_uint_t
wag_session_current(wag_session_change_t *change, uint32_t list)
{
    wag_peer_t      *peer;
    wag_instance_t  *instance;

    peer = change->peer;
    instance = peer->instance;

    return !wag_peers_gone(peer)
           && list == instance->lists
           && instance->config_gen == change->upstream->zone->root->config_gen
           && instance->vendor == peer->server->vendor_hash;
}


/* what was said, into the record */

static void
wag_session_take(wag_session_change_t *change, wag_session_t *session,
    wag_session_report_t *report)
{
    ngx_uint_t    changed;
    wag_reason_t  word;

    word.len = 0;
    wag_reason_add_value(&word, &report->state, WAG_SESSION_STATE_LEN);

    changed = 0;

    if (session->told != report->told
        || session->missed
        || (report->number && session->number != report->number))
    {
        changed = 1;
    }

    session->list = report->list;
    session->missed = 0;
    session->seen = wag_time();
    session->told = report->told;

    ngx_memcpy(session->state, word.data, word.len);
    session->state_len = word.len;

    /* who logs in again may have another phone */

    if (report->told != WAG_SESSION_READY) {
        session->unsure = 1;
    }

    if (report->number) {
        session->number = report->number;
        session->unsure = 0;
    }

    if (changed) {
        wag_sessions_changed(change->upstream->group, session);
    }

    if (report->told == WAG_SESSION_READY) {
        wag_session_feed(change, session, WAG_PASS);
    }

    if (session->health.state == WAG_UP) {

        /* the next send tries it: one that is not confirmed is enough */

        if (session->reason == WAG_SESSION_SUSPECT) {
            session->health.statuses =
                         change->upstream->session_policy.status_fails - 1;
        }

        session->reason = 0;
    }
}


static void
wag_session_feed(wag_session_change_t *change, wag_session_t *session,
    ngx_uint_t event)
{
    if (wag_state_event(&session->health, &change->upstream->session_policy,
                        event, 0, ngx_current_msec))
    {
        wag_sessions_changed(change->upstream->group, session);
    }
}


/*
 * What is to be told of a session that was in the state "from", as the
 * instance told; one that is STOPPED is not live: another may be.
 */

static void
wag_session_news(wag_session_change_t *change, wag_session_t *session,
    ngx_uint_t from, ngx_uint_t told)
{
    ngx_uint_t  to, news;

    to = wag_session_state(session);
    news = session->news;

    if (session->told != WAG_SESSION_STOPPED && told == WAG_SESSION_STOPPED) {

        if (wag_session_came(change, session, from)) {
            return;
        }

    } else if (session->told == WAG_SESSION_STOPPED
               && told != WAG_SESSION_STOPPED)
    {
        session->was = (news == WAG_SESSION_TOLD) ? from : session->was;

        (void) wag_session_went(change, session);
        return;
    }

    if (news == WAG_SESSION_CAME
        && (wag_session_from_elsewhere(change, session)
            || wag_session_may_leave(change, session)))
    {
        return;
    }

    if (news == WAG_SESSION_CAME || news == WAG_SESSION_WENT) {
        from = session->was;
    }

    session->news = WAG_SESSION_TOLD;

    if (from == WAG_SESSION_NONE
        && (change->peer->instance->listed == 0
            || wag_session_is_hidden(change->upstream, session)))
    {
        /* a first list is told in one line, and a copy is no news */

        session->was = to;
        return;
    }

    if (from != to) {
        wag_session_changed(change, session, from, to);
    }
}


/*
 * It is here now.  Returns 1 if that is all there is to tell: it moved, or may
 * have, which the next list of the other instance shows.
 */

static ngx_uint_t
wag_session_came(wag_session_change_t *change, wag_session_t *session,
    ngx_uint_t from)
{
    wag_group_t    *group;
    wag_session_t  *other;

    group = change->upstream->group;

    if (wag_session_from_elsewhere(change, session)) {
        return 1;
    }

    other = change->peer->instance->listed
            ? wag_session_elsewhere(change, session, WAG_SESSION_ANY_LIVE)
            : NULL;

    if (other == NULL) {
        return 0;
    }

    session->news = WAG_SESSION_CAME;
    session->was = from;
    session->since = wag_time();
    session->other_list = wag_slots_get(group, other->slot)->lists;

    return 1;
}


/* whether the other instance has not told of its own since this one came */

static ngx_uint_t
wag_session_may_leave(wag_session_change_t *change, wag_session_t *session)
{
    wag_session_t  *other;

    other = wag_session_elsewhere(change, session, WAG_SESSION_ANY_LIVE);

    return other
           && (int32_t) (other->list - session->other_list) <= 0;
}


static ngx_uint_t
wag_session_from_elsewhere(wag_session_change_t *change,
    wag_session_t *session)
{
    wag_session_t  *other;

    other = wag_session_elsewhere(change, session, WAG_SESSION_LOST);

    if (other == NULL) {
        return 0;
    }

    session->news = WAG_SESSION_TOLD;

    wag_session_moved(change, session, other);

    return 1;
}


/* it is not here any more; returns 1 if it is known where it is */

static ngx_uint_t
wag_session_went(wag_session_change_t *change, wag_session_t *session)
{
    wag_session_t  *other;

    other = wag_session_elsewhere(change, session, WAG_SESSION_JUST_CAME);

    if (other == NULL) {
        session->news = WAG_SESSION_WENT;
        return 0;
    }

    session->news = WAG_SESSION_MOVED;
    other->news = WAG_SESSION_TOLD;

    wag_session_moved(change, other, session);

    return 1;
}


static void
wag_session_miss(wag_session_change_t *change, wag_session_t *session)
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
            && wag_session_went(change, session))
        {
            wag_sessions_free(change->upstream->group, session);
        }

        return;
    }

    if (session->news != WAG_SESSION_MOVED
        && session->was != WAG_SESSION_NONE)
    {
        wag_session_changed(change, session, session->was, WAG_SESSION_NONE);
    }

    wag_sessions_free(change->upstream->group, session);
}


/* one of the same name on another instance of the same vendor */

static wag_session_t *
wag_session_elsewhere(wag_session_change_t *change, wag_session_t *session,
    ngx_uint_t which)
{
    wag_group_t         *group;
    wag_session_t       *other;
    wag_session_name_t   name, found;

    group = change->upstream->group;
    other = NULL;

    wag_sessions_name(session, &name);

    while ((other = wag_sessions_of_label(group, &name.label, other))) {

        if (other->slot == session->slot
            || other->slot >= change->upstream->nslots)
        {
            continue;
        }

        wag_sessions_name(other, &found);

        if (found.name.len == name.name.len
            && ngx_memcmp(found.name.data, name.name.data, name.name.len) == 0
            && wag_session_is(change, other, which))
        {
            return other;
        }
    }

    return NULL;
}


static ngx_uint_t
wag_session_is(wag_session_change_t *change, wag_session_t *other,
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
wag_session_is_hidden(wag_upstream_t *us, wag_session_t *session)
{
    wag_session_change_t  change;

    if (session->told != WAG_SESSION_STOPPED) {
        return 0;
    }

    change.upstream = us;
    change.peer = &us->slots[session->slot];

    return wag_session_elsewhere(&change, session, WAG_SESSION_RUNNING)
           != NULL;
}


static void
wag_session_moved(wag_session_change_t *change, wag_session_t *session,
    wag_session_t *lost)
{
    ngx_uint_t   from;
    wag_peer_t  *peer, *here;

    here = change->peer;
    peer = &change->upstream->slots[lost->slot];

    from = (lost->news == WAG_SESSION_TOLD) ? wag_session_state(lost)
                                            : lost->was;

    wag_session_reason(&change->event, "moved from ", &peer->name);

    change->peer = &change->upstream->slots[session->slot];

    wag_session_changed(change, session, from, wag_session_state(session));

    change->peer = here;

    /* nothing more is told of it there */

    lost->news = WAG_SESSION_MOVED;
}


static void
wag_session_changed(wag_session_change_t *change, wag_session_t *session,
    ngx_uint_t from, ngx_uint_t to)
{
    wag_event_t           *event;
    wag_group_t           *group;
    wag_session_events_t  *events;

    group = change->upstream->group;
    events = group->sessions.events;
    event = &change->event.event;

    event->time = wag_time();
    event->from = from;
    event->to = to;

    event->name_len = ngx_min(change->peer->name.len, WAG_NAME_LEN);
    ngx_memcpy(event->name, change->peer->name.data, event->name_len);

    change->event.number = session->number;
    change->event.len = wag_session_shown(group, session,
                                          change->event.session);

    change->held = event->time - ngx_min(session->since, event->time);
    change->tell = 1;

    session->since = event->time;
    session->was = to;

    events->events[events->n % WAG_EVENTS] = change->event;
    events->n++;
}


static void
wag_session_reason(wag_session_event_t *event, const char *text,
    ngx_str_t *name)
{
    u_char  *p, *last;

    p = event->event.reason;
    last = p + WAG_REASON_LEN;

    p = ngx_slprintf(p, last, "%s", text);

    if (name) {
        p = ngx_slprintf(p, last, "%V", name);
    }

    event->event.reason_len = p - event->event.reason;
}


size_t
wag_session_shown(wag_group_t *group, wag_session_t *session, u_char *buf)
{
    wag_session_t       *other;
    wag_session_name_t   name, found;

    wag_sessions_name(session, &name);

    other = session->secret ? wag_sessions_of_label(group, &name.label, NULL)
                            : NULL;

    for ( /* void */ ;
         other;
         other = wag_sessions_of_label(group, &name.label, other))
    {
        wag_sessions_name(other, &found);

        if (found.name.len != name.name.len
            || ngx_memcmp(found.name.data, name.name.data, name.name.len) != 0)
        {
            wag_secret_name(&name.name, buf);
            return WAG_SECRET_NAME_LEN;
        }
    }

    ngx_memcpy(buf, name.label.data, name.label.len);

    return name.label.len;
}


static void
wag_session_log(wag_session_change_t *change)
{
    u_char                number[NGX_INT64_LEN + sizeof(" ()")];
    ngx_str_t             name, session, reason, phone, from, to;
    ngx_uint_t            level;
    wag_session_event_t  *event;

    event = &change->event;

    name.len = event->event.name_len;
    name.data = event->event.name;

    session.len = event->len;
    session.data = event->session;

    reason.len = event->event.reason_len;
    reason.data = event->event.reason;

    phone.data = number;
    phone.len = event->number
                ? ngx_sprintf(number, " (%uL)", event->number) - number : 0;

    from = wag_session_states[event->event.from];
    to = wag_session_states[event->event.to];

    if (from.len == 0) {
        ngx_str_set(&from, "new");
    }

    if (to.len == 0) {
        ngx_str_set(&to, "gone");
    }

    level = (event->event.from == WAG_SESSION_READY
             && event->event.to != WAG_SESSION_READY)
            ? NGX_LOG_WARN : NGX_LOG_NOTICE;

    ngx_log_error(level, ngx_cycle->log, 0,
                  "wa_gateway: session %V%V of %V is %V%s%V (%V for "
                  "%uL.%03uLs)",
                  &session, &phone, &name, &to, reason.len ? ": " : "",
                  &reason, &from, change->held / 1000, change->held % 1000);
}


static void
wag_session_log_first(wag_peer_t *peer, ngx_uint_t total, ngx_uint_t ready)
{
    ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                  "wa_gateway: %V has %ui session%s, %ui ready", &peer->name,
                  total, (total == 1) ? "" : "s", ready);
}
