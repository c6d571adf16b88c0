
/*
 * Copyright (C) the wa_gateway authors
 */


#include "ngx_http_wa_gateway_module.h"
#include "ngx_http_wa_gateway_answer.h"
#include "ngx_http_wa_gateway_metrics.h"
#include "ngx_http_wa_gateway_snapshot.h"
#include "ngx_http_wa_gateway_stream.h"
#include "ngx_http_wa_gateway_zone.h"


/* what a family is a figure of */

#define NGX_HTTP_WA_GATEWAY_OF_GATEWAY   0
#define NGX_HTTP_WA_GATEWAY_OF_UPSTREAM  1
#define NGX_HTTP_WA_GATEWAY_OF_INSTANCE  2
#define NGX_HTTP_WA_GATEWAY_OF_ZONE      3

/* bytes of labels: names of hosts have 253 at most, paths of sockets 107 */

#define NGX_HTTP_WA_GATEWAY_LABELS       2048


typedef struct {
    ngx_uint_t                        nupstreams;
    ngx_http_wa_gateway_snapshot_t  **snapshots;
    ngx_array_t                      *zones;
    ngx_uint_t                        upstream;   /* now */
    ngx_uint_t                        header;     /* of the family, done */
} ngx_http_wa_gateway_metrics_t;


typedef struct {
    ngx_http_wa_gateway_stream_t     *stream;
    const char                       *name;       /* of the family */
    ngx_str_t                         labels;     /* all but the last */
    ngx_http_wa_gateway_snapshot_t   *snapshot;
    ngx_http_wa_gateway_view_t       *view;       /* OF_INSTANCE */
    ngx_http_wa_gateway_zone_t       *zone;       /* OF_ZONE */
    u_char                            text[NGX_HTTP_WA_GATEWAY_LABELS];
} ngx_http_wa_gateway_sample_t;


typedef struct {
    const char   *name;
    const char   *type;
    const char   *help;
    ngx_uint_t    of;
    ngx_int_t   (*add)(ngx_http_wa_gateway_sample_t *sample);
} ngx_http_wa_gateway_family_t;


static ngx_int_t ngx_http_wa_gateway_metrics_produce(
    ngx_http_wa_gateway_stream_t *stream);
static ngx_int_t ngx_http_wa_gateway_metrics_next(
    ngx_http_wa_gateway_stream_t *stream,
    ngx_http_wa_gateway_sample_t *sample, ngx_uint_t of);
static void ngx_http_wa_gateway_metrics_labels(
    ngx_http_wa_gateway_sample_t *sample);
static void ngx_http_wa_gateway_metrics_label(
    ngx_http_wa_gateway_sample_t *sample, const char *name, ngx_str_t *value);
static ngx_int_t ngx_http_wa_gateway_metrics_line(
    ngx_http_wa_gateway_sample_t *sample, const char *suffix,
    const char *label, const char *value, const char *fmt, ...);

static ngx_int_t ngx_http_wa_gateway_metrics_info(
    ngx_http_wa_gateway_sample_t *sample);
static ngx_int_t ngx_http_wa_gateway_metrics_uptime(
    ngx_http_wa_gateway_sample_t *sample);
static ngx_int_t ngx_http_wa_gateway_metrics_reloads(
    ngx_http_wa_gateway_sample_t *sample);
static ngx_int_t ngx_http_wa_gateway_metrics_up(
    ngx_http_wa_gateway_sample_t *sample);
static ngx_int_t ngx_http_wa_gateway_metrics_state(
    ngx_http_wa_gateway_sample_t *sample);
static ngx_int_t ngx_http_wa_gateway_metrics_requests(
    ngx_http_wa_gateway_sample_t *sample);
static ngx_int_t ngx_http_wa_gateway_metrics_failures(
    ngx_http_wa_gateway_sample_t *sample);
static ngx_int_t ngx_http_wa_gateway_metrics_duration(
    ngx_http_wa_gateway_sample_t *sample);
static ngx_int_t ngx_http_wa_gateway_metrics_in_flight(
    ngx_http_wa_gateway_sample_t *sample);
static ngx_int_t ngx_http_wa_gateway_metrics_failovers(
    ngx_http_wa_gateway_sample_t *sample);
static ngx_int_t ngx_http_wa_gateway_metrics_ambiguous(
    ngx_http_wa_gateway_sample_t *sample);
static ngx_int_t ngx_http_wa_gateway_metrics_no_instance(
    ngx_http_wa_gateway_sample_t *sample);
static ngx_int_t ngx_http_wa_gateway_metrics_checks(
    ngx_http_wa_gateway_sample_t *sample);
static ngx_int_t ngx_http_wa_gateway_metrics_check_duration(
    ngx_http_wa_gateway_sample_t *sample);
