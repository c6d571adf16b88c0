
#include "wag_lock.h"
#include "wag_sessions.h"
#include "wag_table.h"
#include "wag_unit_zone.h"


#define WAG_UNIT_SESSIONS  8


static void wag_unit_sessions_plain(wag_unit_zone_t *s);
static void wag_unit_sessions_chains(wag_unit_zone_t *s);
static void wag_unit_sessions_full(wag_unit_zone_t *s);
static void wag_unit_sessions_texts(wag_unit_zone_t *s);
static void wag_unit_sessions_copied(wag_unit_zone_t *s);
static void wag_unit_sessions_slots(wag_unit_zone_t *s);
static void wag_unit_sessions_clear(wag_unit_zone_t *s);
static ngx_uint_t wag_unit_sessions_count(wag_unit_zone_t *s,
    ngx_uint_t slot);


void
wag_unit_sessions(wag_unit_t *u)
{
    wag_unit_zone_t  *s;

    s = wag_unit_zone(u);
    if (s == NULL) {
        return;
    }

    wag_unit_ok(u, sizeof(wag_session_t) <= 256,
                "a session has at most 256 bytes besides its texts");

    wag_unit_ok(u, wag_sessions_memory_size(10000)
                   - wag_sessions_memory_size(1)
                   <= 9999 * (256 + WAG_SESSION_TEXT_LEN),
                "nor has it more with what finds it, of 10,000");

    if (!wag_unit_ok(u, wag_sessions_memory_grow(s->zone.shpool, s->us.group,
                                                 WAG_UNIT_SESSIONS) == NGX_OK,
                     "room for some"))
    {
        return;
    }

    wag_lock(s->zone.shpool);

    wag_unit_sessions_plain(s);
    wag_unit_sessions_chains(s);
    wag_unit_sessions_full(s);
    wag_unit_sessions_texts(s);
    wag_unit_sessions_copied(s);
    wag_unit_sessions_slots(s);

    wag_unlock(s->zone.shpool);
}


static void
wag_unit_sessions_plain(wag_unit_zone_t *s)
{
    wag_unit_t          *u;
    wag_group_t         *group;
    wag_session_t       *one, *two;
    wag_session_name_t   name;

    u = s->u;
    group = s->us.group;

    wag_unit_zone_session(&name, "main", NULL);

    wag_unit_ok(u, wag_sessions_find(group, 0, &name) == NULL,
                "none at first");

    one = wag_sessions_put(group, 0, &name);
    two = wag_sessions_put(group, 1, &name);

    wag_unit_ok(u, one && two && one != two
                && wag_sessions_find(group, 0, &name) == one
                && wag_sessions_find(group, 1, &name) == two
                && wag_sessions_find(group, 2, &name) == NULL,
                "the same name in two slots is two sessions");

    wag_unit_ok(u, wag_sessions_of_label(group, &name.label, NULL) == two
                && wag_sessions_of_label(group, &name.label, two) == one
                && wag_sessions_of_label(group, &name.label, one) == NULL,
                "which are found by their label");

    wag_unit_ok(u, wag_sessions_of_slot(group, 0, NULL) == one
                && wag_sessions_of_slot(group, 0, one) == NULL
                && wag_sessions_of_slot(group, 2, NULL) == NULL,
                "and by their slots");

    wag_sessions_free(group, one);

    wag_unit_ok(u, wag_sessions_find(group, 0, &name) == NULL
                && wag_sessions_find(group, 1, &name) == two,
                "one that is freed leaves the other");

    wag_sessions_free(group, two);

    wag_unit_ok(u, group->sessions.buckets[two->hash & group->sessions.mask]
                   == 0
                && wag_slots_get(group, 1)->sessions == 0,
                "and nothing behind it");
}


/* all of them are in few chains, which are left in any order */

