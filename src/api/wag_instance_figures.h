
/*
 * Copyright (C) the wa_gateway authors
 *
 * What /metrics tells of an instance.
 */


#ifndef _WAG_INSTANCE_FIGURES_H_INCLUDED_
#define _WAG_INSTANCE_FIGURES_H_INCLUDED_


#include "wag_metrics.h"


/*
 * The samples of the families of an instance.
 */
ngx_int_t wag_instance_figures_up(wag_sample_t *sample);
ngx_int_t wag_instance_figures_state(wag_sample_t *sample);
ngx_int_t wag_instance_figures_requests(wag_sample_t *sample);
ngx_int_t wag_instance_figures_failures(wag_sample_t *sample);
ngx_int_t wag_instance_figures_duration(wag_sample_t *sample);
ngx_int_t wag_instance_figures_in_flight(wag_sample_t *sample);
ngx_int_t wag_instance_figures_checks(wag_sample_t *sample);
ngx_int_t wag_instance_figures_check_duration(wag_sample_t *sample);


#endif /* _WAG_INSTANCE_FIGURES_H_INCLUDED_ */
