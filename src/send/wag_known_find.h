
/*
 * Copyright (C) the wa_gateway authors
 *
 * Sessions as they are named: found by name, by what is shown of them, by
 * number.
 */


#ifndef _WAG_KNOWN_FIND_H_INCLUDED_
#define _WAG_KNOWN_FIND_H_INCLUDED_


#include "wag_known.h"


/*
 * The next session after "prev", the first if it is NULL: with this name, or
 * shown as this, or of this number; NULL if there is none.  Both names as
 * bytes, case respected.
 */
wag_known_t *wag_known_find_name(wag_upstream_t *us, ngx_str_t *name,
    wag_known_t *prev);
wag_known_t *wag_known_find_shown(wag_upstream_t *us, ngx_str_t *shown,
    wag_known_t *prev);
wag_known_t *wag_known_find_number(wag_upstream_t *us, uint64_t number,
    wag_known_t *prev);

/*
 * All numbers, each once, with the weight of its instance, of several the
 * greatest; made anew where sessions or states moved.
 */
wag_known_number_t *wag_known_find_numbers(wag_upstream_t *us, ngx_uint_t *n);

/*
 * What is shown of it, at most WAG_SESSION_NAME_LEN bytes: its name, or for
 * one that is secret its label, if no other has that, else the digits of its
 * hash.  Gives its length.
 */
size_t wag_known_shown(wag_upstream_t *us, wag_known_t *known, u_char *buf);

/*
 * Whether it is shown as this, and whether another instance of its vendor
 * runs a session that is only stored here.
 */
ngx_uint_t wag_known_is_shown_as(wag_upstream_t *us, wag_known_t *known,
    ngx_str_t *shown);
ngx_uint_t wag_known_is_copy(wag_upstream_t *us, wag_known_t *known);


#endif /* _WAG_KNOWN_FIND_H_INCLUDED_ */
