
/*
 * Copyright (C) the wa_gateway authors
 */


#ifndef _NGX_HTTP_WA_GATEWAY_METRICS_H_INCLUDED_
#define _NGX_HTTP_WA_GATEWAY_METRICS_H_INCLUDED_


#include "ngx_http_wa_gateway_module.h"
#include "ngx_http_wa_gateway_snapshot.h"
#include "ngx_http_wa_gateway_stream.h"


/* what a family is a figure of */

#define NGX_HTTP_WA_GATEWAY_OF_GATEWAY   0
#define NGX_HTTP_WA_GATEWAY_OF_UPSTREAM  1
#define NGX_HTTP_WA_GATEWAY_OF_INSTANCE  2
#define NGX_HTTP_WA_GATEWAY_OF_ZONE      3

/* bytes of labels: names of hosts have 253 at most, paths of sockets 107 */

#define NGX_HTTP_WA_GATEWAY_LABELS       2048


typedef struct {
    ngx_http_wa_gateway_stream_t     *stream;
    const char                       *name;       /* of the family */
    ngx_str_t                         labels;     /* all but the last */
    ngx_http_wa_gateway_snapshot_t   *snapshot;
    ngx_http_wa_gateway_view_t       *view;       /* OF_INSTANCE */
    ngx_http_wa_gateway_zone_t       *zone;       /* OF_ZONE */
    u_char                            text[NGX_HTTP_WA_GATEWAY_LABELS];
} ngx_http_wa_gateway_sample_t;


/* a metric; a new one is one row of the table, and a function */

typedef struct {
    const char   *name;
    const char   *type;
    const char   *help;
    ngx_uint_t    of;
    ngx_int_t   (*add)(ngx_http_wa_gateway_sample_t *sample);
} ngx_http_wa_gateway_family_t;


/*
 * The content handler of "wa_gateway_metrics": all upstreams with wa_gateway,
 * in Prometheus' text format 0.0.4.
 */
ngx_int_t ngx_http_wa_gateway_metrics_handler(ngx_http_request_t *r);

/*
 * Adds a sample to the answer: name, suffix, the labels there are, one label
 * more if given, and the value.  NGX_ERROR if it is too long.
 */
ngx_int_t ngx_http_wa_gateway_metrics_line(
    ngx_http_wa_gateway_sample_t *sample, const char *suffix,
    const char *label, const char *value, const char *fmt, ...);

/*
 * Adds a label that all samples to come have.
 */
void ngx_http_wa_gateway_metrics_label(ngx_http_wa_gateway_sample_t *sample,
    const char *name, ngx_str_t *value);


extern ngx_http_wa_gateway_family_t  ngx_http_wa_gateway_families[];


#endif /* _NGX_HTTP_WA_GATEWAY_METRICS_H_INCLUDED_ */
