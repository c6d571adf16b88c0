
/*
 * The table of keys: what is found of each, what gives way when room is short,
 * and what processes leave that are killed at each instruction.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include <stdio.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "wag_marks.h"
#include "wag_marks_answer.h"
#include "wag_marks_move.h"
#include "wag_unit.h"


#define WAG_UNIT_SIZE   (16 * 1024)
#define WAG_UNIT_KEYS   64        /* of the random turns */
#define WAG_UNIT_TURNS  20000
#define WAG_UNIT_SMALL  (8 * 1024)
#define WAG_UNIT_EACH   3         /* instructions from one look to the next */
#define WAG_UNIT_LONG   1000      /* bytes of an answer of many cells */


typedef struct {
    ngx_uint_t           state;
    ngx_uint_t           request;
    ngx_msec_t           expires;
    uint32_t             mark;
    uint64_t             serial;
} wag_unit_key_t;


static void wag_unit_marks_one(wag_unit_t *u);
static void wag_unit_marks_time(wag_unit_t *u);
static void wag_unit_marks_holder(wag_unit_t *u);
static void wag_unit_marks_short(wag_unit_t *u);
static void wag_unit_marks_move(wag_unit_t *u);
static void wag_unit_marks_random(wag_unit_t *u);
static ngx_uint_t wag_unit_marks_turn(wag_marks_t *m, wag_unit_key_t *keys,
    ngx_uint_t n, ngx_msec_t now);
static void wag_unit_marks_killed(wag_unit_t *u);
static void wag_unit_marks_work(wag_marks_t *m, ngx_uint_t what);
static ngx_uint_t wag_unit_marks_left(wag_marks_t *m, ngx_uint_t what);
static ngx_int_t wag_unit_marks_steps(wag_unit_t *u, wag_marks_t *m,
    ngx_uint_t what, ngx_uint_t *bad);
static ngx_uint_t wag_unit_marks_whole(wag_marks_t *m);
static wag_marks_t *wag_unit_marks_of(wag_unit_t *u, size_t size);
static void wag_unit_marks_key(wag_marks_key_t *key, ngx_uint_t id,
    ngx_uint_t request, ngx_msec_t now);
static ngx_uint_t wag_unit_marks_claim(wag_marks_t *m, ngx_uint_t id,
    ngx_msec_t now);
static ngx_uint_t wag_unit_marks_look(wag_marks_t *m, ngx_uint_t id,
    ngx_msec_t now);
static ngx_uint_t wag_unit_marks_answer(wag_marks_t *m, ngx_uint_t id,
    ngx_msec_t now, size_t len);
static ngx_uint_t wag_unit_marks_kept(wag_marks_t *m, ngx_uint_t id,
    ngx_msec_t now, size_t len);
static ngx_uint_t wag_unit_alive(int32_t pid);


static u_char  wag_unit_answer[WAG_MARKS_ANSWER_LEN];


void
wag_unit_marks(wag_unit_t *u)
{
    ngx_uint_t  i;

    for (i = 0; i < WAG_MARKS_ANSWER_LEN; i++) {
        wag_unit_answer[i] = (u_char) (i * 7 + i / 251);
    }

    wag_unit_ok(u, sizeof(wag_cell_t) == WAG_MARKS_CELL
                   && WAG_MARKS_CELL <= 192, "a key takes 128 bytes");

    wag_unit_marks_one(u);
    wag_unit_marks_time(u);
    wag_unit_marks_holder(u);
    wag_unit_marks_short(u);
    wag_unit_marks_move(u);
    wag_unit_marks_random(u);
    wag_unit_marks_killed(u);
}


