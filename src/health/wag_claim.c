
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_check.h"
#include "wag_claim.h"
#include "wag_lock.h"
#include "wag_peers.h"
#include "wag_state.h"
#include "wag_transition.h"
#include "wag_upstream.h"


/* ms beyond its timeout, after which a claim is void */

#define WAG_CLAIM_SLACK  1000


ngx_int_t
wag_claim_take(wag_upstream_t *us, wag_peer_t *peer)
{
    ngx_pid_t        pid;
    ngx_int_t        rc;
    wag_checks_t    *checks;
    ngx_msec_int_t   age;

    rc = NGX_OK;
    checks = &peer->instance->checks;

    wag_lock(us->zone->shpool);

    pid = checks->pid;

    /* below zero if the other worker's cached time is ahead of this one's */

    age = (ngx_msec_int_t) (ngx_current_msec - checks->since);

    if (wag_peers_gone(peer)
        || (pid != 0
            && pid != ngx_pid
            && age < (ngx_msec_int_t) (us->check->timeout + WAG_CLAIM_SLACK)
            && (kill(pid, 0) == 0 || ngx_errno != ESRCH)))
    {
        rc = NGX_BUSY;

    } else {
        checks->pid = ngx_pid;
        checks->since = ngx_current_msec;
    }

    wag_unlock(us->zone->shpool);

    return rc;
}


ngx_uint_t
wag_claim_release(wag_upstream_t *us, wag_peer_t *peer,
    wag_verdict_t *verdict)
{
    ngx_uint_t           failures;
    wag_checks_t        *checks;
    wag_health_signal_t  signal;

    checks = &peer->instance->checks;

    wag_lock(us->zone->shpool);

    if (wag_peers_gone(peer)) {
        wag_unlock(us->zone->shpool);
        return 0;
    }

    checks->pid = 0;

    if (verdict->known) {
        checks->last = wag_time();
        checks->last_status = verdict->status;
        checks->time = verdict->time;

        if (verdict->passed) {
            checks->passed++;
            checks->failed_in_row = 0;
            checks->response_time = verdict->time;

        } else {
            checks->failed++;
            checks->failed_in_row++;
            checks->response_time = -1;
        }
    }

    failures = checks->failed_in_row;

    wag_unlock(us->zone->shpool);

    if (verdict->known) {
        signal.upstream = us;
        signal.peer = peer;
        signal.event = verdict->passed ? WAG_PASS : WAG_FAIL;
        signal.reason = verdict->reason;

        wag_transition_event(&signal);
    }

    return failures;
}


ngx_msec_t
wag_claim_schedule(wag_upstream_t *us, wag_peer_t *peer, ngx_msec_t known,
    ngx_msec_t turn)
{
    wag_checks_t  *checks;

    checks = &peer->instance->checks;

    wag_lock(us->zone->shpool);

    if (wag_peers_gone(peer)) {

        /* the slot may be another's */

    } else if (checks->next == known) {
        checks->next = turn;

    } else {
        turn = checks->next;
    }

    wag_unlock(us->zone->shpool);

    return turn;
}


ngx_uint_t
wag_claim_check_changed(wag_upstream_t *us, wag_peer_t *peer)
{
    ngx_uint_t     anew;
    wag_checks_t  *checks;

    checks = &peer->instance->checks;

    wag_lock(us->zone->shpool);

    anew = (checks->last == 0 || checks->hash != us->check->hash);

    if (!wag_peers_gone(peer)) {
        checks->hash = us->check->hash;
    }

    wag_unlock(us->zone->shpool);

    return anew;
}
