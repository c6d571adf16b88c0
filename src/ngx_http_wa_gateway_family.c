
/*
 * Copyright (C) the wa_gateway authors
 */


#include "ngx_http_wa_gateway_module.h"
#include "ngx_http_wa_gateway_health.h"
#include "ngx_http_wa_gateway_metrics.h"


static ngx_int_t ngx_http_wa_gateway_family_info(
    ngx_http_wa_gateway_sample_t *sample);
static ngx_int_t ngx_http_wa_gateway_family_uptime(
    ngx_http_wa_gateway_sample_t *sample);
static ngx_int_t ngx_http_wa_gateway_family_reloads(
    ngx_http_wa_gateway_sample_t *sample);
static ngx_int_t ngx_http_wa_gateway_family_up(
    ngx_http_wa_gateway_sample_t *sample);
static ngx_int_t ngx_http_wa_gateway_family_state(
    ngx_http_wa_gateway_sample_t *sample);
static ngx_int_t ngx_http_wa_gateway_family_requests(
    ngx_http_wa_gateway_sample_t *sample);
static ngx_int_t ngx_http_wa_gateway_family_failures(
    ngx_http_wa_gateway_sample_t *sample);
static ngx_int_t ngx_http_wa_gateway_family_duration(
    ngx_http_wa_gateway_sample_t *sample);
static ngx_int_t ngx_http_wa_gateway_family_in_flight(
    ngx_http_wa_gateway_sample_t *sample);
static ngx_int_t ngx_http_wa_gateway_family_failovers(
    ngx_http_wa_gateway_sample_t *sample);
static ngx_int_t ngx_http_wa_gateway_family_ambiguous(
    ngx_http_wa_gateway_sample_t *sample);
static ngx_int_t ngx_http_wa_gateway_family_no_instance(
    ngx_http_wa_gateway_sample_t *sample);
static ngx_int_t ngx_http_wa_gateway_family_checks(
    ngx_http_wa_gateway_sample_t *sample);
static ngx_int_t ngx_http_wa_gateway_family_check_duration(
    ngx_http_wa_gateway_sample_t *sample);
static ngx_int_t ngx_http_wa_gateway_family_zone(
    ngx_http_wa_gateway_sample_t *sample);


ngx_http_wa_gateway_family_t  ngx_http_wa_gateway_families[] = {

    { "wa_gateway_info", "gauge", "Versions of the gateway and of nginx.",
      NGX_HTTP_WA_GATEWAY_OF_GATEWAY, ngx_http_wa_gateway_family_info },

    { "wa_gateway_uptime_seconds", "gauge",
      "Time since the gateway was first started.",
      NGX_HTTP_WA_GATEWAY_OF_GATEWAY, ngx_http_wa_gateway_family_uptime },

    { "wa_gateway_reloads_total", "counter", "Reloads of the configuration.",
      NGX_HTTP_WA_GATEWAY_OF_GATEWAY, ngx_http_wa_gateway_family_reloads },

    { "wa_gateway_instance_up", "gauge",
      "Whether the instance can take messages.",
      NGX_HTTP_WA_GATEWAY_OF_INSTANCE, ngx_http_wa_gateway_family_up },

    { "wa_gateway_instance_state", "gauge", "The state the instance is in.",
      NGX_HTTP_WA_GATEWAY_OF_INSTANCE, ngx_http_wa_gateway_family_state },

    { "wa_gateway_requests_total", "counter", "Answers of the instance.",
      NGX_HTTP_WA_GATEWAY_OF_INSTANCE, ngx_http_wa_gateway_family_requests },

    { "wa_gateway_request_failures_total", "counter",
      "Requests that the instance did not answer, or not to the end.",
      NGX_HTTP_WA_GATEWAY_OF_INSTANCE, ngx_http_wa_gateway_family_failures },

    { "wa_gateway_request_duration_seconds", "histogram",
      "Time until the instance began to answer.",
      NGX_HTTP_WA_GATEWAY_OF_INSTANCE, ngx_http_wa_gateway_family_duration },

    { "wa_gateway_requests_in_flight", "gauge",
      "Requests that the instance is at work on.",
      NGX_HTTP_WA_GATEWAY_OF_INSTANCE, ngx_http_wa_gateway_family_in_flight },

    { "wa_gateway_failovers_total", "counter",
      "Attempts after the first: the request went to another instance.",
      NGX_HTTP_WA_GATEWAY_OF_UPSTREAM, ngx_http_wa_gateway_family_failovers },

    { "wa_gateway_ambiguous_total", "counter",
      "Requests that were written but not answered.",
      NGX_HTTP_WA_GATEWAY_OF_UPSTREAM, ngx_http_wa_gateway_family_ambiguous },

    { "wa_gateway_no_instance_total", "counter",
      "Requests for which no instance was available.",
      NGX_HTTP_WA_GATEWAY_OF_UPSTREAM,
      ngx_http_wa_gateway_family_no_instance },

    { "wa_gateway_checks_total", "counter", "Active checks of the instance.",
      NGX_HTTP_WA_GATEWAY_OF_INSTANCE, ngx_http_wa_gateway_family_checks },

    { "wa_gateway_check_duration_seconds", "gauge",
      "How long the last active check took.",
      NGX_HTTP_WA_GATEWAY_OF_INSTANCE,
      ngx_http_wa_gateway_family_check_duration },

    { "wa_gateway_zone_bytes", "gauge", "Shared memory of the zone.",
      NGX_HTTP_WA_GATEWAY_OF_ZONE, ngx_http_wa_gateway_family_zone },

    { NULL, NULL, NULL, 0, NULL }
};


