
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_known_refresh.h"
#include "wag_lock.h"
#include "wag_secret.h"
#include "wag_sessions.h"


/* records that are copied while the lock is held */

#define WAG_KNOWN_REFRESH_STEP  64


static ngx_int_t wag_known_refresh_create(wag_upstream_t *us);
static void wag_known_refresh_copy_all(wag_upstream_t *us);
static void wag_known_refresh_copy_changed(wag_upstream_t *us);
static void wag_known_refresh_copy(wag_upstream_t *us, ngx_uint_t n);
static void wag_known_refresh_forget(wag_knowns_t *knowns, wag_known_t *known);
static void wag_known_refresh_keys(wag_known_t *known);
static ngx_uint_t wag_known_refresh_has(wag_known_t *known, ngx_uint_t key);
static void wag_known_refresh_link(wag_knowns_t *knowns, wag_known_t *known,
    ngx_uint_t key);
static void wag_known_refresh_unlink(wag_knowns_t *knowns, wag_known_t *known,
    ngx_uint_t key);
static void wag_known_refresh_judge(wag_upstream_t *us, wag_known_t *known);
static void wag_known_refresh_judge_all(wag_upstream_t *us);


ngx_int_t
wag_known_refresh(wag_upstream_t *us)
{
    wag_knowns_t    *knowns;
    wag_sessions_t  *table;

    table = &us->group->sessions;

    if (us->knowns == NULL) {

        if (wag_known_refresh_create(us) != NGX_OK) {
            return NGX_ERROR;
        }

        wag_known_refresh_copy_all(us);
    }

    knowns = us->knowns;

    if (knowns->members != us->members) {

        /* a session may have come before its instance was taken over */

        wag_known_refresh_copy_all(us);

    } else if (knowns->epoch != table->epoch) {

        if (table->epoch - knowns->epoch > WAG_SESSION_CHANGES / 2) {
            wag_known_refresh_copy_all(us);

        } else {
            wag_known_refresh_copy_changed(us);
        }
    }

    if (knowns->state_epoch != us->group->state_epoch) {
        wag_known_refresh_judge_all(us);
    }

    return NGX_OK;
}


static ngx_int_t
wag_known_refresh_create(wag_upstream_t *us)
{
    u_char        *p;
    size_t         size;
    ngx_uint_t     i, n, nbuckets;
    wag_knowns_t  *knowns;

    n = us->group->sessions.capacity;

    for (nbuckets = 16; nbuckets < n; nbuckets <<= 1) { /* void */ }

    size = sizeof(wag_knowns_t)
           + n * (sizeof(wag_known_t) + sizeof(wag_known_number_t))
           + (wag_known_word(n) + 1) * sizeof(uintptr_t)
           + WAG_KNOWN_KEYS * nbuckets * sizeof(uint32_t)
           + us->nslots * sizeof(uint32_t);

    p = ngx_pcalloc(us->zone->cycle->pool, size);
    if (p == NULL) {
        return NGX_ERROR;
    }

    knowns = (wag_knowns_t *) p;
    p += sizeof(wag_knowns_t);

    knowns->n = n;
    knowns->mask = nbuckets - 1;

    knowns->entries = (wag_known_t *) p;
    p += n * sizeof(wag_known_t);

    knowns->numbers = (wag_known_number_t *) p;
    p += n * sizeof(wag_known_number_t);

    knowns->ready = (uintptr_t *) p;
    p += (wag_known_word(n) + 1) * sizeof(uintptr_t);

    for (i = 0; i < WAG_KNOWN_KEYS; i++) {
        knowns->buckets[i] = (uint32_t *) p;
        p += nbuckets * sizeof(uint32_t);
    }

    knowns->counts = (uint32_t *) p;

    us->knowns = knowns;

    return NGX_OK;
}


/* what changes meanwhile is copied again, the epoch being the older one */

static void
wag_known_refresh_copy_all(wag_upstream_t *us)
{
    ngx_uint_t     i, n;
    wag_knowns_t  *knowns;

    knowns = us->knowns;
    knowns->epoch = us->group->sessions.epoch;
    knowns->members = us->members;

    ngx_memory_barrier();

    for (i = 0; i < knowns->n; /* void */ ) {

        wag_lock(us->zone->shpool);

        for (n = 0; n < WAG_KNOWN_REFRESH_STEP && i < knowns->n; n++) {
            wag_known_refresh_copy(us, i++);
        }

        wag_unlock(us->zone->shpool);
    }
}


static void
wag_known_refresh_copy_changed(wag_upstream_t *us)
{
    ngx_uint_t       n, changed;
    wag_knowns_t    *knowns;
    wag_sessions_t  *table;

    knowns = us->knowns;
    table = &us->group->sessions;

    while (knowns->epoch != table->epoch) {

        wag_lock(us->zone->shpool);

        if (table->epoch - knowns->epoch > WAG_SESSION_CHANGES) {
            wag_unlock(us->zone->shpool);

            wag_known_refresh_copy_all(us);
            continue;
        }

        for (n = 0;
             n < WAG_KNOWN_REFRESH_STEP && knowns->epoch != table->epoch;
             n++)
        {
            changed = table->changes[knowns->epoch % WAG_SESSION_CHANGES];

            if (changed < knowns->n) {
                wag_known_refresh_copy(us, changed);
            }

            knowns->epoch++;
        }

        wag_unlock(us->zone->shpool);
    }
}


