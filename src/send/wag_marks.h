
/*
 * Copyright (C) the wa_gateway authors
 *
 * The keys of sends and what came of each: a table in memory that processes
 * share and any of them may be killed in.  Pure: nothing is locked, read or
 * logged here, and no pointer lies in it.
 *
 * The table is an array of cells.  A cell is a mark, which is one key, a piece
 * of a mark's answer, or free.  What makes it one of these is a single word,
 * written last: chains and lists follow from the cells, and are made anew by
 * whoever finds that another one died while it changed them.
 */


#ifndef _WAG_MARKS_H_INCLUDED_
#define _WAG_MARKS_H_INCLUDED_


#include "wag_cells.h"


/*
 * Makes a table of this memory.  NGX_DECLINED if that is too small.
 */
ngx_int_t wag_marks_init(wag_marks_t *m, size_t size);

/*
 * Looks for a key: MARK_NONE if it is not there.  One whose holder died is
 * unknown from then on.
 */
ngx_uint_t wag_marks_look(wag_marks_t *m, wag_marks_key_t *key);

/*
 * The same, and claims what is not there: MARK_NONE if it is claimed now,
 * MARK_FULL if there is no room, even without any answer.
 */
ngx_uint_t wag_marks_claim(wag_marks_t *m, wag_marks_key_t *key);

/*
 * What came of a claim: MARK_ANSWERED or MARK_UNKNOWN, kept from now on for
 * the ttl it was claimed with, with an answer if there is one and room.
 */
void wag_marks_close(wag_marks_t *m, wag_marks_key_t *key, ngx_uint_t state,
    ngx_uint_t status, u_char *answer, size_t len);

/*
 * Nothing came of it: the next one may claim the key.
 */
void wag_marks_give_up(wag_marks_t *m, wag_marks_key_t *key);

/*
 * Frees what has expired; what is in flight of holders that died, and of this
 * pid, 0 for none, is unknown from then on.
 */
void wag_marks_sweep(wag_marks_t *m, ngx_msec_t now, wag_marks_alive_pt alive,
    int32_t pid);

/*
 * Marks there is room for.
 */
#define wag_marks_room(m)  ((m)->ncells - 1)


#endif /* _WAG_MARKS_H_INCLUDED_ */
