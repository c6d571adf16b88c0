
/*
 * Copyright (C) the wa_gateway authors
 *
 * The keeper of claims on a disk: a thread writes and syncs what was claimed
 * meanwhile, all at once.
 */


#ifndef _WAG_JOURNAL_H_INCLUDED_
#define _WAG_JOURNAL_H_INCLUDED_


#include "wag_conf.h"
#include "wag_keeper.h"


typedef struct wag_journal_run_s  wag_journal_run_t;


typedef struct {
    wag_keeper_t         keeper;
    ngx_str_t            name;     /* of its files, see wag_journal_file.h */
    ngx_msec_t           ttl;      /* of what is claimed, at most */
    void                *of;       /* whose keys they are */
    void                *pool;     /* of threads */
    wag_journal_run_t   *run;      /* in a worker */
} wag_journal_t;


/*
 * Finds or adds the journal of this name, for keys of "of", that are claimed
 * for ttl ms.  NULL after an error, which is logged.
 */
wag_journal_t *wag_journal_add(ngx_conf_t *cf, ngx_str_t *name, void *of,
    ngx_msec_t ttl);

/*
 * A worker begins; a single process has another configuration; a worker ends,
 * there are no threads any more.
 */
ngx_int_t wag_journal_attach(wag_journal_t *journal, ngx_cycle_t *cycle);
void wag_journal_detach(wag_journal_t *journal);
void wag_journal_end(wag_journal_t *journal);


#endif /* _WAG_JOURNAL_H_INCLUDED_ */
