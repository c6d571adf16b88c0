
/*
 * Copyright (C) the wa_gateway authors
 *
 * A list that was read is gone through: what it tells goes to "session", and
 * where it does not tell all, the instance is asked about each, some at once.
 */


#ifndef _WAG_ROUND_H_INCLUDED_
#define _WAG_ROUND_H_INCLUDED_


#include "wag_list.h"
#include "wag_upstream.h"


typedef struct wag_round_s  wag_round_t;


struct wag_round_s {
    /* set by the caller */

    wag_upstream_t        *upstream;
    wag_peer_t            *peer;
    wag_vendor_t          *vendor;
    void                 (*over)(wag_round_t *round);
    void                  *data;

    /* private */

    wag_list_t             list;
    ngx_event_t            step;
    wag_item_t            *next;
    wag_session_walk_t     walk;      /* of its end */

    ngx_queue_t            asked;     /* questions */
    ngx_queue_t            free;      /* ditto */
    ngx_queue_t            queue;     /* of those who wait to ask */
    ngx_uint_t             nasked;

    unsigned               queued:1;
    unsigned               skipped:1; /* some of a list; told already */
};


#define wag_round_goes_on(round)  ((round)->list.pool != NULL)


/*
 * Prepares for all rounds of an instance; what is private was zeroed.
 */
void wag_round_init(wag_round_t *round, ngx_log_t *log);

/*
 * Begins a round with this list, which is the round's then; none goes on.
 * over() is called at its end, and may begin another.
 */
void wag_round_begin(wag_round_t *round, wag_list_t *list);

/*
 * Ends it where it is, without over(), and gives up what it holds.
 */
void wag_round_stop(wag_round_t *round);


#endif /* _WAG_ROUND_H_INCLUDED_ */
