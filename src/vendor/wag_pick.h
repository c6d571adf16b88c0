
/*
 * Copyright (C) the wa_gateway authors
 *
 * Picks values out of a JSON text while it arrives.  Pure.
 */


#ifndef _WAG_PICK_H_INCLUDED_
#define _WAG_PICK_H_INCLUDED_


#include "wag_json.h"
#include "wag_json_scan.h"


/* values of an item */

#define WAG_PICK_VALUES  8

/* what a value is */

#define WAG_PICK_NONE    0
#define WAG_PICK_STRING  1
#define WAG_PICK_NUMBER  2
#define WAG_PICK_BOOL    3
#define WAG_PICK_NULL    4
#define WAG_PICK_OTHER   5   /* an object or an array */


typedef struct wag_pick_s  wag_pick_t;


typedef struct {
    wag_json_path_t     *path;    /* within the item; NULL: nowhere */
    u_char              *data;    /* room for the text */
    size_t               size;
    size_t               len;
    ngx_uint_t           type;
    unsigned             cut:1;   /* longer than the room */
} wag_pick_value_t;


/* the caller zeroes it, and fills the first part; no path is there twice */

struct wag_pick_s {
    wag_json_path_t     *items;    /* an array; NULL: the text is the item */
    wag_pick_value_t    *values;
    ngx_uint_t           nvalues;

    /*
     * All of an item was seen, its values are valid within; NGX_OK, or
     * NGX_ERROR with pick->error to end it.
     */
    ngx_int_t          (*item)(wag_pick_t *pick);
    void                *data;

    const char          *error;

    /* private */

    wag_json_scan_t      scan;
    ngx_uint_t           base;      /* depth of an item */
    ngx_uint_t           matched;   /* steps to the items */
    ngx_uint_t           steps[WAG_PICK_VALUES];   /* to values */
    uint32_t             index[WAG_JSON_SCAN_DEPTH + 1];
    uint64_t             arrays;    /* a bit for each depth */
    unsigned             key_cut:1;
    unsigned             inside:1;  /* the array of items */
    unsigned             found:1;   /* there was one */
};


/*
 * Prepares for one text.
 */
void wag_pick_init(wag_pick_t *pick);

/*
 * Takes the next bytes.  NGX_AGAIN; NGX_ERROR, pick->error tells why.
 */
ngx_int_t wag_pick_parse(wag_pick_t *pick, u_char *pos, u_char *last);

/*
 * The text ends.  NGX_OK; NGX_DECLINED if it was whole, but had no array where
 * the items should be; NGX_ERROR.
 */
ngx_int_t wag_pick_end(wag_pick_t *pick);


#endif /* _WAG_PICK_H_INCLUDED_ */
