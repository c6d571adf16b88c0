
/*
 * Copyright (C) the wa_gateway authors
 */


#include "ngx_http_wa_gateway_module.h"
#include "ngx_http_wa_gateway_check.h"
#include "ngx_http_wa_gateway_checker.h"
#include "ngx_http_wa_gateway_probe.h"
#include "ngx_http_wa_gateway_roster.h"
#include "ngx_http_wa_gateway_schedule.h"
#include "ngx_http_wa_gateway_verdict.h"
#include "ngx_http_wa_gateway_zone.h"


/* all in ms */

#define NGX_HTTP_WA_GATEWAY_CHECKER_WATCH  200   /* look for changes */
#define NGX_HTTP_WA_GATEWAY_CHECKER_BURY   1000  /* look for dead workers */
#define NGX_HTTP_WA_GATEWAY_CHECKER_BUSY   50    /* while another checks */


typedef struct {
    ngx_http_wa_gateway_probe_t      probe;
    ngx_event_t                      timer;

    ngx_http_wa_gateway_checker_t   *checker;
    ngx_http_wa_gateway_peer_t      *peer;

    ngx_msec_t                       turn;       /* due without jitter */
    ngx_msec_t                       next;       /* of the record, as known */
    ngx_msec_t                       begun;

    unsigned                         first:1;
    unsigned                         fault:1;    /* ours, told already */
} ngx_http_wa_gateway_task_t;


struct ngx_http_wa_gateway_checker_s {
    ngx_event_t                      watch;
    ngx_http_wa_gateway_upstream_t  *upstream;
    ngx_uint_t                       generation; /* of the states last seen */
    ngx_msec_t                       buried;
    ngx_uint_t                       ntasks;
    ngx_http_wa_gateway_task_t      *tasks;
};


static ngx_uint_t ngx_http_wa_gateway_checker_share(ngx_cycle_t *cycle,
    ngx_http_wa_gateway_checker_t *checker);
static void ngx_http_wa_gateway_checker_prepare(
    ngx_http_wa_gateway_checker_t *checker, ngx_http_wa_gateway_task_t *task,
    ngx_cycle_t *cycle);
static void ngx_http_wa_gateway_checker_first(
    ngx_http_wa_gateway_checker_t *checker, ngx_uint_t n);
static void ngx_http_wa_gateway_checker_adopt(
    ngx_http_wa_gateway_task_t *task, ngx_msec_t spread);
static void ngx_http_wa_gateway_checker_watch_handler(ngx_event_t *ev);
static void ngx_http_wa_gateway_checker_look(
    ngx_http_wa_gateway_checker_t *checker);
static void ngx_http_wa_gateway_checker_handler(ngx_event_t *ev);
static void ngx_http_wa_gateway_checker_done(ngx_http_wa_gateway_probe_t *p,
    ngx_int_t rc);
static void ngx_http_wa_gateway_checker_judge(
    ngx_http_wa_gateway_task_t *task, ngx_int_t rc,
    ngx_http_wa_gateway_verdict_t *verdict);
static void ngx_http_wa_gateway_checker_next(ngx_http_wa_gateway_task_t *task,
    ngx_http_wa_gateway_verdict_t *verdict, ngx_uint_t failures);
static ngx_msec_t ngx_http_wa_gateway_checker_turn(
    ngx_http_wa_gateway_task_t *task, ngx_http_wa_gateway_verdict_t *verdict,
    ngx_uint_t failures);
static void ngx_http_wa_gateway_checker_arm(ngx_http_wa_gateway_task_t *task,
    ngx_msec_t due);


