
/*
 * Copyright (C) the wa_gateway authors
 *
 * The state of one instance, and the rules that it moves by.
 */


#ifndef _WAG_HEALTH_H_INCLUDED_
#define _WAG_HEALTH_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* states; an instance takes messages in the first two only */

#define WAG_UP           0
#define WAG_SLOW_START   1
#define WAG_CHECKING     2
#define WAG_DOWN         3
#define WAG_DRAINING     4
#define WAG_STATES       5


/* times in ms */

typedef struct {
    ngx_uint_t           state;
    ngx_uint_t           fails;      /* checks, in a row */
    ngx_uint_t           passes;     /* checks, in a row */
    ngx_uint_t           errors;     /* attempts, in a row */
    ngx_uint_t           statuses;   /* attempts, in a row */
    ngx_msec_t           until;      /* end of eject, slow start */
} wag_health_t;


typedef struct {
    ngx_uint_t           fails;
    ngx_uint_t           passes;
    ngx_uint_t           error_fails;    /* 0: never */
    ngx_uint_t           status_fails;   /* 0: never */
    ngx_msec_t           eject;
    ngx_msec_t           slow_start;
    ngx_flag_t           mandatory;
    ngx_uint_t           checked;        /* has active checks */
} wag_policy_t;


#endif /* _WAG_HEALTH_H_INCLUDED_ */