static void
wag_unit_marks_one(wag_unit_t *u)
{
    size_t            len;
    wag_marks_t      *m;
    wag_marks_key_t   key, other;

    m = wag_unit_marks_of(u, 8 * WAG_UNIT_SIZE);

    wag_unit_marks_key(&key, 1, 1, 1000);

    wag_unit_ok(u, wag_marks_look(m, &key) == WAG_MARK_NONE, "a new key");
    wag_unit_ok(u, wag_marks_claim(m, &key) == WAG_MARK_NONE, "is claimed");
    wag_unit_ok(u, wag_unit_marks_claim(m, 1, 1000) == WAG_MARK_IN_FLIGHT,
                "and then in flight");

    wag_unit_marks_key(&other, 1, 2, 1000);
    wag_unit_ok(u, wag_marks_claim(m, &other) == WAG_MARK_REUSED,
                "not for another request");
    wag_unit_ok(u, wag_marks_look(m, &other) == WAG_MARK_REUSED,
                "nor for a look");

    wag_marks_close(m, &key, WAG_MARK_ANSWERED, 201, wag_unit_answer, 5);

    wag_unit_marks_key(&other, 1, 1, 1000);
    wag_unit_ok(u, wag_marks_claim(m, &other) == WAG_MARK_ANSWERED
                   && other.status == 201 && other.len == 5,
                "answered: its status and length");
    wag_unit_ok(u, wag_unit_marks_kept(m, 1, 1000, 5), "and its answer");

    wag_marks_close(m, &key, WAG_MARK_UNKNOWN, 502, NULL, 0);
    wag_marks_give_up(m, &key);
    wag_unit_ok(u, wag_unit_marks_look(m, 1, 1000) == WAG_MARK_ANSWERED,
                "what has ended does not end again");

    wag_marks_claim(m, (wag_unit_marks_key(&key, 2, 1, 1000), &key));
    wag_marks_give_up(m, &key);
    wag_unit_ok(u, wag_unit_marks_claim(m, 2, 1000) == WAG_MARK_NONE,
                "given up, it is claimed again");
    wag_marks_give_up(m, &key);
    wag_unit_ok(u, wag_unit_marks_look(m, 2, 1000) == WAG_MARK_IN_FLIGHT,
                "which the first cannot end");

    for (len = 1; len <= WAG_MARKS_ANSWER_LEN; len += len < 260 ? 1 : 4529) {
        if (wag_unit_marks_answer(m, 100 + len, 1000, len) != WAG_MARK_NONE
            || !wag_unit_marks_kept(m, 100 + len, 1000, len))
        {
            break;
        }
    }

    wag_unit_ok(u, len > WAG_MARKS_ANSWER_LEN, "answers of all lengths");

    wag_unit_ok(u, wag_unit_marks_answer(m, 99, 1000,
                                         WAG_MARKS_ANSWER_LEN + 1)
                   == WAG_MARK_NONE
                   && wag_unit_marks_kept(m, 99, 1000, 0),
                "one that is too long is not kept");
}


static void
wag_unit_marks_time(wag_unit_t *u)
{
    wag_marks_t      *m;
    wag_marks_key_t   key;

    m = wag_unit_marks_of(u, WAG_UNIT_SIZE);

    /* a clock of ms that turns over is no past */

    wag_unit_marks_key(&key, 1, 1, (ngx_msec_t) -50);
    wag_marks_claim(m, &key);
    wag_marks_close(m, &key, WAG_MARK_ANSWERED, 200, NULL, 0);

    wag_unit_ok(u, wag_unit_marks_look(m, 1, 40) == WAG_MARK_ANSWERED,
                "kept for its time");
    wag_unit_ok(u, wag_unit_marks_look(m, 1, 50) == WAG_MARK_NONE,
                "and no longer");
    wag_unit_ok(u, wag_unit_marks_claim(m, 1, 50) == WAG_MARK_NONE
                   && m->nmarks == 1, "then it is claimed anew");
    wag_unit_ok(u, wag_unit_marks_look(m, 1, 5000) == WAG_MARK_IN_FLIGHT,
                "one in flight does not expire");

    wag_unit_marks_key(&key, 2, 1, 5000);
    wag_marks_claim(m, &key);
    key.now = 5090;
    wag_marks_close(m, &key, WAG_MARK_UNKNOWN, 0, NULL, 0);
    wag_unit_ok(u, wag_unit_marks_look(m, 2, 5189) == WAG_MARK_UNKNOWN,
                "it is kept from its end on");

    wag_marks_sweep(m, 5190, wag_unit_alive, 0);
    wag_unit_ok(u, m->nmarks == 1 && m->nfree == 1, "what expired is swept");
}


