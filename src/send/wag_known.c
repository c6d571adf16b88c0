
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_known.h"
#include "wag_lock.h"
#include "wag_secret.h"
#include "wag_sessions.h"


/* records that are copied while the lock is held */

#define WAG_KNOWN_STEP  64

#define WAG_KNOWN_BITS  (8 * sizeof(uintptr_t))

#define wag_known_word(n)  ((n) / WAG_KNOWN_BITS)
#define wag_known_bit(n)   ((uintptr_t) 1 << (n) % WAG_KNOWN_BITS)


struct wag_knowns_s {
    wag_known_t         *entries;    /* by the numbers of records, from 0 */
    ngx_uint_t           n;
    ngx_atomic_uint_t    epoch;      /* of the table, as far as copied */
    ngx_uint_t           state_epoch;
    ngx_uint_t           members;    /* of the peers when copied */

    uint32_t            *buckets[WAG_KNOWN_KEYS];
    ngx_uint_t           mask;

    uintptr_t           *ready;      /* a bit for each that can send */
    ngx_uint_t           nready;
    uint32_t            *counts;     /* of sessions, by slot */

    wag_known_number_t  *numbers;    /* each once */
    ngx_uint_t           nnumbers;
    ngx_uint_t           numbered;   /* unsigned  numbered:1; they are so */
};


static ngx_int_t wag_known_create(wag_upstream_t *us);
static void wag_known_copy_all(wag_upstream_t *us);
static void wag_known_copy_changed(wag_upstream_t *us);
static void wag_known_copy(wag_upstream_t *us, ngx_uint_t n);
static void wag_known_forget(wag_knowns_t *knowns, wag_known_t *known);
static void wag_known_keys(wag_known_t *known);
static void wag_known_link(wag_knowns_t *knowns, wag_known_t *known,
    ngx_uint_t key);
static void wag_known_unlink(wag_knowns_t *knowns, wag_known_t *known,
    ngx_uint_t key);
static ngx_uint_t wag_known_has(wag_known_t *known, ngx_uint_t key);
static void wag_known_judge(wag_upstream_t *us, wag_known_t *known);
static void wag_known_judge_all(wag_upstream_t *us);
static wag_known_t *wag_known_chain(wag_knowns_t *knowns, ngx_uint_t key,
    uint32_t hash, wag_known_t *prev);
static ngx_uint_t wag_known_found_by(wag_known_t *known, uint32_t hash);
static uint32_t wag_known_number_hash(uint64_t number);
static ngx_uint_t wag_known_is_first(wag_upstream_t *us, wag_known_t *known,
    wag_known_number_t *number);
static ngx_uint_t wag_known_label_is_unique(wag_knowns_t *knowns,
    wag_known_t *known);
static wag_known_t *wag_known_ready_in(wag_knowns_t *knowns, ngx_uint_t from,
    ngx_uint_t to);


#define wag_known_same(one, two)                                              \
    ((one)->len == (two)->len                                                 \
     && ngx_memcmp((one)->data, (two)->data, (one)->len) == 0)

#define wag_known_crc(text)                                                   \
    ngx_crc32_short((text)->data, (text)->len)

#define wag_known_index(knowns, known)                                        \
    ((ngx_uint_t) ((known) - (knowns)->entries))


ngx_int_t
wag_known_refresh(wag_upstream_t *us)
{
    wag_knowns_t    *knowns;
    wag_sessions_t  *table;

    table = &us->group->sessions;

    if (us->knowns == NULL) {

        if (wag_known_create(us) != NGX_OK) {
            return NGX_ERROR;
        }

        wag_known_copy_all(us);
    }

    knowns = us->knowns;

    if (knowns->members != us->members) {

        /* a session may have come before its instance was taken over */

        wag_known_copy_all(us);

    } else if (knowns->epoch != table->epoch) {

        if (table->epoch - knowns->epoch > WAG_SESSION_CHANGES / 2) {
            wag_known_copy_all(us);

        } else {
            wag_known_copy_changed(us);
        }
    }

    if (knowns->state_epoch != us->group->state_epoch) {
        wag_known_judge_all(us);
    }

    return NGX_OK;
}


