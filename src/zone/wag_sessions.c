
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_sessions.h"
#include "wag_slots.h"


static wag_session_t *wag_sessions_unused(wag_group_t *group);
static uint32_t wag_sessions_number(wag_group_t *group,
    wag_session_t *session);
static void wag_sessions_link(wag_group_t *group, wag_session_t *session,
    uint32_t hash, ngx_uint_t slot);
static void wag_sessions_unlink(wag_group_t *group, wag_session_t *session);


#define wag_sessions_hash(label)                                              \
    ngx_crc32_short((label)->data, (label)->len)


wag_session_t *
wag_sessions_get(wag_group_t *group, ngx_uint_t n)
{
    wag_session_extent_t  *extent;

    for (extent = group->sessions.extents;
         n >= extent->n;
         extent = extent->next)
    {
        n -= extent->n;
    }

    return &extent->sessions[n];
}


wag_session_t *
wag_sessions_find(wag_group_t *group, ngx_uint_t slot,
    wag_session_name_t *name)
{
    wag_session_t  *session;

    session = NULL;

    do {
        session = wag_sessions_of_label(group, &name->label, session);

    } while (session
             && (session->slot != slot
                 || !wag_sessions_is(session, &name->name)));

    return session;
}


wag_session_t *
wag_sessions_of_label(wag_group_t *group, ngx_str_t *label,
    wag_session_t *prev)
{
    uint32_t             n, hash;
    wag_session_t       *session;
    wag_sessions_t      *table;
    wag_session_name_t   name;

    table = &group->sessions;

    if (table->buckets == NULL) {
        return NULL;
    }

    hash = wag_sessions_hash(label);

    n = prev ? prev->next : table->buckets[hash & table->mask];

    for ( /* void */ ; n; n = session->next) {
        session = wag_sessions_get(group, n - 1);

        if (session->hash != hash || !wag_used(session)) {
            continue;
        }

        wag_sessions_name(session, &name);

        if (name.label.len == label->len
            && ngx_memcmp(name.label.data, label->data, label->len) == 0)
        {
            return session;
        }
    }

    return NULL;
}


wag_session_t *
wag_sessions_of_slot(wag_group_t *group, ngx_uint_t slot, wag_session_t *prev)
{
    uint32_t        n;
    wag_session_t  *session;

    n = prev ? prev->sibling : wag_slots_get(group, slot)->sessions;

    for ( /* void */ ; n; n = session->sibling) {
        session = wag_sessions_get(group, n - 1);

        if (wag_used(session) && session->slot == slot) {
            return session;
        }
    }

    return NULL;
}


wag_session_t *
wag_sessions_put(wag_group_t *group, ngx_uint_t slot, wag_session_name_t *name)
{
    wag_session_t  *session;

    session = wag_sessions_unused(group);
    if (session == NULL) {
        return NULL;
    }

    wag_sessions_unlink(group, session);

    ngx_memcpy(session->text, name->name.data, name->name.len);
    session->name_len = name->name.len;
    session->second_len = 0;
    session->secret = name->secret;

    if (name->secret) {
        ngx_memcpy(session->text + name->name.len, name->label.data,
                   name->label.len);
        session->second_len = name->label.len;
    }

    session->number = 0;
    session->since = wag_time();
    session->seen = session->since;
    session->last_sent = 0;
    session->sent = 0;
    session->failed = 0;
    session->unknown = 0;
    session->rest = 0;
    session->list = 0;
    session->told = WAG_SESSION_DOWN;
    session->missed = 0;
    session->reason = 0;
    session->news = WAG_SESSION_TOLD;
    session->unsure = 0;
    session->was = WAG_SESSION_NONE;
    session->state_len = 0;

    ngx_memzero(&session->health, sizeof(wag_health_t));

    wag_sessions_link(group, session, wag_sessions_hash(&name->label), slot);

    (void) ngx_atomic_fetch_add(&session->incarnation, 1);

    wag_sessions_changed(group, session);

    return session;
}


/* full is full for a second: to find that out is to look at each */

static wag_session_t *
wag_sessions_unused(wag_group_t *group)
{
    ngx_uint_t       i, n, limit;
    wag_session_t   *session;
    wag_sessions_t  *table;

    table = &group->sessions;
    limit = ngx_min(table->limit, table->capacity);

    if (limit == 0
        || (table->full
            && ngx_current_msec - table->found_full < WAG_SESSIONS_FULL))
    {
        return NULL;
    }

    n = table->free;

    for (i = 0; i < limit; i++) {

        if (n >= limit) {
            n = 0;
        }

        session = wag_sessions_get(group, n++);

        if (!wag_used(session)) {
            table->free = n;
            return session;
        }
    }

    table->full++;
    table->found_full = ngx_current_msec;

    return NULL;
}


void
wag_sessions_free(wag_group_t *group, wag_session_t *session)
{
    (void) ngx_atomic_fetch_add(&session->incarnation, 1);

    wag_sessions_unlink(group, session);

    /* there is room again */

    group->sessions.full_told = 0;
    group->sessions.found_full = ngx_current_msec - WAG_SESSIONS_FULL;

    wag_sessions_changed(group, session);
}


