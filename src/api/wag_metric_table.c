
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_conf.h"
#include "wag_marks_zone.h"
#include "wag_metrics.h"
#include "wag_pace.h"
#include "wag_session_change.h"
#include "wag_state.h"
#include "wag_store_figures.h"


static ngx_int_t wag_metric_table_info(wag_sample_t *sample);
static ngx_int_t wag_metric_table_uptime(wag_sample_t *sample);
static ngx_int_t wag_metric_table_reloads(wag_sample_t *sample);
static ngx_int_t wag_metric_table_up(wag_sample_t *sample);
static ngx_int_t wag_metric_table_state(wag_sample_t *sample);
static ngx_int_t wag_metric_table_requests(wag_sample_t *sample);
static ngx_int_t wag_metric_table_failures(wag_sample_t *sample);
static ngx_int_t wag_metric_table_duration(wag_sample_t *sample);
static ngx_int_t wag_metric_table_in_flight(wag_sample_t *sample);
static ngx_int_t wag_metric_table_failovers(wag_sample_t *sample);
static ngx_int_t wag_metric_table_ambiguous(wag_sample_t *sample);
static ngx_int_t wag_metric_table_no_instance(wag_sample_t *sample);
static ngx_int_t wag_metric_table_held(wag_sample_t *sample);
static ngx_int_t wag_metric_table_paced(wag_sample_t *sample);
static ngx_int_t wag_metric_table_checks(wag_sample_t *sample);
static ngx_int_t wag_metric_table_check_duration(wag_sample_t *sample);
static ngx_int_t wag_metric_table_sessions(wag_sample_t *sample);
static ngx_int_t wag_metric_table_capacity(wag_sample_t *sample);
static ngx_int_t wag_metric_table_full(wag_sample_t *sample);
static ngx_int_t wag_metric_table_session_up(wag_sample_t *sample);
static ngx_int_t wag_metric_table_pace_left(wag_sample_t *sample);
static ngx_int_t wag_metric_table_pace_day_left(wag_sample_t *sample);
static ngx_int_t wag_metric_table_pace_waiting(wag_sample_t *sample);
static ngx_int_t wag_metric_table_pace(wag_sample_t *sample,
    wag_pace_view_t *view);
static ngx_int_t wag_metric_table_of_number(wag_sample_t *sample,
    ngx_uint_t n);
static ngx_int_t wag_metric_table_keys(wag_sample_t *sample);
static ngx_int_t wag_metric_table_keys_capacity(wag_sample_t *sample);
static ngx_int_t wag_metric_table_keyed(wag_sample_t *sample);
static ngx_int_t wag_metric_table_zone(wag_sample_t *sample);


