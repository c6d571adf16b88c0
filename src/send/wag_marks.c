
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_marks.h"
#include "wag_marks_answer.h"
#include "wag_marks_change.h"


/* ms between two looks at all marks for those that expired */

#define WAG_MARKS_SWEEP  1000


static ngx_uint_t wag_marks_found(wag_marks_t *m, wag_marks_key_t *key,
    uint32_t n);
static wag_cell_t *wag_marks_own(wag_marks_t *m, wag_marks_key_t *key);
static void wag_marks_sweep_locked(wag_marks_t *m, ngx_msec_t now,
    wag_marks_alive_pt alive, int32_t pid);


ngx_int_t
wag_marks_init(wag_marks_t *m, size_t size)
{
    size_t    n;
    uint32_t  nbuckets;

    if (size < wag_cells_header + 16 * WAG_MARKS_CELL) {
        return NGX_DECLINED;
    }

    size -= wag_cells_header;

    n = ngx_min(size / WAG_MARKS_CELL, (size_t) NGX_MAX_INT32_VALUE / 2);

    for (nbuckets = 1; nbuckets < n / 2; nbuckets *= 2) { /* void */ }

    n = ngx_min(n, (size - nbuckets * sizeof(uint32_t)) / WAG_MARKS_CELL);

    ngx_memzero(m, wag_cells_header);

    m->ncells = n;
    m->nbuckets = nbuckets;

    /* cell 0 is none: 0 is the end of all chains */

    m->begun = 1;

    ngx_memzero(wag_cells_buckets(m), nbuckets * sizeof(uint32_t));

    return NGX_OK;
}


ngx_uint_t
wag_marks_look(wag_marks_t *m, wag_marks_key_t *key)
{
    uint32_t    n;
    ngx_uint_t  found;

    wag_marks_change_begin(m);

    n = wag_cells_find(m, key);

    found = (n == 0 || wag_cells_expired(&wag_cells_of(m)[n], key->now))
            ? WAG_MARK_NONE : wag_marks_found(m, key, n);

    wag_marks_change_end(m);

    return found;
}


ngx_uint_t
wag_marks_claim(wag_marks_t *m, wag_marks_key_t *key)
{
    uint32_t    n;
    ngx_uint_t  found;

    wag_marks_change_begin(m);

    found = WAG_MARK_NONE;
    n = wag_cells_find(m, key);

    if (n && wag_cells_expired(&wag_cells_of(m)[n], key->now)) {
        wag_cells_remove(m, n);
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

        n = wag_cells_alloc(m, 0);

        if (n) {
            wag_cells_insert(m, key, n);
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

    wag_marks_change_end(m);

    return found;
}


static ngx_uint_t
wag_marks_found(wag_marks_t *m, wag_marks_key_t *key, uint32_t n)
{
    wag_cell_t  *cell;

    cell = &wag_cells_of(m)[n];

    if (ngx_memcmp(cell->u.mark.request, key->request, WAG_SIPHASH_LEN) != 0) {
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


void
wag_marks_close(wag_marks_t *m, wag_marks_key_t *key, ngx_uint_t state,
    ngx_uint_t status, u_char *answer, size_t len)
{
    wag_cell_t  *cell;

    wag_marks_change_begin(m);

    cell = wag_marks_own(m, key);

    if (cell) {
        cell->u.mark.expires = key->now + key->ttl;
        cell->u.mark.status = status;

        if (len && len <= WAG_MARKS_ANSWER_LEN) {
            wag_marks_answer_store(m, key->mark, answer, len);
        }

        ngx_memory_barrier();

        cell->u.mark.state = state;
    }

    wag_marks_change_end(m);
}


void
wag_marks_give_up(wag_marks_t *m, wag_marks_key_t *key)
{
    wag_marks_change_begin(m);

    if (wag_marks_own(m, key)) {
        wag_cells_remove(m, key->mark);
        m->counters.given_up++;
    }

    wag_marks_change_end(m);
}


/* the mark of a claim, as long as it is in flight by that */

static wag_cell_t *
wag_marks_own(wag_marks_t *m, wag_marks_key_t *key)
{
    wag_cell_t  *cell;

    cell = &wag_cells_of(m)[key->mark];

    return (cell->type == WAG_CELL_MARK
            && cell->u.mark.serial == key->serial
            && cell->u.mark.state == WAG_MARK_IN_FLIGHT)
           ? cell : NULL;
}


void
wag_marks_sweep(wag_marks_t *m, ngx_msec_t now, wag_marks_alive_pt alive,
    int32_t pid)
{
    wag_marks_change_begin(m);

    wag_marks_sweep_locked(m, now, alive, pid);

    wag_marks_change_end(m);
}


static void
wag_marks_sweep_locked(wag_marks_t *m, ngx_msec_t now,
    wag_marks_alive_pt alive, int32_t pid)
{
    uint32_t     i;
    wag_cell_t  *cell;

    cell = wag_cells_of(m);

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

        if (wag_cells_expired(&cell[i], now)) {
            wag_cells_remove(m, i);
        }
    }
}
