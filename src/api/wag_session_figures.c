
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_pace.h"
#include "wag_session_change.h"
#include "wag_session_figures.h"


static ngx_int_t wag_session_figures_pace(wag_sample_t *sample,
    wag_pace_view_t *view);
static ngx_int_t wag_session_figures_of_number(wag_sample_t *sample,
    ngx_uint_t n);


ngx_int_t
wag_session_figures_states(wag_sample_t *sample)
{
    char                 *name;
    ngx_uint_t            i;
    wag_session_count_t  *count;

    count = &sample->snapshot->sessions;

    for (i = 0; i < WAG_SESSION_STATES; i++) {

        name = (char *) wag_session_states[i].data;

        if (wag_metrics_line(sample, "", "state", name, "%ui",
                             count->states[i])
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


ngx_int_t
wag_session_figures_capacity(wag_sample_t *sample)
{
    return wag_metrics_line(sample, "", NULL, NULL, "%ui",
                            sample->snapshot->upstream->max_sessions);
}


ngx_int_t
wag_session_figures_full(wag_sample_t *sample)
{
    return wag_metrics_line(sample, "", NULL, NULL, "%ui",
                            sample->snapshot->upstream->group->sessions.full);
}


ngx_int_t
wag_session_figures_up(wag_sample_t *sample)
{
    u_char               number[NGX_INT64_LEN + 1];
    wag_session_view_t  *session;

    session = sample->session;

    ngx_sprintf(number, "%uL%Z", session->number);

    return wag_metrics_line(sample, "", "number",
                            session->number ? (char *) number : "", "%d",
                            session->state == WAG_SESSION_READY);
}


ngx_int_t
wag_session_figures_held(wag_sample_t *sample)
{
    return wag_metrics_line(sample, "", NULL, NULL, "%uA",
                            sample->snapshot->upstream->group->held);
}


ngx_int_t
wag_session_figures_paced(wag_sample_t *sample)
{
    ngx_uint_t      i;
    wag_group_t    *group;
    static char    *reasons[] = { "number", "recipient", "day", "full" };

    group = sample->snapshot->upstream->group;

    for (i = 0; i < WAG_PACED_REASONS; i++) {
        if (wag_metrics_line(sample, "", "reason", reasons[i], "%uA",
                             group->paced[i])
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


ngx_int_t
wag_session_figures_pace_left(wag_sample_t *sample)
{
    wag_pace_view_t  view;

    if (wag_session_figures_pace(sample, &view) != NGX_OK
        || sample->snapshot->upstream->pace->number.interval == 0)
    {
        return NGX_OK;
    }

    return wag_session_figures_of_number(sample, view.left);
}


ngx_int_t
wag_session_figures_pace_day_left(wag_sample_t *sample)
{
    wag_pace_view_t  view;

    if (wag_session_figures_pace(sample, &view) != NGX_OK
        || sample->snapshot->upstream->pace->day == 0)
    {
        return NGX_OK;
    }

    return wag_session_figures_of_number(sample, view.day_left);
}


ngx_int_t
wag_session_figures_pace_waiting(wag_sample_t *sample)
{
    wag_pace_view_t  view;

    if (wag_session_figures_pace(sample, &view) != NGX_OK
        || sample->snapshot->upstream->pace->number.interval == 0)
    {
        return NGX_OK;
    }

    return wag_session_figures_of_number(sample, view.waiting);
}


/* NGX_DECLINED: its number is not known */

static ngx_int_t
wag_session_figures_pace(wag_sample_t *sample, wag_pace_view_t *view)
{
    wag_pace_claim_t  claim;

    if (sample->session->number == 0) {
        return NGX_DECLINED;
    }

    ngx_memzero(&claim, sizeof(wag_pace_claim_t));
    claim.number = sample->session->number;

    wag_pace_look(sample->snapshot->upstream->pace, &claim, view);

    return NGX_OK;
}


static ngx_int_t
wag_session_figures_of_number(wag_sample_t *sample, ngx_uint_t n)
{
    u_char  number[NGX_INT64_LEN + 1];

    ngx_sprintf(number, "%uL%Z", sample->session->number);

    return wag_metrics_line(sample, "", "number", (char *) number, "%ui", n);
}
