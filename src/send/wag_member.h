
/*
 * Copyright (C) the wa_gateway authors
 *
 * A message to send, and what each of its members may be, however the client
 * writes it: wag_message reads JSON, wag_form reads forms.
 */


#ifndef _WAG_MEMBER_H_INCLUDED_
#define _WAG_MEMBER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_json_scan.h"
#include "wag_reason.h"
#include "wag_recipient.h"


#define WAG_MESSAGE_TEXT        0
#define WAG_MESSAGE_MEDIA       1

/* bytes of a name that are shown */

#define WAG_MEMBER_NAME_LEN     64

/* what a value is, besides a string */

#define WAG_MEMBER_STRING       0
#define WAG_MEMBER_NUMBER       1
#define WAG_MEMBER_OTHER        2


typedef struct wag_member_s   wag_member_t;
typedef struct wag_message_s  wag_message_t;


struct wag_member_s {
    ngx_str_t            name;
    ngx_uint_t           kinds;     /* of messages that have it, as bits */
    ngx_uint_t           group;     /* of which there is one at most */
    size_t               max;       /* bytes; 0: the value is not kept */
    size_t               offset;    /* of its ngx_str_t in the message */
    ngx_int_t          (*set)(wag_message_t *m, const wag_member_t *member,
                              ngx_str_t *text);
    const char          *second;    /* error: another one of its group */
    const char          *too_long;
    unsigned             number:1;  /* may be one */
    unsigned             empty:1;   /* is as good as none */
};


struct wag_message_s {

    /* set before the first byte, and left alone by wag_message_init() */

    ngx_uint_t           kind;      /* WAG_MESSAGE_TEXT ... */
    ngx_str_t            country;   /* digits; len 0: none */
    off_t                length;    /* of the body; 0: not known */

    /*
     * After NGX_OK.  Texts are decoded UTF-8 without a NUL, from the pool;
     * len 0: not there.
     */

    wag_recipient_t      to;
    ngx_str_t            text;
    ngx_str_t            session;
    uint64_t             from;      /* 0: not there */
    ngx_str_t            url;
    ngx_str_t            mimetype;  /* lower case */
    ngx_str_t            filename;
    ngx_str_t            caption;

    /* of what is between the quotes of "data", from the start of the body */

    off_t                data_start;
    off_t                data_end;  /* both 0: not there */

    /*
     * After NGX_DECLINED: what is wrong with which member, as the client
     * named it or as it is named first in the documentation; len 0: with the
     * body.
     */

    const char          *error;
    ngx_str_t            member;

    /* private */

    ngx_pool_t          *pool;
    wag_json_scan_t      scan;
    const wag_member_t  *current;
    ngx_uint_t           names;     /* that were there, as bits */
    ngx_uint_t           groups;    /* ditto */
    unsigned             no_memory:1;
    wag_reason_t         shown;
    u_char               key[WAG_MEMBER_NAME_LEN + 8];
};


/*
 * The member with that name, which counts as there from now on.  NULL: it is
 * not one of this kind of message, or there is one already; the message is
 * declined.
 */
const wag_member_t *wag_member_find(wag_message_t *m, ngx_str_t *name);

/*
 * Sets the member to a value of a type, WAG_MEMBER_STRING ...; "text" is
 * valid UTF-8 that stays, and may be written to; "cut" tells that there was
 * more than the member's "max".  NGX_OK; NGX_DECLINED; NGX_ERROR: no memory.
 */
ngx_int_t wag_member_set(wag_message_t *m, const wag_member_t *member,
    ngx_uint_t type, ngx_str_t *text, ngx_uint_t cut);

/*
 * All members were there.  NGX_OK; NGX_DECLINED: one is missing.
 */
ngx_int_t wag_member_check(wag_message_t *m);

/*
 * Declines the message because of a member, or of the body if "name" is NULL.
 * Always NGX_DECLINED.
 */
ngx_int_t wag_member_decline(wag_message_t *m, const ngx_str_t *name,
    const char *error);


#endif /* _WAG_MEMBER_H_INCLUDED_ */
