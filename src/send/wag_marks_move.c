
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_marks_answer.h"
#include "wag_marks_change.h"
#include "wag_marks_move.h"


static void wag_marks_move_refuse(wag_marks_t *m, ngx_msec_t until);
static void wag_marks_move_copy(wag_marks_t *m, wag_marks_t *old,
    uint32_t from);
static void wag_marks_move_answer(wag_marks_t *m, wag_marks_t *old,
    uint32_t from);


/* marks first: answers are what may be left behind, those of long ago */

void
wag_marks_move(wag_marks_t *m, wag_marks_t *old, ngx_msec_t now)
{
    uint32_t     i;
    ngx_msec_t   left;
    wag_cell_t  *cell;

    wag_marks_change_begin(m);
    wag_marks_change_begin(old);

    old->closed = 1;

    cell = wag_cells_of(old);

    for (i = 1; i < old->begun; i++) {

        if (cell[i].type != WAG_CELL_MARK || wag_cells_expired(&cell[i], now))
        {
            continue;
        }

        if (m->free || m->begun < m->ncells) {
            wag_marks_move_copy(m, old, i);
            continue;
        }

        /* what is left behind might be sent again: nothing is sent then */

        left = ngx_max((ngx_msec_int_t) (cell[i].u.mark.expires - now), 1);

        wag_marks_move_refuse(m, now + left);
    }

    for (i = old->oldest; i; i = cell[i].u.mark.newer) {
        wag_marks_move_answer(m, old, i);
    }

    wag_marks_change_end(old);
    wag_marks_change_end(m);
}


static void
wag_marks_move_refuse(wag_marks_t *m, ngx_msec_t until)
{
    if (m->refuse == 0 || (ngx_msec_int_t) (until - m->refuse) > 0) {
        m->refuse = until;
    }
}


static void
wag_marks_move_copy(wag_marks_t *m, wag_marks_t *old, uint32_t from)
{
    uint32_t          n;
    wag_cell_t       *cell, *mark;
    wag_marks_key_t   key;

    mark = &wag_cells_of(old)[from];

    ngx_memzero(&key, sizeof(wag_marks_key_t));
    ngx_memcpy(key.id, mark->u.mark.id, WAG_DIGEST_LEN);
    ngx_memcpy(key.request, mark->u.mark.request, WAG_SIPHASH_LEN);

    if (wag_cells_find(m, &key)) {
        return;
    }

    n = wag_cells_alloc(m, 0);

    wag_cells_insert(m, &key, n);

    cell = &wag_cells_of(m)[n];

    cell->u.mark.expires = mark->u.mark.expires;
    cell->u.mark.pid = mark->u.mark.pid;
    cell->u.mark.status = mark->u.mark.status;
    cell->u.mark.state = mark->u.mark.state;
}


static void
wag_marks_move_answer(wag_marks_t *m, wag_marks_t *old, uint32_t from)
{
    uint32_t          n;
    u_char            buf[WAG_MARKS_ANSWER_LEN];
    wag_cell_t       *mark;
    wag_marks_key_t   key;

    mark = &wag_cells_of(old)[from];

    ngx_memcpy(key.id, mark->u.mark.id, WAG_DIGEST_LEN);

    n = wag_cells_find(m, &key);

    if (n == 0 || wag_cells_of(m)[n].u.mark.answer) {
        return;
    }

    key.mark = from;
    key.len = mark->u.mark.len;

    wag_marks_answer_read(old, &key, buf);

    wag_marks_answer_store(m, n, buf, key.len);
}


void
wag_marks_restore(wag_marks_t *m, wag_marks_key_t *key, ngx_uint_t state,
    ngx_msec_t expires, u_char *answer)
{
    uint32_t     n;
    uint64_t     serial;
    wag_cell_t  *cell;

    cell = wag_cells_of(m);
    serial = key->serial;

    wag_marks_change_begin(m);

    n = wag_cells_find(m, key);

    if (n && cell[n].u.mark.serial > serial) {
        wag_marks_change_end(m);
        return;
    }

    if (n) {
        wag_cells_remove(m, n);
    }

    n = (state == WAG_MARK_NONE) ? 0 : wag_cells_alloc(m, 0);

    if (n) {
        wag_cells_insert(m, key, n);

        cell[n].u.mark.expires = expires;
        cell[n].u.mark.serial = serial;
        cell[n].u.mark.status = key->status;
        cell[n].u.mark.state = state;

        if (key->len) {
            wag_marks_answer_store(m, n, answer, key->len);
        }

    } else if (state != WAG_MARK_NONE) {
        wag_marks_move_refuse(m, expires);
    }

    m->serial = ngx_max(m->serial, serial);

    wag_marks_change_end(m);
}
