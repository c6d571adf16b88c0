
/*
 * Copyright (C) the wa_gateway authors
 *
 * What errors are called, in the languages of "wa_gateway_errors".
 */


#ifndef _WAG_ERROR_TABLE_H_INCLUDED_
#define _WAG_ERROR_TABLE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef struct {
    ngx_uint_t           status;
    char                *code;
    char                *ar;
    char                *en;
} wag_error_t;


/*
 * By the status; and by ctx->refusal, which is not REFUSED_NOT.
 */
wag_error_t *wag_error_of_status(ngx_uint_t status);
wag_error_t *wag_error_of_refusal(ngx_uint_t refusal);


extern wag_error_t  wag_no_instances;

/* what became of the message */

#define WAG_DETAILS_NOT_SENT     0
#define WAG_DETAILS_NO_INSTANCE  1
#define WAG_DETAILS_NO_CONNECT   2
#define WAG_DETAILS_BROKEN       3
#define WAG_DETAILS_BARRED       4
#define WAG_DETAILS_TIMEOUT      5
#define WAG_DETAILS_UNCONFIRMED  6
#define WAG_DETAILS_IN_FLIGHT    7
#define WAG_DETAILS_LOST         8

extern wag_error_t  wag_details[];


#endif /* _WAG_ERROR_TABLE_H_INCLUDED_ */
