
/*
 * Copyright (C) the wa_gateway authors
 *
 * Makes a request for the instance that was chosen: with its key, and the name
 * of the session where a header names it.
 */


#ifndef _WAG_REMAKE_H_INCLUDED_
#define _WAG_REMAKE_H_INCLUDED_


#include "wag_routing.h"


/*
 * Before each attempt, from the request as nginx made it.  NGX_ERROR if there
 * is no memory.
 */
ngx_int_t wag_remake(wag_ctx_t *ctx, wag_peer_t *peer);

/*
 * The parts of it: an edit that drops what is the gateway's own; the key of
 * the instance, for which others are dropped; headers that are filled for it.
 */
void wag_remake_begin(wag_ctx_t *ctx, wag_head_edit_t *edit);
ngx_int_t wag_remake_key(wag_ctx_t *ctx, wag_head_edit_t *edit,
    wag_peer_t *peer);
ngx_int_t wag_remake_headers(wag_ctx_t *ctx, wag_head_edit_t *edit,
    wag_peer_t *peer, ngx_array_t *headers);


#endif /* _WAG_REMAKE_H_INCLUDED_ */
