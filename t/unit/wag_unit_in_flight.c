
/*
 * Counts of requests in flight: workers are killed at each instruction of
 * counting, and of giving back what such a worker had.
 */

#include "wag_in_flight.h"
#include "wag_lock.h"
#include "wag_unit_killed.h"
#include "wag_workers.h"

#include <stdio.h>
#include <sys/wait.h>


#define WAG_UNIT_SLOT      1       /* of the instance that is asked */
#define WAG_UNIT_TURNS     500
#define WAG_UNIT_COUNTED   20000   /* requests of a worker that lives */


static void wag_unit_in_flight_peer(wag_unit_zone_t *s, wag_peer_t *peer,
    wag_in_flight_t *table);
static void wag_unit_in_flight_each(wag_unit_zone_t *s,
    wag_unit_killed_pt before, wag_unit_killed_pt work, const char *name);
static void wag_unit_in_flight_count(wag_unit_zone_t *s);
static void wag_unit_in_flight_count_limited(wag_unit_zone_t *s);
static void wag_unit_in_flight_nobody(wag_unit_zone_t *s);
static void wag_unit_in_flight_dead(wag_unit_zone_t *s);
static void wag_unit_in_flight_reclaim(wag_unit_zone_t *s);
static void wag_unit_in_flight_look(wag_unit_zone_t *s);
static void wag_unit_in_flight_waits(wag_unit_zone_t *s, wag_peer_t *peer);
static void wag_unit_in_flight_beside(wag_unit_zone_t *s);


/* of the worker that is killed, and of one that lives and has one in flight */

static wag_in_flight_t  *wag_unit_killed_table;
static wag_in_flight_t  *wag_unit_living_table;


void
wag_unit_in_flight(wag_unit_t *u)
{
    ngx_int_t         rc;
    ngx_uint_t        level;
    wag_peer_t        peer;
    wag_unit_zone_t  *s;

    s = wag_unit_zone(u);
    if (s == NULL) {
        return;
    }

    wag_lock(s->zone.shpool);

    rc = wag_in_flight_open(&s->zone);
    wag_unit_killed_table = s->zone.in_flight;

    if (rc == NGX_OK) {
        rc = wag_in_flight_open(&s->zone);
        wag_unit_living_table = s->zone.in_flight;
    }

    wag_unlock(s->zone.shpool);

    if (!wag_unit_ok(u, rc == NGX_OK, "in-flight tables")) {
        return;
    }

    wag_unit_ok(u, (uintptr_t) wag_unit_living_table->counts % 64 == 0,
                "counts begin at a cache line");

    wag_unit_in_flight_peer(s, &peer, wag_unit_living_table);

    wag_unit_killed_table->pids[0] = 0;
    wag_unit_living_table->pids[0] = ngx_pid;

    wag_unit_ok(u, wag_in_flight_hold(&peer) == NGX_OK, "one is in flight");

    /* each lock that is taken from the dead is a line of the log */

    level = ngx_cycle->log->log_level;
    ngx_cycle->log->log_level = NGX_LOG_ERR;

    wag_unit_in_flight_each(s, wag_unit_in_flight_nobody,
                            wag_unit_in_flight_count, "who counts");
    wag_unit_in_flight_each(s, wag_unit_in_flight_nobody,
                            wag_unit_in_flight_count_limited,
                            "who counts up to max_conns");
    wag_unit_in_flight_each(s, wag_unit_in_flight_dead,
                            wag_unit_in_flight_reclaim,
                            "who gives back what a killed one had");

    ngx_cycle->log->log_level = level;

    wag_unit_in_flight_waits(s, &peer);
    wag_unit_in_flight_beside(s);
}


static void
wag_unit_in_flight_peer(wag_unit_zone_t *s, wag_peer_t *peer,
    wag_in_flight_t *table)
{
    ngx_memzero(peer, sizeof(wag_peer_t));

    peer->instance = wag_slots_get(s->us.group, WAG_UNIT_SLOT);
    peer->incarnation = peer->instance->incarnation;
    peer->held = &table->counts[WAG_UNIT_SLOT];
}


static void
wag_unit_in_flight_each(wag_unit_zone_t *s, wag_unit_killed_pt before,
    wag_unit_killed_pt work, const char *name)
{
    char        title[128];
    ngx_uint_t  all, steps, stride;

    s->bad = 0;

    before(s);

    all = wag_unit_killed_run(s, work, wag_unit_in_flight_look, 0,
                              WAG_UNIT_NONE - 1);

    if (all == WAG_UNIT_NONE) {
        wag_unit_ok(s->u, 0, "the system lets a process be traced");
        return;
    }

    wag_unit_in_flight_look(s);

    stride = wag_unit_killed_stride(all);

    for (steps = 0; steps < all; steps += stride) {
        before(s);

        if (wag_unit_killed_run(s, work, wag_unit_in_flight_look, 0, steps)
            == WAG_UNIT_NONE)
        {
            s->bad++;
            break;
        }
    }

    printf("# killed at each %u. of %u instructions, %u times wrong\n",
           (unsigned) stride, (unsigned) all, (unsigned) s->bad);

    (void) snprintf(title, sizeof(title), "right whenever one is killed: %s",
                    name);

    wag_unit_ok(s->u, all > 10 && s->bad == 0, title);
}


