
/*
 * Copyright (C) the wa_gateway authors
 *
 * A change of the table of keys, which whoever makes it may be killed in: then
 * the next one makes chains and lists anew from the cells.  Pure.
 */


#ifndef _WAG_MARKS_CHANGE_H_INCLUDED_
#define _WAG_MARKS_CHANGE_H_INCLUDED_


#include "wag_cells.h"


void wag_marks_change_begin(wag_marks_t *m);
void wag_marks_change_end(wag_marks_t *m);


#endif /* _WAG_MARKS_CHANGE_H_INCLUDED_ */
