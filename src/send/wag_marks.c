
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_marks.h"


/* what a cell is; memory that was never used is zero */

#define WAG_CELL_FREE  0
#define WAG_CELL_MARK  1
#define WAG_CELL_DATA  2

/* ms between two looks at all marks for those that expired */

#define WAG_MARKS_SWEEP  1000

#define wag_marks_cells(m)                                                    \
    ((wag_cell_t *) ((u_char *) (m) + wag_marks_header))

#define wag_marks_buckets(m)                                                  \
    ((uint32_t *) (wag_marks_cells(m) + (m)->ncells))

#define wag_marks_header                                                      \
    ngx_align(sizeof(wag_marks_t), WAG_MARKS_CELL)


static void wag_marks_begin(wag_marks_t *m);
static void wag_marks_end(wag_marks_t *m);
static void wag_marks_recover(wag_marks_t *m);
static void wag_marks_recover_answers(wag_marks_t *m);
static ngx_uint_t wag_marks_is_whole(wag_marks_t *m, uint32_t n);
static uint32_t *wag_marks_bucket(wag_marks_t *m, u_char *id);
static uint32_t wag_marks_find(wag_marks_t *m, wag_marks_key_t *key);
static ngx_uint_t wag_marks_expired(wag_cell_t *cell, ngx_msec_t now);
static ngx_uint_t wag_marks_found(wag_marks_t *m, wag_marks_key_t *key,
    uint32_t n);
static void wag_marks_insert(wag_marks_t *m, wag_marks_key_t *key,
    uint32_t n);
static void wag_marks_remove(wag_marks_t *m, uint32_t n);
static uint32_t wag_marks_alloc(wag_marks_t *m, uint32_t owner);
static void wag_marks_free(wag_marks_t *m, uint32_t n);
static void wag_marks_sweep_locked(wag_marks_t *m, ngx_msec_t now,
    wag_marks_alive_pt alive, int32_t pid);
static void wag_marks_store(wag_marks_t *m, uint32_t n, u_char *answer,
    size_t len);
static void wag_marks_drop(wag_marks_t *m, uint32_t n);
static void wag_marks_link(wag_marks_t *m, uint32_t n);
static void wag_marks_unlink(wag_marks_t *m, uint32_t n);
static wag_cell_t *wag_marks_own(wag_marks_t *m, wag_marks_key_t *key);
static void wag_marks_copy(wag_marks_t *m, wag_marks_t *old, uint32_t from);
static void wag_marks_copy_answer(wag_marks_t *m, wag_marks_t *old,
    uint32_t from);


ngx_int_t
wag_marks_init(wag_marks_t *m, size_t size)
{
    size_t    n;
    uint32_t  nbuckets;

    if (size < wag_marks_header + 16 * WAG_MARKS_CELL) {
        return NGX_DECLINED;
    }

    size -= wag_marks_header;

    n = ngx_min(size / WAG_MARKS_CELL, (size_t) NGX_MAX_INT32_VALUE / 2);

    for (nbuckets = 1; nbuckets < n / 2; nbuckets *= 2) { /* void */ }

    n = ngx_min(n, (size - nbuckets * sizeof(uint32_t)) / WAG_MARKS_CELL);

    ngx_memzero(m, wag_marks_header);

    m->ncells = n;
    m->nbuckets = nbuckets;

    /* cell 0 is none: 0 is the end of all chains */

    m->begun = 1;

    ngx_memzero(wag_marks_buckets(m), nbuckets * sizeof(uint32_t));

    return NGX_OK;
}


/* whoever died in between has left it dirty */

static void
wag_marks_begin(wag_marks_t *m)
{
    if (m->dirty) {
        wag_marks_recover(m);
    }

    m->dirty = 1;

    ngx_memory_barrier();
}


static void
wag_marks_end(wag_marks_t *m)
{
    ngx_memory_barrier();

    m->dirty = 0;
}


