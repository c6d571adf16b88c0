
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_lock.h"
#include "wag_secret.h"
#include "wag_session_change.h"


static void wag_session_change_log(wag_session_change_t *change);


ngx_str_t  wag_session_states[] = {
    ngx_string("ready"),
    ngx_string("starting"),
    ngx_string("login"),
    ngx_string("down"),
    ngx_null_string
};


void
wag_session_change_begin(wag_session_change_t *change, wag_upstream_t *us,
    wag_peer_t *peer)
{
    change->upstream = us;
    change->peer = peer;
    change->tell = 0;
    change->event.event.reason_len = 0;

    wag_lock(us->zone->shpool);
}


void
wag_session_change_end(wag_session_change_t *change)
{
    wag_unlock(change->upstream->zone->shpool);

    if (change->tell) {
        wag_session_change_log(change);
    }
}


void
wag_session_change_tell(wag_session_change_t *change, wag_session_t *session,
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


void
wag_session_change_reason(wag_session_event_t *event, const char *text,
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
    wag_session_name_t   name;

    wag_sessions_name(session, &name);

    other = session->secret ? wag_sessions_of_label(group, &name.label, NULL)
                            : NULL;

    for ( /* void */ ;
         other;
         other = wag_sessions_of_label(group, &name.label, other))
    {
        if (!wag_sessions_is(other, &name.name)) {
            wag_secret_name(&name.name, buf);
            return WAG_SECRET_NAME_LEN;
        }
    }

    ngx_memcpy(buf, name.label.data, name.label.len);

    return name.label.len;
}


static void
wag_session_change_log(wag_session_change_t *change)
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
