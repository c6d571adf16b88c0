
/*
 * Copyright (C) the wa_gateway authors
 *
 * Marking: what checks, traffic and time tell of an instance changes its
 * state.
 */


#ifndef _NGX_HTTP_WA_GATEWAY_MARK_H_INCLUDED_
#define _NGX_HTTP_WA_GATEWAY_MARK_H_INCLUDED_


#include "ngx_http_wa_gateway_module.h"


typedef struct {
    ngx_http_wa_gateway_upstream_t  *upstream;
    ngx_http_wa_gateway_peer_t      *peer;
    ngx_uint_t                       event;
    ngx_str_t                        reason;   /* when it may take one down */
} ngx_http_wa_gateway_news_t;


/*
 * Feeds the state machine and tells of a change: in the log, by the group's
 * generation and in its list of events.
 */
void ngx_http_wa_gateway_mark_event(ngx_http_wa_gateway_news_t *news);

/*
 * Moves the states that time alone moves: the end of an ejection and of a slow
 * start.  For the timer and for traffic; who only reads does not call it.
 */
void ngx_http_wa_gateway_mark_tick(ngx_http_wa_gateway_upstream_t *us);


#endif /* _NGX_HTTP_WA_GATEWAY_MARK_H_INCLUDED_ */
