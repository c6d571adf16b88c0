
/*
 * Copyright (C) the wa_gateway authors
 *
 * Where a request to servers that have a vendor goes: what it is for and which
 * session it names, judged by what the instance will get; and with which key.
 */


#ifndef _WAG_ROUTING_H_INCLUDED_
#define _WAG_ROUTING_H_INCLUDED_


#include "wag_judge.h"


struct wag_routing_s {
    wag_head_t           head;       /* of the request as nginx made it */
    wag_judgement_t      judgement;
    wag_known_t         *known;      /* the session chosen, if it is one */
    unsigned             own:1;      /* it has headers of the gateway's */

    ngx_keyval_t         headers[16];   /* room for most heads */
    u_char               shown[WAG_SESSION_NAME_LEN];   /* of "known" */
};


/*
 * Judges a request, once nginx has made it.  NGX_OK; NGX_DECLINED:
 * ctx->refusal and ctx->member say why not; NGX_ERROR if there is no memory.
 */
ngx_int_t wag_routing_judge(wag_ctx_t *ctx);

/*
 * The beginning of that, which all requests have in common: the head is read,
 * and the headers of the gateway's own.
 */
ngx_int_t wag_routing_begin(wag_ctx_t *ctx);

/*
 * Whether it is chosen here at all: else any instance will do that fits.
 */
#define wag_routing_chooses(routing)                                          \
    ((routing)                                                                \
     && ((routing)->judgement.by != WAG_BY_INSTANCE                           \
         || (routing)->judgement.choice.peer))

#define wag_routing_fits(routing, peer)                                       \
    ((routing) == NULL                                                        \
     || (routing)->judgement.choice.vendor == NULL                            \
     || (routing)->judgement.choice.vendor == (peer)->server->vendor)

/*
 * Chooses the instance of the session whose turn it is, or for a new session,
 * or the one that was named; NULL if none may be asked.  "take" is as with
 * wag_choice_next(), its data the context.
 */
wag_peer_t *wag_routing_choose(wag_ctx_t *ctx, wag_choice_take_pt take);

/*
 * Whether there is another one to choose; "may" takes nothing.
 */
ngx_uint_t wag_routing_has_others(wag_ctx_t *ctx, wag_choice_take_pt may);


#endif /* _WAG_ROUTING_H_INCLUDED_ */