static ngx_int_t
ngx_http_wa_gateway_family_info(ngx_http_wa_gateway_sample_t *sample)
{
    static ngx_str_t  version = ngx_string(NGX_HTTP_WA_GATEWAY_VERSION);

    sample->labels.len = 0;
    ngx_http_wa_gateway_metrics_label(sample, "version", &version);

    return ngx_http_wa_gateway_metrics_line(sample, "", "nginx",
                                            NGINX_VERSION, "1");
}


static ngx_int_t
ngx_http_wa_gateway_family_uptime(ngx_http_wa_gateway_sample_t *sample)
{
    ngx_msec_t  uptime;

    uptime = sample->snapshot->uptime;
    sample->labels.len = 0;

    return ngx_http_wa_gateway_metrics_line(sample, "", NULL, NULL,
                                            "%M.%03M", uptime / 1000,
                                            uptime % 1000);
}


static ngx_int_t
ngx_http_wa_gateway_family_reloads(ngx_http_wa_gateway_sample_t *sample)
{
    sample->labels.len = 0;

    return ngx_http_wa_gateway_metrics_line(sample, "", NULL, NULL, "%ui",
                                            sample->snapshot->generation - 1);
}


static ngx_int_t
ngx_http_wa_gateway_family_up(ngx_http_wa_gateway_sample_t *sample)
{
    return ngx_http_wa_gateway_metrics_line(sample, "", NULL, NULL, "%ui",
                                            sample->view->healthy);
}


