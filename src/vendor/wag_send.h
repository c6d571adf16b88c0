
/*
 * Copyright (C) the wa_gateway authors
 *
 * The request of a vendor for a text or a file that is to be sent, made from
 * the templates of its file.  Pure.
 */


#ifndef _WAG_SEND_H_INCLUDED_
#define _WAG_SEND_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_template.h"
#include "wag_vendor.h"


/* kinds of files */

#define WAG_SEND_IMAGE      0
#define WAG_SEND_VIDEO      1
#define WAG_SEND_AUDIO      2
#define WAG_SEND_DOCUMENT   3
#define WAG_SEND_KINDS      4
#define WAG_SEND_ALL_KINDS  ((1 << WAG_SEND_KINDS) - 1)

/* how a file is given */

#define WAG_SEND_URL          0
#define WAG_SEND_DATA         1
#define WAG_SEND_SOURCES      2
#define WAG_SEND_ALL_SOURCES  ((1 << WAG_SEND_SOURCES) - 1)


typedef struct {
    ngx_str_t            method;
    wag_template_t       uri;
    wag_template_t       body;       /* compiled for JSON */
    ngx_uint_t           kinds;      /* bits of WAG_SEND_IMAGE ...; 0: text */
    ngx_uint_t           sources;    /* bits of WAG_SEND_URL ... */
} wag_send_template_t;


/* what is sent: all texts are as they are meant, in UTF-8 */

typedef struct {
    unsigned             media:1;
    unsigned             has_data:1;

    ngx_uint_t           to_type;    /* WAG_VENDOR_TO_USER ... */
    ngx_str_t            to_id;

    ngx_str_t            text;
    ngx_str_t            url;
    ngx_str_t            mimetype;
    ngx_str_t            filename;
    ngx_str_t            caption;
    ngx_str_t            id;         /* that it is to have; empty: any */

    ngx_str_t            key;        /* of the instance and its session */
    ngx_str_t            session;
    ngx_str_t            token;
} wag_send_message_t;


typedef struct {
    ngx_str_t            method;
    ngx_str_t            uri;
    ngx_str_t            before;
    ngx_str_t            after;
    unsigned             spliced:1;  /* <data> is between both */
} wag_send_filled_t;


extern ngx_str_t  wag_send_kind_names[WAG_SEND_KINDS];


/*
 * The vendor's template for a message, NULL if it has none.
 */
wag_send_template_t *wag_send_find(wag_vendor_t *vendor,
    wag_send_message_t *m);

/*
 * Whether the vendor can send to recipients of this type.
 */
ngx_uint_t wag_send_can_write(wag_vendor_t *vendor, ngx_uint_t to_type);

/*
 * Makes the request, from pool; what is between "before" and "after" is the
 * content of the client's JSON string "data", as it is.  NGX_OK; NGX_DECLINED:
 * the vendor cannot send to recipients of this type; NGX_ERROR if there is no
 * memory.
 */
ngx_int_t wag_send_fill(ngx_pool_t *pool, wag_vendor_t *vendor,
    wag_send_template_t *t, wag_send_message_t *m, wag_send_filled_t *filled);

/*
 * The same with the values of the places, which wag_send_values() sets; "to"
 * is the recipient as it is written.
 */
void wag_send_values(wag_send_message_t *m, ngx_str_t *to, ngx_str_t *values);
ngx_int_t wag_send_fill_values(ngx_pool_t *pool, wag_send_template_t *t,
    ngx_str_t *values, wag_send_filled_t *filled);


#endif /* _WAG_SEND_H_INCLUDED_ */
