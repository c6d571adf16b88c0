
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_chunked_response.h"
#include "wag_client.h"
#include "wag_conf.h"
#include "wag_json_response.h"
#include "wag_metrics.h"
#include "wag_snapshot.h"


typedef struct {
    ngx_uint_t           nupstreams;
    wag_snapshot_t     **snapshots;
    ngx_array_t         *zones;
    ngx_uint_t           upstream;   /* now */
    ngx_uint_t           header;     /* of the family, done */
} wag_metrics_t;


static ngx_int_t wag_metrics_produce(wag_chunked_response_t *stream);
static ngx_int_t wag_metrics_next(wag_chunked_response_t *stream,
    wag_sample_t *sample, ngx_uint_t of);
static ngx_uint_t wag_metrics_lacks(wag_upstream_t *us, ngx_uint_t of);
static void wag_metrics_labels(wag_sample_t *sample);


static ngx_str_t  wag_text = ngx_string("text/plain; version=0.0.4");


char *
wag_metrics_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = wag_metrics_handler;

    return NGX_CONF_OK;
}


ngx_int_t
wag_metrics_handler(ngx_http_request_t *r)
{
    ngx_int_t         rc;
    ngx_uint_t        i;
    wag_metrics_t    *m;
    wag_upstream_t  **usp;
    wag_main_conf_t  *wmcf;

    rc = wag_json_response_begin(r);
    if (rc != NGX_OK) {
        return rc;
    }

    /* they tell of all */

    if (wag_keys_is_limited(wag_client_key(r))) {
        return wag_client_forbid(r);
    }

    wmcf = ngx_http_get_module_main_conf(r, ngx_http_wa_gateway_module);

    m = ngx_pcalloc(r->pool, sizeof(wag_metrics_t));
    if (m == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    m->nupstreams = wmcf->upstreams.nelts;
    m->zones = &wmcf->zones;

    m->snapshots = ngx_palloc(r->pool, m->nupstreams
                                  * sizeof(wag_snapshot_t *));
    if (m->snapshots == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    usp = wmcf->upstreams.elts;

    for (i = 0; i < m->nupstreams; i++) {
        m->snapshots[i] = wag_snapshot_take(r->pool, usp[i], NULL);

        if (m->snapshots[i] == NULL
            || wag_snapshot_sessions(r->pool, m->snapshots[i]) != NGX_OK)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    return wag_chunked_response_send(r, &wag_text, wag_metrics_produce, m);
}


/* one family of one instance, upstream or zone at a time */

static ngx_int_t
wag_metrics_produce(wag_chunked_response_t *stream)
{
    wag_metrics_t *m = stream->data;

    u_char              *p;
    ngx_int_t            rc;
    wag_sample_t         sample;
    wag_metric_table_t  *family;
    u_char               buf[512];

    family = &wag_families[stream->stage];

    if (family->name == NULL) {
        return NGX_OK;
    }

    ngx_memzero(&sample, sizeof(wag_sample_t));

    sample.stream = stream;
    sample.name = family->name;

    rc = wag_metrics_next(stream, &sample, family->of);

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

        if (wag_chunked_response_add(stream, buf, p - buf) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    wag_metrics_labels(&sample);

    return (family->add(&sample) == NGX_OK) ? NGX_AGAIN : NGX_ERROR;
}


/* moves to what the next sample is of; NGX_DONE if there is no more */

static ngx_int_t
wag_metrics_next(wag_chunked_response_t *stream, wag_sample_t *sample,
    ngx_uint_t of)
{
    wag_metrics_t *m = stream->data;

    wag_zone_t      **zones;
    wag_upstream_t   *us;

    switch (of) {

    case WAG_OF_ZONE:

        if (stream->n == m->zones->nelts) {
            return NGX_DONE;
        }

        zones = m->zones->elts;
        sample->zone = zones[stream->n++];

        return NGX_OK;

    case WAG_OF_INSTANCE:

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

    case WAG_OF_SESSION:
    case WAG_OF_NUMBER:

        while (m->upstream < m->nupstreams) {
            sample->snapshot = m->snapshots[m->upstream];

            us = sample->snapshot->upstream;

            /* what is left of budgets in a store, only that knows */

            if (stream->n < sample->snapshot->session_views.nelts
                && (of == WAG_OF_SESSION
                    || (us->pace && us->store == NULL)))
            {
                sample->session = sample->snapshot->session_views.elts;
                sample->session += stream->n++;
                return NGX_OK;
            }

            m->upstream++;
            stream->n = 0;
        }

        return NGX_DONE;

    default:

        while (m->upstream < m->nupstreams
               && wag_metrics_lacks(m->snapshots[m->upstream]->upstream, of))
        {
            m->upstream++;
        }

        while (of == WAG_OF_KEYS
               && m->upstream < m->nupstreams
               && m->snapshots[m->upstream]->upstream->idempotency == NULL)
        {
            m->upstream++;
        }

        if (m->upstream == m->nupstreams
            || (of == WAG_OF_GATEWAY && m->upstream))
        {
            return NGX_DONE;
        }

        sample->snapshot = m->snapshots[m->upstream++];

        return NGX_OK;
    }
}


static ngx_uint_t
wag_metrics_lacks(wag_upstream_t *us, ngx_uint_t of)
{
    return (of == WAG_OF_SESSIONS && us->vendors == 0)
           || (of == WAG_OF_PACED && us->pace == NULL)
           || (of == WAG_OF_STORE && us->store == NULL);
}


static void
wag_metrics_labels(wag_sample_t *sample)
{
    sample->labels.data = sample->text;

    if (sample->zone) {
        wag_metrics_label(sample, "zone", &sample->zone->shm_zone->shm.name);
        return;
    }

    if (sample->snapshot) {
        wag_metrics_label(sample, "upstream",
                          &sample->snapshot->upstream->uscf->host);
    }

    if (sample->view) {
        wag_metrics_label(sample, "instance", &sample->view->name);
    }

    if (sample->session) {
        wag_metrics_label(sample, "instance", &sample->session->instance);
        wag_metrics_label(sample, "session", &sample->session->name);
    }
}


void
wag_metrics_label(wag_sample_t *sample, const char *name, ngx_str_t *value)
{
    u_char     *p, *end;
    ngx_uint_t  i;

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


ngx_int_t
wag_metrics_value(wag_sample_t *sample, ngx_atomic_uint_t value)
{
    return wag_metrics_line(sample, "", NULL, NULL, "%uA", value);
}


ngx_int_t
wag_metrics_values(wag_sample_t *sample, const char *label, ngx_str_t *names,
    ngx_atomic_t *values, ngx_uint_t n)
{
    ngx_uint_t  i;

    for (i = 0; i < n; i++) {
        if (wag_metrics_line(sample, "", label, (char *) names[i].data, "%uA",
                             values[i])
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* one sample: name, suffix, labels, one label more if given, and the value */

ngx_int_t
wag_metrics_line(wag_sample_t *sample, const char *suffix, const char *label,
    const char *value, const char *fmt, ...)
{
    u_char      *p, *end;
    va_list      args;
    ngx_buf_t   *b;
    const char  *comma;

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
