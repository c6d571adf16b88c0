
/*
 * Copyright (C) the wa_gateway authors
 *
 * The body of a request that adds an instance or changes one.  Pure.
 */


#ifndef _WAG_CONTROL_BODY_H_INCLUDED_
#define _WAG_CONTROL_BODY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_json.h"


/* which members there may be, and which there are */

#define WAG_CONTROL_URL        0x01
#define WAG_CONTROL_VENDOR     0x02
#define WAG_CONTROL_KEY        0x04
#define WAG_CONTROL_WEIGHT     0x08
#define WAG_CONTROL_MAX_CONNS  0x10
#define WAG_CONTROL_STATE      0x20

#define WAG_CONTROL_ADD        0x1f
#define WAG_CONTROL_CHANGE     0x38

#define WAG_CONTROL_MEMBER     64   /* bytes of a name that is told */


/* the strings are the tree's */

typedef struct {
    ngx_uint_t           set;
    ngx_str_t            url;
    ngx_str_t            vendor;
    ngx_str_t            key;
    ngx_str_t            state;
    ngx_uint_t           weight;
    ngx_uint_t           max_conns;

    u_char               member[WAG_CONTROL_MEMBER];   /* that is wrong */
    size_t               member_len;
} wag_control_body_t;


/*
 * Reads a body, of which members "may" be there.  NULL, or what is wrong, with
 * the member if it is one.
 */
const char *wag_control_body_read(cJSON *root, ngx_uint_t may,
    wag_control_body_t *body);


#endif /* _WAG_CONTROL_BODY_H_INCLUDED_ */
