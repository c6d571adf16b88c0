
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_lock.h"
#include "wag_peers.h"
#include "wag_reason.h"
#include "wag_session.h"
#include "wag_session_change.h"
#include "wag_session_move.h"
#include "wag_state.h"


/* sessions of a complete list that are looked at in a turn */

#define WAG_SESSION_WALK       128


static wag_session_t *wag_session_of(wag_upstream_t *us, wag_peer_t *peer,
    wag_session_name_t *name);
static ngx_uint_t wag_session_current(wag_session_change_t *change,
    uint32_t list);
static wag_session_t *wag_session_reported(wag_session_change_t *change,
    wag_session_report_t *report);
static void wag_session_take(wag_session_change_t *change,
    wag_session_t *session, wag_session_report_t *report);
static void wag_session_feed(wag_session_change_t *change,
    wag_session_t *session, ngx_uint_t event);
static void wag_session_log_first(wag_peer_t *peer, ngx_uint_t total,
    ngx_uint_t ready);


void
wag_session_ask(wag_upstream_t *us, wag_peer_t *peer,
    wag_session_asked_t *asked)
{
    ngx_memzero(asked, sizeof(wag_session_asked_t));

    wag_lock(us->zone->shpool);

    if (!wag_peers_gone(peer)) {
        asked->number = ++peer->instance->asked;
        asked->placed = peer->instance->placed;
    }

    wag_unlock(us->zone->shpool);
}


void
wag_session_begin(wag_upstream_t *us, wag_peer_t *peer,
    wag_session_asked_t *asked)
{
    wag_lock(us->zone->shpool);

    if (!wag_peers_gone(peer)
        && (int32_t) (asked->number - peer->instance->list) > 0)
    {
        peer->instance->list = asked->number;
    }

    wag_unlock(us->zone->shpool);
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

    wag_session_change_begin(&change, us, peer);

    if (!wag_session_current(&change, report->list)) {
        wag_session_change_end(&change);
        return NGX_OK;
    }

    session = wag_sessions_find(us->group, peer->slot, &report->name);

    if (session && session->list == report->list && !report->taken) {
        wag_session_change_end(&change);
        return NGX_OK;
    }

    report->taken = 1;

    if (report->told == WAG_SESSION_ABSENT) {

        if (session && session->list != report->list) {
            session->list = report->list;
            wag_session_move_missed(&change, session);
        }

    } else if (session) {
        from = wag_session_state(session);
        told = session->told;

        wag_session_take(&change, session, report);
        wag_session_move_news(&change, session, from, told);

    } else {
        session = wag_sessions_put(us->group, peer->slot, &report->name);

        if (session) {
            wag_session_take(&change, session, report);
            wag_session_move_news(&change, session, WAG_SESSION_NONE,
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

    wag_session_change_end(&change);

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

    wag_session_change_begin(&change, us, peer);

    session = wag_session_reported(&change, report);

    if (session) {
        session->list = report->list;
    }

    wag_session_change_end(&change);
}


void
wag_session_unanswered(wag_upstream_t *us, wag_peer_t *peer,
    wag_session_report_t *report)
{
    ngx_uint_t             from, to;
    wag_session_t         *session;
    wag_session_change_t   change;

    wag_session_change_begin(&change, us, peer);

    session = wag_session_reported(&change, report);

    if (session) {
        session->list = report->list;

        from = wag_session_state(session);

        wag_session_feed(&change, session, WAG_FAIL);

        to = wag_session_state(session);

        if (from != to) {
            session->reason = WAG_SESSION_SILENT;

            wag_session_change_reason(&change.event, "no answer", NULL);
            wag_session_change_tell(&change, session, from, to);
        }
    }

    wag_session_change_end(&change);
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

    wag_session_change_begin(&change, us, peer);

    if (session->incarnation == incarnation) {
        from = wag_session_state(session);

        wag_session_feed(&change, session, confirmed ? WAG_OK : WAG_STATUS);

        to = wag_session_state(session);

        if (from != to) {
            session->reason = WAG_SESSION_SUSPECT;

            /* until it was asked again */

            peer->instance->ask = 1;

            wag_session_change_reason(&change.event, "suspect", NULL);
            wag_session_change_tell(&change, session, from, to);
        }
    }

    wag_session_change_end(&change);
}


ngx_int_t
wag_session_complete(wag_upstream_t *us, wag_peer_t *peer,
    wag_session_asked_t *asked, wag_session_walk_t *walk)
{
    ngx_uint_t             n, current;
    wag_session_t         *session;
    wag_session_change_t   change;

    for (n = 0; n < WAG_SESSION_WALK; n++) {

        /* one at a time: what is missing has an event each */

        wag_session_change_begin(&change, us, peer);

        /* while the list is the last one, nobody else frees sessions of it */

        current = wag_session_current(&change, asked->number);

        if (current && !walk->begun) {
            walk->begun = 1;
            walk->first = (peer->instance->listed++ == 0);
            walk->next = wag_sessions_of_slot(us->group, peer->slot, NULL);

            /* those that were made before are in it, or were not made */

            if ((int32_t) (asked->placed - peer->instance->placed_known) > 0) {
                peer->instance->placed_known = asked->placed;
            }
        }

        session = current ? walk->next : NULL;

        if (session) {
            walk->next = wag_sessions_of_slot(us->group, peer->slot, session);

            walk->total++;
            walk->ready += (wag_session_state(session) == WAG_SESSION_READY);

            if (session->list != asked->number) {
                wag_session_move_missed(&change, session);
            }
        }

        wag_session_change_end(&change);

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


/*
 * Over a reload, and after a worker was stopped for long, two may ask the same
 * instance: only the list that was asked for last tells what came of it.  Nor
 * does it matter what an instance says that is not configured any more, or as
 * a server of another kind.
 */

static ngx_uint_t
wag_session_current(wag_session_change_t *change, uint32_t list)
{
    wag_peer_t      *peer;
    wag_instance_t  *instance;

    peer = change->peer;
    instance = peer->instance;

    return !wag_peers_gone(peer)
           && list == instance->list
           && instance->config_gen == change->upstream->zone->root->config_gen
           && instance->vendor == peer->server->vendor_hash;
}


static wag_session_t *
wag_session_reported(wag_session_change_t *change,
    wag_session_report_t *report)
{
    return wag_session_current(change, report->list)
           ? wag_sessions_find(change->upstream->group, change->peer->slot,
                               &report->name)
           : NULL;
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


static void
wag_session_log_first(wag_peer_t *peer, ngx_uint_t total, ngx_uint_t ready)
{
    ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                  "wa_gateway: %V has %ui session%s, %ui ready", &peer->name,
                  total, (total == 1) ? "" : "s", ready);
}
