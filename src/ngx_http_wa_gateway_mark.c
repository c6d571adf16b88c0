
/*
 * Copyright (C) the wa_gateway authors
 */


#include "ngx_http_wa_gateway_module.h"
#include "ngx_http_wa_gateway_check.h"
#include "ngx_http_wa_gateway_health.h"
#include "ngx_http_wa_gateway_lock.h"
#include "ngx_http_wa_gateway_mark.h"
#include "ngx_http_wa_gateway_schedule.h"


static ngx_uint_t ngx_http_wa_gateway_mark_last(
    ngx_http_wa_gateway_upstream_t *us, ngx_http_wa_gateway_peer_t *peer);
static void ngx_http_wa_gateway_mark_recheck(ngx_http_wa_gateway_news_t *news);
static void ngx_http_wa_gateway_mark_record(ngx_http_wa_gateway_group_t *group,
    ngx_http_wa_gateway_event_t *event);
static void ngx_http_wa_gateway_mark_tell(ngx_http_wa_gateway_event_t *event,
    ngx_msec_t held);


void
ngx_http_wa_gateway_mark_event(ngx_http_wa_gateway_news_t *news)
{
    ngx_uint_t                       changed, last;
    ngx_msec_int_t                   held;
    ngx_http_wa_gateway_event_t      event;
    ngx_http_wa_gateway_group_t     *group;
    ngx_http_wa_gateway_instance_t  *instance;

    group = news->upstream->group;
    instance = news->peer->instance;

    event.reason_len = ngx_min(news->reason.len,
                               NGX_HTTP_WA_GATEWAY_REASON_LEN);

    if (event.reason_len) {
        ngx_memcpy(event.reason, news->reason.data, event.reason_len);
    }

    event.name_len = ngx_min(news->peer->name.len,
                             NGX_HTTP_WA_GATEWAY_NAME_LEN);
    ngx_memcpy(event.name, news->peer->name.data, event.name_len);

    event.time = ngx_http_wa_gateway_time();

    ngx_http_wa_gateway_lock(news->upstream->zone->shpool);

    /* two workers may take one of the last two out each: looked at in turn */

    last = (news->event == NGX_HTTP_WA_GATEWAY_STATUS)
           && ngx_http_wa_gateway_mark_last(news->upstream, news->peer);

    event.from = instance->health.state;

    changed = ngx_http_wa_gateway_health_event(&instance->health,
                                               &news->upstream->policy,
                                               news->event, last,
                                               ngx_current_msec);

    event.to = instance->health.state;

    /* a worker killed right here may have left the copy behind */

    changed |= (instance->state != event.to);

    if (event.reason_len && event.to == NGX_HTTP_WA_GATEWAY_DOWN) {
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

        if (event.to != NGX_HTTP_WA_GATEWAY_DOWN) {
            instance->reason_len = 0;

        } else if (news->event != NGX_HTTP_WA_GATEWAY_FAIL) {
            ngx_http_wa_gateway_mark_recheck(news);
        }

        ngx_http_wa_gateway_mark_record(group, &event);

        (void) ngx_atomic_fetch_add(&group->generation, 1);
    }

    ngx_http_wa_gateway_unlock(news->upstream->zone->shpool);

    if (changed) {
        ngx_http_wa_gateway_mark_tell(&event, held);
    }
}


static ngx_uint_t
ngx_http_wa_gateway_mark_last(ngx_http_wa_gateway_upstream_t *us,
    ngx_http_wa_gateway_peer_t *peer)
{
    ngx_uint_t                   i;
    ngx_http_wa_gateway_peer_t  *other;

    for (i = 0; i < us->npeers; i++) {
        other = &us->peers[i];

        if (other != peer
            && !other->down
            && ngx_http_wa_gateway_available(other->instance))
        {
            return 0;
        }
    }

    return 1;
}


/*
 * What traffic took out is checked soon, by whichever worker has its checks
 * then: the time is part of the record, so it outlives the one that has them
 * now.  The lock is held.
 */

static void
ngx_http_wa_gateway_mark_recheck(ngx_http_wa_gateway_news_t *news)
{
    ngx_http_wa_gateway_check_t     *check;
    ngx_http_wa_gateway_instance_t  *instance;

    check = news->upstream->check;
    instance = news->peer->instance;

    if (check) {
        instance->next_check = ngx_http_wa_gateway_schedule_soon(
                                         instance->next_check, check->interval,
                                         ngx_current_msec, ngx_random());
    }
}


static void
ngx_http_wa_gateway_mark_record(ngx_http_wa_gateway_group_t *group,
    ngx_http_wa_gateway_event_t *event)
{
    group->events[group->nevents % NGX_HTTP_WA_GATEWAY_EVENTS] = *event;
    group->nevents++;
}


static void
ngx_http_wa_gateway_mark_tell(ngx_http_wa_gateway_event_t *event,
    ngx_msec_t held)
{
    ngx_str_t   name, reason;
    ngx_uint_t  level;

    name.len = event->name_len;
    name.data = event->name;

    reason.len = event->reason_len;
    reason.data = event->reason;

    level = (event->to == NGX_HTTP_WA_GATEWAY_DOWN) ? NGX_LOG_WARN
                                                    : NGX_LOG_NOTICE;

    ngx_log_error(level, ngx_cycle->log, 0,
                  "wa_gateway: %V is %V%s%V (%V for %M.%03Ms)",
                  &name, &ngx_http_wa_gateway_states[event->to],
                  reason.len ? ": " : "", &reason,
                  &ngx_http_wa_gateway_states[event->from],
                  held / 1000, held % 1000);
}
