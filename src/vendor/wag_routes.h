
/*
 * Copyright (C) the wa_gateway authors
 *
 * The routes of a vendor, and which of them a request is of.  Pure.
 */


#ifndef _WAG_ROUTES_H_INCLUDED_
#define _WAG_ROUTES_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_target.h"


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
    unsigned             names:1;    /* the sessions' names are secrets */
    unsigned             secret:1;   /* paths have keys, tokens or those */
} wag_routes_t;


/*
 * The first route that fits a method and a path, NULL if none does; of HEAD
 * those for GET do, too.  "encoded": what is a text in the route has an escape
 * in the path.
 */
wag_route_t *wag_routes_find(wag_routes_t *routes, ngx_str_t *method,
    wag_target_path_t *path, ngx_uint_t *encoded);

/*
 * Writes "*" over what may be a secret in a path, as a target has it before
 * its query; over all of one that cannot be read.
 */
void wag_routes_hide(wag_routes_t *routes, ngx_pool_t *pool, ngx_str_t *path);


#endif /* _WAG_ROUTES_H_INCLUDED_ */