static void
wag_unit_marks_holder(wag_unit_t *u)
{
    wag_marks_t      *m;
    wag_marks_key_t   key;

    m = wag_unit_marks_of(u, WAG_UNIT_SIZE);

    wag_unit_marks_key(&key, 1, 1, 1000);
    key.pid = 666;
    wag_marks_claim(m, &key);

    wag_unit_ok(u, wag_unit_marks_claim(m, 1, 1000) == WAG_MARK_UNKNOWN
                   && m->counters.orphaned == 1,
                "whose holder is dead is unknown");
    wag_marks_close(m, &key, WAG_MARK_ANSWERED, 200, NULL, 0);
    wag_unit_ok(u, wag_unit_marks_look(m, 1, 1000) == WAG_MARK_UNKNOWN,
                "and stays so");

    wag_unit_marks_key(&key, 2, 1, 1000);
    key.pid = 666;
    wag_marks_claim(m, &key);
    wag_unit_marks_claim(m, 3, 1000);
    wag_marks_sweep(m, 1000, wag_unit_alive, 0);
    wag_unit_ok(u, m->counters.orphaned == 2
                   && wag_unit_marks_look(m, 3, 1000) == WAG_MARK_IN_FLIGHT,
                "as a sweep finds, of the dead alone");
    wag_marks_sweep(m, 1000, wag_unit_alive, 17);
    wag_unit_ok(u, wag_unit_marks_look(m, 3, 1000) == WAG_MARK_UNKNOWN,
                "and of this pid");
}


static void
wag_unit_marks_short(wag_unit_t *u)
{
    ngx_uint_t    i, n, kept;
    wag_marks_t  *m;

    m = wag_unit_marks_of(u, WAG_UNIT_SIZE);
    n = wag_marks_room(m);

    wag_unit_ok(u, n * WAG_MARKS_CELL > WAG_UNIT_SIZE * 9 / 10,
                "most of the memory is for keys");

    for (i = 0; i < 20; i++) {
        wag_unit_marks_answer(m, i, 1000, WAG_UNIT_LONG);
    }

    wag_unit_ok(u, m->nmarks == 20 && m->nanswers < 20 && m->nanswers > 5
                   && m->counters.dropped == 20 - m->nanswers,
                "answers give way to answers");
    wag_unit_ok(u, wag_unit_marks_kept(m, 19, 1000, WAG_UNIT_LONG)
                   && wag_unit_marks_kept(m, 0, 1000, 0),
                "those of long ago first");

    for (i = 20; i < n; i++) {
        if (wag_unit_marks_claim(m, i, 1000) != WAG_MARK_NONE) {
            break;
        }
    }

    wag_unit_ok(u, i == n && m->nmarks == n && m->nanswers == 0,
                "then all of them to keys");
    wag_unit_ok(u, wag_unit_marks_claim(m, n, 1000) == WAG_MARK_FULL
                   && m->counters.full == 1, "then it is full");

    for (i = 0, kept = 0; i < n; i++) {
        kept += (wag_unit_marks_look(m, i, 1000)
                 == (i < 20 ? WAG_MARK_ANSWERED : WAG_MARK_IN_FLIGHT));
    }

    wag_unit_ok(u, kept == n, "no key was forgotten");
    wag_unit_ok(u, wag_unit_marks_claim(m, n, 2500) == WAG_MARK_NONE
                   && m->nmarks == n - 20 + 1, "what expired makes room");
}


