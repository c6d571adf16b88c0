
/*
 * Processes that use and free slots, or change addresses, are killed at each
 * instruction of that in turn, or at each few where there are many: what they
 * leave must be whole.
 */

#include "wag_addresses.h"
#include "wag_admin.h"
#include "wag_in_flight.h"
#include "wag_lock.h"
#include "wag_table.h"
#include "wag_unit_killed.h"

#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/wait.h>


#define WAG_UNIT_TURNS  100000   /* of using and freeing a slot */
#define WAG_UNIT_STEPS  300000   /* of processes that are killed, or so */
#define WAG_UNIT_HOLDS  50000
#define WAG_UNIT_HELD   64       /* reads of a name that is held */

#define WAG_UNIT_SESSIONS  6     /* that there is room for */
#define WAG_UNIT_STAYING   3     /* that are there all the time */

static void wag_unit_killed_turn(wag_unit_zone_t *s);
static void wag_unit_killed_look(wag_unit_zone_t *s);
static void wag_unit_killed_look_addresses(wag_unit_zone_t *s);
static void wag_unit_killed_each(wag_unit_zone_t *s, wag_unit_killed_pt work,
    wag_unit_killed_pt look, const char *name);
static ngx_uint_t wag_unit_killed_done(wag_unit_zone_t *s,
    wag_unit_killed_pt look);
static void wag_unit_killed_session(wag_unit_zone_t *s);
static void wag_unit_killed_look_sessions(wag_unit_zone_t *s);
static void wag_unit_killed_admin(wag_unit_zone_t *s);
static void wag_unit_killed_change(wag_unit_zone_t *s);
static void wag_unit_killed_look_admin(wag_unit_zone_t *s);
static void wag_unit_killed_leak(wag_unit_zone_t *s);
static void wag_unit_killed_hold(wag_unit_zone_t *s);
static void wag_unit_killed_holder(wag_unit_zone_t *s, ngx_uint_t *results);


static const char  *wag_unit_staying[] = { "main", "sales", "support" };

static const char  wag_unit_other[] = "http://other:3000";


void
wag_unit_killed(wag_unit_t *u)
{
    ngx_int_t            rc;
    ngx_uint_t           i, level;
    wag_unit_zone_t     *s;
    wag_session_name_t   name;

    s = wag_unit_zone(u);
    if (s == NULL) {
        return;
    }

    wag_lock(s->zone.shpool);

    rc = wag_sessions_memory_grow(s->zone.shpool, s->us.group,
                                  WAG_UNIT_SESSIONS);

    for (i = 0; rc == NGX_OK && i < WAG_UNIT_STAYING; i++) {
        wag_unit_zone_session(&name, wag_unit_staying[i], NULL);

        if (wag_sessions_put(s->us.group, i % 2, &name) == NULL) {
            rc = NGX_ERROR;
        }
    }

    if (rc == NGX_OK) {
        rc = wag_slots_grow(s->zone.shpool, s->us.group, 2);
    }

    if (rc == NGX_OK) {
        wag_unit_zone_room(s);
        rc = wag_in_flight_open(&s->zone);
    }

    wag_unlock(s->zone.shpool);

    if (!wag_unit_ok(u, rc == NGX_OK, "slots to spare")) {
        return;
    }

    /* each lock that is taken from the dead is a line of the log */

    level = ngx_cycle->log->log_level;
    ngx_cycle->log->log_level = NGX_LOG_ERR;

    wag_unit_killed_each(s, wag_unit_killed_turn, wag_unit_killed_look,
                         "slots");
    wag_unit_killed_each(s, wag_unit_zone_renumber,
                         wag_unit_killed_look_addresses, "addresses");

    wag_unit_killed_each(s, wag_unit_killed_session,
                         wag_unit_killed_look_sessions, "sessions");

    /* a guest that stayed was not added by control */

    if (wag_unit_killed_done(s, wag_unit_killed_look)) {
        wag_unit_killed_turn(s);
    }

    s->us.capacity = 1;

    wag_unit_killed_each(s, wag_unit_killed_admin, wag_unit_killed_look_admin,
                         "instances added and removed");
    wag_unit_killed_leak(s);

    wag_unit_killed_each(s, wag_unit_killed_change, wag_unit_killed_look_admin,
                         "instances drained");

    wag_unit_killed_hold(s);

    ngx_cycle->log->log_level = level;
}


/* what a worker does that adds an instance, or removes it if it is there */

static void
wag_unit_killed_turn(wag_unit_zone_t *s)
{
    ngx_uint_t      slot;
    wag_newcomer_t  newcomer;

    wag_unit_zone_newcomer(&newcomer, wag_unit_guest);

    wag_lock(s->zone.shpool);

    slot = wag_slots_find(s->us.group, &newcomer.name);

    if (slot == WAG_NO_SLOT) {
        (void) wag_table_put(s->zone.root, s->us.group, &newcomer);

    } else {
        wag_slots_free(wag_slots_get(s->us.group, slot));
    }

    wag_unlock(s->zone.shpool);
}


