
/*
 * Copyright (C) the wa_gateway authors
 *
 * Records of a journal that are written at once, and the claims that wait for
 * them.  Pure.
 */


#ifndef _WAG_JOURNAL_BATCH_H_INCLUDED_
#define _WAG_JOURNAL_BATCH_H_INCLUDED_


#include "wag_keeper.h"


/* bytes of a batch, beyond which no outcomes of another are added */

#define WAG_JOURNAL_BATCH_KEPT  (1024 * 1024)


typedef struct {
    u_char              *data;     /* records */
    size_t               len;
    size_t               size;
    ngx_queue_t          waits;    /* claims that wait */
} wag_journal_batch_t;


/*
 * Begins one, which is zeroed; frees what it has of memory.
 */
void wag_journal_batch_init(wag_journal_batch_t *batch);
void wag_journal_batch_free(wag_journal_batch_t *batch);

/*
 * Adds a claim, which waits to be told, until it is cancelled.  NGX_ERROR if
 * there is no memory, nothing was added.
 */
ngx_int_t wag_journal_batch_claim(wag_journal_batch_t *batch,
    wag_keeper_claim_t *claim);
void wag_journal_batch_cancel(wag_keeper_claim_t *claim);

/*
 * Adds what came of a key, or with NULL its claim.  NGX_ERROR as above.
 */
ngx_int_t wag_journal_batch_put(wag_journal_batch_t *batch,
    wag_marks_key_t *key, wag_keeper_end_t *end, ngx_log_t *log);

/*
 * Outcomes of a batch that failed are tried again with the next one.
 */
void wag_journal_batch_keep(wag_journal_batch_t *next,
    wag_journal_batch_t *batch, ngx_log_t *log);

/*
 * Claims that wait are told what was found: MARK_NONE, they are claimed, else
 * MARK_FULL or MARK_DOWN.  Of those that were cancelled it is written with the
 * next one that they are given up.
 */
void wag_journal_batch_tell(wag_journal_batch_t *batch, ngx_uint_t found,
    wag_journal_batch_t *next, ngx_log_t *log);


#endif /* _WAG_JOURNAL_BATCH_H_INCLUDED_ */
