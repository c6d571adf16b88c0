
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_check.h"
#include "wag_lock.h"
#include "wag_peers.h"
#include "wag_schedule.h"
#include "wag_state.h"
#include "wag_transition.h"
#include "wag_upstream.h"


static ngx_uint_t wag_transition_is_last(wag_upstream_t *us,
    wag_peer_t *peer);
static void wag_transition_recheck(wag_health_signal_t *signal);
static void wag_transition_log(wag_event_t *event, ngx_msec_t held);
static void wag_transition_due(wag_upstream_t *us, ngx_msec_t at);


void
wag_transition_event(wag_health_signal_t *signal)
{
    ngx_uint_t       changed, last;
    wag_event_t      event;
    wag_group_t     *group;
    ngx_msec_int_t   held;
    wag_instance_t  *instance;

    group = signal->upstream->group;
    instance = signal->peer->instance;

    event.reason_len = ngx_min(signal->reason.len, WAG_REASON_LEN);

    if (event.reason_len) {
        ngx_memcpy(event.reason, signal->reason.data, event.reason_len);
    }

    event.name_len = ngx_min(signal->peer->name.len, WAG_NAME_LEN);
    ngx_memcpy(event.name, signal->peer->name.data, event.name_len);

    event.time = wag_time();

    wag_lock(signal->upstream->zone->shpool);

    if (wag_peers_gone(signal->peer)) {

        /* the slot may be another's */

        wag_unlock(signal->upstream->zone->shpool);
        return;
    }

    /* two workers may take one of the last two out each: looked at in turn */

    last = (signal->event == WAG_STATUS)
           && wag_transition_is_last(signal->upstream, signal->peer);

    event.from = instance->health.state;

    changed = wag_state_event(&instance->health, &signal->upstream->policy,
                              signal->event, last, ngx_current_msec);

    event.to = instance->health.state;

    /* a worker killed right here may have left the copy behind */

    changed |= (instance->state != event.to);

    if (event.reason_len && event.to == WAG_DOWN) {
        ngx_memcpy(instance->reason, event.reason, event.reason_len);
        instance->reason_len = event.reason_len;
    }

    /* the time that the worker which moved it has cached may be ahead */

    held = (ngx_msec_int_t) (ngx_current_msec - instance->moved);
    held = ngx_max(held, 0);

    if (changed) {
        instance->state = event.to;
        instance->since = event.time;
        instance->moved = ngx_current_msec;

        if (event.to != WAG_DOWN) {
            instance->reason_len = 0;

        } else if (signal->event != WAG_FAIL) {
            wag_transition_recheck(signal);
        }

        wag_event_record(group, &event);

        (void) ngx_atomic_fetch_add(&group->state_epoch, 1);
    }

    if (signal->event == WAG_MOVED) {
        wag_transition_recheck(signal);

        (void) ngx_atomic_fetch_add(&group->state_epoch, 1);
    }

    wag_unlock(signal->upstream->zone->shpool);

    if (changed) {
        wag_transition_log(&event, held);
    }
}


static ngx_uint_t
wag_transition_is_last(wag_upstream_t *us, wag_peer_t *peer)
{
    ngx_uint_t   i;
    wag_peer_t  *other;

    for (i = 0; i < us->npeers; i++) {
        other = us->peers[i];

        if (other != peer
            && !other->down
            && wag_available(other->instance))
        {
            return 0;
        }
    }

    return 1;
}


/*
 * What traffic took out, or is elsewhere now, is checked soon, by whichever
 * worker has its checks then: the time is part of the record, so it outlives
 * the one that has them now.  The lock is held.
 */

static void
wag_transition_recheck(wag_health_signal_t *signal)
{
    wag_check_t     *check;
    wag_instance_t  *instance;

    check = signal->upstream->check;
    instance = signal->peer->instance;

    if (check) {
        instance->checks.next = wag_schedule_soon(instance->checks.next,
                                                  check->interval,
                                                  ngx_current_msec,
                                                  ngx_random());
    }
}


static void
wag_transition_log(wag_event_t *event, ngx_msec_t held)
{
    ngx_str_t   name, reason;
    ngx_uint_t  level;

    name.len = event->name_len;
    name.data = event->name;

    reason.len = event->reason_len;
    reason.data = event->reason;

    level = (event->to == WAG_DOWN) ? NGX_LOG_WARN : NGX_LOG_NOTICE;

    ngx_log_error(level, ngx_cycle->log, 0,
                  "wa_gateway: %V is %V%s%V (%V for %M.%03Ms)",
                  &name, &wag_states[event->to],
                  reason.len ? ": " : "", &reason,
                  &wag_states[event->from], held / 1000, held % 1000);
}


void
wag_transition_tick(wag_upstream_t *us)
{
    ngx_uint_t           i;
    wag_instance_t      *instance;
    wag_health_signal_t  signal;

    if (us->tick_epoch == us->group->state_epoch
        && (!us->ticks
            || (ngx_msec_int_t) (ngx_current_msec - us->tick_due) < 0))
    {
        return;
    }

    /* read first: what moves from here on is looked at the next time */

    us->tick_epoch = us->group->state_epoch;
    us->ticks = 0;

    ngx_memory_barrier();

    ngx_memzero(&signal, sizeof(wag_health_signal_t));

    signal.upstream = us;
    signal.event = WAG_TICK;

    for (i = 0; i < us->npeers; i++) {
        instance = us->peers[i]->instance;

        /* with checks, only a check that passes brings an instance back */

        if (instance->state == WAG_UP
            || (us->policy.checked
                && instance->state != WAG_SLOW_START))
        {
            continue;
        }

        /* nor does time one that is nowhere */

        wag_peers_refresh_addrs(us, us->peers[i]);

        if (us->peers[i]->addrs->naddrs == 0) {
            continue;
        }

        if (wag_state_is_over(&instance->health, &us->policy,
                              ngx_current_msec))
        {
            signal.peer = us->peers[i];
            wag_transition_event(&signal);

        } else {
            wag_transition_due(us, instance->health.until);
        }
    }
}


static void
wag_transition_due(wag_upstream_t *us, ngx_msec_t at)
{
    if (!us->ticks || (ngx_msec_int_t) (at - us->tick_due) < 0) {
        us->tick_due = at;
        us->ticks = 1;
    }
}
