
/*
 * Copyright (C) the wa_gateway authors
 */


#ifndef _NGX_HTTP_WA_GATEWAY_SNAPSHOT_H_INCLUDED_
#define _NGX_HTTP_WA_GATEWAY_SNAPSHOT_H_INCLUDED_


#include "ngx_http_wa_gateway_module.h"


/* an instance as it was at one moment; the record itself moves on */

typedef struct {
    ngx_http_wa_gateway_peer_t      *peer;
    ngx_http_wa_gateway_instance_t   record;
    ngx_uint_t                       state;      /* with what conf says */
    ngx_uint_t                       healthy;    /* unsigned  healthy:1; */
    ngx_str_t                        reason;
} ngx_http_wa_gateway_view_t;


typedef struct {
    ngx_http_wa_gateway_upstream_t  *upstream;
    uint64_t                         now;        /* ms since the Epoch */
    uint64_t                         started;
    ngx_msec_t                       uptime;     /* ms */
    ngx_uint_t                       generation;
    ngx_uint_t                       next;       /* peer whose turn it is */
    ngx_uint_t                       total;
    ngx_uint_t                       healthy;

    ngx_http_wa_gateway_view_t      *views;      /* one for each peer */
    ngx_uint_t                       shown;      /* of which state */
    ngx_uint_t                       listed;     /* of these, so far */

    ngx_uint_t                       nevents;
    ngx_http_wa_gateway_event_t     *events;     /* the oldest first */
} ngx_http_wa_gateway_snapshot_t;


/*
 * Counts the instances and those that can take a message.  The states are
 * what the balancer would go by now.
 */
void ngx_http_wa_gateway_snapshot_count(ngx_http_wa_gateway_upstream_t *us,
    ngx_uint_t *total, ngx_uint_t *healthy);

/*
 * Copies all there is to tell of an upstream, from pool.  NULL if there is no
 * memory.
 */
ngx_http_wa_gateway_snapshot_t *ngx_http_wa_gateway_snapshot_take(
    ngx_pool_t *pool, ngx_http_wa_gateway_upstream_t *us);


#endif /* _NGX_HTTP_WA_GATEWAY_SNAPSHOT_H_INCLUDED_ */
