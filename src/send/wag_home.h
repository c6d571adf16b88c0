
/*
 * Copyright (C) the wa_gateway authors
 *
 * Which instance a session that is to be made goes to.
 */


#ifndef _WAG_HOME_H_INCLUDED_
#define _WAG_HOME_H_INCLUDED_


#include "wag_choice.h"


/*
 * The instance for a session that is to be made: of those that are up and
 * match, the one with the fewest, with those counted that are just made.
 * NULL if there is none.
 */
wag_peer_t *wag_home_next(wag_choice_t *choice, wag_choice_take_pt take,
    void *data);


#endif /* _WAG_HOME_H_INCLUDED_ */
