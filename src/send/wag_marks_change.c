
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_marks_change.h"


static void wag_marks_change_recover(wag_marks_t *m);
static void wag_marks_change_answers(wag_marks_t *m);
static ngx_uint_t wag_marks_change_is_whole(wag_marks_t *m, uint32_t n);


/* whoever died in between has left it dirty */

void
wag_marks_change_begin(wag_marks_t *m)
{
    if (m->dirty) {
        wag_marks_change_recover(m);
    }

    m->dirty = 1;

    ngx_memory_barrier();
}


void
wag_marks_change_end(wag_marks_t *m)
{
    ngx_memory_barrier();

    m->dirty = 0;
}


static void
wag_marks_change_recover(wag_marks_t *m)
{
    uint32_t     i, *bucket;
    wag_cell_t  *cell;

    cell = wag_cells_of(m);

    ngx_memzero(wag_cells_buckets(m), m->nbuckets * sizeof(uint32_t));

    /* the one that was taken last may have become something */

    if (m->begun < m->ncells && cell[m->begun].type != WAG_CELL_FREE) {
        m->begun++;
    }

    m->nmarks = 0;

    for (i = 1; i < m->begun; i++) {

        if (cell[i].type == WAG_CELL_MARK) {
            bucket = wag_cells_bucket(m, cell[i].u.mark.id);

            cell[i].next = *bucket;
            *bucket = i;

            m->nmarks++;
        }
    }

    wag_marks_change_answers(m);

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
            wag_cells_free(m, i);
        }
    }
}


/* those that are whole; the order is lost, which is that of giving way only */

static void
wag_marks_change_answers(wag_marks_t *m)
{
    uint32_t     i;
    wag_cell_t  *cell;

    cell = wag_cells_of(m);

    m->newest = 0;
    m->oldest = 0;
    m->nanswers = 0;

    for (i = 1; i < m->begun; i++) {

        if (cell[i].type != WAG_CELL_MARK || cell[i].u.mark.answer == 0) {
            continue;
        }

        if (wag_marks_change_is_whole(m, i)) {
            wag_cells_link(m, i);

        } else {
            cell[i].u.mark.answer = 0;
        }
    }
}


static ngx_uint_t
wag_marks_change_is_whole(wag_marks_t *m, uint32_t n)
{
    size_t       len;
    uint32_t     i;
    wag_cell_t  *cell;

    cell = wag_cells_of(m);
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
