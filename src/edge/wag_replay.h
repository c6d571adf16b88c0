
/*
 * Copyright (C) the wa_gateway authors
 *
 * The answer to who repeats a send: that of before, as it was stored, or what
 * is still known of it.
 */


#ifndef _WAG_REPLAY_H_INCLUDED_
#define _WAG_REPLAY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/*
 * Whether the error page that is to be sent stands for such an answer; its
 * header is put in place.  NGX_DECLINED: it does not; NGX_ERROR if there is no
 * memory.  The body is ctx->body then.
 */
ngx_int_t wag_replay_header(ngx_http_request_t *r);


#endif /* _WAG_REPLAY_H_INCLUDED_ */
