
/*
 * Copyright (C) the wa_gateway authors
 *
 * A body that is too large for memory is looked at while it arrives: to read
 * its file again costs a tenth of what the whole request does.
 */


#ifndef _WAG_ARRIVAL_H_INCLUDED_
#define _WAG_ARRIVAL_H_INCLUDED_


#include "wag_body.h"
#include "wag_ctx.h"
#include "wag_head.h"
#include "wag_message.h"
#include "wag_route.h"


struct wag_arrival_s {
    off_t                seen;      /* bytes, from the first on */
    ngx_int_t            rc;        /* of wag_message_parse() */
    wag_body_t          *body;      /* of a native request, or */
    wag_message_t       *message;   /* of a send of the gateway's own */
};


/*
 * Puts itself before the filters of request bodies.
 */
void wag_arrival_init(void);

/*
 * What was found of the member with this name, and of that with a recipient if
 * "to" is not NULL; NULL if one was not looked for, or not in all of what the
 * instance is to get: wag_body_end() was not called.
 */
wag_body_t *wag_arrival_body(wag_ctx_t *ctx, ngx_str_t *name,
    wag_route_to_t *to);

/*
 * The message, as it was read with the kind and country of this one; NULL as
 * above.  wag_message_end() was not called, "rc" is what it would follow on.
 */
wag_message_t *wag_arrival_message(wag_ctx_t *ctx, wag_message_t *like,
    ngx_int_t *rc);


#endif /* _WAG_ARRIVAL_H_INCLUDED_ */