void
wag_sessions_free_slot(wag_group_t *group, ngx_uint_t slot)
{
    wag_session_t  *session;

    while ((session = wag_sessions_of_slot(group, slot, NULL))) {
        wag_sessions_free(group, session);
    }
}


static uint32_t
wag_sessions_number(wag_group_t *group, wag_session_t *session)
{
    uint32_t               first;
    wag_session_extent_t  *extent;

    first = 1;

    for (extent = group->sessions.extents; extent; extent = extent->next) {

        if (session >= extent->sessions
            && session < extent->sessions + extent->n)
        {
            break;
        }

        first += extent->n;
    }

    return first + (uint32_t) (session - extent->sessions);
}


/* the word that makes it one of a chain is written last */

static void
wag_sessions_link(wag_group_t *group, wag_session_t *session, uint32_t hash,
    ngx_uint_t slot)
{
    uint32_t         n, *bucket;
    wag_instance_t  *instance;

    n = wag_sessions_number(group, session);

    bucket = &group->sessions.buckets[hash & group->sessions.mask];
    instance = wag_slots_get(group, slot);

    session->hash = hash;
    session->next = *bucket;

    ngx_memory_barrier();

    *bucket = n;

    session->slot = slot;
    session->sibling = instance->sessions;

    ngx_memory_barrier();

    instance->sessions = n;
}


/* whoever was killed may have left it in none of them, or in one */

static void
wag_sessions_unlink(wag_group_t *group, wag_session_t *session)
{
    uint32_t        n, *link;
    wag_session_t  *other;

    n = wag_sessions_number(group, session);

    link = &group->sessions.buckets[session->hash & group->sessions.mask];

    while (*link) {

        if (*link == n) {
            *link = session->next;
            break;
        }

        link = &wag_sessions_get(group, *link - 1)->next;
    }

    if (session->slot >= group->nslots) {
        return;
    }

    link = &wag_slots_get(group, session->slot)->sessions;

    while (*link) {

        if (*link == n) {
            *link = session->sibling;
            break;
        }

        other = wag_sessions_get(group, *link - 1);
        link = &other->sibling;
    }

    /* who uses it next need not look through the chain */

    ngx_memory_barrier();

    session->slot = WAG_SESSION_NO_SLOT;
}


/* the epoch moves last: who reads it finds what was written before */

void
wag_sessions_changed(wag_group_t *group, wag_session_t *session)
{
    ngx_uint_t       n;
    wag_sessions_t  *table;

    table = &group->sessions;

    n = table->epoch % WAG_SESSION_CHANGES;
    table->changes[n] = wag_sessions_number(group, session) - 1;

    ngx_memory_barrier();

    (void) ngx_atomic_fetch_add(&table->epoch, 1);
}


void
wag_sessions_name(wag_session_t *session, wag_session_name_t *name)
{
    name->name.data = session->text;
    name->name.len = session->name_len;
    name->label = name->name;
    name->secret = session->secret;

    if (session->secret) {
        name->label.data = session->text + session->name_len;
        name->label.len = session->second_len;
    }
}


ngx_uint_t
wag_sessions_is(wag_session_t *session, ngx_str_t *name)
{
    return session->name_len == name->len
           && ngx_memcmp(session->text, name->data, name->len) == 0;
}


void
wag_sessions_token(wag_session_t *session, ngx_str_t *token)
{
    token->data = session->text + session->name_len;
    token->len = session->secret ? 0 : session->second_len;
}


ngx_int_t
wag_sessions_set_token(wag_session_t *session, ngx_str_t *token)
{
    if (session->secret
        || session->name_len + token->len > WAG_SESSION_TEXT_LEN)
    {
        return NGX_DECLINED;
    }

    /* none while it is written: who is killed then leaves none */

    session->second_len = 0;

    ngx_memory_barrier();

    ngx_memcpy(session->text + session->name_len, token->data, token->len);

    ngx_memory_barrier();

    session->second_len = token->len;

    return NGX_OK;
}


wag_session_t *
wag_sessions_copy(wag_group_t *group, ngx_uint_t slot, wag_session_t *from)
{
    ngx_str_t            token;
    wag_session_t       *session;
    wag_session_name_t   name;

    wag_sessions_name(from, &name);

    session = wag_sessions_find(group, slot, &name);

    if (session == NULL) {
        session = wag_sessions_put(group, slot, &name);
    }

    if (session == NULL) {
        return NULL;
    }

    wag_sessions_token(from, &token);

    (void) wag_sessions_set_token(session, &token);

    session->number = from->number;
    session->since = from->since;
    session->seen = from->seen;
    session->last_sent = from->last_sent;
    session->sent = from->sent;
    session->failed = from->failed;
    session->unknown = from->unknown;
    session->rest = from->rest;
    session->health = from->health;
    session->told = from->told;
    session->reason = from->reason;
    session->list = from->list;
    session->other_list = from->other_list;
    session->missed = from->missed;
    session->news = from->news;
    session->unsure = from->unsure;
    session->was = from->was;
    session->state_len = from->state_len;

    ngx_memcpy(session->state, from->state, WAG_SESSION_STATE_LEN);

    return session;
}
