
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_admin.h"
#include "wag_check.h"
#include "wag_checker.h"
#include "wag_claim.h"
#include "wag_discovery.h"
#include "wag_lookups.h"
#include "wag_members.h"
#include "wag_peers.h"
#include "wag_probe.h"
#include "wag_reach.h"
#include "wag_schedule.h"
#include "wag_transition.h"
#include "wag_upstream.h"
#include "wag_vendor.h"
#include "wag_zone.h"


/* all in ms */

#define WAG_CHECKER_WATCH  200   /* look for changes */
#define WAG_CHECKER_RECLAIM   1000  /* look for dead workers */
#define WAG_CHECKER_BUSY   50    /* while another checks */
#define WAG_CHECKER_NOWHERE   100   /* while its name is not found */

/* lists asked for out of turn, in ms: of an instance, of all together */

#define WAG_CHECKER_ASK        1000
#define WAG_CHECKER_ASK_ALL    50
#define WAG_CHECKER_ASK_BURST  200


typedef struct {
    wag_probe_t          probe;
    ngx_event_t          timer;

    wag_checker_t       *checker;
    wag_peer_t          *peer;
    wag_server_t        *server;
    wag_discovery_t     *discovery;   /* of sessions; NULL: no vendor */
    wag_addrs_t         *addrs;

    ngx_msec_t           turn;   /* due without jitter */
    ngx_msec_t           next;   /* of the record, as known */
    ngx_msec_t           begun;
    ngx_msec_t           listed;   /* the list was begun */

    unsigned             first:1;
    unsigned             fault:1;   /* ours, told already */
    unsigned             claimed:1; /* the right to check */
    unsigned             list:1;    /* the check is that of the list */
    unsigned             wanted:1;  /* its list, out of turn */
} wag_task_t;


#define wag_checker_peer(checker, n)                                          \
    (&(checker)->upstream->slots[(checker)->first + (n) * (checker)->step])


struct wag_checker_s {
    ngx_event_t          watch;
    wag_upstream_t      *upstream;
    ngx_uint_t           state_epoch;   /* last seen */
    ngx_uint_t           asked;         /* ditto */
    ngx_msec_t           reclaimed;
    ngx_uint_t           ntasks;
    ngx_uint_t           first;        /* slot */
    ngx_uint_t           step;         /* to the next one */
    wag_task_t         **tasks;        /* of these; NULL: not checked */
};


static ngx_int_t wag_checker_share(ngx_cycle_t *cycle,
    wag_checker_t *checker);
static void wag_checker_sync(wag_checker_t *checker);
static ngx_uint_t wag_checker_wanted(wag_peer_t *peer);
static ngx_int_t wag_checker_add(wag_checker_t *checker, wag_peer_t *peer);
static void wag_checker_leave(wag_upstream_t *us, wag_peer_t *peer);
static void wag_checker_destroy(wag_task_t *task);
static ngx_int_t wag_checker_prepare(wag_checker_t *checker,
    wag_task_t *task);
static void wag_checker_start_task(wag_task_t *task, ngx_msec_t spread);
static void wag_checker_resume_schedule(wag_task_t *task, ngx_msec_t spread);
static void wag_checker_watch_handler(ngx_event_t *ev);
static void wag_checker_admin(wag_checker_t *checker);
static void wag_checker_recheck_ejected(wag_checker_t *checker);
static void wag_checker_ask(wag_checker_t *checker);
static ngx_int_t wag_checker_may_ask(wag_sessions_t *sessions);
static void wag_checker_ask_task(wag_task_t *task);
static void wag_checker_handler(ngx_event_t *ev);
static void wag_checker_done(wag_probe_t *p, ngx_int_t rc);
static void wag_checker_listed(void *data, wag_probe_t *p, ngx_int_t rc);
static void wag_checker_finish(wag_task_t *task, wag_probe_t *p,
    ngx_int_t rc);
static void wag_checker_judge(wag_task_t *task, wag_probe_t *p, ngx_int_t rc,
    wag_verdict_t *verdict);
static ngx_int_t wag_checker_expect(wag_task_t *task, wag_probe_t *p);
static ngx_uint_t wag_checker_refused(wag_vendor_t *vendor,
    ngx_uint_t status);