static void
wag_marks_recover(wag_marks_t *m)
{
    uint32_t     i, *bucket;
    wag_cell_t  *cell;

    cell = wag_marks_cells(m);

    ngx_memzero(wag_marks_buckets(m), m->nbuckets * sizeof(uint32_t));

    /* the one that was taken last may have become something */

    if (m->begun < m->ncells && cell[m->begun].type != WAG_CELL_FREE) {
        m->begun++;
    }

    m->nmarks = 0;

    for (i = 1; i < m->begun; i++) {

        if (cell[i].type == WAG_CELL_MARK) {
            bucket = wag_marks_bucket(m, cell[i].u.mark.id);

            cell[i].next = *bucket;
            *bucket = i;

            m->nmarks++;
        }
    }

    wag_marks_recover_answers(m);

    m->free = 0;
    m->nfree = 0;

    for (i = m->begun - 1; i > 0; i--) {

        if (cell[i].type == WAG_CELL_DATA
            && cell[cell[i].u.data.owner].type == WAG_CELL_MARK
            && cell[cell[i].u.data.owner].u.mark.answer)
        {
            continue;
        }

        if (cell[i].type != WAG_CELL_MARK) {
            wag_marks_free(m, i);
        }
    }
}


/* those that are whole; the order is lost, which is that of giving way only */

static void
wag_marks_recover_answers(wag_marks_t *m)
{
    uint32_t     i;
    wag_cell_t  *cell;

    cell = wag_marks_cells(m);

    m->newest = 0;
    m->oldest = 0;
    m->nanswers = 0;

    for (i = 1; i < m->begun; i++) {

        if (cell[i].type != WAG_CELL_MARK || cell[i].u.mark.answer == 0) {
            continue;
        }

        if (wag_marks_is_whole(m, i)) {
            wag_marks_link(m, i);

        } else {
            cell[i].u.mark.answer = 0;
        }
    }
}


static ngx_uint_t
wag_marks_is_whole(wag_marks_t *m, uint32_t n)
{
    size_t       len;
    uint32_t     i;
    wag_cell_t  *cell;

    cell = wag_marks_cells(m);
    len = cell[n].u.mark.len;

    if (len == 0 || len > WAG_MARKS_ANSWER_LEN) {
        return 0;
    }

    for (i = cell[n].u.mark.answer; /* void */ ; i = cell[i].next) {

        if (i == 0 || i >= m->begun
            || cell[i].type != WAG_CELL_DATA
            || cell[i].u.data.owner != n)
        {
            return 0;
        }

        if (len <= WAG_MARKS_DATA) {
            return cell[i].next == 0;
        }

        len -= WAG_MARKS_DATA;
    }
}


static uint32_t *
wag_marks_bucket(wag_marks_t *m, u_char *id)
{
    uint32_t  hash;

    ngx_memcpy(&hash, id, sizeof(uint32_t));

    return &wag_marks_buckets(m)[hash & (m->nbuckets - 1)];
}


static uint32_t
wag_marks_find(wag_marks_t *m, wag_marks_key_t *key)
{
    uint32_t     i;
    wag_cell_t  *cell;

    cell = wag_marks_cells(m);

    for (i = *wag_marks_bucket(m, key->id); i; i = cell[i].next) {
        if (ngx_memcmp(cell[i].u.mark.id, key->id, WAG_DIGEST_LEN) == 0) {
            break;
        }
    }

    return i;
}


/* one in flight does not, however long it takes */

static ngx_uint_t
wag_marks_expired(wag_cell_t *cell, ngx_msec_t now)
{
    return cell->u.mark.state != WAG_MARK_IN_FLIGHT
           && (ngx_msec_int_t) (cell->u.mark.expires - now) <= 0;
}


ngx_uint_t
wag_marks_look(wag_marks_t *m, wag_marks_key_t *key)
{
    uint32_t    n;
    ngx_uint_t  found;

    wag_marks_begin(m);

    n = wag_marks_find(m, key);

    found = (n == 0 || wag_marks_expired(&wag_marks_cells(m)[n], key->now))
            ? WAG_MARK_NONE : wag_marks_found(m, key, n);

    wag_marks_end(m);

    return found;
}


