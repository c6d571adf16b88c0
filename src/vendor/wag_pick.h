
/*
 * Copyright (C) the wa_gateway authors
 *
 * Picks the values at some paths out of JSON as it arrives, item by item.
 * Pure.
 */


#ifndef _WAG_PICK_H_INCLUDED_
#define _WAG_PICK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_json.h"
#include "wag_json_scan.h"


#define WAG_PICK_MAX_VALUES  16

/* names that are longer are no names of a path */

#define WAG_PICK_KEY_SIZE    256

/* around a value: those that lead to items, and within an item */

#define WAG_PICK_LEVELS      (2 * WAG_JSON_MAX_STEPS + 2)

#define WAG_PICK_NONE        0
#define WAG_PICK_STRING      1
#define WAG_PICK_NUMBER      2
#define WAG_PICK_BOOL        3
#define WAG_PICK_NULL        4
#define WAG_PICK_OTHER       5


typedef struct wag_pick_s  wag_pick_t;


typedef struct {
    wag_json_path_t     *path;     /* within an item; NULL: nowhere */

    u_char              *data;
    size_t               size;

    size_t               len;
    ngx_uint_t           type;
    unsigned             cut:1;    /* longer than the room */
} wag_pick_value_t;


/*
 * An array or object around what is read that paths go into: their bits, and
 * bits of the lengths of the names that they go on with.
 */

typedef struct {
    uint64_t             lengths;
    uint32_t             paths;
    unsigned             index:31;
    unsigned             array:1;
} wag_pick_level_t;


struct wag_pick_s {
    wag_json_path_t     *items;    /* NULL: the text is the one item */
    wag_pick_value_t    *values;
    ngx_uint_t           nvalues;

    /*
     * All of an item was seen, its values are valid within; NGX_OK, else
     * all ends with NGX_ERROR, and "error" as it was set here, if it was.
     */
    ngx_int_t          (*item)(wag_pick_t *p);
    void                *data;

    /* after NGX_ERROR, with the offset of the byte */

    const char          *error;
    off_t                offset;

    /* private */

    wag_json_scan_t      scan;

    uint32_t             paths;
    uint32_t             ends;
    ngx_uint_t           base;
    ngx_uint_t           nitems;

    unsigned             inside:1;
    unsigned             found:1;

    u_char               key[WAG_PICK_KEY_SIZE];
    wag_pick_level_t     levels[WAG_PICK_LEVELS];
};


/*
 * Prepares for one text: "items", "values", "nvalues", "item" and "data" are
 * set before.  With 16 values at most; paths and rooms outlive the text.
 */
void wag_pick_init(wag_pick_t *p);

/*
 * Takes the next bytes of a JSON text and calls "item" for each item, in
 * order, also for those that come before what is wrong with the text.  A
 * string is given as it is meant, in UTF-8, a NUL in it too; a number, true,
 * false and null as they are spelled; text that is cut has whole characters.
 * Of members with one name the last counts; it is an error if such a name
 * leads to items and some were told of already.  NGX_AGAIN: go on; NGX_ERROR.
 */
ngx_int_t wag_pick_parse(wag_pick_t *p, u_char *pos, u_char *last);

/*
 * There are no more bytes.  NGX_OK; NGX_DECLINED: it was JSON, but there is
 * no array at "items"; NGX_ERROR.
 */
ngx_int_t wag_pick_end(wag_pick_t *p);


#endif /* _WAG_PICK_H_INCLUDED_ */