/* the lock is held */

static void
wag_known_refresh_copy(wag_upstream_t *us, ngx_uint_t n)
{
    wag_known_t    *known;
    wag_knowns_t   *knowns;
    wag_session_t  *session;

    knowns = us->knowns;
    known = &knowns->entries[n];
    session = wag_sessions_get(us->group, n);

    knowns->numbered = 0;

    wag_known_refresh_forget(knowns, known);

    if (!wag_used(session)
        || session->slot >= us->nslots
        || (us->slots[session->slot].incarnation & 1) == 0)
    {
        return;
    }

    known->record = session;
    known->incarnation = session->incarnation;
    known->number = session->number;
    known->slot = session->slot;
    known->told = session->told;
    known->can_send = (wag_session_state(session) == WAG_SESSION_READY);
    known->secret = session->secret;
    known->name_len = session->name_len;
    known->second_len = session->second_len;

    ngx_memcpy(known->text, session->text, WAG_SESSION_TEXT_LEN);

    wag_known_refresh_keys(known);

    for (n = 0; n < WAG_KNOWN_KEYS; n++) {
        if (wag_known_refresh_has(known, n)) {
            wag_known_refresh_link(knowns, known, n);
        }
    }

    knowns->counts[known->slot]++;

    wag_known_refresh_judge(us, known);
}


static void
wag_known_refresh_forget(wag_knowns_t *knowns, wag_known_t *known)
{
    ngx_uint_t  i, n;

    if (!wag_used(known)) {
        return;
    }

    for (i = 0; i < WAG_KNOWN_KEYS; i++) {
        if (wag_known_refresh_has(known, i)) {
            wag_known_refresh_unlink(knowns, known, i);
        }
    }

    knowns->counts[known->slot]--;

    n = wag_known_index(knowns, known);

    if (knowns->ready[wag_known_word(n)] & wag_known_bit(n)) {
        knowns->ready[wag_known_word(n)] &= ~wag_known_bit(n);
        knowns->nready--;
    }

    known->incarnation = 0;
}


static void
wag_known_refresh_keys(wag_known_t *known)
{
    u_char     digits[WAG_SECRET_NAME_LEN];
    ngx_str_t  text;

    wag_known_name(known, &text);
    known->hash[WAG_KNOWN_NAME] = wag_known_crc(&text);

    if (known->number) {
        known->hash[WAG_KNOWN_NUMBER] = wag_known_crc_number(known->number);
    }

    if (!known->secret) {
        return;
    }

    wag_secret_name(&text, digits);
    known->hash[WAG_KNOWN_HASH] = ngx_crc32_short(digits, sizeof(digits));

    text.data = known->text + known->name_len;
    text.len = known->second_len;
    known->hash[WAG_KNOWN_LABEL] = wag_known_crc(&text);
}


static ngx_uint_t
wag_known_refresh_has(wag_known_t *known, ngx_uint_t key)
{
    switch (key) {

    case WAG_KNOWN_NAME:
        return 1;

    case WAG_KNOWN_NUMBER:
        return known->number != 0;

    default:
        return known->secret;
    }
}


static void
wag_known_refresh_link(wag_knowns_t *knowns, wag_known_t *known,
    ngx_uint_t key)
{
    uint32_t  *bucket;

    bucket = &knowns->buckets[key][known->hash[key] & knowns->mask];

    known->next[key] = *bucket;
    *bucket = wag_known_index(knowns, known) + 1;
}


static void
wag_known_refresh_unlink(wag_knowns_t *knowns, wag_known_t *known,
    ngx_uint_t key)
{
    uint32_t  n, *link;

    n = wag_known_index(knowns, known) + 1;

    link = &knowns->buckets[key][known->hash[key] & knowns->mask];

    while (*link != n) {
        link = &knowns->entries[*link - 1].next[key];
    }

    *link = known->next[key];
}


/* can it send: by itself, and by its instance */

static void
wag_known_refresh_judge(wag_upstream_t *us, wag_known_t *known)
{
    uintptr_t     *word;
    ngx_uint_t     n, ready, was;
    wag_peer_t    *peer;
    wag_knowns_t  *knowns;

    knowns = us->knowns;
    peer = &us->slots[known->slot];

    n = wag_known_index(knowns, known);
    word = &knowns->ready[wag_known_word(n)];

    ready = known->can_send && !peer->down && wag_available(peer->instance);
    was = (*word & wag_known_bit(n)) != 0;

    if (ready == was) {
        return;
    }

    *word ^= wag_known_bit(n);

    if (ready) {
        knowns->nready++;

    } else {
        knowns->nready--;
    }
}


/* the epoch is read first: what moves from here on is looked at again */

static void
wag_known_refresh_judge_all(wag_upstream_t *us)
{
    ngx_uint_t     i;
    wag_knowns_t  *knowns;

    knowns = us->knowns;
    knowns->state_epoch = us->group->state_epoch;

    /* weights may have moved */

    knowns->numbered = 0;

    ngx_memory_barrier();

    for (i = 0; i < knowns->n; i++) {
        if (wag_used(&knowns->entries[i])) {
            wag_known_refresh_judge(us, &knowns->entries[i]);
        }
    }
}
