
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_instance_figures.h"
#include "wag_state.h"


ngx_int_t
wag_instance_figures_up(wag_sample_t *sample)
{
    return wag_metrics_value(sample, sample->view->healthy);
}


ngx_int_t
wag_instance_figures_state(wag_sample_t *sample)
{
    ngx_uint_t    i;
    ngx_atomic_t  is[WAG_STATES];

    for (i = 0; i < WAG_STATES; i++) {
        is[i] = (sample->view->state == i);
    }

    return wag_metrics_values(sample, "state", wag_states, is, WAG_STATES);
}


ngx_int_t
wag_instance_figures_requests(wag_sample_t *sample)
{
    static ngx_str_t  codes[] = {
        ngx_string("1xx"),
        ngx_string("2xx"),
        ngx_string("3xx"),
        ngx_string("4xx"),
        ngx_string("5xx")
    };

    return wag_metrics_values(sample, "code", codes,
                              sample->view->record.counters.codes, 5);
}


ngx_int_t
wag_instance_figures_failures(wag_sample_t *sample)
{
    static ngx_str_t  reasons[] = {
        ngx_string("connect"),
        ngx_string("timeout"),
        ngx_string("reset"),
        ngx_string("invalid")
    };

    return wag_metrics_values(sample, "reason", reasons,
                              sample->view->record.counters.failures,
                              WAG_FAILURES);
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
    return wag_metrics_value(sample, sample->view->record.in_flight);
}


ngx_int_t
wag_instance_figures_checks(wag_sample_t *sample)
{
    ngx_atomic_t   counts[2];
    wag_checks_t  *checks;

    static ngx_str_t  results[] = {
        ngx_string("pass"),
        ngx_string("fail")
    };

    checks = &sample->view->record.checks;

    counts[0] = checks->passed;
    counts[1] = checks->failed;

    return wag_metrics_values(sample, "result", results, counts, 2);
}


ngx_int_t
wag_instance_figures_check_duration(wag_sample_t *sample)
{
    ngx_msec_t  msec;

    msec = sample->view->record.checks.time;

    return wag_metrics_line(sample, "", NULL, NULL, "%M.%03M", msec / 1000,
                            msec % 1000);
}