static void
wag_unit_sessions_chains(wag_unit_zone_t *s)
{
    u_char               text[16];
    ngx_uint_t           i, n, turn, found;
    wag_group_t         *group;
    wag_session_t       *session;
    wag_session_name_t   name;

    group = s->us.group;
    found = 0;

    for (turn = 0; turn < 1000; turn++) {

        for (i = 0; i < WAG_UNIT_SESSIONS; i++) {
            *ngx_sprintf(text, "s%ui", i) = '\0';
            wag_unit_zone_session(&name, (char *) text, NULL);

            session = wag_sessions_find(group, i % 2, &name);

            /* which of them are there differs from turn to turn */

            n = (turn * 7 + i * 13) % 5;

            if (n < 2 && session) {
                wag_sessions_free(group, session);

            } else if (n >= 2 && session == NULL) {
                session = wag_sessions_put(group, i % 2, &name);
                found += (session == NULL);
            }
        }

        for (i = 0, n = 0; i < WAG_UNIT_SESSIONS; i++) {
            n += wag_used(wag_sessions_get(group, i));
        }

        found += (n != wag_unit_sessions_count(s, 0)
                       + wag_unit_sessions_count(s, 1));
    }

    wag_unit_ok(s->u, found == 0, "chains have those in use, after any order");

    wag_unit_sessions_clear(s);
}


static void
wag_unit_sessions_full(wag_unit_zone_t *s)
{
    u_char               text[16];
    ngx_uint_t           i, n;
    wag_unit_t          *u;
    wag_group_t         *group;
    wag_session_t       *session;
    wag_session_name_t   name;

    u = s->u;
    group = s->us.group;
    session = NULL;

    for (i = 0, n = 0; i < WAG_UNIT_SESSIONS + 2; i++) {
        *ngx_sprintf(text, "f%ui", i) = '\0';
        wag_unit_zone_session(&name, (char *) text, NULL);

        if (wag_sessions_put(group, 0, &name)) {
            n++;
        }
    }

    wag_unit_ok(u, n == WAG_UNIT_SESSIONS, "no more than there is room for");
    wag_unit_ok(u, group->sessions.full == 1,
                "found out once in a second, not with each");

    session = wag_sessions_of_slot(group, 0, NULL);
    wag_sessions_free(group, session);

    wag_unit_ok(u, wag_sessions_put(group, 0, &name) == session,
                "one that is freed makes room at once");

    wag_unit_ok(u, wag_sessions_memory_grow(s->zone.shpool, group,
                                            2 * WAG_UNIT_SESSIONS) == NGX_OK
                && group->sessions.capacity == 2 * WAG_UNIT_SESSIONS
                && wag_sessions_find(group, 0, &name) == session,
                "more room leaves those that are there");

    wag_unit_zone_session(&name, "more", NULL);

    wag_unit_ok(u, wag_sessions_put(group, 0, &name) == NULL,
                "which is not used before it may be");

    group->sessions.limit = 2 * WAG_UNIT_SESSIONS;
    group->sessions.found_full -= 1000;

    wag_unit_ok(u, wag_sessions_put(group, 0, &name) != NULL,
                "and then is");

    wag_unit_ok(u, wag_sessions_memory_grow(s->zone.shpool, group, 100000)
                   == NGX_ERROR
                && group->sessions.capacity == 2 * WAG_UNIT_SESSIONS,
                "too much does not fit the zone");

    wag_unit_sessions_clear(s);
}


