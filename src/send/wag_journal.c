
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_journal.h"


#if (NGX_THREADS)


#include "wag_journal_batch.h"
#include "wag_journal_file.h"

#include <ngx_thread_pool.h>


/* ms */

#define WAG_JOURNAL_PATIENCE  60000    /* of a claim, with a disk that hangs */
#define WAG_JOURNAL_LATER     1000     /* until outcomes are synced */

/* outlives its configuration while a thread has it */

struct wag_journal_run_s {
    wag_journal_t       *journal;
    wag_journal_file_t   file;
    wag_journal_batch_t  batches[2];
    wag_journal_batch_t *next;     /* that is filled */
    wag_journal_batch_t *written;  /* that the thread has */

    ngx_thread_pool_t   *pool;
    ngx_thread_task_t   *task;
    ngx_uint_t           sync;
    ngx_int_t            rc;       /* of the thread */
    ngx_err_t            err;

    ngx_log_t           *log;
    ngx_event_t          start;    /* posted */
    ngx_event_t          later;

    unsigned             busy:1;   /* a thread has it */
    unsigned             failing:1;
    unsigned             gone:1;   /* the configuration is */
};


static ngx_int_t wag_journal_ask(wag_keeper_t *keeper,
    wag_keeper_claim_t *claim);
static void wag_journal_cancel(wag_keeper_t *keeper,
    wag_keeper_claim_t *claim);
static void wag_journal_told(wag_keeper_t *keeper, wag_marks_key_t *key,
    wag_keeper_end_t *end);
static void wag_journal_start(ngx_event_t *ev);
static void wag_journal_write(void *data, ngx_log_t *log);
static void wag_journal_written(ngx_event_t *ev);
static void wag_journal_failed(wag_journal_run_t *run);
static void wag_journal_tell(wag_journal_run_t *run,
    wag_journal_batch_t *batch);
static void wag_journal_later(ngx_event_t *ev);
static void wag_journal_flush(wag_journal_run_t *run);


wag_journal_t *
wag_journal_add(ngx_conf_t *cf, ngx_str_t *name, void *of, ngx_msec_t ttl)
{
    ngx_str_t         full;
    ngx_uint_t        i;
    wag_journal_t    *journal, **journals;
    wag_main_conf_t  *wmcf;

    full = *name;

    if (ngx_conf_full_name(cf->cycle, &full, 0) != NGX_OK) {
        return NULL;
    }

    wmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_wa_gateway_module);

    journals = wmcf->journals.elts;

    for (i = 0; i < wmcf->journals.nelts; i++) {
        journal = journals[i];

        if (journal->name.len != full.len
            || ngx_memcmp(journal->name.data, full.data, full.len) != 0)
        {
            continue;
        }

        if (journal->of != of) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "journal \"%V\" is that of another zone", name);
            return NULL;
        }

        journal->ttl = ngx_max(journal->ttl, ttl);

        return journal;
    }

    journals = ngx_array_push(&wmcf->journals);
    journal = ngx_pcalloc(cf->pool, sizeof(wag_journal_t));

    if (journals == NULL || journal == NULL) {
        return NULL;
    }

    *journals = journal;

    journal->keeper.ask = wag_journal_ask;
    journal->keeper.cancel = wag_journal_cancel;
    journal->keeper.end = wag_journal_told;
    journal->keeper.patience = WAG_JOURNAL_PATIENCE;
    journal->keeper.data = journal;

    journal->name = full;
    journal->ttl = ttl;
    journal->of = of;

    journal->pool = ngx_thread_pool_add(cf, NULL);

    return journal->pool ? journal : NULL;
}


