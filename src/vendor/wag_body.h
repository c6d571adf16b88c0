
/*
 * Copyright (C) the wa_gateway authors
 *
 * Which session a request's body names, and which recipient: looks through
 * JSON of any size, as it comes, for members of the object that it is.
 */


#ifndef _WAG_BODY_H_INCLUDED_
#define _WAG_BODY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_json_scan.h"


#define WAG_BODY_NAME_LEN   64
#define WAG_BODY_VALUE_LEN  128


/* the member with a recipient; its name has no case, as below */

typedef struct {
    ngx_str_t            name;
    unsigned             list:1;   /* a string alone in an array is one, too */

    /*
     * After NGX_OK and NGX_DECLINED: empty if it is not there, else one that
     * is whole, or "error" tells what it is.
     */

    ngx_str_t            value;
    const char          *error;
    off_t                offset;   /* of what is wrong */

    /* private */

    unsigned             found:1;
    unsigned             wanted:1;
    unsigned             inside:1;

    u_char               room[WAG_BODY_VALUE_LEN];
} wag_body_to_t;


typedef struct {
    ngx_str_t            name;

    /*
     * Without regard to case, as Go's encoding/json compares: that is, U+017F
     * is an "s" and U+212A a "k" too.  Set after init.
     */
    unsigned             nocase:1;

    wag_body_to_t       *to;       /* NULL: not wanted; ditto */

    /* after NGX_OK: empty if the member is not there */

    ngx_str_t            value;
    unsigned             cut:1;    /* longer than the room */

    /* after NGX_ERROR and NGX_DECLINED, with the offset of what is wrong */

    const char          *error;
    off_t                offset;

    /* private */

    wag_json_scan_t      scan;

    unsigned             found:1;
    unsigned             wanted:1;

    /* a character that counts as one byte of the name has 3 at most */

    u_char               key[WAG_BODY_NAME_LEN * 3];
    u_char               room[WAG_BODY_VALUE_LEN];
} wag_body_t;


/*
 * Prepares for one body and the member with that name, of WAG_BODY_NAME_LEN
 * bytes at most, else all that follows is NGX_ERROR; a null one is for none.
 * The name outlives the body; what is prepared is not to be copied.
 */
void wag_body_init(wag_body_t *b, ngx_str_t *name);

/*
 * Prepares for the member with a recipient besides; "to" outlives the body.
 */
void wag_body_init_to(wag_body_t *b, wag_body_to_t *to, ngx_str_t *name);

/*
 * Takes the next bytes, which are only read.  NGX_AGAIN: go on; NGX_ERROR: it
 * is no JSON as wag_json_scan_parse() takes it.
 */
ngx_int_t wag_body_parse(wag_body_t *b, u_char *pos, u_char *last);

/*
 * There are no more bytes.  NGX_OK: "value" is the text of the member, as it
 * is meant, in UTF-8, a NUL in it too; what is cut has whole characters.
 * NGX_DECLINED: it is JSON, but not an object, or the member is there twice,
 * is no string or empty: what servers make of it differs.  NGX_ERROR: it is no
 * JSON.  A recipient has an error of its own.
 */
ngx_int_t wag_body_end(wag_body_t *b);


#endif /* _WAG_BODY_H_INCLUDED_ */