static void wag_checker_next(wag_task_t *task, wag_verdict_t *verdict,
    ngx_uint_t failures);
static ngx_msec_t wag_checker_turn(wag_task_t *task, wag_verdict_t *verdict,
    ngx_uint_t failures);
static void wag_checker_arm(wag_task_t *task, ngx_msec_t due);


ngx_int_t
wag_checker_start(ngx_cycle_t *cycle, wag_upstream_t *us)
{
    ngx_uint_t      i, k, n;
    wag_checker_t  *checker;

    checker = ngx_pcalloc(cycle->pool, sizeof(wag_checker_t));
    if (checker == NULL) {
        return NGX_ERROR;
    }

    checker->upstream = us;
    checker->asked = us->group->sessions.asked;
    checker->step = us->zone->in_flight->nworkers;
    checker->first = (ngx_process == NGX_PROCESS_SINGLE) ? 0 : ngx_worker;

    if (us->check && wag_checker_share(cycle, checker) != NGX_OK) {
        return NGX_ERROR;
    }

    us->checker = checker;
    us->leave[0] = wag_checker_leave;

    wag_members_refresh(us);

    if (wag_lookups_start(cycle, us) != NGX_OK) {
        return NGX_ERROR;
    }

    checker->watch.handler = wag_checker_watch_handler;
    checker->watch.data = checker;
    checker->watch.log = cycle->log;
    checker->watch.cancelable = 1;

    ngx_add_timer(&checker->watch, WAG_CHECKER_WATCH);

    for (i = 0, k = 0, n = 0; i < checker->ntasks; i++) {
        n += wag_checker_wanted(wag_checker_peer(checker, i));
    }

    for (i = 0; i < checker->ntasks; i++) {

        if (!wag_checker_wanted(wag_checker_peer(checker, i))) {
            continue;
        }

        if (wag_checker_add(checker, wag_checker_peer(checker, i)) != NGX_OK) {
            return NGX_ERROR;
        }

        wag_checker_start_task(checker->tasks[i],
                               wag_schedule_spread(k++, n));
    }

    return NGX_OK;
}


/* every worker takes each n-th slot; its successor has its number */

static ngx_int_t
wag_checker_share(ngx_cycle_t *cycle, wag_checker_t *checker)
{
    ngx_uint_t       n;
    wag_upstream_t  *us;

    us = checker->upstream;

    n = checker->step;

    if (checker->first < us->nslots) {
        checker->ntasks = (us->nslots - checker->first + n - 1) / n;
    }

    checker->tasks = ngx_pcalloc(cycle->pool, (checker->ntasks + 1)
                                              * sizeof(wag_task_t *));

    return checker->tasks ? NGX_OK : NGX_ERROR;
}


/* those that came since, or are down in the configuration and set to be up */

static void
wag_checker_sync(wag_checker_t *checker)
{
    ngx_uint_t   i;
    wag_peer_t  *peer;

    for (i = 0; i < checker->ntasks; i++) {
        peer = wag_checker_peer(checker, i);

        if (checker->tasks[i]) {

            if (!wag_checker_wanted(peer)) {
                wag_checker_destroy(checker->tasks[i]);
                checker->tasks[i] = NULL;
            }

        } else if (wag_checker_wanted(peer)
                   && wag_checker_add(checker, peer) == NGX_OK)
        {
            wag_checker_start_task(checker->tasks[i], 0);
        }
    }
}


static ngx_uint_t
wag_checker_wanted(wag_peer_t *peer)
{
    if ((peer->incarnation & 1) == 0) {
        return 0;
    }

    switch (peer->instance->admin.state) {

    case WAG_ADMIN_CONFIGURED:
        return !peer->server->down;

    case WAG_ADMIN_REMOVING:
    case WAG_ADMIN_REMOVED:
        return 0;

    default:
        return 1;
    }
}


static ngx_int_t
wag_checker_add(wag_checker_t *checker, wag_peer_t *peer)
{
    wag_task_t  *task;

    task = ngx_calloc(sizeof(wag_task_t), ngx_cycle->log);
    if (task == NULL) {
        return NGX_ERROR;
    }

    task->peer = peer;
    task->server = wag_peers_ref_server(peer->server);

    if (wag_checker_prepare(checker, task) != NGX_OK) {
        wag_checker_destroy(task);
        return NGX_ERROR;
    }

    checker->tasks[peer->slot / checker->step] = task;

    return NGX_OK;
}


