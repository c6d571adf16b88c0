
/*
 * Copyright (C) the wa_gateway authors
 *
 * A message as the vendor of an instance wants it.
 */


#ifndef _WAG_WRITE_H_INCLUDED_
#define _WAG_WRITE_H_INCLUDED_


#include "wag_generic.h"
#include "wag_send.h"


/*
 * Which vendors of the upstream cannot be sent this message, a bit for each of
 * us->kinds.
 */
uint32_t wag_write_unable(wag_ctx_t *ctx);

/*
 * The member of a message that some of them cannot be sent.
 */
ngx_str_t *wag_write_member(wag_ctx_t *ctx);

/*
 * Makes the request for the instance that was chosen, before each attempt;
 * base64 is passed on out of the client's body.  NGX_ERROR if there is no
 * memory.
 */
ngx_int_t wag_write(wag_ctx_t *ctx, wag_peer_t *peer);

/*
 * Prepares u for another attempt, as ngx_http_upstream_reinit() does, which
 * would begin each file at its first byte.
 */
ngx_int_t wag_write_reinit(wag_ctx_t *ctx);


#endif /* _WAG_WRITE_H_INCLUDED_ */