static ngx_int_t ngx_http_wa_gateway_metrics_zone(
    ngx_http_wa_gateway_sample_t *sample);


static ngx_http_wa_gateway_family_t  ngx_http_wa_gateway_families[] = {

    { "wa_gateway_info", "gauge", "Versions of the gateway and of nginx.",
      NGX_HTTP_WA_GATEWAY_OF_GATEWAY, ngx_http_wa_gateway_metrics_info },

    { "wa_gateway_uptime_seconds", "gauge",
      "Time since the gateway was first started.",
      NGX_HTTP_WA_GATEWAY_OF_GATEWAY, ngx_http_wa_gateway_metrics_uptime },

    { "wa_gateway_reloads_total", "counter", "Reloads of the configuration.",
      NGX_HTTP_WA_GATEWAY_OF_GATEWAY, ngx_http_wa_gateway_metrics_reloads },

    { "wa_gateway_instance_up", "gauge",
      "Whether the instance can take messages.",
      NGX_HTTP_WA_GATEWAY_OF_INSTANCE, ngx_http_wa_gateway_metrics_up },

    { "wa_gateway_instance_state", "gauge", "The state the instance is in.",
      NGX_HTTP_WA_GATEWAY_OF_INSTANCE, ngx_http_wa_gateway_metrics_state },

    { "wa_gateway_requests_total", "counter", "Answers of the instance.",
      NGX_HTTP_WA_GATEWAY_OF_INSTANCE, ngx_http_wa_gateway_metrics_requests },

    { "wa_gateway_request_failures_total", "counter",
      "Requests that the instance did not answer, or not to the end.",
      NGX_HTTP_WA_GATEWAY_OF_INSTANCE, ngx_http_wa_gateway_metrics_failures },

    { "wa_gateway_request_duration_seconds", "histogram",
      "Time until the instance began to answer.",
      NGX_HTTP_WA_GATEWAY_OF_INSTANCE, ngx_http_wa_gateway_metrics_duration },

    { "wa_gateway_requests_in_flight", "gauge",
      "Requests that the instance is at work on.",
      NGX_HTTP_WA_GATEWAY_OF_INSTANCE, ngx_http_wa_gateway_metrics_in_flight },

    { "wa_gateway_failovers_total", "counter",
      "Requests that went on to another instance, never written to one.",
      NGX_HTTP_WA_GATEWAY_OF_UPSTREAM, ngx_http_wa_gateway_metrics_failovers },

    { "wa_gateway_ambiguous_total", "counter",
      "Requests that were written but not answered.",
      NGX_HTTP_WA_GATEWAY_OF_UPSTREAM, ngx_http_wa_gateway_metrics_ambiguous },

    { "wa_gateway_no_instance_total", "counter",
      "Requests for which no instance was available.",
      NGX_HTTP_WA_GATEWAY_OF_UPSTREAM,
      ngx_http_wa_gateway_metrics_no_instance },

    { "wa_gateway_checks_total", "counter", "Active checks of the instance.",
      NGX_HTTP_WA_GATEWAY_OF_INSTANCE, ngx_http_wa_gateway_metrics_checks },

    { "wa_gateway_check_duration_seconds", "gauge",
      "How long the last active check took.",
      NGX_HTTP_WA_GATEWAY_OF_INSTANCE,
      ngx_http_wa_gateway_metrics_check_duration },

    { "wa_gateway_zone_bytes", "gauge", "Shared memory of the zone.",
      NGX_HTTP_WA_GATEWAY_OF_ZONE, ngx_http_wa_gateway_metrics_zone },

    { NULL, NULL, NULL, 0, NULL }
};


static ngx_str_t  ngx_http_wa_gateway_text =
    ngx_string("text/plain; version=0.0.4");