wag_metric_table_t  wag_families[] = {

    { "wa_gateway_info", "gauge", "Versions of the gateway and of nginx.",
      WAG_OF_GATEWAY, wag_metric_table_info },

    { "wa_gateway_uptime_seconds", "gauge",
      "Time since the gateway was first started.",
      WAG_OF_GATEWAY, wag_metric_table_uptime },

    { "wa_gateway_reloads_total", "counter", "Reloads of the configuration.",
      WAG_OF_GATEWAY, wag_metric_table_reloads },

    { "wa_gateway_instance_up", "gauge",
      "Whether the instance can take messages.",
      WAG_OF_INSTANCE, wag_metric_table_up },

    { "wa_gateway_instance_state", "gauge", "The state the instance is in.",
      WAG_OF_INSTANCE, wag_metric_table_state },

    { "wa_gateway_requests_total", "counter", "Answers of the instance.",
      WAG_OF_INSTANCE, wag_metric_table_requests },

    { "wa_gateway_request_failures_total", "counter",
      "Requests that the instance did not answer, or not to the end.",
      WAG_OF_INSTANCE, wag_metric_table_failures },

    { "wa_gateway_request_duration_seconds", "histogram",
      "Time until the instance began to answer.",
      WAG_OF_INSTANCE, wag_metric_table_duration },

    { "wa_gateway_requests_in_flight", "gauge",
      "Requests that the instance is at work on.",
      WAG_OF_INSTANCE, wag_metric_table_in_flight },

    { "wa_gateway_failovers_total", "counter",
      "Attempts after the first: the request went to another instance.",
      WAG_OF_UPSTREAM, wag_metric_table_failovers },

    { "wa_gateway_ambiguous_total", "counter",
      "Requests that were written but not answered.",
      WAG_OF_UPSTREAM, wag_metric_table_ambiguous },

    { "wa_gateway_no_instance_total", "counter",
      "Requests for which no instance was available.",
      WAG_OF_UPSTREAM,
      wag_metric_table_no_instance },

    { "wa_gateway_held_total", "counter",
      "Messages that waited for the budget of their number.",
      WAG_OF_PACED, wag_metric_table_held },

    { "wa_gateway_paced_total", "counter",
      "Messages refused since a number had no budget, by the limit.",
      WAG_OF_PACED, wag_metric_table_paced },

    { "wa_gateway_checks_total", "counter", "Active checks of the instance.",
      WAG_OF_INSTANCE, wag_metric_table_checks },

    { "wa_gateway_check_duration_seconds", "gauge",
      "How long the last active check took.",
      WAG_OF_INSTANCE,
      wag_metric_table_check_duration },

    { "wa_gateway_sessions", "gauge", "Sessions in each state.",
      WAG_OF_SESSIONS, wag_metric_table_sessions },

    { "wa_gateway_sessions_capacity", "gauge",
      "Sessions that there is room for.",
      WAG_OF_SESSIONS, wag_metric_table_capacity },

    { "wa_gateway_sessions_full_total", "counter",
      "Times that a session found no room.",
      WAG_OF_SESSIONS, wag_metric_table_full },

    { "wa_gateway_session_up", "gauge", "Whether the session can send.",
      WAG_OF_SESSION, wag_metric_table_session_up },

    { "wa_gateway_pace_left", "gauge",
      "Messages that the number may send at once.",
      WAG_OF_NUMBER, wag_metric_table_pace_left },

    { "wa_gateway_pace_day_left", "gauge",
      "Messages that are left of the number's day.",
      WAG_OF_NUMBER, wag_metric_table_pace_day_left },

    { "wa_gateway_pace_waiting", "gauge",
      "Messages that wait for the budget of the number.",
      WAG_OF_NUMBER, wag_metric_table_pace_waiting },

    { "wa_gateway_idempotency_keys", "gauge", "Keys of sends that are known.",
      WAG_OF_KEYS, wag_metric_table_keys },

    { "wa_gateway_idempotency_capacity", "gauge",
      "Keys of sends that there is room for.",
      WAG_OF_KEYS, wag_metric_table_keys_capacity },

    { "wa_gateway_idempotency_total", "counter",
      "What was found or came of the key of a send.",
      WAG_OF_KEYS, wag_metric_table_keyed },

    { "wa_gateway_store_up", "gauge",
      "Whether the store that gateways share can be asked.",
      WAG_OF_STORE, wag_store_figures_up },

    { "wa_gateway_store_calls_total", "counter", "Calls of the store.",
      WAG_OF_STORE, wag_store_figures_calls },

    { "wa_gateway_store_duration_seconds", "gauge",
      "Time until the store answered, that this many percent did not exceed.",
      WAG_OF_STORE, wag_store_figures_duration },

    { "wa_gateway_store_sends_total", "counter",
      "Sends that were refused or went without the store, ends it missed.",
      WAG_OF_STORE, wag_store_figures_sends },

    { "wa_gateway_zone_bytes", "gauge", "Shared memory of the zone.",
      WAG_OF_ZONE, wag_metric_table_zone },

    { NULL, NULL, NULL, 0, NULL }
};


static ngx_int_t
wag_metric_table_info(wag_sample_t *sample)
{
    static ngx_str_t  version = ngx_string(WAG_VERSION);

    sample->labels.len = 0;
    wag_metrics_label(sample, "version", &version);

    return wag_metrics_line(sample, "", "nginx", NGINX_VERSION, "1");
}


static ngx_int_t
wag_metric_table_uptime(wag_sample_t *sample)
{
    ngx_msec_t  uptime;

    uptime = sample->snapshot->uptime;
    sample->labels.len = 0;

    return wag_metrics_line(sample, "", NULL, NULL, "%M.%03M", uptime / 1000,
                            uptime % 1000);
}


static ngx_int_t
wag_metric_table_reloads(wag_sample_t *sample)
{
    sample->labels.len = 0;

    return wag_metrics_line(sample, "", NULL, NULL, "%ui",
                            sample->snapshot->config_gen - 1);
}


static ngx_int_t
wag_metric_table_up(wag_sample_t *sample)
{
    return wag_metrics_line(sample, "", NULL, NULL, "%ui",
                            sample->view->healthy);
}


static ngx_int_t
wag_metric_table_state(wag_sample_t *sample)
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


static ngx_int_t
wag_metric_table_requests(wag_sample_t *sample)
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


static ngx_int_t
wag_metric_table_failures(wag_sample_t *sample)
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


static ngx_int_t
wag_metric_table_duration(wag_sample_t *sample)
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


static ngx_int_t
wag_metric_table_in_flight(wag_sample_t *sample)
{
    return wag_metrics_line(sample, "", NULL, NULL, "%uA",
                            sample->view->record.in_flight);
}


static ngx_int_t
wag_metric_table_failovers(wag_sample_t *sample)
{
    return wag_metrics_line(sample, "", NULL, NULL, "%uA",
                            sample->snapshot->upstream->group->failovers);
}


static ngx_int_t
wag_metric_table_ambiguous(wag_sample_t *sample)
{
    return wag_metrics_line(sample, "", NULL, NULL, "%uA",
                            sample->snapshot->upstream->group->ambiguous);
}


static ngx_int_t
wag_metric_table_no_instance(wag_sample_t *sample)
{
    return wag_metrics_line(sample, "", NULL, NULL, "%uA",
                            sample->snapshot->upstream->group->no_instance);
}