static ngx_int_t
wag_known_create(wag_upstream_t *us)
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
wag_known_copy_all(wag_upstream_t *us)
{
    ngx_uint_t     i, n;
    wag_knowns_t  *knowns;

    knowns = us->knowns;
    knowns->epoch = us->group->sessions.epoch;
    knowns->members = us->members;

    ngx_memory_barrier();

    for (i = 0; i < knowns->n; /* void */ ) {

        wag_lock(us->zone->shpool);

        for (n = 0; n < WAG_KNOWN_STEP && i < knowns->n; n++) {
            wag_known_copy(us, i++);
        }

        wag_unlock(us->zone->shpool);
    }
}


static void
wag_known_copy_changed(wag_upstream_t *us)
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

            wag_known_copy_all(us);
            continue;
        }

        for (n = 0;
             n < WAG_KNOWN_STEP && knowns->epoch != table->epoch;
             n++)
        {
            changed = table->changes[knowns->epoch % WAG_SESSION_CHANGES];

            if (changed < knowns->n) {
                wag_known_copy(us, changed);
            }

            knowns->epoch++;
        }

        wag_unlock(us->zone->shpool);
    }
}


/* the lock is held */

static void
wag_known_copy(wag_upstream_t *us, ngx_uint_t n)
{
    wag_known_t    *known;
    wag_knowns_t   *knowns;
    wag_session_t  *session;

    knowns = us->knowns;
    known = &knowns->entries[n];
    session = wag_sessions_get(us->group, n);

    knowns->numbered = 0;

    wag_known_forget(knowns, known);

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

    wag_known_keys(known);

    for (n = 0; n < WAG_KNOWN_KEYS; n++) {
        if (wag_known_has(known, n)) {
            wag_known_link(knowns, known, n);
        }
    }

    knowns->counts[known->slot]++;

    wag_known_judge(us, known);
}