static void
wag_unit_marks_move(wag_unit_t *u)
{
    ngx_uint_t    i, n;
    wag_marks_t  *m, *larger, *smaller;

    m = wag_unit_marks_of(u, WAG_UNIT_SIZE);
    larger = wag_unit_marks_of(u, 4 * WAG_UNIT_SIZE);
    smaller = wag_unit_marks_of(u, WAG_UNIT_SIZE / 4);

    for (i = 0; i < 5; i++) {
        wag_unit_marks_answer(m, i, 1000, WAG_UNIT_LONG);
    }

    for (i = 5; i < 50; i++) {
        wag_unit_marks_claim(m, i, 1000);
    }

    wag_marks_move(larger, m, 1000);

    wag_unit_ok(u, larger->nmarks == 50 && larger->nanswers == 5
                   && wag_unit_marks_kept(larger, 0, 1000, WAG_UNIT_LONG)
                   && wag_unit_marks_look(larger, 49, 1000)
                      == WAG_MARK_IN_FLIGHT,
                "all goes to a larger one");
    wag_unit_ok(u, wag_unit_marks_claim(m, 60, 1000) == WAG_MARK_FULL
                   && wag_unit_marks_claim(larger, 60, 1000) == WAG_MARK_NONE,
                "the old one is closed");

    wag_marks_move(smaller, m, 1000);
    n = wag_marks_room(smaller);

    wag_unit_ok(u, smaller->nmarks == n && n < 50
                   && smaller->nanswers == 0, "as many as fit into a smaller");

    wag_marks_sweep(smaller, 1099, wag_unit_alive, 17);
    wag_unit_ok(u, wag_unit_marks_claim(smaller, 70, 1099) == WAG_MARK_FULL,
                "where nothing is claimed while others would be kept");

    wag_marks_sweep(smaller, 1100, wag_unit_alive, 17);
    wag_unit_ok(u, wag_unit_marks_claim(smaller, 70, 1100) == WAG_MARK_NONE,
                "and then it is");
}


/* beside a list of what each key has to be */

static void
wag_unit_marks_random(wag_unit_t *u)
{
    ngx_uint_t      i, bad;
    ngx_msec_t      now;
    wag_marks_t    *m;
    wag_unit_key_t  keys[WAG_UNIT_KEYS];

    m = wag_unit_marks_of(u, WAG_UNIT_SIZE);

    ngx_memzero(keys, sizeof(keys));
    srandom(1);

    bad = 0;
    now = (ngx_msec_t) -WAG_UNIT_TURNS / 2;

    for (i = 0; i < WAG_UNIT_TURNS; i++, now++) {
        bad += wag_unit_marks_turn(m, keys, random() % WAG_UNIT_KEYS, now);

        if (i % 1000 == 0) {
            m->dirty = 1;
        }

        if (i % 333 == 0) {
            wag_marks_sweep(m, now, wag_unit_alive, 0);
            bad += !wag_unit_marks_whole(m);
        }
    }

    wag_unit_ok(u, bad == 0, "random turns");
    wag_unit_ok(u, m->counters.claimed > 1000 && m->counters.dropped > 100
                   && m->counters.replayed > 1000, "with all that may be");
}


static ngx_uint_t
wag_unit_marks_turn(wag_marks_t *m, wag_unit_key_t *keys, ngx_uint_t n,
    ngx_msec_t now)
{
    size_t            len;
    ngx_uint_t        found, want;
    wag_unit_key_t   *k;
    wag_marks_key_t   key;

    k = &keys[n];

    if (k->state == WAG_MARK_IN_FLIGHT && random() % 2) {

        wag_unit_marks_key(&key, n, k->request, now);
        key.mark = k->mark;
        key.serial = k->serial;

        if (random() % 4 == 0) {
            wag_marks_give_up(m, &key);
            k->state = WAG_MARK_NONE;
            return 0;
        }

        k->state = random() % 4 ? WAG_MARK_ANSWERED : WAG_MARK_UNKNOWN;
        k->expires = now + key.ttl;

        len = random() % 3 ? random() % 3000 : 0;
        wag_marks_close(m, &key, k->state, 200, wag_unit_answer, len);

        return 0;
    }

    if (k->state != WAG_MARK_IN_FLIGHT
        && (ngx_msec_int_t) (k->expires - now) <= 0)
    {
        k->state = WAG_MARK_NONE;
    }

    wag_unit_marks_key(&key, n, random() % 8 ? k->request : k->request + 1,
                       now);

    want = (k->state == WAG_MARK_NONE) ? WAG_MARK_NONE
           : (key.request[0] == (u_char) k->request) ? k->state
                                                     : WAG_MARK_REUSED;

    found = wag_marks_claim(m, &key);

    if (found == WAG_MARK_NONE) {
        k->state = WAG_MARK_IN_FLIGHT;
        k->request = key.request[0];
        k->mark = key.mark;
        k->serial = key.serial;
    }

    if (found == WAG_MARK_ANSWERED && key.len && k->request == 1
        && !wag_unit_marks_kept(m, n, now, key.len))
    {
        return 1;
    }

    return found != want;
}


