
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_marks_answer.h"


/* what is written of it cannot be seen before the mark has it */

void
wag_marks_answer_store(wag_marks_t *m, uint32_t n, u_char *answer, size_t len)
{
    size_t       left, size;
    uint32_t     i, first, *last;
    wag_cell_t  *cell;

    cell = wag_cells_of(m);

    first = 0;
    last = &first;

    for (left = len; left; left -= size) {

        i = wag_cells_alloc(m, n);

        if (i == 0) {

            for ( /* void */ ; first; first = i) {
                i = cell[first].next;
                wag_cells_free(m, first);
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

    wag_cells_link(m, n);
}


void
wag_marks_answer_read(wag_marks_t *m, wag_marks_key_t *key, u_char *buf)
{
    size_t       len, size;
    uint32_t     i;
    wag_cell_t  *cell;

    cell = wag_cells_of(m);

    i = cell[key->mark].u.mark.answer;

    for (len = key->len; len; len -= size) {
        size = ngx_min(len, WAG_MARKS_DATA);

        buf = ngx_cpymem(buf, cell[i].u.data.data, size);
        i = cell[i].next;
    }
}
