
/*
 * Copyright (C) the wa_gateway authors
 *
 * At most once: who is asked after an attempt that failed, if anybody.
 */


#ifndef _NGX_HTTP_WA_GATEWAY_RETRY_H_INCLUDED_
#define _NGX_HTTP_WA_GATEWAY_RETRY_H_INCLUDED_


#include "ngx_http_wa_gateway_module.h"


/*
 * Called once for each attempt that is over, judged before.  Scores it, and
 * sets pc->tries: 0, or more if there is to be another attempt, which is only
 * where not one byte of the request was written or it may be repeated.
 */
void ngx_http_wa_gateway_retry_decide(ngx_http_wa_gateway_ctx_t *ctx,
    ngx_peer_connection_t *pc, ngx_uint_t state);

/*
 * Scores an attempt that the same peer was to be asked again after, when
 * nginx did not let it.
 */
void ngx_http_wa_gateway_retry_declined(ngx_http_wa_gateway_ctx_t *ctx);

/*
 * Whether the request was at this peer before.
 */
ngx_uint_t ngx_http_wa_gateway_retry_tried(ngx_http_wa_gateway_ctx_t *ctx,
    ngx_http_wa_gateway_peer_t *peer);

/*
 * Whether the request may be repeated though it was written: a safe method
 * (RFC 9110, 9.2.1) and "retry=idempotent".
 */
ngx_uint_t ngx_http_wa_gateway_retry_repeatable(
    ngx_http_wa_gateway_ctx_t *ctx);


#endif /* _NGX_HTTP_WA_GATEWAY_RETRY_H_INCLUDED_ */
