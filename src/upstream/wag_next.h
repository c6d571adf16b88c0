
/*
 * Copyright (C) the wa_gateway authors
 *
 * Who is asked next: the same once more, a session, or an instance in turn;
 * counted in flight, its budget claimed, the request made for it.
 */


#ifndef _WAG_NEXT_H_INCLUDED_
#define _WAG_NEXT_H_INCLUDED_


#include "wag_ctx.h"


/*
 * NULL if there is nobody, or no memory for the request.
 */
wag_peer_t *wag_next_peer(wag_ctx_t *ctx);

/*
 * The one that was taken last is not asked after all: as if it had not been.
 */
void wag_next_let_go(wag_ctx_t *ctx);


#endif /* _WAG_NEXT_H_INCLUDED_ */