static ngx_int_t
wag_metric_table_held(wag_sample_t *sample)
{
    return wag_metrics_line(sample, "", NULL, NULL, "%uA",
                            sample->snapshot->upstream->group->held);
}


static ngx_int_t
wag_metric_table_paced(wag_sample_t *sample)
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


static ngx_int_t
wag_metric_table_checks(wag_sample_t *sample)
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


static ngx_int_t
wag_metric_table_check_duration(wag_sample_t *sample)
{
    ngx_msec_t  msec;

    msec = sample->view->record.checks.time;

    return wag_metrics_line(sample, "", NULL, NULL, "%M.%03M", msec / 1000,
                            msec % 1000);
}


static ngx_int_t
wag_metric_table_sessions(wag_sample_t *sample)
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


static ngx_int_t
wag_metric_table_capacity(wag_sample_t *sample)
{
    return wag_metrics_line(sample, "", NULL, NULL, "%ui",
                            sample->snapshot->upstream->max_sessions);
}


static ngx_int_t
wag_metric_table_full(wag_sample_t *sample)
{
    return wag_metrics_line(sample, "", NULL, NULL, "%ui",
                            sample->snapshot->upstream->group->sessions.full);
}


static ngx_int_t
wag_metric_table_session_up(wag_sample_t *sample)
{
    u_char               number[NGX_INT64_LEN + 1];
    wag_session_view_t  *session;

    session = sample->session;

    ngx_sprintf(number, "%uL%Z", session->number);

    return wag_metrics_line(sample, "", "number",
                            session->number ? (char *) number : "", "%d",
                            session->state == WAG_SESSION_READY);
}


static ngx_int_t
wag_metric_table_pace_left(wag_sample_t *sample)
{
    wag_pace_view_t  view;

    if (wag_metric_table_pace(sample, &view) != NGX_OK
        || sample->snapshot->upstream->pace->number.interval == 0)
    {
        return NGX_OK;
    }

    return wag_metric_table_of_number(sample, view.left);
}


static ngx_int_t
wag_metric_table_pace_day_left(wag_sample_t *sample)
{
    wag_pace_view_t  view;

    if (wag_metric_table_pace(sample, &view) != NGX_OK
        || sample->snapshot->upstream->pace->day == 0)
    {
        return NGX_OK;
    }

    return wag_metric_table_of_number(sample, view.day_left);
}


static ngx_int_t
wag_metric_table_pace_waiting(wag_sample_t *sample)
{
    wag_pace_view_t  view;

    if (wag_metric_table_pace(sample, &view) != NGX_OK
        || sample->snapshot->upstream->pace->number.interval == 0)
    {
        return NGX_OK;
    }

    return wag_metric_table_of_number(sample, view.waiting);
}


/* NGX_DECLINED: its number is not known */

static ngx_int_t
wag_metric_table_pace(wag_sample_t *sample, wag_pace_view_t *view)
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
wag_metric_table_of_number(wag_sample_t *sample, ngx_uint_t n)
{
    u_char  number[NGX_INT64_LEN + 1];

    ngx_sprintf(number, "%uL%Z", sample->session->number);

    return wag_metrics_line(sample, "", "number", (char *) number, "%ui", n);
}


static ngx_int_t
wag_metric_table_keys(wag_sample_t *sample)
{
    wag_marks_t  marks;

    wag_marks_zone_figures(sample->snapshot->upstream->idempotency->zone,
                           &marks);

    return wag_metrics_line(sample, "", NULL, NULL, "%uD", marks.nmarks);
}


static ngx_int_t
wag_metric_table_keys_capacity(wag_sample_t *sample)
{
    wag_marks_t  marks;

    wag_marks_zone_figures(sample->snapshot->upstream->idempotency->zone,
                           &marks);

    return wag_metrics_line(sample, "", NULL, NULL, "%uD",
                            wag_marks_room(&marks));
}


static ngx_int_t
wag_metric_table_keyed(wag_sample_t *sample)
{
    ngx_uint_t             i, n;
    wag_marks_t            marks;
    wag_marks_counters_t  *c;

    wag_marks_zone_figures(sample->snapshot->upstream->idempotency->zone,
                           &marks);
    c = &marks.counters;

    struct {
        const char         *name;
        ngx_atomic_uint_t   value;
    } outcomes[] = {
        { "claimed", c->claimed },
        { "given_up", c->given_up },
        { "replayed", c->replayed },
        { "in_flight", c->in_flight },
        { "reused", c->reused },
        { "full", c->full },
        { "orphaned", c->orphaned }
    };

    n = sizeof(outcomes) / sizeof(outcomes[0]);

    for (i = 0; i < n; i++) {
        if (wag_metrics_line(sample, "", "outcome", outcomes[i].name, "%uA",
                             outcomes[i].value)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
wag_metric_table_zone(wag_sample_t *sample)
{
    size_t  total, free;

    total = sample->zone->shm_zone->shm.size;
    free = sample->zone->shpool->pfree * ngx_pagesize;

    if (wag_metrics_line(sample, "", "kind", "total", "%uz", total)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return wag_metrics_line(sample, "", "kind", "free", "%uz", free);
}
