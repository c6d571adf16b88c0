
/*
 * Copyright (C) the wa_gateway authors
 *
 * The answers of keys, in cells.  Pure.
 */


#ifndef _WAG_MARKS_ANSWER_H_INCLUDED_
#define _WAG_MARKS_ANSWER_H_INCLUDED_


#include "wag_cells.h"


/*
 * Stores an answer for a mark that has none, if there is room; what is written
 * of it cannot be seen before the mark has it.
 */
void wag_marks_answer_store(wag_marks_t *m, uint32_t n, u_char *answer,
    size_t len);

/*
 * Copies the answer that was found to buf, which has room for key->len.
 */
void wag_marks_answer_read(wag_marks_t *m, wag_marks_key_t *key, u_char *buf);


#endif /* _WAG_MARKS_ANSWER_H_INCLUDED_ */
