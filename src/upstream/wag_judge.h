
/*
 * Copyright (C) the wa_gateway authors
 *
 * What the file of one vendor makes of a request: what it is for, which
 * session it names, whether it is refused.
 */


#ifndef _WAG_JUDGE_H_INCLUDED_
#define _WAG_JUDGE_H_INCLUDED_


#include "wag_choice.h"
#include "wag_ctx.h"
#include "wag_head.h"
#include "wag_recipient.h"
#include "wag_route.h"


/* whose turn it is */

#define WAG_BY_INSTANCE  0   /* any instance's */
#define WAG_BY_SESSION   1
#define WAG_BY_PLACE     2   /* an instance's, for a new session */


typedef struct {
    wag_choice_t         choice;
    ngx_uint_t           by;        /* BY_INSTANCE ... */
    ngx_uint_t           kind;      /* WAG_ROUTE_NATIVE ... */
    ngx_uint_t           refusal;   /* REFUSED_NOT ... */
    ngx_str_t            member;    /* what is wrong, of REFUSED_BAD */
    wag_recipient_t      to;        /* of a native send; len 0: not known */
    ngx_str_t            target;    /* without what is dropped */
    ngx_str_t            header;    /* to be filled with the name */
    unsigned             encode:1;  /* what it is filled with */
    unsigned             keyed:1;   /* with the instance's key */
    unsigned             dropped:1;
    unsigned             named:1;   /* one that is there, but not like this */
} wag_judgement_t;


/*
 * Judges the request of that head for servers of this vendor; judgement has
 * the choice as far as the gateway's own headers tell.  NGX_OK; NGX_ERROR if
 * there is no memory.
 */
ngx_int_t wag_judge(wag_ctx_t *ctx, wag_head_t *head, wag_vendor_t *vendor,
    wag_judgement_t *j);

/*
 * The refusal for what wag_choice_look() found.
 */
ngx_uint_t wag_judge_refusal(ngx_uint_t found);

/*
 * How much a judgement has of its own: of those of several vendors the one
 * with the most is taken, two that found their session are too many.
 */
ngx_uint_t wag_judge_score(wag_judgement_t *j);

#define WAG_JUDGE_ANY    1   /* any instance will do */
#define WAG_JUDGE_FOUND  9


#endif /* _WAG_JUDGE_H_INCLUDED_ */
