
/*
 * Copyright (C) the wa_gateway authors
 *
 * A message to send, in JSON as a client writes it: of any size, as it comes,
 * with nothing kept of its base64 but where it is.
 */


#ifndef _WAG_MESSAGE_H_INCLUDED_
#define _WAG_MESSAGE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_member.h"


/*
 * Prepares for one body.  "kind", "country" and "length" are the caller's; if
 * a length is set, no text needs more room than that.  What is prepared is
 * not to be moved.
 */
void wag_message_init(wag_message_t *m, ngx_pool_t *pool);

/*
 * Takes the next bytes, which are only read.  NGX_AGAIN: go on; NGX_DECLINED:
 * "error" and "member" tell why the message is refused, the rest is not
 * wanted; NGX_ERROR: no memory.
 */
ngx_int_t wag_message_parse(wag_message_t *m, u_char *pos, u_char *last);

/*
 * There are no more bytes.  NGX_OK: it is a message; NGX_DECLINED; NGX_ERROR.
 */
ngx_int_t wag_message_end(wag_message_t *m);


#endif /* _WAG_MESSAGE_H_INCLUDED_ */
