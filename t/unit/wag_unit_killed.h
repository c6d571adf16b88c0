
/*
 * A process that is killed at a given instruction of its work.
 */


#ifndef _WAG_UNIT_KILLED_H_INCLUDED_
#define _WAG_UNIT_KILLED_H_INCLUDED_


#include "wag_unit_zone.h"


#define WAG_UNIT_NONE  ((ngx_uint_t) -1)


typedef void (*wag_unit_killed_pt)(wag_unit_zone_t *s);


/*
 * A process does its work "before" times, and once more, of which it lives to
 * see "steps" instructions; then what it left is looked at.  Returns how many
 * there were, WAG_UNIT_NONE if the system lets nobody count them.
 */
ngx_uint_t wag_unit_killed_run(wag_unit_zone_t *s, wag_unit_killed_pt work,
    wag_unit_killed_pt look, ngx_uint_t before, ngx_uint_t steps);

/*
 * Of so many instructions each, or each n-th, that it does not take for ever:
 * sanitizers make hundreds of times more of them.
 */
ngx_uint_t wag_unit_killed_stride(ngx_uint_t all);


#endif /* _WAG_UNIT_KILLED_H_INCLUDED_ */
