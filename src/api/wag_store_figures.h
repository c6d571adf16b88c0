
/*
 * Copyright (C) the wa_gateway authors
 *
 * What /status and /metrics tell of a store.
 */


#ifndef _WAG_STORE_FIGURES_H_INCLUDED_
#define _WAG_STORE_FIGURES_H_INCLUDED_


#include "wag_json_text.h"
#include "wag_metrics.h"


/*
 * Adds "store" to an object.  NGX_ERROR if there is no memory.
 */
ngx_int_t wag_store_figures_json(cJSON *root, wag_upstream_t *us);

/*
 * The samples of the families of a store.
 */
ngx_int_t wag_store_figures_up(wag_sample_t *sample);
ngx_int_t wag_store_figures_calls(wag_sample_t *sample);
ngx_int_t wag_store_figures_duration(wag_sample_t *sample);
ngx_int_t wag_store_figures_sends(wag_sample_t *sample);


#endif /* _WAG_STORE_FIGURES_H_INCLUDED_ */
