
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


/* what a request is for */

#define WAG_ROUTE_NATIVE   0
#define WAG_ROUTE_SEND     1
#define WAG_ROUTE_LOGIN    2
#define WAG_ROUTE_CREATE   3
#define WAG_ROUTE_OPEN     4
#define WAG_ROUTE_LIST     5
#define WAG_ROUTE_BLOCKED  6

/* where a session is named */

#define WAG_PLACE_PATH     0
#define WAG_PLACE_QUERY    1
#define WAG_PLACE_HEADER   2
#define WAG_PLACE_BODY     3

#define WAG_ROUTE_PLACES   4

/* what a segment of a route's path may be */

#define WAG_SEGMENT_TEXT     0
#define WAG_SEGMENT_ANY      1
#define WAG_SEGMENT_SESSION  2
#define WAG_SEGMENT_TOKEN    3      /* a session, and ":" and its token */
#define WAG_SEGMENT_KEY      4


typedef struct {
    ngx_uint_t           type;       /* WAG_PLACE_PATH ... */
    ngx_str_t            name;
    unsigned             decoded:1;  /* a header's value is percent-encoded */
} wag_place_t;


typedef struct {
    ngx_str_t            text;       /* compared without case */
    unsigned             prefix:1;   /* what begins with it, too */
} wag_segment_text_t;


typedef struct {
    ngx_uint_t           type;       /* WAG_SEGMENT_TEXT ... */
    ngx_array_t          texts;      /* wag_segment_text_t: one of them */
} wag_segment_t;


/* where a send names its recipient, without regard to case */

typedef struct {
    ngx_str_t            member;     /* of the body; len 0: none */
    ngx_str_t            query;      /* ditto */
    unsigned             list:1;     /* the member may name several */
} wag_route_to_t;


typedef struct {
    ngx_array_t          methods;    /* ngx_str_t; none: any */
    ngx_array_t          segments;   /* wag_segment_t, before a "**" */
    ngx_array_t         *places;     /* wag_place_t; NULL: the vendor's */
    wag_route_to_t       to;
    ngx_uint_t           kind;       /* WAG_ROUTE_NATIVE ... */
    unsigned             rest:1;     /* ends with "**" */
} wag_route_t;


typedef struct {
    ngx_array_t          routes;     /* wag_route_t */
    ngx_array_t          places;     /* wag_place_t, of "session" */
    ngx_array_t          drop;       /* ngx_str_t */
    unsigned             secret:1;   /* paths have keys or tokens */
} wag_routes_t;


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

/*
 * Writes "*" over what may be a key or a token in a path, as a target has it
 * before its query; over all of one that cannot be read.
 */
void wag_route_hide(wag_routes_t *routes, ngx_pool_t *pool, ngx_str_t *path);


#endif /* _WAG_ROUTE_H_INCLUDED_ */
