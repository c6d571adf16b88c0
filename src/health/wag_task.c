
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_check.h"
#include "wag_claim.h"
#include "wag_peers.h"
#include "wag_reach.h"
#include "wag_schedule.h"
#include "wag_task.h"
#include "wag_vendor.h"


/* ms until it is tried again */

#define WAG_TASK_BUSY     50    /* while another checks */
#define WAG_TASK_NOWHERE  100   /* while its name is not found */


static void wag_task_resume_schedule(wag_task_t *task, ngx_msec_t spread);
static void wag_task_handler(ngx_event_t *ev);
static void wag_task_done(wag_probe_t *p, ngx_int_t rc);
static void wag_task_listed(void *data, wag_probe_t *p, ngx_int_t rc);
static void wag_task_finish(wag_task_t *task, wag_probe_t *p, ngx_int_t rc);
static void wag_task_judge(wag_task_t *task, wag_probe_t *p, ngx_int_t rc,
    wag_verdict_t *verdict);
static ngx_int_t wag_task_expect(wag_task_t *task, wag_probe_t *p);
static ngx_uint_t wag_task_refused(wag_vendor_t *vendor, ngx_uint_t status);
static void wag_task_next(wag_task_t *task, wag_verdict_t *verdict,
    ngx_uint_t failures);
static ngx_msec_t wag_task_turn(wag_task_t *task, wag_verdict_t *verdict,
    ngx_uint_t failures);
static void wag_task_arm(wag_task_t *task, ngx_msec_t due);


wag_task_t *
wag_task_create(wag_upstream_t *us, wag_peer_t *peer, ngx_uint_t ntasks,
    ngx_log_t *log)
{
    wag_task_t  *task;

    task = ngx_calloc(sizeof(wag_task_t), log);
    if (task == NULL) {
        return NULL;
    }

    task->upstream = us;
    task->peer = peer;
    task->server = wag_peers_ref_server(peer->server);
    task->ntasks = ntasks;

    task->timer.handler = wag_task_handler;
    task->timer.data = task;
    task->timer.log = log;
    task->timer.cancelable = 1;

    task->probe.data = task;
    task->probe.parent = log;
    task->probe.done = wag_task_done;

    wag_check_probe(us->check, task->server, &task->probe);

    if (task->server->vendor == NULL) {
        return task;
    }

    task->list = !us->check->own;

    task->discovery = wag_discovery_create(log, us, peer, wag_task_listed,
                                           task);
    if (task->discovery == NULL) {
        wag_task_destroy(task);
        return NULL;
    }

    return task;
}


void
wag_task_start(wag_task_t *task, ngx_msec_t spread)
{
    wag_task_resume_schedule(task, spread);

    if (wag_claim_check_changed(task->upstream, task->peer)) {
        task->first = 1;
        task->turn = ngx_current_msec + spread;
    }

    wag_task_arm(task, task->turn);
}


void
wag_task_follow(wag_task_t *task)
{
    if (task->timer.timer_set
        && !task->first
        && task->peer->instance->checks.next != task->next)
    {
        wag_task_resume_schedule(task, 0);
        wag_task_arm(task, task->turn);
    }
}


/* the schedule as the record has it */

static void
wag_task_resume_schedule(wag_task_t *task, ngx_msec_t spread)
{
    task->next = task->peer->instance->checks.next;

    task->turn = wag_schedule_resume(task->next,
                                     task->upstream->check->interval,
                                     ngx_current_msec, spread);
}


void
wag_task_ask(wag_task_t *task)
{
    if (!task->list) {
        task->listed = ngx_current_msec;
        wag_discovery_start(task->discovery);
        return;
    }

    /* the list is the check: its turn is now, if it is not being made */

    if (task->timer.timer_set) {
        task->turn = ngx_current_msec;
        wag_task_arm(task, task->turn);
    }
}


void
wag_task_destroy(wag_task_t *task)
{
    wag_verdict_t  verdict;

    ngx_memzero(&verdict, sizeof(wag_verdict_t));

    if (task->timer.timer_set) {
        ngx_del_timer(&task->timer);
    }

    if (task->claimed) {
        (void) wag_claim_release(task->upstream, task->peer,
                                 &verdict);
    }

    wag_probe_cancel(&task->probe);
    wag_reach_free(&task->addrs);

    if (task->discovery) {
        wag_discovery_destroy(task->discovery);
    }

    wag_peers_unref_server(task->server);

    ngx_free(task);
}


static void
wag_task_handler(ngx_event_t *ev)
{
    wag_task_t  *task = ev->data;

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, ev->log, 0,
                   "wa_gateway task handler: %V", &task->peer->name);

    if (ngx_exiting || ngx_terminate || ngx_quit) {
        return;
    }

    wag_reach(task->upstream, task->peer,
              task->upstream->check->port, &task->probe,
              &task->addrs);

    if (task->probe.naddrs == 0) {
        wag_task_arm(task, ngx_current_msec + WAG_TASK_NOWHERE);
        return;
    }

    /*
     * Over a reload a worker and its successor hold a timer for the same turn
     * for a moment; who comes second finds that the schedule has moved on.
     */

    if (!task->first && task->peer->instance->checks.next != task->next) {
        wag_task_resume_schedule(task, 0);
        wag_task_arm(task, task->turn);
        return;
    }

    if (wag_claim_take(task->upstream, task->peer) != NGX_OK) {
        wag_task_arm(task, ngx_current_msec + WAG_TASK_BUSY);
        return;
    }

    task->begun = ngx_current_msec;
    task->claimed = 1;

    if (task->list) {
        task->listed = ngx_current_msec;
        wag_discovery_start(task->discovery);

    } else {
        wag_probe_start(&task->probe);
    }
}


