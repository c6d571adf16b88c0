
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_question.h"
#include "wag_round.h"


/* sessions of an instance that are asked at once */

#define WAG_ROUND_ASKED  16

/*
 * What is done in one turn of the event loop, and ms until the next: a timer
 * of 0 that is set by a timer would expire in the same turn.
 */

#define WAG_ROUND_STEP   128
#define WAG_ROUND_PAUSE  1


static void wag_round_step_handler(ngx_event_t *ev);
static ngx_int_t wag_round_process(wag_round_t *round, wag_item_t *item);
static ngx_int_t wag_round_ask(wag_round_t *round, wag_item_t *item,
    ngx_int_t (*start)(wag_question_t *question));
static wag_question_t *wag_round_question(wag_round_t *round);
static void wag_round_answered(wag_question_t *question);
static void wag_round_end(wag_round_t *round);
static void wag_round_free(wag_round_t *round);
static void wag_round_wake(wag_upstream_t *us);


void
wag_round_init(wag_round_t *round, ngx_log_t *log)
{
    round->step.handler = wag_round_step_handler;
    round->step.data = round;
    round->step.log = log;
    round->step.cancelable = 1;

    ngx_queue_init(&round->asked);
    ngx_queue_init(&round->free);
}


void
wag_round_begin(wag_round_t *round, wag_list_t *list)
{
    wag_list_move(&round->list, list);

    if (round->list.skipped && !round->skipped) {
        ngx_log_error(NGX_LOG_WARN, round->step.log, 0,
                      "wa_gateway: %V lists %ui session%s whose name is "
                      "empty, longer than %d bytes or not printable",
                      &round->peer->name, round->list.skipped,
                      (round->list.skipped == 1) ? "" : "s",
                      WAG_SESSION_NAME_LEN);
    }

    round->skipped = (round->list.skipped != 0);
    round->next = round->list.first;

    wag_session_begin(round->upstream, round->peer, &round->list.asked);

    ngx_memzero(&round->walk, sizeof(wag_session_walk_t));

    ngx_add_timer(&round->step, WAG_ROUND_PAUSE);
}


void
wag_round_stop(wag_round_t *round)
{
    ngx_queue_t     *q;
    wag_question_t  *question;

    if (round->queued) {
        ngx_queue_remove(&round->queue);
        round->queued = 0;
    }

    /* it may have been woken: another one takes its place */

    if (round->step.timer_set) {
        ngx_del_timer(&round->step);
        wag_round_wake(round->upstream);
    }

    while (!ngx_queue_empty(&round->asked)) {
        q = ngx_queue_head(&round->asked);
        question = ngx_queue_data(q, wag_question_t, queue);

        wag_question_cancel(question);

        ngx_queue_remove(q);
        ngx_queue_insert_tail(&round->free, q);

        round->nasked--;
    }

    wag_round_free(round);
    wag_list_drop(&round->list);
}


static void
wag_round_step_handler(ngx_event_t *ev)
{
    wag_round_t *round = ev->data;

    ngx_uint_t   n;
    wag_item_t  *item;

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, ev->log, 0,
                   "wa_gateway round step handler: %V", &round->peer->name);

    if (ngx_exiting || ngx_terminate || ngx_quit
        || !wag_round_goes_on(round))
    {
        return;
    }

    for (n = 0; round->next; n++) {

        if (n == WAG_ROUND_STEP) {
            ngx_add_timer(&round->step, WAG_ROUND_PAUSE);
            return;
        }

        item = round->next;
        item->report.list = round->list.asked.number;

        if (wag_round_process(round, item) == NGX_BUSY) {
            return;
        }

        round->next = item->next;
    }

    if (round->nasked == 0) {
        wag_round_end(round);
    }
}


/* NGX_BUSY: as many are asked as may be */

static ngx_int_t
wag_round_process(wag_round_t *round, wag_item_t *item)
{
    ngx_int_t  rc;

    if (round->vendor->ask.method.len) {
        return wag_round_ask(round, item, wag_question_start);
    }

    rc = wag_session_seen(round->upstream, round->peer, &item->report);

    if (rc == NGX_AGAIN && round->vendor->number.method.len) {
        return wag_round_ask(round, item, wag_question_number);
    }

    return NGX_OK;
}


