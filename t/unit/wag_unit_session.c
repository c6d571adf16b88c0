
#include "wag_session.h"
#include "wag_table.h"
#include "wag_unit_zone.h"


#define WAG_UNIT_SESSIONS  8


static ngx_int_t wag_unit_session_peers(wag_unit_zone_t *s);
static void wag_unit_session_forgotten(wag_unit_zone_t *s);
static void wag_unit_session_late(wag_unit_zone_t *s);
static void wag_unit_session_wrapped(wag_unit_zone_t *s);
static void wag_unit_session_removed(wag_unit_zone_t *s);
static void wag_unit_session_number(wag_unit_zone_t *s);
static void wag_unit_session_moved(wag_unit_zone_t *s);
static void wag_unit_session_placed(wag_unit_zone_t *s);
static void wag_unit_session_twice(wag_unit_zone_t *s);
static uint32_t wag_unit_session_list(wag_unit_zone_t *s, ngx_uint_t slot);
static void wag_unit_session_complete(wag_unit_zone_t *s, ngx_uint_t slot,
    uint32_t list);
static ngx_int_t wag_unit_session_seen(wag_unit_zone_t *s, const char *name,
    ngx_uint_t told, uint32_t list);
static void wag_unit_session_seen_at(wag_unit_zone_t *s, ngx_uint_t slot,
    uint32_t list);
static void wag_unit_session_report(wag_session_report_t *report,
    const char *name, ngx_uint_t told, uint32_t list);
static wag_session_t *wag_unit_session_find(wag_unit_zone_t *s,
    const char *name);


void
wag_unit_session(wag_unit_t *u)
{
    ngx_uint_t        level;
    wag_unit_zone_t  *s;

    s = wag_unit_zone(u);
    if (s == NULL) {
        return;
    }

    if (!wag_unit_ok(u, wag_sessions_memory_grow(s->zone.shpool, s->us.group,
                                                 WAG_UNIT_SESSIONS) == NGX_OK
                        && wag_unit_session_peers(s) == NGX_OK,
                     "an upstream that has sessions"))
    {
        return;
    }

    level = ngx_cycle->log->log_level;
    ngx_cycle->log->log_level = NGX_LOG_EMERG;

    wag_unit_session_forgotten(s);
    wag_unit_session_late(s);
    wag_unit_session_wrapped(s);
    wag_unit_session_removed(s);
    wag_unit_session_number(s);
    wag_unit_session_moved(s);
    wag_unit_session_placed(s);
    wag_unit_session_twice(s);

    ngx_cycle->log->log_level = level;
}


static ngx_int_t
wag_unit_session_peers(wag_unit_zone_t *s)
{
    ngx_uint_t   i;
    wag_peer_t  *peer;

    s->us.session_policy.fails = 2;
    s->us.session_policy.passes = 1;
    s->us.session_policy.checked = 1;

    s->us.nslots = s->us.group->nslots;
    s->us.slots = ngx_pcalloc(s->u->pool, s->us.nslots * sizeof(wag_peer_t));
    if (s->us.slots == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < s->us.nservers; i++) {
        peer = &s->us.slots[s->us.servers[i].slot];

        peer->server = &s->us.servers[i];
        peer->name = peer->server->name;
        peer->slot = peer->server->slot;
        peer->instance = wag_slots_get(s->us.group, peer->slot);
        peer->incarnation = peer->instance->incarnation;
    }

    return NGX_OK;
}


static void
wag_unit_session_forgotten(wag_unit_zone_t *s)
{
    uint32_t     list;
    wag_unit_t  *u;

    u = s->u;

    list = wag_unit_session_list(s, 0);

    (void) wag_unit_session_seen(s, "stays", WAG_SESSION_READY, list);
    (void) wag_unit_session_seen(s, "goes", WAG_SESSION_READY, list);

    wag_unit_session_complete(s, 0, list);

    wag_unit_ok(u, wag_unit_session_find(s, "stays")
                && wag_unit_session_find(s, "goes"), "a list of two");

    list = wag_unit_session_list(s, 0);

    (void) wag_unit_session_seen(s, "stays", WAG_SESSION_READY, list);

    wag_unit_ok(u, wag_session_state(wag_unit_session_find(s, "goes"))
                   == WAG_SESSION_READY,
                "one that was not listed yet is not missing");

    wag_unit_session_complete(s, 0, list);

    wag_unit_ok(u, wag_unit_session_find(s, "goes")
                && wag_session_state(wag_unit_session_find(s, "goes"))
                   == WAG_SESSION_DOWN,
                "once the list is complete it cannot send");

    list = wag_unit_session_list(s, 0);

    (void) wag_unit_session_seen(s, "stays", WAG_SESSION_READY, list);

    wag_unit_session_complete(s, 0, list);

    wag_unit_ok(u, wag_unit_session_find(s, "goes") == NULL
                && wag_session_state(wag_unit_session_find(s, "stays"))
                   == WAG_SESSION_READY,
                "after the second it is forgotten, the other is there");
}