ngx_uint_t
wag_unit_killed_run(wag_unit_zone_t *s, wag_unit_killed_pt work,
    wag_unit_killed_pt look, ngx_uint_t before, ngx_uint_t steps)
{
    int         status;
    ngx_pid_t   pid;
    ngx_uint_t  i, done;

    pid = fork();

    if (pid == 0) {
        ngx_pid = ngx_getpid();

        for (i = 0; i < before; i++) {
            work(s);
        }

        if (ptrace(PTRACE_TRACEME, 0, 0, 0) != 0) {
            _exit(1);
        }

        (void) raise(SIGSTOP);

        work(s);

        _exit(0);
    }

    if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status)) {
        return WAG_UNIT_NONE;
    }

    for (done = 0; done < steps; done++) {

        if (ptrace(PTRACE_SINGLESTEP, pid, 0, 0) != 0
            || waitpid(pid, &status, 0) != pid)
        {
            return WAG_UNIT_NONE;
        }

        if (WIFEXITED(status)) {
            return done;
        }
    }

    (void) kill(pid, SIGKILL);
    (void) waitpid(pid, &status, 0);

    look(s);

    return done;
}


static void
wag_unit_killed_look(wag_unit_zone_t *s)
{
    ngx_str_t        name;
    ngx_uint_t       i, slot, used;
    wag_group_t     *group;

    group = s->us.group;

    name.data = (u_char *) wag_unit_guest;
    name.len = ngx_strlen(wag_unit_guest);

    wag_lock(s->zone.shpool);

    slot = wag_slots_find(group, &name);

    for (i = 0, used = 0; i < group->nslots; i++) {
        used += wag_used(wag_slots_get(group, i));
    }

    s->seen[slot != WAG_NO_SLOT]++;

    if (used != s->us.nservers + (slot != WAG_NO_SLOT)
        || (slot != WAG_NO_SLOT
            && !wag_unit_zone_whole(wag_slots_get(group, slot),
                                     wag_unit_guest)))
    {
        s->bad++;
    }

    for (i = 0; i < s->us.nservers; i++) {
        if (wag_slots_find(group, &s->us.servers[i].name) != i) {
            s->bad++;
        }
    }

    wag_unlock(s->zone.shpool);
}


static void
wag_unit_killed_look_addresses(wag_unit_zone_t *s)
{
    ngx_uint_t        first, second;
    wag_addresses_t   addresses;

    addresses = wag_slots_get(s->us.group, 1)->identity.addresses;

    /* a copy, so that a set that differs does not get into force */

    addresses.room = 0;

    wag_lock(s->zone.shpool);

    first = (wag_addresses_set(&addresses, wag_unit_first, 2) == NGX_DONE);
    second = (wag_addresses_set(&addresses, wag_unit_second, 2) == NGX_DONE);

    wag_unlock(s->zone.shpool);

    s->seen[first]++;

    if (first == second) {
        s->bad++;
    }
}


/* what control does: adds, or removes what is there */

static void
wag_unit_killed_admin(wag_unit_zone_t *s)
{
    wag_admin_t     old;
    wag_newcomer_t  newcomer;

    wag_unit_zone_newcomer(&newcomer, wag_unit_guest);

    ngx_str_set(&newcomer.key, "secret");

    if (wag_admin_add(&s->us, &newcomer) == NGX_OK) {
        return;
    }

    /* or it was killed when it had removed it */

    (void) wag_admin_remove(&s->us, &newcomer.name, &old);

    wag_admin_finish_name(&s->us, &newcomer.name);
}


/* one of the configuration */

static void
wag_unit_killed_change(wag_unit_zone_t *s)
{
    ngx_str_t           *name;
    wag_admin_t          old;
    wag_instance_t      *instance;
    wag_admin_change_t   change;

    name = &s->us.servers[2].name;
    instance = wag_slots_get(s->us.group, 2);

    ngx_memzero(&change, sizeof(wag_admin_change_t));

    change.state = (instance->admin.state == WAG_ADMIN_UP) ? WAG_ADMIN_DRAIN
                                                           : WAG_ADMIN_UP;
    change.state_set = 1;

    (void) wag_admin_change(&s->us, name, &change, &old);

    wag_admin_finish_name(&s->us, name);
}