ngx_uint_t
wag_marks_claim(wag_marks_t *m, wag_marks_key_t *key)
{
    uint32_t    n;
    ngx_uint_t  found;

    wag_marks_begin(m);

    found = WAG_MARK_NONE;
    n = wag_marks_find(m, key);

    if (n && wag_marks_expired(&wag_marks_cells(m)[n], key->now)) {
        wag_marks_remove(m, n);
        n = 0;
    }

    if (n) {
        found = wag_marks_found(m, key, n);

    } else if (m->closed
               || (m->refuse && (ngx_msec_int_t) (m->refuse - key->now) > 0))
    {
        found = WAG_MARK_FULL;

    } else {

        if (m->free == 0 && m->begun == m->ncells
            && key->now - m->swept >= WAG_MARKS_SWEEP)
        {
            wag_marks_sweep_locked(m, key->now, key->alive, 0);
        }

        n = wag_marks_alloc(m, 0);

        if (n) {
            wag_marks_insert(m, key, n);
            m->counters.claimed++;

        } else {
            found = WAG_MARK_FULL;
        }
    }

    switch (found) {

    case WAG_MARK_NONE:
        break;

    case WAG_MARK_IN_FLIGHT:
        m->counters.in_flight++;
        break;

    case WAG_MARK_REUSED:
        m->counters.reused++;
        break;

    case WAG_MARK_FULL:
        m->counters.full++;
        break;

    default:
        m->counters.replayed++;
    }

    wag_marks_end(m);

    return found;
}


static ngx_uint_t
wag_marks_found(wag_marks_t *m, wag_marks_key_t *key, uint32_t n)
{
    wag_cell_t  *cell;

    cell = &wag_marks_cells(m)[n];

    if (ngx_memcmp(cell->u.mark.request, key->request, WAG_DIGEST_LEN) != 0) {
        return WAG_MARK_REUSED;
    }

    if (cell->u.mark.state == WAG_MARK_IN_FLIGHT
        && !key->alive(cell->u.mark.pid))
    {
        cell->u.mark.state = WAG_MARK_UNKNOWN;
        m->counters.orphaned++;
    }

    key->mark = n;
    key->serial = cell->u.mark.serial;
    key->status = cell->u.mark.status;
    key->len = cell->u.mark.answer ? cell->u.mark.len : 0;

    return cell->u.mark.state;
}


static void
wag_marks_insert(wag_marks_t *m, wag_marks_key_t *key, uint32_t n)
{
    uint32_t    *bucket;
    wag_cell_t  *cell;

    cell = &wag_marks_cells(m)[n];

    ngx_memzero(&cell->u, sizeof(cell->u));
    ngx_memcpy(cell->u.mark.id, key->id, WAG_DIGEST_LEN);
    ngx_memcpy(cell->u.mark.request, key->request, WAG_DIGEST_LEN);

    cell->u.mark.expires = key->now + key->ttl;
    cell->u.mark.pid = key->pid;
    cell->u.mark.serial = ++m->serial;
    cell->u.mark.state = WAG_MARK_IN_FLIGHT;

    ngx_memory_barrier();

    cell->type = WAG_CELL_MARK;

    bucket = wag_marks_bucket(m, key->id);

    cell->next = *bucket;
    *bucket = n;

    m->nmarks++;

    key->mark = n;
    key->serial = cell->u.mark.serial;
}


static void
wag_marks_remove(wag_marks_t *m, uint32_t n)
{
    uint32_t    *p;
    wag_cell_t  *cell;

    cell = wag_marks_cells(m);

    wag_marks_drop(m, n);

    for (p = wag_marks_bucket(m, cell[n].u.mark.id); *p; p = &cell[*p].next) {
        if (*p == n) {
            *p = cell[n].next;
            break;
        }
    }

    m->nmarks--;

    wag_marks_free(m, n);
}


/*
 * A cell: a free one, or of the answer that is there for longest, but for that
 * of this owner; 0 if there is none.
 */

static uint32_t
wag_marks_alloc(wag_marks_t *m, uint32_t owner)
{
    uint32_t  n;

    if (m->free == 0 && m->begun < m->ncells) {
        return m->begun++;
    }

    while (m->free == 0 && m->oldest && m->oldest != owner) {
        m->counters.dropped++;
        wag_marks_drop(m, m->oldest);
    }

    n = m->free;

    if (n) {
        m->free = wag_marks_cells(m)[n].next;
        m->nfree--;
    }

    return n;
}


static void
wag_marks_free(wag_marks_t *m, uint32_t n)
{
    wag_cell_t  *cell;

    cell = &wag_marks_cells(m)[n];

    cell->type = WAG_CELL_FREE;
    cell->next = m->free;

    m->free = n;
    m->nfree++;
}


