
/*
 * Copyright (C) the wa_gateway authors
 *
 * What /metrics tells of sessions, and of the budgets of their numbers.
 */


#ifndef _WAG_SESSION_FIGURES_H_INCLUDED_
#define _WAG_SESSION_FIGURES_H_INCLUDED_


#include "wag_metrics.h"


/*
 * The samples of the families of sessions.
 */
ngx_int_t wag_session_figures_states(wag_sample_t *sample);
ngx_int_t wag_session_figures_capacity(wag_sample_t *sample);
ngx_int_t wag_session_figures_full(wag_sample_t *sample);
ngx_int_t wag_session_figures_up(wag_sample_t *sample);
ngx_int_t wag_session_figures_held(wag_sample_t *sample);
ngx_int_t wag_session_figures_paced(wag_sample_t *sample);
ngx_int_t wag_session_figures_pace_left(wag_sample_t *sample);
ngx_int_t wag_session_figures_pace_day_left(wag_sample_t *sample);
ngx_int_t wag_session_figures_pace_waiting(wag_sample_t *sample);


#endif /* _WAG_SESSION_FIGURES_H_INCLUDED_ */