ngx_int_t
ngx_http_wa_gateway_metrics_handler(ngx_http_request_t *r)
{
    ngx_int_t                         rc;
    ngx_uint_t                        i;
    ngx_http_wa_gateway_metrics_t    *m;
    ngx_http_wa_gateway_upstream_t  **usp;
    ngx_http_wa_gateway_main_conf_t  *wmcf;

    rc = ngx_http_wa_gateway_answer_begin(r);
    if (rc != NGX_OK) {
        return rc;
    }

    wmcf = ngx_http_get_module_main_conf(r, ngx_http_wa_gateway_module);

    m = ngx_pcalloc(r->pool, sizeof(ngx_http_wa_gateway_metrics_t));
    if (m == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    m->nupstreams = wmcf->upstreams.nelts;
    m->zones = &wmcf->zones;

    m->snapshots = ngx_palloc(r->pool, m->nupstreams
                                  * sizeof(ngx_http_wa_gateway_snapshot_t *));
    if (m->snapshots == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    usp = wmcf->upstreams.elts;

    for (i = 0; i < m->nupstreams; i++) {
        m->snapshots[i] = ngx_http_wa_gateway_snapshot_take(r->pool, usp[i]);

        if (m->snapshots[i] == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    return ngx_http_wa_gateway_stream_send(r, &ngx_http_wa_gateway_text,
                                           ngx_http_wa_gateway_metrics_produce,
                                           m);
}


/* one family of one instance, upstream or zone at a time */

static ngx_int_t
ngx_http_wa_gateway_metrics_produce(ngx_http_wa_gateway_stream_t *stream)
{
    ngx_http_wa_gateway_metrics_t *m = stream->data;

    u_char                        *p;
    ngx_int_t                      rc;
    ngx_http_wa_gateway_family_t  *family;
    ngx_http_wa_gateway_sample_t   sample;
    u_char                         buf[512];

    family = &ngx_http_wa_gateway_families[stream->stage];

    if (family->name == NULL) {
        return NGX_OK;
    }

    ngx_memzero(&sample, sizeof(ngx_http_wa_gateway_sample_t));

    sample.stream = stream;
    sample.name = family->name;

    rc = ngx_http_wa_gateway_metrics_next(stream, &sample, family->of);

    if (rc == NGX_DONE) {
        stream->stage++;
        stream->n = 0;
        m->upstream = 0;
        m->header = 0;

        return NGX_AGAIN;
    }

    if (!m->header) {
        m->header = 1;

        p = ngx_snprintf(buf, sizeof(buf), "# HELP %s %s\n# TYPE %s %s\n",
                         family->name, family->help, family->name,
                         family->type);

        if (ngx_http_wa_gateway_stream_add(stream, buf, p - buf) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    ngx_http_wa_gateway_metrics_labels(&sample);

    return (family->add(&sample) == NGX_OK) ? NGX_AGAIN : NGX_ERROR;
}


/* moves to what the next sample is of; NGX_DONE if there is no more */

static ngx_int_t
ngx_http_wa_gateway_metrics_next(ngx_http_wa_gateway_stream_t *stream,
    ngx_http_wa_gateway_sample_t *sample, ngx_uint_t of)
{
    ngx_http_wa_gateway_metrics_t *m = stream->data;

    ngx_http_wa_gateway_zone_t  **zones;

    switch (of) {

    case NGX_HTTP_WA_GATEWAY_OF_ZONE:

        if (stream->n == m->zones->nelts) {
            return NGX_DONE;
        }

        zones = m->zones->elts;
        sample->zone = zones[stream->n++];

        return NGX_OK;

    case NGX_HTTP_WA_GATEWAY_OF_INSTANCE:

        while (m->upstream < m->nupstreams) {
            sample->snapshot = m->snapshots[m->upstream];

            if (stream->n < sample->snapshot->total) {
                sample->view = &sample->snapshot->views[stream->n++];
                return NGX_OK;
            }

            m->upstream++;
            stream->n = 0;
        }

        return NGX_DONE;

    default:

        if (m->upstream == m->nupstreams
            || (of == NGX_HTTP_WA_GATEWAY_OF_GATEWAY && m->upstream))
        {
            return NGX_DONE;
        }

        sample->snapshot = m->snapshots[m->upstream++];

        return NGX_OK;
    }
}


static void
ngx_http_wa_gateway_metrics_labels(ngx_http_wa_gateway_sample_t *sample)
{
    sample->labels.data = sample->text;

    if (sample->zone) {
        ngx_http_wa_gateway_metrics_label(sample, "zone",
                                          &sample->zone->shm_zone->shm.name);
        return;
    }

    if (sample->snapshot) {
        ngx_http_wa_gateway_metrics_label(sample, "upstream",
                                     &sample->snapshot->upstream->uscf->host);
    }

    if (sample->view) {
        ngx_http_wa_gateway_metrics_label(sample, "instance",
                                          &sample->view->peer->name);
    }
}


static void
ngx_http_wa_gateway_metrics_label(ngx_http_wa_gateway_sample_t *sample,
    const char *name, ngx_str_t *value)
{
    u_char      *p, *end;
    ngx_uint_t   i;

    p = sample->labels.data + sample->labels.len;
    end = sample->text + sizeof(sample->text) - 3;

    p = ngx_slprintf(p, end, "%s%s=\"", sample->labels.len ? "," : "", name);

    for (i = 0; i < value->len && p < end; i++) {

        if (value->data[i] == '\\' || value->data[i] == '"') {
            *p++ = '\\';
        }

        *p++ = value->data[i];
    }

    *p++ = '"';

    sample->labels.len = p - sample->labels.data;
}


/* one sample: name, suffix, labels, one label more if given, and the value */

static ngx_int_t
ngx_http_wa_gateway_metrics_line(ngx_http_wa_gateway_sample_t *sample,
    const char *suffix, const char *label, const char *value, const char *fmt,
    ...)
{
    u_char       *p, *end;
    va_list       args;
    ngx_buf_t    *b;
    const char   *comma;

    b = sample->stream->buf;
    end = b->end;
    comma = sample->labels.len ? "," : "";

    p = ngx_slprintf(b->last, end, "%s%s{%V", sample->name, suffix,
                     &sample->labels);

    if (label) {
        p = ngx_slprintf(p, end, "%s%s=\"%s\"", comma, label, value);
    }

    p = ngx_slprintf(p, end, "} ");

    va_start(args, fmt);
    p = ngx_vslprintf(p, end, fmt, args);
    va_end(args);

    p = ngx_slprintf(p, end, "\n");

    if (p == end) {
        ngx_log_error(NGX_LOG_ALERT, sample->stream->request->connection->log,
                      0, "wa_gateway metrics sample is too long");
        return NGX_ERROR;
    }

    b->last = p;

    return NGX_OK;
}


static ngx_int_t
ngx_http_wa_gateway_metrics_info(ngx_http_wa_gateway_sample_t *sample)
{
    static ngx_str_t  version = ngx_string(NGX_HTTP_WA_GATEWAY_VERSION);

    sample->labels.len = 0;
    ngx_http_wa_gateway_metrics_label(sample, "version", &version);

    return ngx_http_wa_gateway_metrics_line(sample, "", "nginx",
                                            NGINX_VERSION, "1");
}


static ngx_int_t
ngx_http_wa_gateway_metrics_uptime(ngx_http_wa_gateway_sample_t *sample)
{
    ngx_msec_t  uptime;

    uptime = sample->snapshot->uptime;
    sample->labels.len = 0;

    return ngx_http_wa_gateway_metrics_line(sample, "", NULL, NULL,
                                            "%M.%03M", uptime / 1000,
                                            uptime % 1000);
}


static ngx_int_t
ngx_http_wa_gateway_metrics_reloads(ngx_http_wa_gateway_sample_t *sample)
{
    sample->labels.len = 0;

    return ngx_http_wa_gateway_metrics_line(sample, "", NULL, NULL, "%ui",
                                            sample->snapshot->generation - 1);
}


static ngx_int_t
ngx_http_wa_gateway_metrics_up(ngx_http_wa_gateway_sample_t *sample)
{
    return ngx_http_wa_gateway_metrics_line(sample, "", NULL, NULL, "%ui",
                                            sample->view->healthy);
}


static ngx_int_t
ngx_http_wa_gateway_metrics_state(ngx_http_wa_gateway_sample_t *sample)
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
ngx_http_wa_gateway_metrics_requests(ngx_http_wa_gateway_sample_t *sample)
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
ngx_http_wa_gateway_metrics_failures(ngx_http_wa_gateway_sample_t *sample)
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
ngx_http_wa_gateway_metrics_duration(ngx_http_wa_gateway_sample_t *sample)
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
ngx_http_wa_gateway_metrics_in_flight(ngx_http_wa_gateway_sample_t *sample)
{
    return ngx_http_wa_gateway_metrics_line(sample, "", NULL, NULL, "%uA",
                                            sample->view->record.in_flight);
}


static ngx_int_t
ngx_http_wa_gateway_metrics_failovers(ngx_http_wa_gateway_sample_t *sample)
{
    return ngx_http_wa_gateway_metrics_line(sample, "", NULL, NULL, "%uA",
                               sample->snapshot->upstream->group->failovers);
}


static ngx_int_t
ngx_http_wa_gateway_metrics_ambiguous(ngx_http_wa_gateway_sample_t *sample)
{
    return ngx_http_wa_gateway_metrics_line(sample, "", NULL, NULL, "%uA",
                               sample->snapshot->upstream->group->ambiguous);
}


static ngx_int_t
ngx_http_wa_gateway_metrics_no_instance(ngx_http_wa_gateway_sample_t *sample)
{
    return ngx_http_wa_gateway_metrics_line(sample, "", NULL, NULL, "%uA",
                             sample->snapshot->upstream->group->no_instance);
}


static ngx_int_t
ngx_http_wa_gateway_metrics_checks(ngx_http_wa_gateway_sample_t *sample)
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
ngx_http_wa_gateway_metrics_check_duration(
    ngx_http_wa_gateway_sample_t *sample)
{
    ngx_msec_t  msec;

    msec = sample->view->record.check_time;

    return ngx_http_wa_gateway_metrics_line(sample, "", NULL, NULL, "%M.%03M",
                                            msec / 1000, msec % 1000);
}


static ngx_int_t
ngx_http_wa_gateway_metrics_zone(ngx_http_wa_gateway_sample_t *sample)
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
