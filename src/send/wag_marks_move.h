
/*
 * Copyright (C) the wa_gateway authors
 *
 * What is known of keys elsewhere goes into a table of them.  Pure.
 */


#ifndef _WAG_MARKS_MOVE_H_INCLUDED_
#define _WAG_MARKS_MOVE_H_INCLUDED_


#include "wag_cells.h"


/*
 * Takes all of another table over, as far as there is room, answers only then,
 * and closes that: nothing is claimed there any more.
 */
void wag_marks_move(wag_marks_t *m, wag_marks_t *old, ngx_msec_t now);

/*
 * What is known of a key from elsewhere, unless there is more: serial, status
 * and len of the key are those of that.  MARK_NONE: it is not known any more.
 * It is monotonic when it expires.  Where it has no room nothing is claimed
 * until then.
 */
void wag_marks_restore(wag_marks_t *m, wag_marks_key_t *key, ngx_uint_t state,
    ngx_msec_t expires, u_char *answer);


#endif /* _WAG_MARKS_MOVE_H_INCLUDED_ */