ngx_int_t
ngx_http_wa_gateway_checker_start(ngx_cycle_t *cycle,
    ngx_http_wa_gateway_upstream_t *us)
{
    ngx_uint_t                      i;
    ngx_http_wa_gateway_checker_t  *checker;

    checker = ngx_pcalloc(cycle->pool, sizeof(ngx_http_wa_gateway_checker_t));
    if (checker == NULL) {
        return NGX_ERROR;
    }

    checker->upstream = us;

    if (us->check
        && ngx_http_wa_gateway_checker_share(cycle, checker) != NGX_OK)
    {
        return NGX_ERROR;
    }

    us->checker = checker;

    checker->watch.handler = ngx_http_wa_gateway_checker_watch_handler;
    checker->watch.data = checker;
    checker->watch.log = cycle->log;
    checker->watch.cancelable = 1;

    ngx_add_timer(&checker->watch, NGX_HTTP_WA_GATEWAY_CHECKER_WATCH);

    for (i = 0; i < checker->ntasks; i++) {
        ngx_http_wa_gateway_checker_first(checker, i);
    }

    return NGX_OK;
}


/* every worker takes each n-th instance; its successor has its number */

static ngx_uint_t
ngx_http_wa_gateway_checker_share(ngx_cycle_t *cycle,
    ngx_http_wa_gateway_checker_t *checker)
{
    ngx_uint_t                       i, n, worker;
    ngx_http_wa_gateway_upstream_t  *us;

    us = checker->upstream;

    n = us->zone->ledger->nworkers;
    worker = (ngx_process == NGX_PROCESS_SINGLE) ? 0 : ngx_worker;

    checker->tasks = ngx_pcalloc(cycle->pool, (us->npeers / n + 1)
                                         * sizeof(ngx_http_wa_gateway_task_t));
    if (checker->tasks == NULL) {
        return NGX_ERROR;
    }

    for (i = worker; i < us->npeers; i += n) {

        if (us->peers[i].down) {
            continue;
        }

        checker->tasks[checker->ntasks].peer = &us->peers[i];

        ngx_http_wa_gateway_checker_prepare(checker,
                                            &checker->tasks[checker->ntasks],
                                            cycle);
        checker->ntasks++;
    }

    return NGX_OK;
}


static void
ngx_http_wa_gateway_checker_prepare(ngx_http_wa_gateway_checker_t *checker,
    ngx_http_wa_gateway_task_t *task, ngx_cycle_t *cycle)
{
    task->checker = checker;

    task->timer.handler = ngx_http_wa_gateway_checker_handler;
    task->timer.data = task;
    task->timer.log = cycle->log;
    task->timer.cancelable = 1;

    task->probe.data = task;
    task->probe.parent = cycle->log;
    task->probe.done = ngx_http_wa_gateway_checker_done;

    ngx_http_wa_gateway_check_probe(checker->upstream->check, task->peer,
                                    &task->probe);
}


/*
 * At once, or where the schedule stands after a reload or the death of the
 * worker before; many are spread.
 */

static void
ngx_http_wa_gateway_checker_first(ngx_http_wa_gateway_checker_t *checker,
    ngx_uint_t n)
{
    ngx_msec_t                   spread;
    ngx_http_wa_gateway_task_t  *task;

    task = &checker->tasks[n];

    spread = ngx_http_wa_gateway_schedule_spread(n, checker->ntasks);

    ngx_http_wa_gateway_checker_adopt(task, spread);

    if (ngx_http_wa_gateway_verdict_anew(checker->upstream, task->peer)) {
        task->first = 1;
        task->turn = ngx_current_msec + spread;
    }

    ngx_http_wa_gateway_checker_arm(task, task->turn);
}


/* the schedule as the record has it */

static void
ngx_http_wa_gateway_checker_adopt(ngx_http_wa_gateway_task_t *task,
    ngx_msec_t spread)
{
    task->next = task->peer->instance->next_check;

    task->turn = ngx_http_wa_gateway_schedule_resume(task->next,
                                    task->checker->upstream->check->interval,
                                    ngx_current_msec, spread);
}