static void
wag_unit_killed_look_admin(wag_unit_zone_t *s)
{
    ngx_str_t        name;
    ngx_uint_t       slot;
    wag_instance_t  *instance;

    name.data = (u_char *) wag_unit_guest;
    name.len = ngx_strlen(wag_unit_guest);

    wag_unit_killed_look(s);

    wag_lock(s->zone.shpool);

    slot = wag_slots_find(s->us.group, &name);

    if (slot != WAG_NO_SLOT) {
        instance = wag_slots_get(s->us.group, slot);

        if (!instance->added
            || instance->identity.key_len != 6
            || ngx_memcmp(instance->identity.key, "secret", 6) != 0)
        {
            s->bad++;
        }

    } else if (wag_table_added(s->us.group)) {
        s->bad++;
    }

    if (wag_slots_get(s->us.group, 2)->admin.state == WAG_ADMIN_DRAIN) {
        s->seen[1]++;
    }

    wag_unlock(s->zone.shpool);
}


static void
wag_unit_killed_leak(wag_unit_zone_t *s)
{
    ngx_uint_t  i, used;

    for (i = 0; i < 20001; i++) {
        wag_unit_killed_admin(s);
    }

    for (i = 0; i < 2; i++) {
        if (wag_table_added(s->us.group)) {
            wag_unit_killed_admin(s);
        }
    }

    for (i = 0, used = 0; i < s->us.group->nslots; i++) {
        used += wag_used(wag_slots_get(s->us.group, i));
    }

    wag_unit_ok(s->u, used == s->us.nservers,
                "no slot is lost when 10,000 come and go");
}


/*
 * What a worker does that finds a session, or that it is gone; another one
 * comes and goes before, so that its place is left in chains of any kind.
 */

static void
wag_unit_killed_session(wag_unit_zone_t *s)
{
    wag_group_t         *group;
    wag_session_t       *session;
    wag_session_name_t   name;

    group = s->us.group;

    wag_lock(s->zone.shpool);

    wag_unit_zone_session(&name, "guest", NULL);

    session = wag_sessions_find(group, 0, &name);

    if (session) {
        wag_sessions_free(group, session);

    } else {
        (void) wag_sessions_put(group, 0, &name);
    }

    wag_unit_zone_session(&name, "passing", NULL);

    session = wag_sessions_find(group, 1, &name);

    if (session) {
        wag_sessions_free(group, session);

    } else {
        (void) wag_sessions_put(group, 1, &name);
    }

    wag_unlock(s->zone.shpool);
}


static void
wag_unit_killed_look_sessions(wag_unit_zone_t *s)
{
    ngx_uint_t           i, n, used, slot;
    wag_group_t         *group;
    wag_session_t       *session, *guest;
    wag_session_name_t   name;

    group = s->us.group;

    wag_lock(s->zone.shpool);

    for (i = 0, used = 0; i < group->sessions.capacity; i++) {
        used += wag_used(wag_sessions_get(group, i));
    }

    /* by slot and by label all are found that are there, each once */

    for (slot = 0, n = 0; slot < 2; slot++) {
        session = NULL;

        while ((session = wag_sessions_of_slot(group, slot, session))
               && n <= used)
        {
            wag_sessions_name(session, &name);
            n++;

            if (wag_sessions_find(group, slot, &name) != session
                || session->slot != slot)
            {
                s->bad++;
            }
        }
    }

    wag_unit_zone_session(&name, "guest", NULL);
    guest = wag_sessions_find(group, 0, &name);

    wag_unit_zone_session(&name, "passing", NULL);
    session = wag_sessions_find(group, 1, &name);

    s->seen[guest != NULL]++;

    if (n != used
        || used != (ngx_uint_t) WAG_UNIT_STAYING + (guest != NULL)
                   + (session != NULL))
    {
        s->bad++;
    }

    for (i = 0; i < WAG_UNIT_STAYING; i++) {
        wag_unit_zone_session(&name, wag_unit_staying[i], NULL);

        if (wag_sessions_find(group, i % 2, &name) == NULL) {
            s->bad++;
        }
    }

    wag_unlock(s->zone.shpool);
}


ngx_uint_t
wag_unit_killed_stride(ngx_uint_t all)
{
    return all * all / 2 / WAG_UNIT_STEPS + 1;
}


/* both ways in turn: what one turn did the next one undoes */