ngx_int_t
wag_journal_attach(wag_journal_t *journal, ngx_cycle_t *cycle)
{
    wag_journal_run_t  *run;

    run = ngx_calloc(sizeof(wag_journal_run_t) + sizeof(ngx_thread_task_t)
                     + journal->name.len + 1, cycle->log);
    if (run == NULL) {
        return NGX_ERROR;
    }

    run->journal = journal;
    run->task = (ngx_thread_task_t *) (run + 1);

    run->file.fd = NGX_INVALID_FILE;
    run->file.ttl = journal->ttl;
    run->file.name.len = journal->name.len;
    run->file.name.data = (u_char *) (run->task + 1);
    ngx_memcpy(run->file.name.data, journal->name.data, journal->name.len);

    run->next = &run->batches[0];
    run->written = &run->batches[1];

    wag_journal_batch_init(run->next);
    wag_journal_batch_init(run->written);

    run->pool = journal->pool;
    run->log = cycle->log;

    run->task->handler = wag_journal_write;
    run->task->ctx = run;
    run->task->event.handler = wag_journal_written;
    run->task->event.data = run;
    run->task->event.log = cycle->log;

    run->start.handler = wag_journal_start;
    run->start.data = run;
    run->start.log = cycle->log;

    run->later.handler = wag_journal_later;
    run->later.data = run;
    run->later.log = cycle->log;
    run->later.cancelable = 1;

    journal->run = run;

    return NGX_OK;
}


void
wag_journal_detach(wag_journal_t *journal)
{
    wag_journal_run_t  *run;

    run = journal->run;

    if (run == NULL) {
        return;
    }

    journal->run = NULL;

    run->gone = 1;

    if (!run->busy) {
        wag_journal_flush(run);
    }
}


void
wag_journal_end(wag_journal_t *journal)
{
    wag_journal_run_t  *run;

    run = journal->run;

    if (run == NULL) {
        return;
    }

    journal->run = NULL;

    if (run->busy && run->rc != NGX_OK) {
        wag_journal_batch_keep(run->next, run->written, run->log);
    }

    wag_journal_flush(run);
}


static ngx_int_t
wag_journal_ask(wag_keeper_t *keeper, wag_keeper_claim_t *claim)
{
    wag_journal_t      *journal;
    wag_journal_run_t  *run;

    journal = keeper->data;
    run = journal->run;

    if (run == NULL || wag_journal_batch_claim(run->next, claim) != NGX_OK) {
        return NGX_ERROR;
    }

    /* with those that are claimed in this turn of the event loop */

    ngx_post_event(&run->start, &ngx_posted_events);

    return NGX_AGAIN;
}


static void
wag_journal_cancel(wag_keeper_t *keeper, wag_keeper_claim_t *claim)
{
    wag_journal_batch_cancel(claim);
}


static void
wag_journal_told(wag_keeper_t *keeper, wag_marks_key_t *key,
    wag_keeper_end_t *end)
{
    wag_journal_t      *journal;
    wag_journal_run_t  *run;

    journal = keeper->data;
    run = journal->run;

    /* else it is not known after a restart what came of it */

    if (run
        && wag_journal_batch_put(run->next, key, end, run->log) == NGX_OK)
    {
        ngx_post_event(&run->start, &ngx_posted_events);
    }
}


static void
wag_journal_start(ngx_event_t *ev)
{
    wag_journal_run_t    *run;
    wag_journal_batch_t  *batch;

    run = ev->data;

    if (run->busy || (run->next->len == 0 && !run->sync)) {
        return;
    }

    batch = run->next;

    run->next = run->written;
    run->written = batch;

    /* outcomes need no sync of their own, the next claim's will do */

    if (!ngx_queue_empty(&batch->waits)) {
        run->sync = 1;
    }

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, run->log, 0,
                   "wa_gateway journal write, %uz bytes, sync: %ui",
                   batch->len, run->sync);

    run->busy = 1;
    run->rc = NGX_ERROR;

    if (ngx_thread_task_post(run->pool, run->task) != NGX_OK) {
        run->err = NGX_EAGAIN;
        wag_journal_written(&run->task->event);
    }
}


/* in a thread */

static void
wag_journal_write(void *data, ngx_log_t *log)
{
    wag_journal_run_t *run = data;

    run->rc = wag_journal_file_append(&run->file, run->written->data,
                                      run->written->len, run->sync, &run->err);
}