void
ngx_http_wa_gateway_checker_stop(ngx_http_wa_gateway_upstream_t *us)
{
    ngx_uint_t                      i;
    ngx_http_wa_gateway_task_t     *task;
    ngx_http_wa_gateway_verdict_t   verdict;
    ngx_http_wa_gateway_checker_t  *checker;

    checker = us->checker;

    if (checker == NULL) {
        return;
    }

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, checker->watch.log, 0,
                   "wa_gateway checker stop: %V", &us->uscf->host);

    us->checker = NULL;

    if (checker->watch.timer_set) {
        ngx_del_timer(&checker->watch);
    }

    ngx_memzero(&verdict, sizeof(ngx_http_wa_gateway_verdict_t));

    for (i = 0; i < checker->ntasks; i++) {
        task = &checker->tasks[i];

        if (task->timer.timer_set) {
            ngx_del_timer(&task->timer);
        }

        if (task->probe.active) {
            (void) ngx_http_wa_gateway_verdict_give(us, task->peer, &verdict);
        }

        ngx_http_wa_gateway_probe_cancel(&task->probe);
    }
}


static void
ngx_http_wa_gateway_checker_watch_handler(ngx_event_t *ev)
{
    ngx_http_wa_gateway_checker_t  *checker = ev->data;

    ngx_log_debug0(NGX_LOG_DEBUG_HTTP, ev->log, 0,
                   "wa_gateway checker watch handler");

    if (ngx_exiting || ngx_terminate || ngx_quit) {
        return;
    }

    /* what time moves by itself is told in time, though nobody asks */

    ngx_http_wa_gateway_roster_update(checker->upstream);

    if (checker->generation != checker->upstream->group->generation) {
        checker->generation = checker->upstream->group->generation;
        ngx_http_wa_gateway_checker_look(checker);
    }

    if (ngx_current_msec - checker->buried
        >= NGX_HTTP_WA_GATEWAY_CHECKER_BURY)
    {
        checker->buried = ngx_current_msec;
        ngx_http_wa_gateway_zone_bury(checker->upstream->zone);
    }

    ngx_add_timer(ev, NGX_HTTP_WA_GATEWAY_CHECKER_WATCH);
}


/* those that traffic took out, in any worker, have their turn soon */

static void
ngx_http_wa_gateway_checker_look(ngx_http_wa_gateway_checker_t *checker)
{
    ngx_uint_t                   i;
    ngx_http_wa_gateway_task_t  *task;

    for (i = 0; i < checker->ntasks; i++) {
        task = &checker->tasks[i];

        if (task->timer.timer_set && !task->first
            && task->peer->instance->next_check != task->next)
        {
            ngx_http_wa_gateway_checker_adopt(task, 0);
            ngx_http_wa_gateway_checker_arm(task, task->turn);
        }
    }
}


static void
ngx_http_wa_gateway_checker_handler(ngx_event_t *ev)
{
    ngx_http_wa_gateway_task_t  *task = ev->data;

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, ev->log, 0,
                   "wa_gateway checker handler: %V", &task->peer->name);

    if (ngx_exiting || ngx_terminate || ngx_quit) {
        return;
    }

    /*
     * Over a reload a worker and its successor hold a timer for the same turn
     * for a moment; who comes second finds that the schedule has moved on.
     */

    if (!task->first && task->peer->instance->next_check != task->next) {
        ngx_http_wa_gateway_checker_adopt(task, 0);
        ngx_http_wa_gateway_checker_arm(task, task->turn);
        return;
    }

    if (ngx_http_wa_gateway_verdict_claim(task->checker->upstream, task->peer)
        != NGX_OK)
    {
        ngx_http_wa_gateway_checker_arm(task, ngx_current_msec
                                          + NGX_HTTP_WA_GATEWAY_CHECKER_BUSY);
        return;
    }

    task->begun = ngx_current_msec;

    ngx_http_wa_gateway_probe_start(&task->probe);
}


static void
ngx_http_wa_gateway_checker_done(ngx_http_wa_gateway_probe_t *p, ngx_int_t rc)
{
    ngx_uint_t                      failures;
    ngx_http_wa_gateway_task_t     *task;
    ngx_http_wa_gateway_verdict_t   verdict;

    task = p->data;

    ngx_http_wa_gateway_checker_judge(task, rc, &verdict);

    failures = ngx_http_wa_gateway_verdict_give(task->checker->upstream,
                                                task->peer, &verdict);

    if (!verdict.known && (ngx_exiting || ngx_terminate || ngx_quit)) {

        /* the turn stands: a successor asks at once */

        return;
    }

    ngx_http_wa_gateway_checker_next(task, &verdict, failures);
}


