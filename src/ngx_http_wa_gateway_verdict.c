
/*
 * Copyright (C) the wa_gateway authors
 */


#include "ngx_http_wa_gateway_module.h"
#include "ngx_http_wa_gateway_check.h"
#include "ngx_http_wa_gateway_health.h"
#include "ngx_http_wa_gateway_lock.h"
#include "ngx_http_wa_gateway_mark.h"
#include "ngx_http_wa_gateway_verdict.h"


/* ms beyond its timeout, after which a claim is void */

#define NGX_HTTP_WA_GATEWAY_VERDICT_SLACK  1000


ngx_int_t
ngx_http_wa_gateway_verdict_claim(ngx_http_wa_gateway_upstream_t *us,
    ngx_http_wa_gateway_peer_t *peer)
{
    ngx_pid_t                        pid;
    ngx_int_t                        rc;
    ngx_msec_int_t                   age;
    ngx_http_wa_gateway_instance_t  *instance;

    rc = NGX_OK;
    instance = peer->instance;

    ngx_http_wa_gateway_lock(us->zone->shpool);

    pid = instance->checking;

    /* below zero if the other worker's cached time is ahead of this one's */

    age = (ngx_msec_int_t) (ngx_current_msec - instance->checking_since);

    if (pid != 0
        && pid != ngx_pid
        && age < (ngx_msec_int_t) (us->check->timeout
                                   + NGX_HTTP_WA_GATEWAY_VERDICT_SLACK)
        && (kill(pid, 0) == 0 || ngx_errno != ESRCH))
    {
        rc = NGX_BUSY;

    } else {
        instance->checking = ngx_pid;
        instance->checking_since = ngx_current_msec;
    }

    ngx_http_wa_gateway_unlock(us->zone->shpool);

    return rc;
}


ngx_uint_t
ngx_http_wa_gateway_verdict_give(ngx_http_wa_gateway_upstream_t *us,
    ngx_http_wa_gateway_peer_t *peer, ngx_http_wa_gateway_verdict_t *verdict)
{
    ngx_uint_t                       failures;
    ngx_http_wa_gateway_news_t       news;
    ngx_http_wa_gateway_instance_t  *instance;

    instance = peer->instance;

    ngx_http_wa_gateway_lock(us->zone->shpool);

    instance->checking = 0;

    if (verdict->known) {
        instance->last_checked = ngx_http_wa_gateway_time();
        instance->last_status = verdict->status;
        instance->check_time = verdict->time;

        if (verdict->passed) {
            instance->passed++;
            instance->failed_in_row = 0;
            instance->response_time = verdict->time;

        } else {
            instance->failed++;
            instance->failed_in_row++;
            instance->response_time = -1;
        }
    }

    failures = instance->failed_in_row;

    ngx_http_wa_gateway_unlock(us->zone->shpool);

    if (verdict->known) {
        news.upstream = us;
        news.peer = peer;
        news.event = verdict->passed ? NGX_HTTP_WA_GATEWAY_PASS
                                     : NGX_HTTP_WA_GATEWAY_FAIL;
        news.reason = verdict->reason;

        ngx_http_wa_gateway_mark_event(&news);
    }

    return failures;
}


ngx_msec_t
ngx_http_wa_gateway_verdict_schedule(ngx_http_wa_gateway_upstream_t *us,
    ngx_http_wa_gateway_peer_t *peer, ngx_msec_t known, ngx_msec_t turn)
{
    ngx_http_wa_gateway_instance_t  *instance;

    instance = peer->instance;

    ngx_http_wa_gateway_lock(us->zone->shpool);

    if (instance->next_check == known) {
        instance->next_check = turn;

    } else {
        turn = instance->next_check;
    }

    ngx_http_wa_gateway_unlock(us->zone->shpool);

    return turn;
}


ngx_uint_t
ngx_http_wa_gateway_verdict_anew(ngx_http_wa_gateway_upstream_t *us,
    ngx_http_wa_gateway_peer_t *peer)
{
    ngx_uint_t                       anew;
    ngx_http_wa_gateway_instance_t  *instance;

    instance = peer->instance;

    ngx_http_wa_gateway_lock(us->zone->shpool);

    anew = (instance->last_checked == 0
            || instance->check_hash != us->check->hash);

    instance->check_hash = us->check->hash;

    ngx_http_wa_gateway_unlock(us->zone->shpool);

    return anew;
}
