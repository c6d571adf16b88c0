
/*
 * Copyright (C) the wa_gateway authors
 */


#ifndef _WAG_METRICS_H_INCLUDED_
#define _WAG_METRICS_H_INCLUDED_


#include "wag_chunked_response.h"
#include "wag_snapshot.h"
#include "wag_upstream.h"


/* what a family is a figure of */

#define WAG_OF_GATEWAY   0
#define WAG_OF_UPSTREAM  1
#define WAG_OF_INSTANCE  2
#define WAG_OF_ZONE      3
#define WAG_OF_SESSIONS  4   /* an upstream that has some */
#define WAG_OF_SESSION   5
#define WAG_OF_PACED     6   /* an upstream that paces */
#define WAG_OF_NUMBER    7   /* a session of these */
#define WAG_OF_KEYS      8   /* an upstream that keeps those of sends */
#define WAG_OF_STORE     9   /* an upstream that shares them */

/* bytes of labels: names of hosts have 253 at most, paths of sockets 107 */

#define WAG_LABELS       2048


typedef struct {
    wag_chunked_response_t  *stream;
    const char              *name;     /* of the family */
    ngx_str_t                labels;   /* all but the last */
    wag_snapshot_t          *snapshot;
    wag_view_t              *view;     /* OF_INSTANCE */
    wag_zone_t              *zone;     /* OF_ZONE */
    wag_session_view_t      *session;  /* OF_SESSION */
    u_char                   text[WAG_LABELS];
} wag_sample_t;


/* a metric; a new one is one row of the table, and a function */

typedef struct {
    const char          *name;
    const char          *type;
    const char          *help;
    ngx_uint_t           of;
    ngx_int_t          (*add)(wag_sample_t *sample);
} wag_metric_table_t;


/*
 * The content handler of "wa_gateway_metrics": all upstreams with wa_gateway,
 * in Prometheus' text format 0.0.4.
 */
ngx_int_t wag_metrics_handler(ngx_http_request_t *r);

/*
 * Adds a sample to the answer: name, suffix, the labels there are, one label
 * more if given, and the value.  NGX_ERROR if it is too long.
 */
ngx_int_t wag_metrics_line(wag_sample_t *sample, const char *suffix,
    const char *label, const char *value, const char *fmt, ...);

/*
 * The sample of a family that has one, without a label of its own.
 */
ngx_int_t wag_metrics_value(wag_sample_t *sample, ngx_atomic_uint_t value);

/*
 * A sample for each of "n" values of a label, which are these names.
 */
ngx_int_t wag_metrics_values(wag_sample_t *sample, const char *label,
    ngx_str_t *names, ngx_atomic_t *values, ngx_uint_t n);

/*
 * Adds a label that all samples to come have.
 */
void wag_metrics_label(wag_sample_t *sample, const char *name,
    ngx_str_t *value);


extern wag_metric_table_t  wag_families[];

/*
 * The "wa_gateway_metrics" directive.
 */
char *wag_metrics_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);


#endif /* _WAG_METRICS_H_INCLUDED_ */
