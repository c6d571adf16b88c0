
/*
 * Copyright (C) the wa_gateway authors
 *
 * What a send with a key is known by: its key and the request as hashes, and
 * the id that its message is to have.
 */


#ifndef _WAG_FINGERPRINT_H_INCLUDED_
#define _WAG_FINGERPRINT_H_INCLUDED_


#include "wag_ctx.h"
#include "wag_marks.h"


/*
 * Sets key->id: "value" as one of its owner's.  Who changes an API key keeps
 * its label; all that have no API key are one.
 */
void wag_fingerprint_key(wag_ctx_t *ctx, ngx_str_t *value,
    wag_marks_key_t *key);

/*
 * Sets key->request: method, URI, headers named X-WA-*, and a body of any
 * size, below key->id.  NGX_ERROR: the body's file cannot be read, or there is
 * no memory.
 */
ngx_int_t wag_fingerprint_request(wag_ctx_t *ctx, wag_marks_key_t *key);

/*
 * Derives ctx->own_id, which the message is to have on the servers of this
 * peer's key; it is the same for all repeats.  NGX_ERROR if there is no
 * memory.
 */
ngx_int_t wag_fingerprint_own_id(wag_ctx_t *ctx, wag_peer_t *peer,
    wag_marks_key_t *key);


#endif /* _WAG_FINGERPRINT_H_INCLUDED_ */