/*
 * What is there before is there after, whoever dies in between: at each of its
 * instructions, a copy of what it would have left is gone on with.
 */

static void
wag_unit_marks_killed(wag_unit_t *u)
{
    ngx_int_t     steps;
    ngx_uint_t    what, i, bad;
    wag_marks_t  *m, *before;
    const char   *names[] = { "claims", "answers", "gives up", "sweeps" };

    m = mmap(NULL, WAG_UNIT_SMALL, PROT_READ|PROT_WRITE, MAP_ANON|MAP_SHARED,
             -1, 0);

    if (!wag_unit_ok(u, m != MAP_FAILED, "shared memory")) {
        return;
    }

    before = wag_unit_marks_of(u, WAG_UNIT_SMALL);

    for (i = 1; i <= 10; i++) {
        wag_unit_marks_answer(before, i, 1000, 300);
    }

    wag_unit_marks_claim(before, 11, 1000);
    wag_unit_marks_answer(before, 12, 500, 300);

    for (what = 0; what < 4; what++) {

        ngx_memcpy(m, before, WAG_UNIT_SMALL);

        steps = wag_unit_marks_steps(u, m, what, &bad);

        wag_unit_ok(u, bad == 0 && steps > 100, names[what]);
    }

    (void) munmap(m, WAG_UNIT_SMALL);
}


/* whether something is wrong with what was left */

static ngx_uint_t
wag_unit_marks_left(wag_marks_t *m, ngx_uint_t what)
{
    ngx_uint_t  i, bad;

    bad = 0;

    for (i = 1; i <= 10; i++) {
        bad += (wag_unit_marks_look(m, i, 1000) != WAG_MARK_ANSWERED);
    }

    bad += (wag_unit_marks_look(m, 11, 1000) == WAG_MARK_NONE && what != 2);

    /* the next one can go on, too */

    for (i = 20; i < 30; i++) {
        bad += (wag_unit_marks_answer(m, i, 1000, 300) != WAG_MARK_NONE);
    }

    return bad + !wag_unit_marks_kept(m, 29, 1000, 300)
           + !wag_unit_marks_whole(m);
}


static void
wag_unit_marks_work(wag_marks_t *m, ngx_uint_t what)
{
    wag_marks_key_t  key;

    wag_unit_marks_key(&key, 11, 1, 1000);
    key.mark = 41;

    while (wag_marks_look(m, &key) != WAG_MARK_IN_FLIGHT) { /* void */ }

    if (what == 0) {
        wag_unit_marks_claim(m, 13, 1000);

    } else if (what == 1) {
        wag_marks_close(m, &key, WAG_MARK_ANSWERED, 200, wag_unit_answer, 900);

    } else if (what == 2) {
        wag_marks_give_up(m, &key);

    } else {
        wag_marks_sweep(m, 1000, wag_unit_alive, 17);
    }
}


/* how many there were until its end; -1: it did not come to that */

static ngx_int_t
wag_unit_marks_steps(wag_unit_t *u, wag_marks_t *m, ngx_uint_t what,
    ngx_uint_t *bad)
{
    int           status;
    ngx_pid_t     pid;
    ngx_int_t     done;
    wag_marks_t  *left;

    left = ngx_palloc(u->pool, WAG_UNIT_SMALL);
    pid = left ? fork() : -1;

    if (pid == 0) {

        if (ptrace(PTRACE_TRACEME, 0, 0, 0) != 0) {
            _exit(1);
        }

        (void) raise(SIGSTOP);

        wag_unit_marks_work(m, what);

        _exit(0);
    }

    *bad = 0;

    if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status)) {
        return -1;
    }

    for (done = 0; /* void */ ; done++) {

        if (ptrace(PTRACE_SINGLESTEP, pid, 0, 0) != 0
            || waitpid(pid, &status, 0) != pid)
        {
            return -1;
        }

        if (WIFEXITED(status)) {
            return done;
        }

        if (done % WAG_UNIT_EACH == 0) {
            ngx_memcpy(left, m, WAG_UNIT_SMALL);
            *bad += wag_unit_marks_left(left, what);
        }
    }
}