/* two workers ask it: what the one asked before the other did comes last */

static void
wag_unit_session_late(wag_unit_zone_t *s)
{
    uint32_t               old, list;
    wag_unit_t            *u;
    wag_peer_t            *peer;
    wag_session_t         *session;
    wag_session_report_t   report;

    u = s->u;
    peer = &s->us.slots[0];

    old = wag_unit_session_list(s, 0);
    list = wag_unit_session_list(s, 0);

    (void) wag_unit_session_seen(s, "stays", WAG_SESSION_READY, list);

    wag_unit_ok(u, wag_unit_session_seen(s, "stays", WAG_SESSION_LOGIN, old)
                   == NGX_OK
                && wag_unit_session_seen(s, "old", WAG_SESSION_READY, old)
                   == NGX_OK
                && wag_unit_session_find(s, "old") == NULL,
                "what was asked before the last list changes nothing");

    wag_unit_session_report(&report, "stays", WAG_SESSION_DOWN, old);

    wag_session_listed(&s->us, peer, &report);
    wag_session_unanswered(&s->us, peer, &report);
    wag_session_unanswered(&s->us, peer, &report);

    session = wag_unit_session_find(s, "stays");

    wag_unit_ok(u, session->list == list
                && wag_session_state(session) == WAG_SESSION_READY,
                "nor who was not answered then");

    wag_unit_session_complete(s, 0, old);

    wag_unit_ok(u, session->missed == 0,
                "a list that ends after a later one began misses nobody");

    wag_unit_session_complete(s, 0, list);

    wag_unit_ok(u, session->missed == 0
                && wag_session_state(session) == WAG_SESSION_READY,
                "nor does the later one");
}


static void
wag_unit_session_wrapped(wag_unit_zone_t *s)
{
    uint32_t         list;
    ngx_uint_t       i;
    wag_unit_t      *u;
    wag_peer_t      *peer;

    u = s->u;
    peer = &s->us.slots[0];

    peer->instance->asked = (uint32_t) -2;
    peer->instance->list = peer->instance->asked;

    for (i = 0; i < 4; i++) {
        list = wag_unit_session_list(s, 0);

        (void) wag_unit_session_seen(s, "stays", WAG_SESSION_READY, list);

        if (i == 0) {
            (void) wag_unit_session_seen(s, "goes", WAG_SESSION_READY, list);
        }

        wag_unit_session_complete(s, 0, list);

        if (i == 1) {
            wag_unit_ok(u, wag_unit_session_find(s, "goes")->missed == 1,
                        "list 0 misses what list 4294967295 had");
        }
    }

    wag_unit_ok(u, wag_session_state(wag_unit_session_find(s, "stays"))
                   == WAG_SESSION_READY
                && wag_unit_session_find(s, "goes") == NULL,
                "and all goes on");
}


static void
wag_unit_session_removed(wag_unit_zone_t *s)
{
    uint32_t     list;
    wag_unit_t  *u;
    wag_peer_t  *peer;

    u = s->u;
    peer = &s->us.slots[0];

    list = wag_unit_session_list(s, 0);

    s->zone.root->config_gen++;

    (void) wag_unit_session_seen(s, "left", WAG_SESSION_READY, list);

    wag_unit_ok(u, wag_unit_session_find(s, "left") == NULL,
                "an instance that is not configured any more tells nothing");

    peer->instance->config_gen = s->zone.root->config_gen;
    peer->instance->vendor = 17;

    (void) wag_unit_session_seen(s, "kind", WAG_SESSION_READY, list);

    wag_unit_ok(u, wag_unit_session_find(s, "kind") == NULL,
                "nor one that is of another kind now");

    peer->instance->vendor = 0;

    (void) wag_unit_session_seen(s, "kind", WAG_SESSION_READY, list);

    wag_unit_ok(u, wag_unit_session_find(s, "kind") != NULL,
                "one that is as it was does");
}


