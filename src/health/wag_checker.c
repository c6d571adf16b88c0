
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_admin.h"
#include "wag_checker.h"
#include "wag_lookups.h"
#include "wag_members.h"
#include "wag_schedule.h"
#include "wag_task.h"
#include "wag_transition.h"
#include "wag_zone.h"


/* all in ms */

#define WAG_CHECKER_WATCH      200   /* look for changes */
#define WAG_CHECKER_RECLAIM    1000  /* look for dead workers */

/* lists asked for out of turn, in ms: of an instance, of all together */

#define WAG_CHECKER_ASK        1000
#define WAG_CHECKER_ASK_ALL    50
#define WAG_CHECKER_ASK_BURST  200


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
static void wag_checker_watch_handler(ngx_event_t *ev);
static void wag_checker_admin(wag_checker_t *checker);
static void wag_checker_recheck_ejected(wag_checker_t *checker);
static void wag_checker_ask(wag_checker_t *checker);
static ngx_int_t wag_checker_may_ask(wag_sessions_t *sessions);


ngx_int_t
wag_checker_start(ngx_cycle_t *cycle, wag_upstream_t *us)
{
    ngx_uint_t      i, n, total;
    wag_peer_t     *peer;
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

    for (i = 0, total = 0; i < checker->ntasks; i++) {
        total += wag_checker_wanted(wag_checker_peer(checker, i));
    }

    for (i = 0, n = 0; i < checker->ntasks; i++) {
        peer = wag_checker_peer(checker, i);

        if (!wag_checker_wanted(peer)) {
            continue;
        }

        if (wag_checker_add(checker, peer) != NGX_OK) {
            return NGX_ERROR;
        }

        wag_task_start(checker->tasks[i], wag_schedule_spread(n++, total));
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
                wag_task_destroy(checker->tasks[i]);
                checker->tasks[i] = NULL;
            }

        } else if (wag_checker_wanted(peer)
                   && wag_checker_add(checker, peer) == NGX_OK)
        {
            wag_task_start(checker->tasks[i], 0);
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

    task = wag_task_create(checker->upstream, peer, checker->ntasks,
                           checker->watch.log);
    if (task == NULL) {
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
        wag_task_destroy(*task);
        *task = NULL;
    }
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
            wag_task_destroy(checker->tasks[i]);
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
    ngx_uint_t  i;

    for (i = 0; i < checker->ntasks; i++) {
        if (checker->tasks[i]) {
            wag_task_follow(checker->tasks[i]);
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

        /* a list that is on its way may be older than what is asked for */

        if (task->wanted
            && !wag_discovery_asks(task->discovery)
            && ngx_current_msec - task->listed >= WAG_CHECKER_ASK
            && wag_checker_may_ask(sessions) == NGX_OK)
        {
            task->wanted = 0;
            wag_task_ask(task);
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
