
/*
 * Copyright (C) the wa_gateway authors
 */


#ifndef _WAG_CHECKER_H_INCLUDED_
#define _WAG_CHECKER_H_INCLUDED_


#include "wag_upstream.h"


/*
 * Starts what this worker does for an upstream by the clock: the checks of
 * its share of the instances, and the end of ejections and slow starts.
 */
ngx_int_t wag_checker_start(ngx_cycle_t *cycle, wag_upstream_t *us);

/*
 * Ends it, with the checks under way.
 */
void wag_checker_stop(wag_upstream_t *us);


#endif /* _WAG_CHECKER_H_INCLUDED_ */
