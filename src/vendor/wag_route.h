
/*
 * Copyright (C) the wa_gateway authors
 *
 * Where a request names its session, and what it is for, as the file of a
 * vendor tells.  Pure.
 */


#ifndef _WAG_ROUTE_H_INCLUDED_
#define _WAG_ROUTE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_routes.h"


/* a request, as the instance gets it */

typedef struct {
    ngx_pool_t          *pool;
    ngx_str_t            method;
    ngx_str_t            target;     /* path?query; without what is dropped,
                                        once judged */
    ngx_keyval_t        *headers;
    ngx_uint_t           nheaders;

    /* what was found */

    ngx_uint_t           kind;       /* WAG_ROUTE_NATIVE ... */
    ngx_str_t            session;    /* decoded; len 0: none is named */
    ngx_str_t            key;        /* of the path; len 0: none */
    ngx_str_t            member;     /* to be looked for in the body */
    wag_route_to_t      *to;         /* NULL: it tells no recipient */
    ngx_str_t            recipient;  /* of the query, decoded */
    ngx_str_t            header;     /* a place that is not there: it may
                                        be added if no session is named */
    unsigned             encode:1;   /* its value is percent-encoded */
    unsigned             places:1;   /* it may name a session at all */
    unsigned             path:1;     /* its path names the session */
    unsigned             body:1;     /* its body is to be looked at */
    unsigned             dropped:1;  /* the target is another one now */

    const char          *error;      /* what is wrong, after NGX_DECLINED: */
    ngx_str_t            where;      /* "path" "has an empty segment",
                                        "session" "is given twice" */
} wag_route_request_t;


/*
 * Judges a request: the first route that fits tells what it is for, and which
 * places may name its session.  What has no escape is not copied: session and
 * key are parts of the target or of a header then.  NGX_OK; NGX_DECLINED: it
 * cannot be judged, since a server could read it in another way; "error" and
 * "where" tell why.  NGX_ERROR if there is no memory.
 */
ngx_int_t wag_route_judge(wag_routes_t *routes, wag_route_request_t *r);


#endif /* _WAG_ROUTE_H_INCLUDED_ */
