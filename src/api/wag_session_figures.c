
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_pace.h"
#include "wag_session_change.h"
#include "wag_session_figures.h"


static ngx_uint_t wag_session_figures_look(wag_sample_t *sample,
    uint64_t limit, wag_pace_view_t *view);
static ngx_int_t wag_session_figures_of_number(wag_sample_t *sample,
    ngx_uint_t n);


ngx_int_t
wag_session_figures_states(wag_sample_t *sample)
{
    ngx_uint_t    i;
    ngx_atomic_t  counts[WAG_SESSION_STATES];

    for (i = 0; i < WAG_SESSION_STATES; i++) {
        counts[i] = sample->snapshot->sessions.states[i];
    }

    return wag_metrics_values(sample, "state", wag_session_states, counts,
                              WAG_SESSION_STATES);
}


ngx_int_t
wag_session_figures_capacity(wag_sample_t *sample)
{
    return wag_metrics_value(sample,
                             sample->snapshot->upstream->max_sessions);
}


ngx_int_t
wag_session_figures_full(wag_sample_t *sample)
{
    return wag_metrics_value(sample,
                             sample->snapshot->upstream->group->sessions.full);
}


ngx_int_t
wag_session_figures_up(wag_sample_t *sample)
{
    return wag_session_figures_of_number(sample, sample->session->state
                                                 == WAG_SESSION_READY);
}


ngx_int_t
wag_session_figures_held(wag_sample_t *sample)
{
    return wag_metrics_value(sample, sample->snapshot->upstream->group->held);
}


ngx_int_t
wag_session_figures_paced(wag_sample_t *sample)
{
    static ngx_str_t  reasons[] = {
        ngx_string("number"),
        ngx_string("recipient"),
        ngx_string("day"),
        ngx_string("full")
    };

    return wag_metrics_values(sample, "reason", reasons,
                              sample->snapshot->upstream->group->paced,
                              WAG_PACED_REASONS);
}


ngx_int_t
wag_session_figures_pace_left(wag_sample_t *sample)
{
    wag_pace_t       *pace;
    wag_pace_view_t   view;

    pace = sample->snapshot->upstream->pace;

    return wag_session_figures_look(sample, pace->number.interval, &view)
           ? wag_session_figures_of_number(sample, view.left) : NGX_OK;
}


ngx_int_t
wag_session_figures_pace_day_left(wag_sample_t *sample)
{
    wag_pace_t       *pace;
    wag_pace_view_t   view;

    pace = sample->snapshot->upstream->pace;

    return wag_session_figures_look(sample, pace->day, &view)
           ? wag_session_figures_of_number(sample, view.day_left) : NGX_OK;
}


ngx_int_t
wag_session_figures_pace_waiting(wag_sample_t *sample)
{
    wag_pace_t       *pace;
    wag_pace_view_t   view;

    pace = sample->snapshot->upstream->pace;

    return wag_session_figures_look(sample, pace->number.interval, &view)
           ? wag_session_figures_of_number(sample, view.waiting) : NGX_OK;
}


/* 0: its number is not known, or there is no such limit */

static ngx_uint_t
wag_session_figures_look(wag_sample_t *sample, uint64_t limit,
    wag_pace_view_t *view)
{
    wag_pace_claim_t  claim;

    if (sample->session->number == 0 || limit == 0) {
        return 0;
    }

    ngx_memzero(&claim, sizeof(wag_pace_claim_t));
    claim.number = sample->session->number;

    wag_pace_look(sample->snapshot->upstream->pace, &claim, view);

    return 1;
}


static ngx_int_t
wag_session_figures_of_number(wag_sample_t *sample, ngx_uint_t n)
{
    u_char  number[NGX_INT64_LEN + 1];

    number[0] = '\0';

    if (sample->session->number) {
        ngx_sprintf(number, "%uL%Z", sample->session->number);
    }

    return wag_metrics_line(sample, "", "number", (char *) number, "%ui", n);
}
