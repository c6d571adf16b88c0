
/*
 * Copyright (C) the wa_gateway authors
 *
 * A list of sessions, taken apart as it comes.  What was read of it counts
 * when all of it was.
 */


#ifndef _WAG_LIST_H_INCLUDED_
#define _WAG_LIST_H_INCLUDED_


#include "wag_pick.h"
#include "wag_session.h"
#include "wag_vendor.h"


/* what is picked out of an item; then the parts of its state */

#define WAG_LIST_NAME    0
#define WAG_LIST_LABEL   1
#define WAG_LIST_NUMBER  2
#define WAG_LIST_STATE   3
#define WAG_LIST_VALUES  (WAG_LIST_STATE + WAG_VENDOR_STATES)


typedef struct wag_item_s  wag_item_t;


/* a session of a list; the texts live as long as the list */

struct wag_item_s {
    wag_item_t            *next;
    wag_session_report_t   report;
};


typedef struct {
    ngx_pool_t            *pool;     /* NULL: there is no list */
    wag_item_t            *first;
    wag_item_t           **last;
    ngx_uint_t             n;        /* of items */
    ngx_uint_t             skipped;  /* names that cannot be used */
    wag_session_asked_t    asked;
} wag_list_t;


/* where a list is read; zeroed at first */

typedef struct {
    wag_vendor_t          *vendor;
    ngx_log_t             *log;
    wag_list_t             list;     /* as far as it came */

    /* private */

    wag_pick_t             pick;
    wag_pick_value_t       values[WAG_LIST_VALUES];
    ngx_int_t              rc;       /* of pick */
} wag_list_reader_t;


/*
 * Prepares for all lists of an instance of this vendor.
 */
void wag_list_init(wag_list_reader_t *reader, wag_vendor_t *vendor,
    ngx_log_t *log);

/*
 * A new list will come; the one before it was moved away or dropped.
 */
void wag_list_begin(wag_list_reader_t *reader);

/*
 * Takes the next bytes of it.
 */
void wag_list_read(wag_list_reader_t *reader, u_char *start, size_t len);

/*
 * There are no more bytes, or they are not read: "truncated".  NGX_OK if
 * reader->list is whole; NGX_ERROR with what is wrong, for a log, in "err".
 */
ngx_int_t wag_list_end(wag_list_reader_t *reader, ngx_uint_t truncated,
    const char **err);

/*
 * The list goes from one place to another; what was there is dropped.
 */
void wag_list_move(wag_list_t *to, wag_list_t *from);

void wag_list_drop(wag_list_t *list);


#endif /* _WAG_LIST_H_INCLUDED_ */