void
wag_marks_read(wag_marks_t *m, wag_marks_key_t *key, u_char *buf)
{
    size_t       len, size;
    uint32_t     i;
    wag_cell_t  *cell;

    cell = wag_marks_cells(m);

    i = cell[key->mark].u.mark.answer;

    for (len = key->len; len; len -= size) {
        size = ngx_min(len, WAG_MARKS_DATA);

        buf = ngx_cpymem(buf, cell[i].u.data.data, size);
        i = cell[i].next;
    }
}


void
wag_marks_close(wag_marks_t *m, wag_marks_key_t *key, ngx_uint_t state,
    ngx_uint_t status, u_char *answer, size_t len)
{
    wag_cell_t  *cell;

    wag_marks_begin(m);

    cell = wag_marks_own(m, key);

    if (cell) {
        cell->u.mark.expires = key->now + key->ttl;
        cell->u.mark.status = status;

        if (len && len <= WAG_MARKS_ANSWER_LEN) {
            wag_marks_store(m, key->mark, answer, len);
        }

        ngx_memory_barrier();

        cell->u.mark.state = state;
    }

    wag_marks_end(m);
}


void
wag_marks_give_up(wag_marks_t *m, wag_marks_key_t *key)
{
    wag_marks_begin(m);

    if (wag_marks_own(m, key)) {
        wag_marks_remove(m, key->mark);
        m->counters.given_up++;
    }

    wag_marks_end(m);
}


/* the mark of a claim, as long as it is in flight by that */

static wag_cell_t *
wag_marks_own(wag_marks_t *m, wag_marks_key_t *key)
{
    wag_cell_t  *cell;

    cell = &wag_marks_cells(m)[key->mark];

    return (cell->type == WAG_CELL_MARK
            && cell->u.mark.serial == key->serial
            && cell->u.mark.state == WAG_MARK_IN_FLIGHT)
           ? cell : NULL;
}


/* what is written of it cannot be seen before the mark has it */

static void
wag_marks_store(wag_marks_t *m, uint32_t n, u_char *answer, size_t len)
{
    size_t       left, size;
    uint32_t     i, first, *last;
    wag_cell_t  *cell;

    cell = wag_marks_cells(m);

    first = 0;
    last = &first;

    for (left = len; left; left -= size) {

        i = wag_marks_alloc(m, n);

        if (i == 0) {

            for ( /* void */ ; first; first = i) {
                i = cell[first].next;
                wag_marks_free(m, first);
            }

            return;
        }

        size = ngx_min(left, WAG_MARKS_DATA);

        ngx_memcpy(cell[i].u.data.data, answer, size);
        answer += size;

        cell[i].u.data.owner = n;
        cell[i].next = 0;
        cell[i].type = WAG_CELL_DATA;

        *last = i;
        last = &cell[i].next;
    }

    cell[n].u.mark.len = len;

    ngx_memory_barrier();

    cell[n].u.mark.answer = first;

    wag_marks_link(m, n);
}


static void
wag_marks_drop(wag_marks_t *m, uint32_t n)
{
    uint32_t     i, next;
    wag_cell_t  *cell;

    cell = wag_marks_cells(m);

    i = cell[n].u.mark.answer;

    if (i == 0) {
        return;
    }

    wag_marks_unlink(m, n);

    cell[n].u.mark.answer = 0;

    for ( /* void */ ; i; i = next) {
        next = cell[i].next;
        wag_marks_free(m, i);
    }
}


static void
wag_marks_link(wag_marks_t *m, uint32_t n)
{
    wag_cell_t  *cell;

    cell = wag_marks_cells(m);

    cell[n].u.mark.newer = 0;
    cell[n].u.mark.older = m->newest;

    if (m->newest) {
        cell[m->newest].u.mark.newer = n;

    } else {
        m->oldest = n;
    }

    m->newest = n;
    m->nanswers++;
}


static void
wag_marks_unlink(wag_marks_t *m, uint32_t n)
{
    uint32_t     newer, older;
    wag_cell_t  *cell;

    cell = wag_marks_cells(m);

    newer = cell[n].u.mark.newer;
    older = cell[n].u.mark.older;

    if (newer) {
        cell[newer].u.mark.older = older;

    } else {
        m->newest = older;
    }

    if (older) {
        cell[older].u.mark.newer = newer;

    } else {
        m->oldest = newer;
    }

    m->nanswers--;
}