static void
wag_known_forget(wag_knowns_t *knowns, wag_known_t *known)
{
    ngx_uint_t  i, n;

    if (!wag_used(known)) {
        return;
    }

    for (i = 0; i < WAG_KNOWN_KEYS; i++) {
        if (wag_known_has(known, i)) {
            wag_known_unlink(knowns, known, i);
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
wag_known_keys(wag_known_t *known)
{
    u_char     digits[WAG_SECRET_NAME_LEN];
    ngx_str_t  text;

    wag_known_name(known, &text);
    known->hash[WAG_KNOWN_NAME] = wag_known_crc(&text);

    if (known->number) {
        known->hash[WAG_KNOWN_NUMBER] = wag_known_number_hash(known->number);
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
wag_known_has(wag_known_t *known, ngx_uint_t key)
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
wag_known_link(wag_knowns_t *knowns, wag_known_t *known, ngx_uint_t key)
{
    uint32_t  *bucket;

    bucket = &knowns->buckets[key][known->hash[key] & knowns->mask];

    known->next[key] = *bucket;
    *bucket = wag_known_index(knowns, known) + 1;
}


static void
wag_known_unlink(wag_knowns_t *knowns, wag_known_t *known, ngx_uint_t key)
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
wag_known_judge(wag_upstream_t *us, wag_known_t *known)
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
wag_known_judge_all(wag_upstream_t *us)
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
            wag_known_judge(us, &knowns->entries[i]);
        }
    }
}


static wag_known_t *
wag_known_chain(wag_knowns_t *knowns, ngx_uint_t key, uint32_t hash,
    wag_known_t *prev)
{
    uint32_t      n;
    wag_known_t  *known;

    n = prev ? prev->next[key] : knowns->buckets[key][hash & knowns->mask];

    while (n) {
        known = &knowns->entries[n - 1];

        if (known->hash[key] == hash) {
            return known;
        }

        n = known->next[key];
    }

    return NULL;
}


wag_known_t *
wag_known_by_name(wag_upstream_t *us, ngx_str_t *name, wag_known_t *prev)
{
    uint32_t   hash;
    ngx_str_t  text;

    hash = prev ? prev->hash[WAG_KNOWN_NAME] : wag_known_crc(name);

    while ((prev = wag_known_chain(us->knowns, WAG_KNOWN_NAME, hash, prev))) {
        wag_known_name(prev, &text);

        if (wag_known_same(&text, name)) {
            return prev;
        }
    }

    return NULL;
}


/* those that are no secret come first, then by label, then by digits */

wag_known_t *
wag_known_by_shown(wag_upstream_t *us, ngx_str_t *shown, wag_known_t *prev)
{
    uint32_t      hash;
    ngx_uint_t    key;
    wag_known_t  *known;

    hash = wag_known_crc(shown);
    known = prev;

    /* from where the last one was found */

    for (key = prev ? wag_known_found_by(prev, hash) : WAG_KNOWN_NAME;
         key <= WAG_KNOWN_HASH;
         key++)
    {
        while ((known = wag_known_chain(us->knowns, key, hash, known))) {
            if (wag_known_found_by(known, hash) == key
                && wag_known_is_shown_as(us, known, shown))
            {
                return known;
            }
        }
    }

    return NULL;
}


/*
 * The key of what is shown with this hash: one of several that may have it, as
 * a label may be the digits, or the name.
 */

static ngx_uint_t
wag_known_found_by(wag_known_t *known, uint32_t hash)
{
    if (!known->secret) {
        return WAG_KNOWN_NAME;
    }

    return (known->hash[WAG_KNOWN_LABEL] == hash) ? WAG_KNOWN_LABEL
                                                  : WAG_KNOWN_HASH;
}


wag_known_t *
wag_known_by_number(wag_upstream_t *us, uint64_t number, wag_known_t *prev)
{
    while ((prev = wag_known_chain(us->knowns, WAG_KNOWN_NUMBER,
                                   wag_known_number_hash(number), prev)))
    {
        if (prev->number == number) {
            return prev;
        }
    }

    return NULL;
}


static uint32_t
wag_known_number_hash(uint64_t number)
{
    return ngx_crc32_short((u_char *) &number, sizeof(uint64_t));
}


wag_known_number_t *
wag_known_numbers(wag_upstream_t *us, ngx_uint_t *n)
{
    ngx_uint_t           i;
    wag_known_t         *known;
    wag_knowns_t        *knowns;
    wag_known_number_t  *number;

    knowns = us->knowns;

    if (!knowns->numbered) {
        knowns->nnumbers = 0;

        for (i = 0; i < knowns->n; i++) {
            known = &knowns->entries[i];
            number = &knowns->numbers[knowns->nnumbers];

            if (wag_used(known)
                && known->number
                && wag_known_is_first(us, known, number))
            {
                knowns->nnumbers++;
            }
        }

        knowns->numbered = 1;
    }

    *n = knowns->nnumbers;

    return knowns->numbers;
}


/* of those with its number; its weight is the greatest of their instances' */

static ngx_uint_t
wag_known_is_first(wag_upstream_t *us, wag_known_t *known,
    wag_known_number_t *number)
{
    wag_known_t  *other;

    number->number = known->number;
    number->weight = 0;

    other = NULL;

    while ((other = wag_known_by_number(us, known->number, other))) {

        if (other < known) {
            return 0;
        }

        number->weight = ngx_max(number->weight,
                                 us->slots[other->slot].weight);
    }

    return 1;
}


wag_known_t *
wag_known_next(wag_upstream_t *us, wag_known_t *prev)
{
    ngx_uint_t     i;
    wag_knowns_t  *knowns;

    knowns = us->knowns;

    for (i = prev ? wag_known_index(knowns, prev) + 1 : 0;
         i < knowns->n;
         i++)
    {
        if (wag_used(&knowns->entries[i])) {
            return &knowns->entries[i];
        }
    }

    return NULL;
}


ngx_uint_t
wag_known_ready(wag_upstream_t *us)
{
    return us->knowns->nready;
}


ngx_uint_t
wag_known_is_ready(wag_upstream_t *us, wag_known_t *known)
{
    ngx_uint_t  n;

    n = wag_known_index(us->knowns, known);

    return (us->knowns->ready[wag_known_word(n)] & wag_known_bit(n)) != 0;
}


ngx_msec_t
wag_known_rest(wag_known_t *known)
{
    ngx_msec_t  rest;

    rest = known->record->rest;

    return (rest && (ngx_msec_int_t) (rest - ngx_current_msec) > 0)
           ? rest - ngx_current_msec : 0;
}


wag_known_t *
wag_known_ready_from(wag_upstream_t *us, ngx_uint_t n)
{
    uintptr_t      word;
    ngx_uint_t     i, count;
    wag_knowns_t  *knowns;

    knowns = us->knowns;

    if (knowns->nready == 0) {
        return NULL;
    }

    n %= knowns->nready;

    for (i = 0; /* void */ ; i++) {
        count = __builtin_popcountl(knowns->ready[i]);

        if (n < count) {
            break;
        }

        n -= count;
    }

    for (word = knowns->ready[i]; n; n--) {
        word &= word - 1;
    }

    return &knowns->entries[i * WAG_KNOWN_BITS + __builtin_ctzl(word)];
}


wag_known_t *
wag_known_ready_after(wag_upstream_t *us, wag_known_t *known)
{
    ngx_uint_t     n;
    wag_known_t   *next;
    wag_knowns_t  *knowns;

    knowns = us->knowns;
    n = wag_known_index(knowns, known) + 1;

    next = wag_known_ready_in(knowns, n, knowns->n);

    return next ? next : wag_known_ready_in(knowns, 0, n);
}


static wag_known_t *
wag_known_ready_in(wag_knowns_t *knowns, ngx_uint_t from, ngx_uint_t to)
{
    uintptr_t   word;
    ngx_uint_t  n;

    for (n = from; n < to; /* void */ ) {

        word = knowns->ready[wag_known_word(n)] >> (n % WAG_KNOWN_BITS);

        if (word) {
            n += __builtin_ctzl(word);

            return (n < to) ? &knowns->entries[n] : NULL;
        }

        n += WAG_KNOWN_BITS - n % WAG_KNOWN_BITS;
    }

    return NULL;
}


ngx_uint_t
wag_known_of_slot(wag_upstream_t *us, ngx_uint_t slot)
{
    return us->knowns->counts[slot];
}


void
wag_known_name(wag_known_t *known, ngx_str_t *name)
{
    name->data = known->text;
    name->len = known->name_len;
}


void
wag_known_token(wag_known_t *known, ngx_str_t *token)
{
    token->data = known->text + known->name_len;
    token->len = known->secret ? 0 : known->second_len;
}


size_t
wag_known_shown(wag_upstream_t *us, wag_known_t *known, u_char *buf)
{
    ngx_str_t  name;

    wag_known_name(known, &name);

    if (!known->secret) {
        ngx_memcpy(buf, name.data, name.len);
        return name.len;
    }

    if (!wag_known_label_is_unique(us->knowns, known)) {
        wag_secret_name(&name, buf);
        return WAG_SECRET_NAME_LEN;
    }

    ngx_memcpy(buf, known->text + known->name_len, known->second_len);

    return known->second_len;
}


ngx_uint_t
wag_known_is_shown_as(wag_upstream_t *us, wag_known_t *known, ngx_str_t *shown)
{
    u_char     buf[WAG_SESSION_NAME_LEN];
    ngx_str_t  text;

    text.data = buf;
    text.len = wag_known_shown(us, known, buf);

    return wag_known_same(&text, shown);
}


static ngx_uint_t
wag_known_label_is_unique(wag_knowns_t *knowns, wag_known_t *known)
{
    uint32_t      hash;
    ngx_str_t     name, label, other;
    wag_known_t  *found;

    wag_known_name(known, &name);

    label.data = known->text + known->name_len;
    label.len = known->second_len;

    hash = known->hash[WAG_KNOWN_LABEL];
    found = NULL;

    while ((found = wag_known_chain(knowns, WAG_KNOWN_LABEL, hash, found))) {

        other.data = found->text + found->name_len;
        other.len = found->second_len;

        if (!wag_known_same(&other, &label)) {
            continue;
        }

        wag_known_name(found, &other);

        if (!wag_known_same(&other, &name)) {
            return 0;
        }
    }

    /* nor has one that is no secret */

    hash = wag_known_crc(&label);

    while ((found = wag_known_chain(knowns, WAG_KNOWN_NAME, hash, found))) {

        wag_known_name(found, &other);

        if (!found->secret && wag_known_same(&other, &label)) {
            return 0;
        }
    }

    return 1;
}


ngx_uint_t
wag_known_is_copy(wag_upstream_t *us, wag_known_t *known)
{
    ngx_str_t      name;
    wag_known_t   *other;
    wag_server_t  *server, *s;

    if (known->told != WAG_SESSION_STOPPED) {
        return 0;
    }

    server = us->slots[known->slot].server;
    other = NULL;

    wag_known_name(known, &name);

    while ((other = wag_known_by_name(us, &name, other))) {
        s = us->slots[other->slot].server;

        if (other->told != WAG_SESSION_STOPPED && s->vendor == server->vendor)
        {
            return 1;
        }
    }

    return 0;
}