/* all cells are one thing, and known */

static ngx_uint_t
wag_unit_marks_whole(wag_marks_t *m)
{
    uint32_t     i, n, cells, marks;
    wag_cell_t  *cell;

    cell = (wag_cell_t *) ((u_char *) m
                           + ngx_align(sizeof(wag_marks_t), WAG_MARKS_CELL));

    cells = 0;
    marks = 0;

    for (i = m->newest, n = 0; i; i = cell[i].u.mark.older, n++) {
        cells += (cell[i].u.mark.len + WAG_MARKS_DATA - 1) / WAG_MARKS_DATA;

        if (n > m->ncells || cell[i].u.mark.answer == 0) {
            return 0;
        }
    }

    if (n != m->nanswers) {
        return 0;
    }

    for (i = 1; i < m->begun; i++) {
        marks += (cell[i].type == 1);
    }

    for (i = m->free, n = 0; i; i = cell[i].next, n++) {
        if (n > m->ncells || cell[i].type != 0) {
            return 0;
        }
    }

    return n == m->nfree && marks == m->nmarks
           && n + marks + cells + 1 == m->begun;
}


static wag_marks_t *
wag_unit_marks_of(wag_unit_t *u, size_t size)
{
    wag_marks_t  *m;

    m = ngx_pcalloc(u->pool, size);

    if (m == NULL || wag_marks_init(m, size) != NGX_OK) {
        abort();
    }

    return m;
}


static void
wag_unit_marks_key(wag_marks_key_t *key, ngx_uint_t id, ngx_uint_t request,
    ngx_msec_t now)
{
    ngx_memzero(key, sizeof(wag_marks_key_t));

    /* many share a bucket */

    key->id[0] = (u_char) (id % 5);
    ngx_memcpy(&key->id[8], &id, sizeof(ngx_uint_t));

    key->request[0] = (u_char) request;
    key->now = now;
    key->ttl = 100;
    key->pid = 17;
    key->alive = wag_unit_alive;
}


static ngx_uint_t
wag_unit_marks_claim(wag_marks_t *m, ngx_uint_t id, ngx_msec_t now)
{
    wag_marks_key_t  key;

    wag_unit_marks_key(&key, id, 1, now);

    return wag_marks_claim(m, &key);
}


static ngx_uint_t
wag_unit_marks_look(wag_marks_t *m, ngx_uint_t id, ngx_msec_t now)
{
    wag_marks_key_t  key;

    wag_unit_marks_key(&key, id, 1, now);

    return wag_marks_look(m, &key);
}


/* of the dead is 666 */

static ngx_uint_t
wag_unit_alive(int32_t pid)
{
    return pid != 666;
}


static ngx_uint_t
wag_unit_marks_answer(wag_marks_t *m, ngx_uint_t id, ngx_msec_t now,
    size_t len)
{
    ngx_uint_t        found;
    wag_marks_key_t   key;

    wag_unit_marks_key(&key, id, 1, now);

    found = wag_marks_claim(m, &key);

    if (found == WAG_MARK_NONE) {
        key.ttl = 1000;
        wag_marks_close(m, &key, WAG_MARK_ANSWERED, 200, wag_unit_answer, len);
    }

    return found;
}


static ngx_uint_t
wag_unit_marks_kept(wag_marks_t *m, ngx_uint_t id, ngx_msec_t now, size_t len)
{
    u_char            buf[WAG_MARKS_ANSWER_LEN];
    wag_marks_key_t   key;

    wag_unit_marks_key(&key, id, 1, now);

    if (wag_marks_look(m, &key) != WAG_MARK_ANSWERED || key.len != len) {
        return 0;
    }

    wag_marks_answer_read(m, &key, buf);

    return ngx_memcmp(buf, wag_unit_answer, len) == 0;
}