static void
wag_checker_leave(wag_upstream_t *us, wag_peer_t *peer)
{
    wag_task_t     **task;
    wag_checker_t   *checker;

    checker = us->checker;

    wag_lookups_leave(us, peer);

    if (checker == NULL
        || checker->ntasks == 0
        || peer->slot % checker->step != checker->first)
    {
        return;
    }

    task = &checker->tasks[peer->slot / checker->step];

    if (*task) {
        wag_checker_destroy(*task);
        *task = NULL;
    }
}


static void
wag_checker_destroy(wag_task_t *task)
{
    wag_verdict_t  verdict;

    ngx_memzero(&verdict, sizeof(wag_verdict_t));

    if (task->timer.timer_set) {
        ngx_del_timer(&task->timer);
    }

    if (task->claimed) {
        (void) wag_claim_release(task->checker->upstream, task->peer,
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


static ngx_int_t
wag_checker_prepare(wag_checker_t *checker, wag_task_t *task)
{
    wag_upstream_t  *us;

    us = checker->upstream;

    task->checker = checker;

    task->timer.handler = wag_checker_handler;
    task->timer.data = task;
    task->timer.log = checker->watch.log;
    task->timer.cancelable = 1;

    task->probe.data = task;
    task->probe.parent = checker->watch.log;
    task->probe.done = wag_checker_done;

    wag_check_probe(us->check, task->server, &task->probe);

    if (task->server->vendor == NULL) {
        return NGX_OK;
    }

    task->list = !us->check->own;

    task->discovery = wag_discovery_create(checker->watch.log, us, task->peer,
                                           wag_checker_listed, task);

    return task->discovery ? NGX_OK : NGX_ERROR;
}


/*
 * At once, or where the schedule stands after a reload or the death of the
 * worker before; many are spread.
 */

static void
wag_checker_start_task(wag_task_t *task, ngx_msec_t spread)
{
    wag_checker_resume_schedule(task, spread);

    if (wag_claim_check_changed(task->checker->upstream, task->peer)) {
        task->first = 1;
        task->turn = ngx_current_msec + spread;
    }

    wag_checker_arm(task, task->turn);
}


/* the schedule as the record has it */

static void
wag_checker_resume_schedule(wag_task_t *task, ngx_msec_t spread)
{
    task->next = task->peer->instance->checks.next;

    task->turn = wag_schedule_resume(task->next,
                                     task->checker->upstream->check->interval,
                                     ngx_current_msec, spread);
}


void
wag_checker_stop(wag_upstream_t *us)
{
    ngx_uint_t      i;
    wag_checker_t  *checker;

    checker = us->checker;

    if (checker == NULL) {
        return;
    }

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, checker->watch.log, 0,
                   "wa_gateway checker stop: %V", &us->uscf->host);

    us->checker = NULL;

    wag_lookups_stop(us);

    if (checker->watch.timer_set) {
        ngx_del_timer(&checker->watch);
    }

    for (i = 0; i < checker->ntasks; i++) {
        if (checker->tasks[i]) {
            wag_checker_destroy(checker->tasks[i]);
            checker->tasks[i] = NULL;
        }
    }
}


static void
wag_checker_watch_handler(ngx_event_t *ev)
{
    wag_checker_t  *checker = ev->data;

    ngx_log_debug0(NGX_LOG_DEBUG_HTTP, ev->log, 0,
                   "wa_gateway checker watch handler");

    if (ngx_exiting || ngx_terminate || ngx_quit) {
        return;
    }

    wag_members_refresh(checker->upstream);

    /* what time moves by itself is told in time, though nobody asks */

    wag_transition_tick(checker->upstream);

    wag_checker_admin(checker);

    if (checker->state_epoch != checker->upstream->group->state_epoch) {
        checker->state_epoch = checker->upstream->group->state_epoch;
        wag_lookups_sync(checker->upstream);
        wag_checker_sync(checker);
        wag_checker_recheck_ejected(checker);
    }

    wag_checker_ask(checker);

    if (ngx_current_msec - checker->reclaimed >= WAG_CHECKER_RECLAIM) {
        checker->reclaimed = ngx_current_msec;
        wag_zone_reclaim_dead_workers(checker->upstream->zone);
    }

    ngx_add_timer(ev, WAG_CHECKER_WATCH);
}


/*
 * Who is drained or removed, and has no request any more: of all slots, for
 * the worker whose share one was may be dead, and have no successor.
 */

static void
wag_checker_admin(wag_checker_t *checker)
{
    ngx_uint_t       slot;
    wag_upstream_t  *us;

    us = checker->upstream;

    if (!us->controlled && us->capacity == 0) {
        return;
    }

    for (slot = 0; slot < us->nslots; slot++) {
        wag_admin_finish(us, slot);
    }
}


/* those that traffic took out, in any worker, have their turn soon */

static void
wag_checker_recheck_ejected(wag_checker_t *checker)
{
    ngx_uint_t   i;
    wag_task_t  *task;

    for (i = 0; i < checker->ntasks; i++) {
        task = checker->tasks[i];

        if (task && task->timer.timer_set && !task->first
            && task->peer->instance->checks.next != task->next)
        {
            wag_checker_resume_schedule(task, 0);
            wag_checker_arm(task, task->turn);
        }
    }
}


/*
 * A request named a session that nobody has, or an instance said that it does
 * not have one: lists are asked for at once, but not too many of them.
 */

static void
wag_checker_ask(wag_checker_t *checker)
{
    ngx_uint_t       i, all;
    wag_task_t      *task;
    wag_sessions_t  *sessions;

    sessions = &checker->upstream->group->sessions;

    all = (checker->asked != sessions->asked);
    checker->asked = sessions->asked;

    for (i = 0; i < checker->ntasks; i++) {
        task = checker->tasks[i];

        if (task == NULL || task->discovery == NULL) {
            continue;
        }

        if (all || task->peer->instance->ask) {
            task->peer->instance->ask = 0;
            task->wanted = 1;
        }

        if (task->wanted
            && ngx_current_msec - task->listed >= WAG_CHECKER_ASK
            && wag_checker_may_ask(sessions) == NGX_OK)
        {
            task->wanted = 0;
            wag_checker_ask_task(task);
        }
    }
}


/* a rate that all workers share: the time when the next one may be asked */

static ngx_int_t
wag_checker_may_ask(wag_sessions_t *sessions)
{
    ngx_msec_t  next, due;

    do {
        next = sessions->ask_next;

        due = ((ngx_msec_int_t) (next - ngx_current_msec) > 0)
              ? next : ngx_current_msec;

        if (due - ngx_current_msec >= WAG_CHECKER_ASK_BURST) {
            return NGX_BUSY;
        }

    } while (!ngx_atomic_cmp_set(&sessions->ask_next, next,
                                 due + WAG_CHECKER_ASK_ALL));

    return NGX_OK;
}


static void
wag_checker_ask_task(wag_task_t *task)
{
    if (!task->list) {
        task->listed = ngx_current_msec;
        wag_discovery_start(task->discovery);
        return;
    }

    /* the list is the check: its turn is now, if it is not being made */

    if (task->timer.timer_set) {
        task->turn = ngx_current_msec;
        wag_checker_arm(task, task->turn);
    }
}


static void
wag_checker_handler(ngx_event_t *ev)
{
    wag_task_t  *task = ev->data;

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, ev->log, 0,
                   "wa_gateway checker handler: %V", &task->peer->name);

    if (ngx_exiting || ngx_terminate || ngx_quit) {
        return;
    }

    wag_reach(task->checker->upstream, task->peer,
              task->checker->upstream->check->port, &task->probe,
              &task->addrs);

    if (task->probe.naddrs == 0) {
        wag_checker_arm(task, ngx_current_msec + WAG_CHECKER_NOWHERE);
        return;
    }

    /*
     * Over a reload a worker and its successor hold a timer for the same turn
     * for a moment; who comes second finds that the schedule has moved on.
     */

    if (!task->first && task->peer->instance->checks.next != task->next) {
        wag_checker_resume_schedule(task, 0);
        wag_checker_arm(task, task->turn);
        return;
    }

    if (wag_claim_take(task->checker->upstream, task->peer) != NGX_OK) {
        wag_checker_arm(task, ngx_current_msec + WAG_CHECKER_BUSY);
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
wag_checker_done(wag_probe_t *p, ngx_int_t rc)
{
    wag_task_t *task = p->data;

    wag_checker_finish(task, p, rc);

    if (task->discovery && rc == NGX_OK) {
        task->listed = ngx_current_msec;
        wag_discovery_start(task->discovery);
    }
}


static void
wag_checker_listed(void *data, wag_probe_t *p, ngx_int_t rc)
{
    wag_task_t *task = data;

    if (task->list) {
        wag_checker_finish(task, p, rc);
    }
}


static void
wag_checker_finish(wag_task_t *task, wag_probe_t *p, ngx_int_t rc)
{
    ngx_uint_t     failures;
    wag_verdict_t  verdict;

    wag_checker_judge(task, p, rc, &verdict);

    task->claimed = 0;

    failures = wag_claim_release(task->checker->upstream, task->peer,
                                 &verdict);

    if (!verdict.known && (ngx_exiting || ngx_terminate || ngx_quit)) {

        /* the turn stands: a successor asks at once */

        return;
    }

    wag_checker_next(task, &verdict, failures);
}


static void
wag_checker_judge(wag_task_t *task, wag_probe_t *p, ngx_int_t rc,
    wag_verdict_t *verdict)
{
    ngx_memzero(verdict, sizeof(wag_verdict_t));

    verdict->time = p->response_time;

    if (rc == NGX_OK) {
        verdict->status = p->answer->status;

        rc = wag_checker_expect(task, p);
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
wag_checker_expect(wag_task_t *task, wag_probe_t *p)
{
    u_char         text[WAG_REASON_LEN];
    wag_vendor_t  *vendor;

    if (!task->list) {
        return wag_expect_check(&task->checker->upstream->check->expect,
                                p->answer, &p->reason);
    }

    vendor = task->server->vendor;

    if (wag_vendor_status(vendor->list.statuses, p->answer->status)) {
        return NGX_OK;
    }

    ngx_sprintf(text, "%sstatus %ui%Z",
                wag_checker_refused(vendor, p->answer->status)
                ? "key refused: " : "", p->answer->status);

    wag_reason_set(&p->reason, (char *) text);

    return NGX_DECLINED;
}


/* a request that has the key in its path is a bad one when the key is bad */

static ngx_uint_t
wag_checker_refused(wag_vendor_t *vendor, ngx_uint_t status)
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
wag_checker_next(wag_task_t *task, wag_verdict_t *verdict, ngx_uint_t failures)
{
    ngx_msec_t       due, next;
    wag_check_t     *check;
    wag_upstream_t  *us;

    us = task->checker->upstream;
    check = us->check;

    task->turn = wag_checker_turn(task, verdict, failures);
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

        wag_checker_resume_schedule(task, 0);
        due = task->turn;
    }

    task->next = next;

    wag_checker_arm(task, due);
}


static ngx_msec_t
wag_checker_turn(wag_task_t *task, wag_verdict_t *verdict, ngx_uint_t failures)
{
    ngx_msec_t  interval;

    interval = task->checker->upstream->check->interval;

    if (!verdict->known) {
        return wag_schedule_fault(ngx_current_msec, interval);
    }

    if (!verdict->passed || !wag_available(task->peer->instance)) {
        return wag_schedule_recheck(task->begun, interval, failures);
    }

    if (task->first) {
        return wag_schedule_scatter(task->turn, interval,
                                    task->checker->ntasks, ngx_random());
    }

    /* from turn to turn, so that neither jitter nor time taken adds up */

    return task->turn + interval;
}


static void
wag_checker_arm(wag_task_t *task, ngx_msec_t due)
{
    ngx_msec_int_t  timer;

    timer = (ngx_msec_int_t) (due - ngx_current_msec);

    /* adding moves a timer that is set, if only by more than a little */

    if (task->timer.timer_set) {
        ngx_del_timer(&task->timer);
    }

    ngx_add_timer(&task->timer, ngx_max(timer, 1));
}
