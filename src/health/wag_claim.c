
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_check.h"
#include "wag_claim.h"
#include "wag_lock.h"
#include "wag_state.h"
#include "wag_transition.h"
#include "wag_upstream.h"


/* ms beyond its timeout, after which a claim is void */

#define WAG_CLAIM_SLACK  1000


ngx_int_t
wag_claim_take(wag_upstream_t *us, wag_server_t *server)
{
    ngx_pid_t        pid;
    ngx_int_t        rc;
    ngx_msec_int_t   age;
    wag_instance_t  *instance;

    rc = NGX_OK;
    instance = server->instance;

    wag_lock(us->zone->shpool);

    pid = instance->checking;

    /* below zero if the other worker's cached time is ahead of this one's */

    age = (ngx_msec_int_t) (ngx_current_msec - instance->checking_since);

    if (pid != 0
        && pid != ngx_pid
        && age < (ngx_msec_int_t) (us->check->timeout
                                   + WAG_CLAIM_SLACK)
        && (kill(pid, 0) == 0 || ngx_errno != ESRCH))
    {
        rc = NGX_BUSY;

    } else {
        instance->checking = ngx_pid;
        instance->checking_since = ngx_current_msec;
    }

    wag_unlock(us->zone->shpool);

    return rc;
}


ngx_uint_t
wag_claim_release(wag_upstream_t *us, wag_server_t *server,
    wag_verdict_t *verdict)
{
    ngx_uint_t           failures;
    wag_instance_t      *instance;
    wag_health_signal_t  signal;

    instance = server->instance;

    wag_lock(us->zone->shpool);

    instance->checking = 0;

    if (verdict->known) {
        instance->last_checked = wag_time();
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

    wag_unlock(us->zone->shpool);

    if (verdict->known) {
        signal.upstream = us;
        signal.server = server;
        signal.event = verdict->passed ? WAG_PASS
                                     : WAG_FAIL;
        signal.reason = verdict->reason;

        wag_transition_event(&signal);
    }

    return failures;
}


ngx_msec_t
wag_claim_schedule(wag_upstream_t *us, wag_server_t *server, ngx_msec_t known,
    ngx_msec_t turn)
{
    wag_instance_t  *instance;

    instance = server->instance;

    wag_lock(us->zone->shpool);

    if (instance->next_check == known) {
        instance->next_check = turn;

    } else {
        turn = instance->next_check;
    }

    wag_unlock(us->zone->shpool);

    return turn;
}


ngx_uint_t
wag_claim_check_changed(wag_upstream_t *us, wag_server_t *server)
{
    ngx_uint_t       anew;
    wag_instance_t  *instance;

    instance = server->instance;

    wag_lock(us->zone->shpool);

    anew = (instance->last_checked == 0
            || instance->check_hash != us->check->hash);

    instance->check_hash = us->check->hash;

    wag_unlock(us->zone->shpool);

    return anew;
}