static void
wag_journal_written(ngx_event_t *ev)
{
    ngx_uint_t            synced;
    wag_journal_run_t    *run;
    wag_journal_batch_t  *batch;

    run = ev->data;
    batch = run->written;

    synced = run->sync;

    run->busy = 0;
    run->sync = 0;

    if (run->rc != NGX_OK) {
        wag_journal_failed(run);

    } else if (run->failing && batch->len) {
        run->failing = 0;

        ngx_log_error(NGX_LOG_NOTICE, run->log, 0,
                      "wa_gateway: journal \"%V\" is written to again",
                      &run->file.name);
    }

    wag_journal_tell(run, batch);

    batch->len = 0;

    if (run->gone) {
        wag_journal_flush(run);
        return;
    }

    if (!ngx_queue_empty(&run->next->waits)
        || (run->next->len && run->rc == NGX_OK))
    {
        ngx_post_event(&run->start, &ngx_posted_events);
        return;
    }

    if ((run->next->len || !synced) && !run->later.timer_set) {
        ngx_add_timer(&run->later, WAG_JOURNAL_LATER);
    }
}


static void
wag_journal_failed(wag_journal_run_t *run)
{
    if (!run->failing && !run->gone) {
        run->failing = 1;

        ngx_log_error(NGX_LOG_CRIT, run->log, run->err,
                      "wa_gateway: journal \"%V\" cannot be written to, no "
                      "send with a key goes out", &run->file.name);
    }

    wag_journal_batch_keep(run->next, run->written, run->log);
}


static void
wag_journal_tell(wag_journal_run_t *run, wag_journal_batch_t *batch)
{
    ngx_uint_t  found;

    found = (run->rc == NGX_OK) ? WAG_MARK_NONE
            : (run->err == NGX_ENOSPC || run->err == EDQUOT
               || run->err == EFBIG) ? WAG_MARK_FULL
                                     : WAG_MARK_DOWN;

    wag_journal_batch_tell(batch, found, run->next, run->log);
}


static void
wag_journal_later(ngx_event_t *ev)
{
    wag_journal_run_t  *run;

    run = ev->data;
    run->sync = !run->busy;

    wag_journal_start(&run->start);
}


/* outcomes that are left, where no thread does it; then all is freed */

static void
wag_journal_flush(wag_journal_run_t *run)
{
    ngx_err_t             err;
    wag_journal_batch_t  *batch;

    batch = run->next;

    run->next = run->written;
    run->next->len = 0;

    wag_journal_batch_keep(run->next, batch, run->log);

    if ((run->next->len || run->file.dirty)
        && wag_journal_file_append(&run->file, run->next->data,
                                   run->next->len, 1, &err)
           != NGX_OK)
    {
        ngx_log_error(NGX_LOG_CRIT, run->log, err,
                      "wa_gateway: journal \"%V\" cannot be written to",
                      &run->file.name);
    }

    run->rc = NGX_ERROR;
    run->err = 0;

    wag_journal_tell(run, batch);
    wag_journal_tell(run, run->next);

    wag_journal_file_close(&run->file);

    if (run->start.posted) {
        ngx_delete_posted_event(&run->start);
    }

    if (run->later.timer_set) {
        ngx_del_timer(&run->later);
    }

    wag_journal_batch_free(&run->batches[0]);
    wag_journal_batch_free(&run->batches[1]);

    ngx_free(run);
}


#else


wag_journal_t *
wag_journal_add(ngx_conf_t *cf, ngx_str_t *name, void *of, ngx_msec_t ttl)
{
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "\"journal=%V\" needs threads, nginx was built without "
                       "\"--with-threads\"", name);
    return NULL;
}


ngx_int_t
wag_journal_attach(wag_journal_t *journal, ngx_cycle_t *cycle)
{
    return NGX_OK;
}


void
wag_journal_detach(wag_journal_t *journal)
{
    /* there is none */
}


void
wag_journal_end(wag_journal_t *journal)
{
    /* there is none */
}


#endif