static void
wag_task_done(wag_probe_t *p, ngx_int_t rc)
{
    wag_task_t *task = p->data;

    wag_task_finish(task, p, rc);

    if (task->discovery && rc == NGX_OK) {
        task->listed = ngx_current_msec;
        wag_discovery_start(task->discovery);
    }
}


static void
wag_task_listed(void *data, wag_probe_t *p, ngx_int_t rc)
{
    wag_task_t *task = data;

    if (task->list) {
        wag_task_finish(task, p, rc);
    }
}


static void
wag_task_finish(wag_task_t *task, wag_probe_t *p, ngx_int_t rc)
{
    ngx_uint_t     failures;
    wag_verdict_t  verdict;

    wag_task_judge(task, p, rc, &verdict);

    task->claimed = 0;

    failures = wag_claim_release(task->upstream, task->peer,
                                 &verdict);

    if (!verdict.known && (ngx_exiting || ngx_terminate || ngx_quit)) {

        /* the turn stands: a successor asks at once */

        return;
    }

    wag_task_next(task, &verdict, failures);
}


static void
wag_task_judge(wag_task_t *task, wag_probe_t *p, ngx_int_t rc,
    wag_verdict_t *verdict)
{
    ngx_memzero(verdict, sizeof(wag_verdict_t));

    verdict->time = p->response_time;

    if (rc == NGX_OK) {
        verdict->status = p->answer->status;

        rc = wag_task_expect(task, p);
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


static ngx_int_t
wag_task_expect(wag_task_t *task, wag_probe_t *p)
{
    u_char         text[WAG_REASON_LEN];
    wag_vendor_t  *vendor;

    if (!task->list) {
        return wag_expect_check(&task->upstream->check->expect,
                                p->answer, &p->reason);
    }

    vendor = task->server->vendor;

    if (wag_vendor_status(vendor->list.statuses, p->answer->status)) {
        return NGX_OK;
    }

    ngx_sprintf(text, "%sstatus %ui%Z",
                wag_task_refused(vendor, p->answer->status)
                ? "key refused: " : "", p->answer->status);

    wag_reason_set(&p->reason, (char *) text);

    return NGX_DECLINED;
}


/* a request that has the key in its path is a bad one when the key is bad */

static ngx_uint_t
wag_task_refused(wag_vendor_t *vendor, ngx_uint_t status)
{
    switch (status) {

    case NGX_HTTP_UNAUTHORIZED:
    case NGX_HTTP_FORBIDDEN:
        return 1;

    case NGX_HTTP_BAD_REQUEST:
        return wag_template_uses(&vendor->list.uri, WAG_TEMPLATE_KEY) != 0;

    default:
        return 0;
    }
}


static void
wag_task_next(wag_task_t *task, wag_verdict_t *verdict, ngx_uint_t failures)
{
    ngx_msec_t       due, next;
    wag_check_t     *check;
    wag_upstream_t  *us;

    us = task->upstream;
    check = us->check;

    task->turn = wag_task_turn(task, verdict, failures);
    task->first = 0;

    due = task->turn;

    if (verdict->passed && wag_available(task->peer->instance))
    {
        due += wag_schedule_jitter(check->interval, check->jitter,
                                   ngx_random());
    }

    if ((ngx_msec_int_t) (due - ngx_current_msec) <= 0) {
        task->turn = ngx_current_msec + 1;
        due = task->turn;
    }

    next = wag_claim_schedule(us, task->peer, task->next, task->turn);

    if (next != task->turn) {

        /* traffic took the instance out while it was checked */

        wag_task_resume_schedule(task, 0);
        due = task->turn;
    }

    task->next = next;

    wag_task_arm(task, due);
}


static ngx_msec_t
wag_task_turn(wag_task_t *task, wag_verdict_t *verdict, ngx_uint_t failures)
{
    ngx_msec_t  interval;

    interval = task->upstream->check->interval;

    if (!verdict->known) {
        return wag_schedule_fault(ngx_current_msec, interval);
    }

    if (!verdict->passed || !wag_available(task->peer->instance)) {
        return wag_schedule_recheck(task->begun, interval, failures);
    }

    if (task->first) {
        return wag_schedule_scatter(task->turn, interval,
                                    task->ntasks, ngx_random());
    }

    /* from turn to turn, so that neither jitter nor time taken adds up */

    return task->turn + interval;
}


static void
wag_task_arm(wag_task_t *task, ngx_msec_t due)
{
    ngx_msec_int_t  timer;

    timer = (ngx_msec_int_t) (due - ngx_current_msec);

    /* adding moves a timer that is set, if only by more than a little */

    if (task->timer.timer_set) {
        ngx_del_timer(&task->timer);
    }

    ngx_add_timer(&task->timer, ngx_max(timer, 1));
}
