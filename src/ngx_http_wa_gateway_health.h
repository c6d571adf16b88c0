
/*
 * Copyright (C) the wa_gateway authors
 */


#ifndef _NGX_HTTP_WA_GATEWAY_HEALTH_H_INCLUDED_
#define _NGX_HTTP_WA_GATEWAY_HEALTH_H_INCLUDED_


#include "ngx_http_wa_gateway_module.h"


#define NGX_HTTP_WA_GATEWAY_PASS    0    /* a check passed */
#define NGX_HTTP_WA_GATEWAY_FAIL    1    /* a check failed */
#define NGX_HTTP_WA_GATEWAY_OK      2    /* traffic was answered */
#define NGX_HTTP_WA_GATEWAY_STATUS  3    /* with a status that counts */
#define NGX_HTTP_WA_GATEWAY_ERROR   4    /* traffic met a transport failure */
#define NGX_HTTP_WA_GATEWAY_TICK    5    /* time went by */


/*
 * The state of an instance that was not known before.
 */
void ngx_http_wa_gateway_health_init(ngx_http_wa_gateway_health_t *h,
    ngx_http_wa_gateway_policy_t *policy);

/*
 * Takes one event at the time now, in monotonic ms, and moves h.  "last" says
 * that no other instance is up: then no status takes this one out.  Returns 1
 * if the state changed, 0 otherwise.
 */
ngx_uint_t ngx_http_wa_gateway_health_event(ngx_http_wa_gateway_health_t *h,
    ngx_http_wa_gateway_policy_t *policy, ngx_uint_t event, ngx_uint_t last,
    ngx_msec_t now);

/*
 * Tells if at the time now, in monotonic ms, an ejection or a slow start has
 * ended: TICK may move h then, and not before.
 */
ngx_uint_t ngx_http_wa_gateway_health_over(ngx_http_wa_gateway_health_t *h,
    ngx_http_wa_gateway_policy_t *policy, ngx_msec_t now);

/*
 * The share of its weight that an instance takes at the time now, in tenths:
 * 10, and from 1 to 10 during a slow start.
 */
ngx_uint_t ngx_http_wa_gateway_health_share(ngx_http_wa_gateway_health_t *h,
    ngx_http_wa_gateway_policy_t *policy, ngx_msec_t now);


extern ngx_str_t  ngx_http_wa_gateway_states[NGX_HTTP_WA_GATEWAY_STATES];


#endif /* _NGX_HTTP_WA_GATEWAY_HEALTH_H_INCLUDED_ */
