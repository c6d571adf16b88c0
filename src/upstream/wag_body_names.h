
/*
 * Copyright (C) the wa_gateway authors
 *
 * What the body of a server's own request names: a session, a recipient.
 */


#ifndef _WAG_BODY_NAMES_H_INCLUDED_
#define _WAG_BODY_NAMES_H_INCLUDED_


#include "wag_ctx.h"
#include "wag_head.h"
#include "wag_route.h"


typedef struct {
    ngx_str_t            member;      /* of the session; len 0: not wanted;
                                         after a refusal what is wrong */
    wag_route_to_t      *to;          /* NULL: not wanted */

    /* what was found, in UTF-8; len 0: it is not there */

    ngx_str_t            session;
    ngx_str_t            recipient;

    ngx_uint_t           refusal;     /* REFUSED_NOT ... */
} wag_body_names_t;


/*
 * Looks through the body that the instance gets, once for both.  NGX_OK:
 * "refusal" tells whether it could be judged; NGX_ERROR: it could not be read,
 * or there is no memory.
 */
ngx_int_t wag_body_names_read(wag_ctx_t *ctx, wag_head_t *head,
    wag_body_names_t *names);


#endif /* _WAG_BODY_NAMES_H_INCLUDED_ */
