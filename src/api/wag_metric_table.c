
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_conf.h"
#include "wag_instance_figures.h"
#include "wag_marks_zone.h"
#include "wag_metrics.h"
#include "wag_session_figures.h"
#include "wag_store_figures.h"


static ngx_int_t wag_metric_table_info(wag_sample_t *sample);
static ngx_int_t wag_metric_table_uptime(wag_sample_t *sample);
static ngx_int_t wag_metric_table_reloads(wag_sample_t *sample);
static ngx_int_t wag_metric_table_failovers(wag_sample_t *sample);
static ngx_int_t wag_metric_table_ambiguous(wag_sample_t *sample);
static ngx_int_t wag_metric_table_no_instance(wag_sample_t *sample);
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
      WAG_OF_INSTANCE, wag_instance_figures_up },

    { "wa_gateway_instance_state", "gauge", "The state the instance is in.",
      WAG_OF_INSTANCE, wag_instance_figures_state },

    { "wa_gateway_requests_total", "counter", "Answers of the instance.",
      WAG_OF_INSTANCE, wag_instance_figures_requests },

    { "wa_gateway_request_failures_total", "counter",
      "Requests that the instance did not answer, or not to the end.",
      WAG_OF_INSTANCE, wag_instance_figures_failures },

    { "wa_gateway_request_duration_seconds", "histogram",
      "Time until the instance began to answer.",
      WAG_OF_INSTANCE, wag_instance_figures_duration },

    { "wa_gateway_requests_in_flight", "gauge",
      "Requests that the instance is at work on.",
      WAG_OF_INSTANCE, wag_instance_figures_in_flight },

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
      WAG_OF_PACED, wag_session_figures_held },

    { "wa_gateway_paced_total", "counter",
      "Messages refused since a number had no budget, by the limit.",
      WAG_OF_PACED, wag_session_figures_paced },

    { "wa_gateway_checks_total", "counter", "Active checks of the instance.",
      WAG_OF_INSTANCE, wag_instance_figures_checks },

    { "wa_gateway_check_duration_seconds", "gauge",
      "How long the last active check took.",
      WAG_OF_INSTANCE,
      wag_instance_figures_check_duration },

    { "wa_gateway_sessions", "gauge", "Sessions in each state.",
      WAG_OF_SESSIONS, wag_session_figures_states },

    { "wa_gateway_sessions_capacity", "gauge",
      "Sessions that there is room for.",
      WAG_OF_SESSIONS, wag_session_figures_capacity },

    { "wa_gateway_sessions_full_total", "counter",
      "Times that a session found no room.",
      WAG_OF_SESSIONS, wag_session_figures_full },

    { "wa_gateway_session_up", "gauge", "Whether the session can send.",
      WAG_OF_SESSION, wag_session_figures_up },

    { "wa_gateway_pace_left", "gauge",
      "Messages that the number may send at once.",
      WAG_OF_NUMBER, wag_session_figures_pace_left },

    { "wa_gateway_pace_day_left", "gauge",
      "Messages that are left of the number's day.",
      WAG_OF_NUMBER, wag_session_figures_pace_day_left },

    { "wa_gateway_pace_waiting", "gauge",
      "Messages that wait for the budget of the number.",
      WAG_OF_NUMBER, wag_session_figures_pace_waiting },

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

    return wag_metrics_value(sample, sample->snapshot->config_gen - 1);
}


static ngx_int_t
wag_metric_table_failovers(wag_sample_t *sample)
{
    return wag_metrics_value(sample,
                             sample->snapshot->upstream->group->failovers);
}


static ngx_int_t
wag_metric_table_ambiguous(wag_sample_t *sample)
{
    return wag_metrics_value(sample,
                             sample->snapshot->upstream->group->ambiguous);
}


static ngx_int_t
wag_metric_table_no_instance(wag_sample_t *sample)
{
    return wag_metrics_value(sample,
                             sample->snapshot->upstream->group->no_instance);
}


static ngx_int_t
wag_metric_table_keys(wag_sample_t *sample)
{
    wag_marks_t  marks;

    wag_marks_zone_figures(sample->snapshot->upstream->idempotency->zone,
                           &marks);

    return wag_metrics_value(sample, marks.nmarks);
}


static ngx_int_t
wag_metric_table_keys_capacity(wag_sample_t *sample)
{
    wag_marks_t  marks;

    wag_marks_zone_figures(sample->snapshot->upstream->idempotency->zone,
                           &marks);

    return wag_metrics_value(sample, wag_marks_room(&marks));
}


static ngx_int_t
wag_metric_table_keyed(wag_sample_t *sample)
{
    wag_marks_t            marks;
    ngx_atomic_t           counts[7];
    wag_marks_counters_t  *c;

    static ngx_str_t  outcomes[] = {
        ngx_string("claimed"),
        ngx_string("given_up"),
        ngx_string("replayed"),
        ngx_string("in_flight"),
        ngx_string("reused"),
        ngx_string("full"),
        ngx_string("orphaned")
    };

    wag_marks_zone_figures(sample->snapshot->upstream->idempotency->zone,
                           &marks);
    c = &marks.counters;

    counts[0] = c->claimed;
    counts[1] = c->given_up;
    counts[2] = c->replayed;
    counts[3] = c->in_flight;
    counts[4] = c->reused;
    counts[5] = c->full;
    counts[6] = c->orphaned;

    return wag_metrics_values(sample, "outcome", outcomes, counts, 7);
}


static ngx_int_t
wag_metric_table_zone(wag_sample_t *sample)
{
    ngx_atomic_t  bytes[2];

    static ngx_str_t  kinds[] = {
        ngx_string("total"),
        ngx_string("free")
    };

    bytes[0] = sample->zone->shm_zone->shm.size;
    bytes[1] = sample->zone->shpool->pfree * ngx_pagesize;

    return wag_metrics_values(sample, "kind", kinds, bytes, 2);
}