static void
ngx_http_wa_gateway_checker_judge(ngx_http_wa_gateway_task_t *task,
    ngx_int_t rc, ngx_http_wa_gateway_verdict_t *verdict)
{
    ngx_http_wa_gateway_probe_t  *p;

    p = &task->probe;

    ngx_memzero(verdict, sizeof(ngx_http_wa_gateway_verdict_t));

    verdict->time = p->response_time;

    if (rc == NGX_OK) {
        verdict->status = p->answer->status;

        rc = ngx_http_wa_gateway_expect_check(
                                     &task->checker->upstream->check->expect,
                                     p->answer, &p->reason);
    }

    verdict->known = (rc != NGX_ERROR);
    verdict->passed = (rc == NGX_OK);

    if (rc != NGX_OK) {
        verdict->reason.data = p->reason.data;
        verdict->reason.len = p->reason.len;
    }

    if (rc == NGX_ERROR && !task->fault && !ngx_exiting) {
        ngx_log_error(NGX_LOG_ERR, task->timer.log, 0,
                      "wa_gateway: %V could not be checked: %V",
                      &task->peer->name, &verdict->reason);
    }

    task->fault = (rc == NGX_ERROR);
}


static void
ngx_http_wa_gateway_checker_next(ngx_http_wa_gateway_task_t *task,
    ngx_http_wa_gateway_verdict_t *verdict, ngx_uint_t failures)
{
    ngx_msec_t                       due, next;
    ngx_http_wa_gateway_check_t     *check;
    ngx_http_wa_gateway_upstream_t  *us;

    us = task->checker->upstream;
    check = us->check;

    task->turn = ngx_http_wa_gateway_checker_turn(task, verdict, failures);
    task->first = 0;

    due = task->turn;

    if (verdict->passed && ngx_http_wa_gateway_available(task->peer->instance))
    {
        due += ngx_http_wa_gateway_schedule_jitter(check->interval,
                                                   check->jitter,
                                                   ngx_random());
    }

    if ((ngx_msec_int_t) (due - ngx_current_msec) <= 0) {
        task->turn = ngx_current_msec + 1;
        due = task->turn;
    }

    next = ngx_http_wa_gateway_verdict_schedule(us, task->peer, task->next,
                                                task->turn);

    if (next != task->turn) {

        /* traffic took the instance out while it was checked */

        ngx_http_wa_gateway_checker_adopt(task, 0);
        due = task->turn;
    }

    task->next = next;

    ngx_http_wa_gateway_checker_arm(task, due);
}


static ngx_msec_t
ngx_http_wa_gateway_checker_turn(ngx_http_wa_gateway_task_t *task,
    ngx_http_wa_gateway_verdict_t *verdict, ngx_uint_t failures)
{
    ngx_msec_t  interval;

    interval = task->checker->upstream->check->interval;

    if (!verdict->known) {
        return ngx_http_wa_gateway_schedule_fault(ngx_current_msec, interval);
    }

    if (!verdict->passed
        || !ngx_http_wa_gateway_available(task->peer->instance))
    {
        return ngx_http_wa_gateway_schedule_recheck(task->begun, interval,
                                                    failures);
    }

    if (task->first) {
        return ngx_http_wa_gateway_schedule_scatter(task->turn, interval,
                                                    task->checker->ntasks,
                                                    ngx_random());
    }

    /* from turn to turn, so that neither jitter nor time taken adds up */

    return task->turn + interval;
}


static void
ngx_http_wa_gateway_checker_arm(ngx_http_wa_gateway_task_t *task,
    ngx_msec_t due)
{
    ngx_msec_int_t  timer;

    timer = (ngx_msec_int_t) (due - ngx_current_msec);

    /* adding moves a timer that is set, if only by more than a little */

    if (task->timer.timer_set) {
        ngx_del_timer(&task->timer);
    }

    ngx_add_timer(&task->timer, ngx_max(timer, 1));
}