static ngx_int_t
ngx_http_wa_gateway_family_state(ngx_http_wa_gateway_sample_t *sample)
{
    char        *name;
    ngx_uint_t   i;

    for (i = 0; i < NGX_HTTP_WA_GATEWAY_STATES; i++) {

        name = (char *) ngx_http_wa_gateway_states[i].data;

        if (ngx_http_wa_gateway_metrics_line(sample, "", "state", name, "%d",
                                             sample->view->state == i)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_wa_gateway_family_requests(ngx_http_wa_gateway_sample_t *sample)
{
    ngx_uint_t    i;
    static char  *codes[] = { "1xx", "2xx", "3xx", "4xx", "5xx" };

    for (i = 0; i < 5; i++) {
        if (ngx_http_wa_gateway_metrics_line(sample, "", "code", codes[i],
                                             "%uA",
                                             sample->view->record.codes[i])
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_wa_gateway_family_failures(ngx_http_wa_gateway_sample_t *sample)
{
    ngx_uint_t    i;
    static char  *reasons[] = { "connect", "timeout", "reset", "invalid" };

    for (i = 0; i < NGX_HTTP_WA_GATEWAY_FAILURES; i++) {
        if (ngx_http_wa_gateway_metrics_line(sample, "", "reason", reasons[i],
                                             "%uA",
                                             sample->view->record.failures[i])
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_wa_gateway_family_duration(ngx_http_wa_gateway_sample_t *sample)
{
    u_char                           le[NGX_INT64_LEN + sizeof(".000")];
    uint64_t                         count;
    uint64_t                   counts[NGX_HTTP_WA_GATEWAY_LATENCY_BOUNDS];
    ngx_uint_t                       i;
    ngx_msec_t                       bound;
    ngx_http_wa_gateway_instance_t  *record;

    record = &sample->view->record;

    ngx_http_wa_gateway_latency_cumulate(record->latency, counts);

    for (i = 0; i < NGX_HTTP_WA_GATEWAY_LATENCY_BOUNDS; i++) {
        bound = ngx_http_wa_gateway_latency_bounds[i];

        ngx_sprintf(le, "%M.%03M%Z", bound / 1000, bound % 1000);

        if (ngx_http_wa_gateway_metrics_line(sample, "_bucket", "le",
                                             (char *) le, "%uL", counts[i])
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    count = ngx_http_wa_gateway_latency_count(record->latency);

    if (ngx_http_wa_gateway_metrics_line(sample, "_bucket", "le", "+Inf",
                                         "%uL", count) != NGX_OK
        || ngx_http_wa_gateway_metrics_line(sample, "_sum", NULL, NULL,
                                            "%uA.%03uA", record->time / 1000,
                                            record->time % 1000) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_wa_gateway_metrics_line(sample, "_count", NULL, NULL,
                                            "%uL", count);
}


static ngx_int_t
ngx_http_wa_gateway_family_in_flight(ngx_http_wa_gateway_sample_t *sample)
{
    return ngx_http_wa_gateway_metrics_line(sample, "", NULL, NULL, "%uA",
                                            sample->view->record.in_flight);
}


static ngx_int_t
ngx_http_wa_gateway_family_failovers(ngx_http_wa_gateway_sample_t *sample)
{
    return ngx_http_wa_gateway_metrics_line(sample, "", NULL, NULL, "%uA",
                               sample->snapshot->upstream->group->failovers);
}


static ngx_int_t
ngx_http_wa_gateway_family_ambiguous(ngx_http_wa_gateway_sample_t *sample)
{
    return ngx_http_wa_gateway_metrics_line(sample, "", NULL, NULL, "%uA",
                               sample->snapshot->upstream->group->ambiguous);
}


static ngx_int_t
ngx_http_wa_gateway_family_no_instance(ngx_http_wa_gateway_sample_t *sample)
{
    return ngx_http_wa_gateway_metrics_line(sample, "", NULL, NULL, "%uA",
                             sample->snapshot->upstream->group->no_instance);
}


static ngx_int_t
ngx_http_wa_gateway_family_checks(ngx_http_wa_gateway_sample_t *sample)
{
    ngx_http_wa_gateway_instance_t  *record;

    record = &sample->view->record;

    if (ngx_http_wa_gateway_metrics_line(sample, "", "result", "pass", "%ui",
                                         record->passed)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_wa_gateway_metrics_line(sample, "", "result", "fail",
                                            "%ui", record->failed);
}


static ngx_int_t
ngx_http_wa_gateway_family_check_duration(
    ngx_http_wa_gateway_sample_t *sample)
{
    ngx_msec_t  msec;

    msec = sample->view->record.check_time;

    return ngx_http_wa_gateway_metrics_line(sample, "", NULL, NULL, "%M.%03M",
                                            msec / 1000, msec % 1000);
}


static ngx_int_t
ngx_http_wa_gateway_family_zone(ngx_http_wa_gateway_sample_t *sample)
{
    size_t  total, free;

    total = sample->zone->shm_zone->shm.size;
    free = sample->zone->shpool->pfree * ngx_pagesize;

    if (ngx_http_wa_gateway_metrics_line(sample, "", "kind", "total", "%uz",
                                         total)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_wa_gateway_metrics_line(sample, "", "kind", "free", "%uz",
                                            free);
}