/* who logs in again may be another */

static void
wag_unit_session_number(wag_unit_zone_t *s)
{
    ngx_int_t              first, kept, again, still, told;
    wag_unit_t            *u;
    wag_session_report_t   report;

    u = s->u;

    wag_unit_session_report(&report, "phone", WAG_SESSION_READY,
                            wag_unit_session_list(s, 0));
    report.number = 0;

    first = wag_session_seen(&s->us, &s->us.slots[0], &report);

    report.number = 966500000001;
    (void) wag_session_seen(&s->us, &s->us.slots[0], &report);

    report.number = 0;
    kept = wag_session_seen(&s->us, &s->us.slots[0], &report);

    wag_unit_ok(u, first == NGX_AGAIN && kept == NGX_OK,
                "a number is asked for until it is known");

    report.told = WAG_SESSION_LOGIN;
    (void) wag_session_seen(&s->us, &s->us.slots[0], &report);

    report.told = WAG_SESSION_READY;
    again = wag_session_seen(&s->us, &s->us.slots[0], &report);
    still = wag_session_seen(&s->us, &s->us.slots[0], &report);

    report.number = 966500000002;
    told = wag_session_seen(&s->us, &s->us.slots[0], &report);

    wag_unit_ok(u, again == NGX_AGAIN && still == NGX_AGAIN && told == NGX_OK
                && wag_unit_session_find(s, "phone")->number == 966500000002,
                "and again once it was not ready, until it is told");

    report.list = wag_unit_session_list(s, 0);
    wag_unit_session_complete(s, 0, report.list);

    report.list = wag_unit_session_list(s, 0);
    report.number = 0;

    wag_unit_ok(u, wag_session_seen(&s->us, &s->us.slots[0], &report)
                   == NGX_AGAIN, "so it is once it was missing");
}


/* where it was is asked before it is where it goes, and answers after */

static void
wag_unit_session_moved(wag_unit_zone_t *s)
{
    uint32_t              list, begun;
    ngx_str_t             reason;
    ngx_uint_t            i, n;
    wag_session_asked_t   late;
    wag_session_event_t  *event;

    s->us.slots[1].instance->config_gen = s->zone.root->config_gen;

    /* the others are forgotten after two */

    for (i = 0; i < 2; i++) {
        list = wag_unit_session_list(s, 0);
        wag_unit_session_seen_at(s, 0, list);
        wag_unit_session_complete(s, 0, list);
    }

    wag_unit_session_complete(s, 1, wag_unit_session_list(s, 1));

    n = s->us.group->sessions.events->n;

    wag_session_ask(&s->us, &s->us.slots[0], &late);

    begun = wag_unit_session_list(s, 1);
    wag_unit_session_seen_at(s, 1, begun);
    wag_unit_session_complete(s, 1, begun);

    wag_session_begin(&s->us, &s->us.slots[0], &late);
    wag_unit_session_seen_at(s, 0, late.number);
    wag_unit_session_complete(s, 0, late.number);

    begun = wag_unit_session_list(s, 1);
    wag_unit_session_seen_at(s, 1, begun);
    wag_unit_session_complete(s, 1, begun);

    wag_unit_ok(s->u, s->us.group->sessions.events->n == n,
                "a list that was asked for before tells nothing of a move");

    wag_unit_session_complete(s, 0, wag_unit_session_list(s, 0));
    wag_unit_session_complete(s, 0, wag_unit_session_list(s, 0));

    event = &s->us.group->sessions.events->events[n % WAG_EVENTS];
    reason.len = event->event.reason_len;
    reason.data = event->event.reason;

    wag_unit_ok(s->u, s->us.group->sessions.events->n == n + 1
                      && reason.len > sizeof("moved from ") - 1
                      && ngx_strncmp(reason.data, "moved from ",
                                     sizeof("moved from ") - 1) == 0,
                "the next one does, which is one event");
}


