
/*
 * Copyright (C) the wa_gateway authors
 *
 * Whose turn it is among some of the sessions: those of one filter are counted
 * for themselves, by all workers together, whatever others send meanwhile.
 */


#ifndef _WAG_TURN_H_INCLUDED_
#define _WAG_TURN_H_INCLUDED_


#include "wag_candidate.h"


/*
 * The number of the next turn among the candidates of a choice; a random one
 * if there are more than WAG_TURNS filters.
 */
ngx_uint_t wag_turn_next(wag_choice_t *choice);


#endif /* _WAG_TURN_H_INCLUDED_ */
