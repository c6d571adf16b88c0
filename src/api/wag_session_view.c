
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_lock.h"
#include "wag_session_change.h"
#include "wag_session_move.h"
#include "wag_session_view.h"


/* sessions that are looked at while the lock is held */

#define WAG_SESSION_VIEW_STEP  64


static ngx_uint_t wag_session_view_shown(wag_upstream_t *us,
    wag_session_t *session, wag_key_t *key);
static ngx_uint_t wag_session_view_state(wag_peer_t *peer,
    wag_session_t *session);
static ngx_int_t wag_session_view_copy(wag_upstream_t *us, wag_peer_t *peer,
    ngx_str_t *instance, wag_session_t *session, ngx_array_t *views);
static int ngx_libc_cdecl wag_session_view_compare(const void *one,
    const void *two);


void
wag_session_view_count(wag_upstream_t *us, wag_peer_t *peer, wag_key_t *key,
    wag_session_count_t *count)
{
    ngx_uint_t      n;
    wag_session_t  *session;

    ngx_memzero(count, sizeof(wag_session_count_t));

    if (peer->server->vendor == NULL) {
        return;
    }

    n = 0;
    session = NULL;

    wag_lock(us->zone->shpool);

    while ((session = wag_sessions_of_slot(us->group, peer->slot, session))) {

        if (wag_session_view_shown(us, session, key)) {
            count->total++;
            count->states[wag_session_view_state(peer, session)]++;
        }

        /* records stay where they are; those that wait have their turn */

        if (++n % WAG_SESSION_VIEW_STEP == 0) {
            wag_unlock(us->zone->shpool);
            wag_lock(us->zone->shpool);
        }
    }

    wag_unlock(us->zone->shpool);
}


/* the lock is held */

static ngx_uint_t
wag_session_view_shown(wag_upstream_t *us, wag_session_t *session,
    wag_key_t *key)
{
    ngx_str_t  shown;
    u_char     name[WAG_SESSION_NAME_LEN];

    if (wag_session_move_hides(us, session)) {
        return 0;
    }

    if (!wag_keys_is_limited(key)) {
        return 1;
    }

    shown.len = wag_session_shown(us->group, session, name);
    shown.data = name;

    return wag_keys_allows(key, &shown, session->number);
}


/* nobody can send where the instance is down, whatever it said before */

static ngx_uint_t
wag_session_view_state(wag_peer_t *peer, wag_session_t *session)
{
    if (peer->down || !wag_available(peer->instance)) {
        return WAG_SESSION_DOWN;
    }

    return wag_session_state(session);
}


ngx_int_t
wag_session_view_take(wag_upstream_t *us, wag_peer_t *peer, wag_key_t *key,
    ngx_array_t *views, ngx_uint_t *looked)
{
    ngx_int_t       rc;
    ngx_str_t       name;
    ngx_uint_t      first;
    wag_session_t  *session;

    *looked = 0;

    if (peer->server->vendor == NULL) {
        return NGX_OK;
    }

    rc = NGX_OK;
    session = NULL;
    first = views->nelts;

    /* the peer may be another one's when this is told */

    name = peer->name;

    if (peer->server->refs) {

        name.data = ngx_pstrdup(views->pool, &peer->name);
        if (name.data == NULL) {
            return NGX_ERROR;
        }
    }

    wag_lock(us->zone->shpool);

    while (rc == NGX_OK
           && (session = wag_sessions_of_slot(us->group, peer->slot, session)))
    {
        if (wag_session_view_shown(us, session, key)) {
            rc = wag_session_view_copy(us, peer, &name, session, views);
        }

        if (++*looked % WAG_SESSION_VIEW_STEP == 0) {
            wag_unlock(us->zone->shpool);
            wag_lock(us->zone->shpool);
        }
    }

    wag_unlock(us->zone->shpool);

    if (rc == NGX_OK && views->nelts > first) {
        ngx_qsort((wag_session_view_t *) views->elts + first,
                  views->nelts - first, sizeof(wag_session_view_t),
                  wag_session_view_compare);
    }

    return rc;
}


static ngx_int_t
wag_session_view_copy(wag_upstream_t *us, wag_peer_t *peer,
    ngx_str_t *instance, wag_session_t *session, ngx_array_t *views)
{
    u_char               name[WAG_SESSION_NAME_LEN];
    wag_session_view_t  *v;

    v = ngx_array_push(views);
    if (v == NULL) {
        return NGX_ERROR;
    }

    v->instance = *instance;
    v->vendor = peer->server->vendor;
    v->state = wag_session_view_state(peer, session);
    v->reason = NULL;
    v->number = session->number;
    v->since = session->since;
    v->seen = session->seen;
    v->last_sent = session->last_sent;
    v->sent = session->sent;
    v->failed = session->failed;
    v->unknown = session->unknown;

    if (v->state == WAG_SESSION_DOWN) {

        if (wag_session_state(session) != WAG_SESSION_DOWN) {
            v->reason = "instance down";

        } else if (session->missed) {
            v->reason = "not listed";

        } else if (session->reason == WAG_SESSION_SUSPECT) {
            v->reason = "suspect";

        } else if (session->reason == WAG_SESSION_SILENT) {
            v->reason = "no answer";
        }
    }

    v->name.len = wag_session_shown(us->group, session, name);
    v->word.len = session->state_len;

    v->name.data = ngx_pnalloc(views->pool, v->name.len + v->word.len);
    if (v->name.data == NULL) {
        return NGX_ERROR;
    }

    v->word.data = ngx_cpymem(v->name.data, name, v->name.len);
    ngx_memcpy(v->word.data, session->state, v->word.len);

    return NGX_OK;
}


static int ngx_libc_cdecl
wag_session_view_compare(const void *one, const void *two)
{
    int                  rc;
    ngx_str_t           *a, *b;

    a = &((wag_session_view_t *) one)->name;
    b = &((wag_session_view_t *) two)->name;

    rc = ngx_memcmp(a->data, b->data, ngx_min(a->len, b->len));

    if (rc == 0) {
        rc = (a->len > b->len) - (a->len < b->len);
    }

    return rc;
}