/* sessions that were made while a list was on its way are not in it */

static void
wag_unit_session_placed(wag_unit_zone_t *s)
{
    wag_instance_t       *instance;
    wag_session_walk_t    walk;
    wag_session_asked_t   list;

    instance = s->us.slots[0].instance;

    instance->placed = 4;
    instance->placed_known = 3;

    wag_session_ask(&s->us, &s->us.slots[0], &list);
    wag_session_begin(&s->us, &s->us.slots[0], &list);

    /* two more, one of which came to nothing */

    instance->placed = 6;
    instance->placed_known = 5;

    ngx_memzero(&walk, sizeof(wag_session_walk_t));
    (void) wag_session_complete(&s->us, &s->us.slots[0], &list, &walk);

    wag_unit_ok(s->u, instance->placed - instance->placed_known == 1,
                "one that was made since a list was asked for counts");
}


/* what is told of it in a second item is of no use */

static void
wag_unit_session_twice(wag_unit_zone_t *s)
{
    uint32_t              list;
    ngx_uint_t            n;
    wag_session_report_t  report;

    list = wag_unit_session_list(s, 0);

    wag_unit_session_report(&report, "twice", WAG_SESSION_READY, list);

    (void) wag_session_seen(&s->us, &s->us.slots[0], &report);

    n = s->us.group->sessions.events->n;

    (void) wag_unit_session_seen(s, "twice", WAG_SESSION_LOGIN, list);

    wag_unit_ok(s->u, wag_session_state(wag_unit_session_find(s, "twice"))
                      == WAG_SESSION_READY
                      && s->us.group->sessions.events->n == n,
                "one that is listed twice is what the first item says");

    report.told = WAG_SESSION_LOGIN;

    (void) wag_session_seen(&s->us, &s->us.slots[0], &report);

    wag_unit_ok(s->u, wag_session_state(wag_unit_session_find(s, "twice"))
                      == WAG_SESSION_LOGIN,
                "of that item more may be told");

    wag_unit_session_complete(s, 0, list);
}


static uint32_t
wag_unit_session_list(wag_unit_zone_t *s, ngx_uint_t slot)
{
    wag_session_asked_t  list;

    wag_session_ask(&s->us, &s->us.slots[slot], &list);
    wag_session_begin(&s->us, &s->us.slots[slot], &list);

    return list.number;
}


static void
wag_unit_session_complete(wag_unit_zone_t *s, ngx_uint_t slot, uint32_t list)
{
    wag_session_walk_t   walk;
    wag_session_asked_t  of;

    of.number = list;
    of.placed = s->us.slots[slot].instance->placed;

    ngx_memzero(&walk, sizeof(wag_session_walk_t));

    while (wag_session_complete(&s->us, &s->us.slots[slot], &of, &walk)
           == NGX_AGAIN)
    {
        /* void */
    }
}


static void
wag_unit_session_seen_at(wag_unit_zone_t *s, ngx_uint_t slot, uint32_t list)
{
    wag_session_report_t  report;

    wag_unit_session_report(&report, "moves", WAG_SESSION_READY, list);
    report.number = 966500000003;

    (void) wag_session_seen(&s->us, &s->us.slots[slot], &report);
}


static ngx_int_t
wag_unit_session_seen(wag_unit_zone_t *s, const char *name, ngx_uint_t told,
    uint32_t list)
{
    wag_session_report_t  report;

    wag_unit_session_report(&report, name, told, list);

    return wag_session_seen(&s->us, &s->us.slots[0], &report);
}


static void
wag_unit_session_report(wag_session_report_t *report, const char *name,
    ngx_uint_t told, uint32_t list)
{
    ngx_memzero(report, sizeof(wag_session_report_t));

    wag_unit_zone_session(&report->name, name, NULL);

    report->told = told;
    report->number = 966500000001;
    report->list = list;

    ngx_str_set(&report->state, "WORD");
}


static wag_session_t *
wag_unit_session_find(wag_unit_zone_t *s, const char *name)
{
    wag_session_name_t  text;

    wag_unit_zone_session(&text, name, NULL);

    return wag_sessions_find(s->us.group, 0, &text);
}