static void
wag_unit_sessions_texts(wag_unit_zone_t *s)
{
    u_char               text[WAG_SESSION_NAME_LEN + 1];
    ngx_str_t            token;
    wag_unit_t          *u;
    wag_group_t         *group;
    wag_session_t       *session;
    wag_session_name_t   name, got;

    u = s->u;
    group = s->us.group;

    wag_unit_zone_session(&name, "secret-token", "Shop");

    session = wag_sessions_put(group, 0, &name);

    wag_sessions_name(session, &got);

    wag_unit_ok(u, got.secret
                && got.name.len == 12
                && ngx_memcmp(got.name.data, "secret-token", 12) == 0
                && got.label.len == 4
                && ngx_memcmp(got.label.data, "Shop", 4) == 0,
                "a secret name has a label");

    wag_unit_ok(u, wag_sessions_of_label(group, &got.name, NULL) == NULL,
                "and is found by that alone");

    ngx_str_set(&token, "abc");

    wag_unit_ok(u, wag_sessions_set_token(session, &token) == NGX_DECLINED,
                "beside it there is no room for a token");

    ngx_memset(text, 'n', WAG_SESSION_NAME_LEN);
    text[WAG_SESSION_NAME_LEN] = '\0';

    wag_unit_zone_session(&name, (char *) text, NULL);

    session = wag_sessions_put(group, 0, &name);

    token.data = text;
    token.len = WAG_SESSION_TEXT_LEN - WAG_SESSION_NAME_LEN;

    wag_unit_ok(u, wag_sessions_set_token(session, &token) == NGX_OK,
                "a token of 64 bytes beside a name of 128");

    token.len++;

    wag_unit_ok(u, wag_sessions_set_token(session, &token) == NGX_DECLINED,
                "and no more");

    wag_sessions_token(session, &token);
    wag_sessions_name(session, &got);

    wag_unit_ok(u, token.len == 64 && got.name.len == 128
                && got.label.len == 128 && !got.secret,
                "both are as they were set");

    wag_unit_sessions_clear(s);
}


static void
wag_unit_sessions_copied(wag_unit_zone_t *s)
{
    ngx_str_t            token;
    wag_group_t         *group;
    wag_session_t       *session, *copy;
    wag_session_name_t   name;

    group = s->us.group;

    wag_unit_zone_session(&name, "main", NULL);

    session = wag_sessions_put(group, 0, &name);

    ngx_str_set(&token, "abc");
    (void) wag_sessions_set_token(session, &token);

    session->number = 966500000001;
    session->told = WAG_SESSION_READY;
    session->sent = 7;
    session->list = 17;
    session->missed = 1;
    session->news = WAG_SESSION_WENT;

    copy = wag_sessions_copy(group, 2, session);

    wag_sessions_token(copy, &token);

    wag_unit_ok(s->u, copy != session && copy->slot == 2
                && copy->number == session->number
                && copy->told == WAG_SESSION_READY
                && copy->sent == 7
                && copy->list == 17
                && copy->missed == 1
                && copy->news == WAG_SESSION_WENT
                && token.len == 3 && ngx_memcmp(token.data, "abc", 3) == 0,
                "a copy has all of it");

    wag_unit_ok(s->u, wag_sessions_copy(group, 2, session) == copy,
                "and is made once");

    wag_unit_sessions_clear(s);
}


static void
wag_unit_sessions_slots(wag_unit_zone_t *s)
{
    wag_group_t         *group;
    wag_session_name_t   name;

    group = s->us.group;

    wag_unit_zone_session(&name, "a", NULL);
    (void) wag_sessions_put(group, 0, &name);
    (void) wag_sessions_put(group, 1, &name);

    wag_unit_zone_session(&name, "b", NULL);
    (void) wag_sessions_put(group, 0, &name);

    wag_sessions_free_slot(group, 0);

    wag_unit_ok(s->u, wag_unit_sessions_count(s, 0) == 0
                && wag_unit_sessions_count(s, 1) == 1,
                "those of a slot go together");

    wag_unit_sessions_clear(s);
}


static void
wag_unit_sessions_clear(wag_unit_zone_t *s)
{
    ngx_uint_t  i;

    for (i = 0; i < s->us.nservers; i++) {
        wag_sessions_free_slot(s->us.group, i);
    }
}


static ngx_uint_t
wag_unit_sessions_count(wag_unit_zone_t *s, ngx_uint_t slot)
{
    ngx_uint_t           n;
    wag_session_t       *session;
    wag_session_name_t   name;

    n = 0;
    session = NULL;

    while ((session = wag_sessions_of_slot(s->us.group, slot, session))) {
        wag_sessions_name(session, &name);

        n += (wag_sessions_find(s->us.group, slot, &name) == session);
    }

    return n;
}