static ngx_int_t
wag_round_ask(wag_round_t *round, wag_item_t *item,
    ngx_int_t (*start)(wag_question_t *question))
{
    wag_question_t  *question;
    wag_upstream_t  *us;

    us = round->upstream;

    if (round->nasked == WAG_ROUND_ASKED) {
        return NGX_BUSY;
    }

    /* each has a connection, and most of a worker's are for others */

    if (ngx_queue_empty(&round->free)
        && us->nquestions
        && us->nquestions >= ngx_cycle->connection_n / 4)
    {
        if (!round->queued && round->nasked == 0) {
            ngx_queue_insert_tail(&us->rounds, &round->queue);
            round->queued = 1;
        }

        return NGX_BUSY;
    }

    question = wag_round_question(round);

    if (question == NULL) {
        wag_session_listed(us, round->peer, &item->report);
        return NGX_OK;
    }

    question->item = item;

    if (start(question) != NGX_OK) {
        wag_session_listed(us, round->peer, &item->report);
        return NGX_OK;
    }

    ngx_queue_remove(&question->queue);
    ngx_queue_insert_tail(&round->asked, &question->queue);

    round->nasked++;

    return NGX_OK;
}


/* one that is free, for its connection may rest; or a new one */

static wag_question_t *
wag_round_question(wag_round_t *round)
{
    wag_question_t  *question;

    if (!ngx_queue_empty(&round->free)) {
        return ngx_queue_data(ngx_queue_head(&round->free), wag_question_t,
                              queue);
    }

    question = ngx_calloc(sizeof(wag_question_t), round->step.log);
    if (question == NULL) {
        return NULL;
    }

    question->upstream = round->upstream;
    question->peer = round->peer;
    question->vendor = round->vendor;
    question->done = wag_round_answered;
    question->data = round;

    ngx_queue_insert_head(&round->free, &question->queue);

    round->upstream->nquestions++;

    return question;
}


static void
wag_round_answered(wag_question_t *question)
{
    wag_round_t  *round;

    round = question->data;

    ngx_queue_remove(&question->queue);
    ngx_queue_insert_head(&round->free, &question->queue);

    round->nasked--;

    /* it cannot be freed within its own call, so the timer goes on */

    if (!round->step.timer_set) {
        ngx_add_timer(&round->step, 0);
    }
}


static void
wag_round_end(wag_round_t *round)
{
    ngx_int_t  rc;

    wag_round_free(round);

    /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): questions were freed */
    rc = wag_session_complete(round->upstream, round->peer,
                              &round->list.asked, &round->walk);

    if (rc == NGX_AGAIN) {
        ngx_add_timer(&round->step, WAG_ROUND_PAUSE);
        return;
    }

    wag_list_drop(&round->list);

    round->over(round);
}


static void
wag_round_free(wag_round_t *round)
{
    ngx_queue_t     *q, *next;
    wag_upstream_t  *us;
    wag_question_t  *question;

    us = round->upstream;

    q = ngx_queue_head(&round->free);
    ngx_queue_init(&round->free);

    for ( /* void */ ; q != ngx_queue_sentinel(&round->free); q = next) {
        next = ngx_queue_next(q);
        question = ngx_queue_data(q, wag_question_t, queue);

        wag_question_cancel(question);
        ngx_free(question);

        us->nquestions--;

        wag_round_wake(us);
    }
}


/* the first of those that wait may ask */

static void
wag_round_wake(wag_upstream_t *us)
{
    ngx_queue_t  *q;
    wag_round_t  *round;

    if (ngx_queue_empty(&us->rounds)) {
        return;
    }

    q = ngx_queue_head(&us->rounds);
    round = ngx_queue_data(q, wag_round_t, queue);

    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): it was inited */
    ngx_queue_remove(q);
    round->queued = 0;

    if (!round->step.timer_set) {
        ngx_add_timer(&round->step, 0);
    }
}