static void
wag_unit_killed_each(wag_unit_zone_t *s, wag_unit_killed_pt work,
    wag_unit_killed_pt look, const char *name)
{
    char         title[128];
    ngx_uint_t   way, n, all, got, steps, stride, before;
    wag_unit_t  *u;

    u = s->u;
    n = 0;

    s->seen[0] = s->seen[1] = s->bad = 0;

    for (way = 0; way < 2; way++) {

        if (wag_unit_killed_done(s, look) == way) {
            work(s);
        }

        all = wag_unit_killed_run(s, work, look, 0, WAG_UNIT_NONE - 1);

        if (all == WAG_UNIT_NONE) {
            wag_unit_ok(u, 0, "the system lets a process be traced");
            return;
        }

        stride = wag_unit_killed_stride(all);
        before = (all + stride - 1) / stride;
        before = WAG_UNIT_TURNS / 2 / before / 2 * 2 + 2;

        for (steps = 0; steps < all; steps += stride) {

            if (wag_unit_killed_done(s, look) == way) {
                work(s);
            }

            got = wag_unit_killed_run(s, work, look, before, steps);

            if (got == WAG_UNIT_NONE) {
                s->bad++;
                break;
            }

            n += before + 1;
        }

        printf("# %u instructions, killed at each %u. of them\n",
               (unsigned) all, (unsigned) stride);
    }

    printf("# %u turns, found %u and %u times\n", (unsigned) n,
           (unsigned) s->seen[0], (unsigned) s->seen[1]);

    (void) snprintf(title, sizeof(title), "%s: 100,000 turns", name);
    wag_unit_ok(u, n >= WAG_UNIT_TURNS, title);

    (void) snprintf(title, sizeof(title), "%s: done and not done were seen",
                    name);
    wag_unit_ok(u, s->seen[0] && s->seen[1], title);

    (void) snprintf(title, sizeof(title), "%s: either, and whole", name);
    wag_unit_ok(u, s->bad == 0, title);
}


/* how it stands, which is looked at as after a kill */

static ngx_uint_t
wag_unit_killed_done(wag_unit_zone_t *s, wag_unit_killed_pt look)
{
    ngx_uint_t  done;

    done = s->seen[1];

    look(s);

    done = s->seen[1] - done;
    s->seen[done]--;

    return done;
}


/* one process holds what another frees and uses for others meanwhile */

static void
wag_unit_killed_hold(wag_unit_zone_t *s)
{
    ngx_pid_t        pid;
    ngx_uint_t       turns, slot, *results;
    wag_unit_t      *u;
    wag_newcomer_t   newcomer;

    u = s->u;

    results = mmap(NULL, ngx_pagesize, PROT_READ|PROT_WRITE,
                   MAP_ANON|MAP_SHARED, -1, 0);

    if (!wag_unit_ok(u, results != MAP_FAILED, "memory for the results")) {
        return;
    }

    pid = fork();

    if (pid == 0) {
        ngx_pid = ngx_getpid();
        wag_unit_killed_holder(s, results);
        _exit(0);
    }

    for (turns = 0; waitpid(pid, NULL, WNOHANG) == 0; turns++) {

        wag_unit_zone_newcomer(&newcomer, (turns & 1) ? wag_unit_other
                                                       : wag_unit_guest);

        wag_lock(s->zone.shpool);
        slot = wag_table_put(s->zone.root, s->us.group, &newcomer);
        wag_unlock(s->zone.shpool);

        ngx_sched_yield();

        wag_lock(s->zone.shpool);
        wag_slots_free(wag_slots_get(s->us.group, slot));
        wag_unlock(s->zone.shpool);
    }

    printf("# %u turns; held %u times, %u times too late\n",
           (unsigned) turns, (unsigned) results[0], (unsigned) results[1]);

    wag_unit_ok(u, results[0] + results[1] >= WAG_UNIT_HOLDS,
                "a slot was to be held 50,000 times");
    wag_unit_ok(u, results[0] && results[1], "it was, and it came too late");
    wag_unit_ok(u, results[2] == 0,
                "what is held is the same instance until it is let go");

    (void) munmap(results, ngx_pagesize);
}


static void
wag_unit_killed_holder(wag_unit_zone_t *s, ngx_uint_t *results)
{
    u_char         first;
    ngx_uint_t     i, n, slot;
    wag_peer_t     peer;
    wag_group_t   *group;

    group = s->us.group;
    ngx_memzero(&peer, sizeof(wag_peer_t));

    /* how the two take turns is the system's affair: until both were met */

    for (n = 0;
         n < WAG_UNIT_HOLDS || results[0] == 0 || results[1] == 0;
         /* void */)
    {

        slot = s->us.nservers + n % (group->nslots - s->us.nservers);

        peer.instance = wag_slots_get(group, slot);
        peer.held = &s->zone.in_flight->counts[slot];

        wag_lock(s->zone.shpool);

        peer.incarnation = peer.instance->incarnation;
        first = peer.instance->identity.name.data[7];

        wag_unlock(s->zone.shpool);

        n++;

        if (!(peer.incarnation & 1)
            || wag_in_flight_hold(&peer) != NGX_OK)
        {
            results[1]++;
            continue;
        }

        results[0]++;

        for (i = 0; i < WAG_UNIT_HELD; i++) {
            if (*(volatile u_char *) &peer.instance->identity.name.data[7]
                != first)
            {
                results[2]++;
                break;
            }

            if (i % 16 == 0) {
                ngx_sched_yield();
            }
        }

        wag_in_flight_release(&peer);
    }
}
