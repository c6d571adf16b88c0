
/*
 * Copyright (C) the wa_gateway authors
 *
 * What a store tells of itself, in its answers to INFO.  Pure.
 */


#ifndef _WAG_STORE_INFO_H_INCLUDED_
#define _WAG_STORE_INFO_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define WAG_STORE_RUN_LEN  64


typedef struct {
    size_t               run_len;
    u_char               run[WAG_STORE_RUN_LEN];   /* other after a restart */
    unsigned             cluster:1;
    unsigned             sentinel:1;
    unsigned             replica:1;
    unsigned             limited:1;    /* there is a limit of its memory */
    unsigned             evicts:1;     /* what is not to be forgotten */
    unsigned             unkept:1;     /* no append-only file is written */
} wag_store_info_t;


/*
 * Adds what a section tells.
 */
void wag_store_info_add(wag_store_info_t *info, ngx_str_t *section);

/*
 * Why it cannot be used; NULL if it can.
 */
const char *wag_store_info_refuse(wag_store_info_t *info);


#endif /* _WAG_STORE_INFO_H_INCLUDED_ */
