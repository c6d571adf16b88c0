
/*
 * Copyright (C) the wa_gateway authors
 *
 * A request: what became of it over all its attempts and redirects, and the
 * variables that tell.
 */


#ifndef _WAG_CTX_H_INCLUDED_
#define _WAG_CTX_H_INCLUDED_


#include "wag_keys.h"
#include "wag_upstream.h"


/* what came of an attempt on an instance */

#define WAG_NONE         0   /* nothing that tells of it */
#define WAG_ANSWERED     1
#define WAG_FAILED       2

/* was the message written to an instance */

#define WAG_SENT_NO      0
#define WAG_SENT_YES     1
#define WAG_SENT_UNKNOWN 2


/* why a request is refused that no instance was asked for */

#define WAG_REFUSED_NOT          0
#define WAG_REFUSED_BAD          1
#define WAG_REFUSED_TYPE         2
#define WAG_REFUSED_UNKNOWN      3
#define WAG_REFUSED_UNLISTED     4
#define WAG_REFUSED_DOWN         5
#define WAG_REFUSED_NO_SESSION   6
#define WAG_REFUSED_AMBIGUOUS    7
#define WAG_REFUSED_FORBIDDEN    8
#define WAG_REFUSED_BLOCKED      9
#define WAG_REFUSED_CONFIGURED  10   /* as it cannot be judged */
#define WAG_REFUSED_PACED       11
#define WAG_REFUSED_METHOD      12
#define WAG_REFUSED_FOREIGN     13   /* from a page of another origin */
#define WAG_REFUSED_REJECTED    14   /* by its vendor */
#define WAG_REFUSED_UNCONFIRMED 15
#define WAG_REFUSED_IN_FLIGHT   16
#define WAG_REFUSED_REUSED      17   /* the key, by another request */
#define WAG_REFUSED_KEYLESS     18   /* it has to have one */
#define WAG_REFUSED_STORE_FULL  19
#define WAG_REFUSED_STORE_DOWN  20
#define WAG_REFUSED_REPLAYED    21   /* with an answer of before */


typedef struct wag_routing_s     wag_routing_t;
typedef struct wag_generic_s     wag_generic_t;
typedef struct wag_idempotent_s  wag_idempotent_t;
typedef struct wag_arrival_s    wag_arrival_t;
typedef struct wag_pacing_s     wag_pacing_t;
typedef struct wag_hold_s       wag_hold_t;


/* a session that was asked, as it was then: the record may be another's now */

typedef struct {
    wag_session_t       *record;    /* NULL: none was */
    ngx_uint_t           incarnation;
    uint64_t             number;    /* 0: not known */
    ngx_str_t            shown;
} wag_asked_t;


typedef struct {
    ngx_http_request_t  *request;
    wag_key_t           *key;    /* it came with; NULL: none */
    wag_upstream_t      *upstream;
    wag_peer_t          *peer;   /* asked last */

    uintptr_t           *tried;      /* a bit for each slot */
    wag_server_t        *server;     /* of the peer, then */
    ngx_uint_t           incarnation;   /* ditto */
    wag_addrs_t         *addrs;      /* ditto */
    ngx_uint_t           address;    /* of these */
    ngx_uint_t           naddress;   /* of these, tried */
    ngx_uint_t           attempts;   /* instances asked */
    ngx_uint_t           tries;      /* that may follow */
    ngx_uint_t           method;     /* it came with */
    ngx_uint_t           nstates;    /* of upstreams, seen */

    ngx_uint_t           outcome;   /* of the last attempt */
    ngx_uint_t           failure;   /* if it failed */
    ngx_uint_t           status;    /* if it was answered */
    char                *reason;    /* if it failed */
    ngx_uint_t           sent;

    ngx_int_t          (*process_header)(ngx_http_request_t *r);
    ngx_int_t          (*reinit_request)(ngx_http_request_t *r);
    void               (*finalize_request)(ngx_http_request_t *r,
                                           ngx_int_t rc);
    ngx_int_t            rc;         /* it was finalized with */
    ngx_uint_t           interims;   /* answers that were */

    wag_arrival_t       *arrival;   /* NULL: the body was not looked at */
    wag_routing_t       *routing;   /* NULL: no instance has a vendor */
    wag_generic_t       *generic;   /* NULL: it is no message of its own */
    wag_idempotent_t    *idempotent; /* NULL: it has no key */
    wag_pacing_t        *pacing;    /* NULL: it spends no budget */
    wag_hold_t          *hold;      /* NULL: it never waited */
    wag_asked_t          asked;     /* last */
    ngx_str_t            message_id;
    ngx_str_t            own_id;    /* that the message is to have */
    ngx_uint_t           refusal;   /* REFUSED_NOT ... */
    ngx_str_t            member;    /* what is wrong, of REFUSED_BAD */

    ngx_str_t            body;     /* of an error answer */
    void                *stream;   /* of a long answer */
    void                *control;  /* of a change of instances */

    unsigned             again:1;     /* same peer, maybe address */
    unsigned             resend:1;    /* nothing was written */
    unsigned             refused:1;   /* no instance to ask */
    unsigned             written:1;   /* in part at least */
    unsigned             barred:1;    /* written, not again */
    unsigned             keepalive:1; /* as the client wants it */
    unsigned             wrap:1;
    unsigned             wrapped:1;
    unsigned             unasked:1;   /* a cache answers */
    unsigned             blank:1;     /* no mark may follow */
    unsigned             bom:2;       /* bytes of a mark */
} wag_ctx_t;


/*
 * The context of a request, or NULL if it has none.  Unlike a bare module
 * context it outlives internal redirects: as in ngx_http_realip_module, a
 * cleanup of the request's pool holds it.
 */
wag_ctx_t *wag_ctx_find(ngx_http_request_t *r);

/*
 * The same, made if there is none; NULL if there is no memory.
 */
wag_ctx_t *wag_ctx_get(ngx_http_request_t *r);

/*
 * Takes note of what upstreams that are not the module's did with the request
 * since one of the module's had it: that an instance got it is not known then,
 * nor that it did not.  A 2xx of theirs that led here sends it on.
 */
void wag_ctx_others(wag_ctx_t *ctx);

/*
 * The attempts so far were the module's own.
 */
void wag_ctx_own(wag_ctx_t *ctx);

/*
 * Takes the addresses of a peer, to begin with the one that answered last;
 * and tells the peer with which one to begin from now on.
 */
void wag_ctx_addrs(wag_ctx_t *ctx, wag_peer_t *peer);
void wag_ctx_begin_with(wag_ctx_t *ctx);

/*
 * Adds $wa_gateway_instance, _attempts, _state, _sent, _session, _number and
 * _message_id.
 */
ngx_int_t wag_ctx_variables(ngx_conf_t *cf);


#endif /* _WAG_CTX_H_INCLUDED_ */