static void
wag_unit_in_flight_count(wag_unit_zone_t *s)
{
    wag_peer_t  peer;

    wag_unit_killed_table->pids[0] = ngx_pid;

    wag_unit_in_flight_peer(s, &peer, wag_unit_killed_table);

    if (wag_in_flight_hold(&peer) == NGX_OK) {
        wag_in_flight_release(&peer);
    }
}


static void
wag_unit_in_flight_count_limited(wag_unit_zone_t *s)
{
    ngx_uint_t  i;
    wag_peer_t  peer;

    wag_unit_killed_table->pids[0] = ngx_pid;

    wag_unit_in_flight_peer(s, &peer, wag_unit_killed_table);

    /* one more is in flight: the second is one too many */

    peer.max_conns = 2;

    for (i = 0; i < 2; i++) {
        (void) wag_in_flight_hold(&peer);
    }

    wag_in_flight_release(&peer);
}


static void
wag_unit_in_flight_nobody(wag_unit_zone_t *s)
{
    /* void */
}


/* one that was killed with two in flight */

static void
wag_unit_in_flight_dead(wag_unit_zone_t *s)
{
    ngx_pid_t   pid;
    ngx_uint_t  i;
    wag_peer_t  peer;

    pid = fork();

    if (pid == 0) {
        _exit(0);
    }

    (void) waitpid(pid, NULL, 0);

    wag_unit_in_flight_peer(s, &peer, wag_unit_killed_table);

    for (i = 0; i < 2; i++) {
        (void) wag_in_flight_hold(&peer);
    }

    wag_unit_killed_table->pids[0] = pid;
}


static void
wag_unit_in_flight_reclaim(wag_unit_zone_t *s)
{
    wag_lock(s->zone.shpool);

    wag_workers_reclaim(&s->zone);

    wag_unlock(s->zone.shpool);
}


static void
wag_unit_in_flight_look(wag_unit_zone_t *s)
{
    wag_instance_t  *instance;

    instance = wag_slots_get(s->us.group, WAG_UNIT_SLOT);

    wag_unit_in_flight_reclaim(s);

    if (instance->in_flight != 1 || instance->recount || s->zone.root->recount
        || wag_unit_killed_table->counts[WAG_UNIT_SLOT] != 0
        || wag_unit_killed_table->pids[0] != 0)
    {
        s->bad++;
    }
}


/* between two steps of one that lives nobody knows what is in flight */

static void
wag_unit_in_flight_waits(wag_unit_zone_t *s, wag_peer_t *peer)
{
    wag_instance_t  *instance;

    instance = peer->instance;

    instance->in_flight = 7;
    instance->recount = 1;
    s->zone.root->recount = 1;

    *peer->held += WAG_IN_FLIGHT_STEP;

    wag_unit_in_flight_reclaim(s);

    wag_unit_ok(s->u, instance->in_flight == 7 && instance->recount
                      && s->zone.root->recount,
                "while one counts it is not counted again");

    *peer->held += WAG_IN_FLIGHT_STEP;

    wag_unit_in_flight_reclaim(s);

    wag_unit_ok(s->u, instance->in_flight == 1 && !instance->recount
                      && !s->zone.root->recount,
                "but after it");
}


/* counted again once while another worker counts, many times */

static void
wag_unit_in_flight_beside(wag_unit_zone_t *s)
{
    ngx_pid_t        pid;
    ngx_uint_t       i, turn, tries, wrong;
    wag_peer_t       peer;
    ngx_atomic_t    *held;
    wag_instance_t  *instance;

    instance = wag_slots_get(s->us.group, WAG_UNIT_SLOT);
    held = &wag_unit_killed_table->counts[WAG_UNIT_SLOT];

    for (turn = 0, tries = 0, wrong = 0; turn < WAG_UNIT_TURNS; turn++) {

        pid = fork();

        if (pid == 0) {
            wag_unit_in_flight_peer(s, &peer, wag_unit_killed_table);

            for (i = 0; i < WAG_UNIT_COUNTED; i++) {
                (void) wag_in_flight_hold(&peer);
                wag_in_flight_release(&peer);
            }

            _exit(0);
        }

        wag_unit_killed_table->pids[0] = pid;

        while (*held < WAG_UNIT_COUNTED / 4 * WAG_IN_FLIGHT_STEP) {
            ngx_cpu_pause();
        }

        instance->recount = 1;
        s->zone.root->recount = 1;

        while (s->zone.root->recount) {
            wag_unit_in_flight_reclaim(s);
            tries++;
        }

        (void) waitpid(pid, NULL, 0);

        wrong += (instance->in_flight != 1);
        instance->in_flight = 1;
        *held = 0;
    }

    printf("# %u tries, %u times wrong\n", (unsigned) tries,
           (unsigned) wrong);

    wag_unit_ok(s->u, wrong == 0, "counted again beside one that counts");
}
