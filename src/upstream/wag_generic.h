
/*
 * Copyright (C) the wa_gateway authors
 *
 * A message that is sent in one way, whatever the vendor of the instance: it
 * is read from the client's request, written as the vendor wants it, and what
 * the vendor answers is judged by its proofs.
 */


#ifndef _WAG_GENERIC_H_INCLUDED_
#define _WAG_GENERIC_H_INCLUDED_


#include "wag_message.h"
#include "wag_proof.h"
#include "wag_routing.h"
#include "wag_send.h"


/* bytes of an answer that are kept for the client */

#define WAG_GENERIC_DATA  65536


struct wag_generic_s {
    wag_message_t       *message;
    wag_send_message_t   send;      /* as the vendors' files want it */
    ngx_chain_t         *body;      /* the client's */
    ngx_uint_t           result;    /* WAG_PROOF_NONE ... */
    ngx_uint_t           status;    /* of the answer */
    ngx_uint_t           pause;     /* s, that a throttled number rests */

    ngx_str_t            data;      /* of the answer, with room for a NUL */
    size_t               room;      /* for data */

    size_t               looked;    /* bytes of a header that is held */
    ngx_http_chunked_t   chunked;   /* of these */

    unsigned             form:1;    /* it is no JSON */
    unsigned             held:1;    /* the answer's header, until judged */
    unsigned             begun:1;   /* the proof */
    unsigned             judged:1;  /* result is there */
    unsigned             cut:1;     /* there was more than is kept */
    unsigned             taken:1;   /* the answer comes to the filter */
    unsigned             told:1;    /* the client has its own */

    /* large, so they are not zeroed with the rest: they have an init() */

    u_char               length[NGX_INT64_LEN];   /* of the vendor's body */

    wag_message_t        own;       /* message, if it did not arrive before */
    wag_proof_t          proof;     /* of the answer that comes */
};


/*
 * Whether a request is such a message.
 */
ngx_uint_t wag_generic_is(wag_ctx_t *ctx);

/*
 * Reads the message, and judges it as wag_routing_judge() does.
 */
ngx_int_t wag_generic_judge(wag_ctx_t *ctx);


#endif /* _WAG_GENERIC_H_INCLUDED_ */
