
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_cells.h"


static void wag_cells_unlink(wag_marks_t *m, uint32_t n);


uint32_t *
wag_cells_bucket(wag_marks_t *m, u_char *id)
{
    uint32_t  hash;

    ngx_memcpy(&hash, id, sizeof(uint32_t));

    return &wag_cells_buckets(m)[hash & (m->nbuckets - 1)];
}


uint32_t
wag_cells_find(wag_marks_t *m, wag_marks_key_t *key)
{
    uint32_t     i;
    wag_cell_t  *cell;

    cell = wag_cells_of(m);

    for (i = *wag_cells_bucket(m, key->id); i; i = cell[i].next) {
        if (ngx_memcmp(cell[i].u.mark.id, key->id, WAG_DIGEST_LEN) == 0) {
            break;
        }
    }

    return i;
}


/* one in flight does not, however long it takes */

ngx_uint_t
wag_cells_expired(wag_cell_t *cell, ngx_msec_t now)
{
    return cell->u.mark.state != WAG_MARK_IN_FLIGHT
           && (ngx_msec_int_t) (cell->u.mark.expires - now) <= 0;
}


void
wag_cells_insert(wag_marks_t *m, wag_marks_key_t *key, uint32_t n)
{
    uint32_t    *bucket;
    wag_cell_t  *cell;

    cell = &wag_cells_of(m)[n];

    ngx_memzero(&cell->u, sizeof(cell->u));
    ngx_memcpy(cell->u.mark.id, key->id, WAG_DIGEST_LEN);
    ngx_memcpy(cell->u.mark.request, key->request, WAG_SIPHASH_LEN);

    cell->u.mark.expires = key->now + key->ttl;
    cell->u.mark.pid = key->pid;
    cell->u.mark.serial = ++m->serial;
    cell->u.mark.state = WAG_MARK_IN_FLIGHT;

    ngx_memory_barrier();

    cell->type = WAG_CELL_MARK;

    bucket = wag_cells_bucket(m, key->id);

    cell->next = *bucket;
    *bucket = n;

    m->nmarks++;

    key->mark = n;
    key->serial = cell->u.mark.serial;
}


void
wag_cells_remove(wag_marks_t *m, uint32_t n)
{
    uint32_t    *p;
    wag_cell_t  *cell;

    cell = wag_cells_of(m);

    wag_cells_drop(m, n);

    for (p = wag_cells_bucket(m, cell[n].u.mark.id); *p; p = &cell[*p].next) {
        if (*p == n) {
            *p = cell[n].next;
            break;
        }
    }

    m->nmarks--;

    wag_cells_free(m, n);
}


/*
 * A cell: a free one, or of the answer that is there for longest, but for that
 * of this owner; 0 if there is none.
 */

uint32_t
wag_cells_alloc(wag_marks_t *m, uint32_t owner)
{
    uint32_t  n;

    if (m->free == 0 && m->begun < m->ncells) {
        return m->begun++;
    }

    while (m->free == 0 && m->oldest && m->oldest != owner) {
        m->counters.dropped++;
        wag_cells_drop(m, m->oldest);
    }

    n = m->free;

    if (n) {
        m->free = wag_cells_of(m)[n].next;
        m->nfree--;
    }

    return n;
}


void
wag_cells_free(wag_marks_t *m, uint32_t n)
{
    wag_cell_t  *cell;

    cell = &wag_cells_of(m)[n];

    cell->type = WAG_CELL_FREE;
    cell->next = m->free;

    m->free = n;
    m->nfree++;
}


void
wag_cells_drop(wag_marks_t *m, uint32_t n)
{
    uint32_t     i, next;
    wag_cell_t  *cell;

    cell = wag_cells_of(m);

    i = cell[n].u.mark.answer;

    if (i == 0) {
        return;
    }

    wag_cells_unlink(m, n);

    cell[n].u.mark.answer = 0;

    for ( /* void */ ; i; i = next) {
        next = cell[i].next;
        wag_cells_free(m, i);
    }
}


void
wag_cells_link(wag_marks_t *m, uint32_t n)
{
    wag_cell_t  *cell;

    cell = wag_cells_of(m);

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
wag_cells_unlink(wag_marks_t *m, uint32_t n)
{
    uint32_t     newer, older;
    wag_cell_t  *cell;

    cell = wag_cells_of(m);

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
