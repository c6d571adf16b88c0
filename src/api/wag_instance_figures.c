
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_instance_figures.h"
#include "wag_state.h"


ngx_int_t
wag_instance_figures_up(wag_sample_t *sample)
{
    return wag_metrics_line(sample, "", NULL, NULL, "%ui",
                            sample->view->healthy);
}


ngx_int_t
wag_instance_figures_state(wag_sample_t *sample)
{
    char       *name;
    ngx_uint_t  i;

    for (i = 0; i < WAG_STATES; i++) {

        name = (char *) wag_states[i].data;

        if (wag_metrics_line(sample, "", "state", name, "%d",
                             sample->view->state == i)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


ngx_int_t
wag_instance_figures_requests(wag_sample_t *sample)
{
    ngx_uint_t    i;
    static char  *codes[] = { "1xx", "2xx", "3xx", "4xx", "5xx" };

    for (i = 0; i < 5; i++) {
        if (wag_metrics_line(sample, "", "code", codes[i], "%uA",
                             sample->view->record.counters.codes[i])
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


ngx_int_t
wag_instance_figures_failures(wag_sample_t *sample)
{
    ngx_uint_t    i;
    static char  *reasons[] = { "connect", "timeout", "reset", "invalid" };

    for (i = 0; i < WAG_FAILURES; i++) {
        if (wag_metrics_line(sample, "", "reason", reasons[i], "%uA",
                             sample->view->record.counters.failures[i])
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


ngx_int_t
wag_instance_figures_duration(wag_sample_t *sample)
{
    u_char           le[NGX_INT64_LEN + sizeof(".000")];
    uint64_t         count;
    uint64_t         counts[WAG_LATENCY_BOUNDS];
    ngx_uint_t       i;
    ngx_msec_t       bound;
    wag_instance_t  *record;

    record = &sample->view->record;

    wag_latency_cumulate(record->counters.latency, counts);

    for (i = 0; i < WAG_LATENCY_BOUNDS; i++) {
        bound = wag_latency_bounds[i];

        ngx_sprintf(le, "%M.%03M%Z", bound / 1000, bound % 1000);

        if (wag_metrics_line(sample, "_bucket", "le",
                             (char *) le, "%uL", counts[i])
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    count = wag_latency_count(record->counters.latency);

    if (wag_metrics_line(sample, "_bucket", "le", "+Inf",
                         "%uL", count) != NGX_OK
        || wag_metrics_line(sample, "_sum", NULL, NULL,
                            "%uA.%03uA", record->counters.time / 1000,
                            record->counters.time % 1000) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return wag_metrics_line(sample, "_count", NULL, NULL, "%uL", count);
}


ngx_int_t
wag_instance_figures_in_flight(wag_sample_t *sample)
{
    return wag_metrics_line(sample, "", NULL, NULL, "%uA",
                            sample->view->record.in_flight);
}


ngx_int_t
wag_instance_figures_checks(wag_sample_t *sample)
{
    wag_checks_t  *checks;

    checks = &sample->view->record.checks;

    if (wag_metrics_line(sample, "", "result", "pass", "%ui", checks->passed)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return wag_metrics_line(sample, "", "result", "fail", "%ui",
                            checks->failed);
}


ngx_int_t
wag_instance_figures_check_duration(wag_sample_t *sample)
{
    ngx_msec_t  msec;

    msec = sample->view->record.checks.time;

    return wag_metrics_line(sample, "", NULL, NULL, "%M.%03M", msec / 1000,
                            msec % 1000);
}