void
wag_marks_sweep(wag_marks_t *m, ngx_msec_t now, wag_marks_alive_pt alive,
    int32_t pid)
{
    wag_marks_begin(m);

    wag_marks_sweep_locked(m, now, alive, pid);

    wag_marks_end(m);
}


static void
wag_marks_sweep_locked(wag_marks_t *m, ngx_msec_t now,
    wag_marks_alive_pt alive, int32_t pid)
{
    uint32_t     i;
    wag_cell_t  *cell;

    cell = wag_marks_cells(m);

    m->swept = now;

    for (i = 1; i < m->begun; i++) {

        if (cell[i].type != WAG_CELL_MARK) {
            continue;
        }

        if (cell[i].u.mark.state == WAG_MARK_IN_FLIGHT
            && (cell[i].u.mark.pid == pid || !alive(cell[i].u.mark.pid)))
        {
            cell[i].u.mark.state = WAG_MARK_UNKNOWN;
            m->counters.orphaned++;
        }

        if (wag_marks_expired(&cell[i], now)) {
            wag_marks_remove(m, i);
        }
    }
}


/* marks first: answers are what may be left behind, those of long ago */

void
wag_marks_move(wag_marks_t *m, wag_marks_t *old, ngx_msec_t now)
{
    uint32_t     i;
    ngx_msec_t   left;
    wag_cell_t  *cell;

    wag_marks_begin(m);
    wag_marks_begin(old);

    old->closed = 1;

    cell = wag_marks_cells(old);

    for (i = 1; i < old->begun; i++) {

        if (cell[i].type != WAG_CELL_MARK || wag_marks_expired(&cell[i], now))
        {
            continue;
        }

        if (m->free || m->begun < m->ncells) {
            wag_marks_copy(m, old, i);
            continue;
        }

        /* what is left behind might be sent again: nothing is sent then */

        left = ngx_max((ngx_msec_int_t) (cell[i].u.mark.expires - now), 1);

        if (m->refuse == 0 || (ngx_msec_int_t) (now + left - m->refuse) > 0) {
            m->refuse = now + left;
        }
    }

    for (i = old->oldest; i; i = cell[i].u.mark.newer) {
        wag_marks_copy_answer(m, old, i);
    }

    wag_marks_end(old);
    wag_marks_end(m);
}


static void
wag_marks_copy(wag_marks_t *m, wag_marks_t *old, uint32_t from)
{
    uint32_t          n;
    wag_cell_t       *cell, *mark;
    wag_marks_key_t   key;

    mark = &wag_marks_cells(old)[from];

    ngx_memzero(&key, sizeof(wag_marks_key_t));
    ngx_memcpy(key.id, mark->u.mark.id, WAG_DIGEST_LEN);
    ngx_memcpy(key.request, mark->u.mark.request, WAG_DIGEST_LEN);

    if (wag_marks_find(m, &key)) {
        return;
    }

    n = wag_marks_alloc(m, 0);

    wag_marks_insert(m, &key, n);

    cell = &wag_marks_cells(m)[n];

    cell->u.mark.expires = mark->u.mark.expires;
    cell->u.mark.pid = mark->u.mark.pid;
    cell->u.mark.status = mark->u.mark.status;
    cell->u.mark.state = mark->u.mark.state;
}


static void
wag_marks_copy_answer(wag_marks_t *m, wag_marks_t *old, uint32_t from)
{
    uint32_t          n;
    u_char            buf[WAG_MARKS_ANSWER_LEN];
    wag_cell_t       *mark;
    wag_marks_key_t   key;

    mark = &wag_marks_cells(old)[from];

    ngx_memcpy(key.id, mark->u.mark.id, WAG_DIGEST_LEN);

    n = wag_marks_find(m, &key);

    if (n == 0 || wag_marks_cells(m)[n].u.mark.answer) {
        return;
    }

    key.mark = from;
    key.len = mark->u.mark.len;

    wag_marks_read(old, &key, buf);

    wag_marks_store(m, n, buf, key.len);
}
