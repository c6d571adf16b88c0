
#include <ngx_config.h>
#include <ngx_core.h>

#include <stdio.h>

#include "wag_health.h"
#include "wag_state.h"
#include "wag_unit.h"


#define UP        WAG_UP
#define SLOW      WAG_SLOW_START
#define CHECKING  WAG_CHECKING
#define DOWN      WAG_DOWN
#define DRAINING  WAG_DRAINING

#define PASS      WAG_PASS
#define FAIL      WAG_FAIL
#define OK        WAG_OK
#define STATUS    WAG_STATUS
#define ERROR     WAG_ERROR
#define TICK      WAG_TICK
#define MOVED     WAG_MOVED

/* a STATUS of the last instance that is up; what the walk alone knows of */
#define LAST      7
#define SYMBOLS   8

#define LENGTH    6       /* of the sequences walked */
#define STEP      1000    /* ms between two events */
#define ORIGIN    ((ngx_msec_t) 0 - 3 * STEP)   /* the clock wraps midway */


typedef struct {
    const char          *name;
    wag_policy_t         policy;
    wag_health_t         before;
    ngx_uint_t           event;
    ngx_uint_t           last;
    ngx_msec_t           now;
    ngx_uint_t           state;
    ngx_msec_t           until;     /* 0: not looked at */
} wag_unit_health_case_t;


typedef struct {
    wag_unit_t          *unit;
    wag_policy_t         policy;
    ngx_uint_t           symbols[LENGTH];
    ngx_uint_t           states[LENGTH + 1];
    ngx_uint_t           nodes;
    ngx_uint_t           wrong;
} wag_unit_health_walk_t;


static void wag_unit_health_table(wag_unit_t *u);
static void wag_unit_health_init(wag_unit_t *u);
static void wag_unit_health_share(wag_unit_t *u);
static void wag_unit_health_ramp(wag_unit_t *u, ngx_msec_t slow_start,
    ngx_msec_t from);
static void wag_unit_health_any(wag_unit_t *u);
static void wag_unit_health_walk(wag_unit_t *u);
static void wag_unit_health_node(wag_unit_health_walk_t *w, wag_health_t *h,
    ngx_uint_t n);
static const char *wag_unit_health_broken(wag_policy_t *policy,
    ngx_uint_t symbol, ngx_uint_t from, ngx_uint_t to, ngx_uint_t changed);
static ngx_uint_t wag_unit_health_model(wag_unit_health_walk_t *w,
    ngx_uint_t n);
static ngx_uint_t wag_unit_health_run(wag_unit_health_walk_t *w, ngx_uint_t n,
    ngx_uint_t counted, ngx_uint_t ended, ngx_uint_t up);
static void wag_unit_health_wrong(wag_unit_health_walk_t *w, ngx_uint_t n,
    const char *what, ngx_uint_t state);


/*
 * fails, passes, error_fails, status_fails, eject, slow_start, mandatory,
 * checked
 */

#define P_CHECKED   { 1, 1, 1, 3, 30000, 0, 0, 1 }
#define P_SLOW      { 1, 1, 1, 3, 30000, 10000, 0, 1 }
#define P_COUNTED   { 3, 2, 2, 3, 30000, 0, 0, 1 }
#define P_PASSIVE   { 0, 0, 1, 3, 30000, 0, 0, 0 }
#define P_PASSIVE2  { 0, 0, 1, 3, 30000, 10000, 0, 0 }
#define P_NEVER     { 1, 1, 0, 0, 30000, 0, 0, 1 }
#define P_ONE       { 1, 1, 1, 1, 1, 0, 0, 0 }


static wag_unit_health_case_t
    wag_unit_health_cases[] =
{
    /* checks */

    { "a pass of one that is up", P_CHECKED, { UP, 0, 0, 0, 0, 0 },
      PASS, 0, 5, UP, 0 },
    { "a failure takes out", P_CHECKED, { UP, 0, 9, 0, 0, 0 },
      FAIL, 0, 5, DOWN, 30005 },
    { "a failure takes out the last one too", P_CHECKED,
      { UP, 0, 0, 0, 0, 0 }, FAIL, 1, 5, DOWN, 30005 },
    { "a pass brings back", P_CHECKED, { DOWN, 7, 0, 3, 3, 99 },
      PASS, 0, 5, UP, 0 },
    { "a pass brings back into a slow start", P_SLOW,
      { DOWN, 1, 0, 0, 0, 99 }, PASS, 0, 5, SLOW, 10005 },
    { "a failure in a slow start", P_SLOW, { SLOW, 0, 1, 0, 0, 99 },
      FAIL, 0, 5, DOWN, 30005 },
    { "a pass leaves a slow start alone", P_SLOW, { SLOW, 0, 1, 0, 0, 99 },
      PASS, 0, 5, SLOW, 99 },
    { "first of three failures", P_COUNTED, { UP, 0, 0, 0, 0, 0 },
      FAIL, 0, 5, UP, 0 },
    { "second of three failures", P_COUNTED, { UP, 1, 0, 0, 0, 0 },
      FAIL, 0, 5, UP, 0 },
    { "third of three failures", P_COUNTED, { UP, 2, 0, 0, 0, 0 },
      FAIL, 0, 5, DOWN, 30005 },
    { "first of two passes", P_COUNTED, { DOWN, 3, 0, 0, 0, 9 },
      PASS, 0, 5, DOWN, 9 },
    { "second of two passes", P_COUNTED, { DOWN, 0, 1, 0, 0, 9 },
      PASS, 0, 5, UP, 0 },
    { "passes of before do not count", P_COUNTED, { UP, 2, 50, 0, 0, 0 },
      FAIL, 0, 5, DOWN, 30005 },
    { "checking, first of two passes", P_COUNTED, { CHECKING, 0, 0, 0, 0, 0 },
      PASS, 0, 5, CHECKING, 0 },
    { "checking, second of two passes", P_COUNTED, { CHECKING, 0, 1, 0, 0, 0 },
      PASS, 0, 5, UP, 0 },
    { "checking, one failure is enough", P_COUNTED,
      { CHECKING, 0, 0, 0, 0, 0 }, FAIL, 0, 5, DOWN, 30005 },
    { "checking into a slow start", P_SLOW, { CHECKING, 0, 0, 0, 0, 0 },
      PASS, 0, 5, SLOW, 10005 },

    /* traffic */

    { "an answer changes nothing", P_CHECKED, { DOWN, 1, 0, 0, 0, 9 },
      OK, 0, 5, DOWN, 9 },
    { "one error takes out", P_CHECKED, { UP, 0, 0, 0, 0, 0 },
      ERROR, 0, 5, DOWN, 30005 },
    { "an error takes out the last one too", P_CHECKED,
      { UP, 0, 0, 0, 0, 0 }, ERROR, 1, 5, DOWN, 30005 },
    { "an error in a slow start", P_SLOW, { SLOW, 0, 0, 0, 0, 9 },
      ERROR, 0, 5, DOWN, 30005 },
    { "first of two errors", P_COUNTED, { UP, 0, 0, 0, 0, 0 },
      ERROR, 0, 5, UP, 0 },
    { "second of two errors", P_COUNTED, { UP, 0, 0, 1, 0, 0 },
      ERROR, 0, 5, DOWN, 30005 },
    { "errors that never count", P_NEVER, { UP, 0, 0, 99, 0, 0 },
      ERROR, 0, 5, UP, 0 },
    { "an error does not move the end of an ejection", P_PASSIVE,
      { DOWN, 0, 0, 1, 0, 99 }, ERROR, 0, 5, DOWN, 99 },
    { "an error of one that is being checked", P_CHECKED,
      { CHECKING, 0, 0, 0, 0, 0 }, ERROR, 0, 5, CHECKING, 0 },
    { "second of three statuses", P_CHECKED, { UP, 0, 0, 0, 1, 0 },
      STATUS, 0, 5, UP, 0 },
    { "third of three statuses", P_CHECKED, { UP, 0, 0, 0, 2, 0 },
      STATUS, 0, 5, DOWN, 30005 },
    { "third of three statuses, of the last one", P_CHECKED,
      { UP, 0, 0, 0, 2, 0 }, STATUS, 1, 5, UP, 0 },
    { "a hundredth status, not the last one any more", P_CHECKED,
      { UP, 0, 0, 0, 99, 0 }, STATUS, 0, 5, DOWN, 30005 },
    { "statuses that never count", P_NEVER, { UP, 0, 0, 0, 99, 0 },
      STATUS, 0, 5, UP, 0 },

    /* time */

    { "time does not bring back what is checked", P_CHECKED,
      { DOWN, 1, 0, 0, 0, 9 }, TICK, 0, 99, DOWN, 9 },
    { "time does not bring in what is checked", P_CHECKED,
      { CHECKING, 0, 0, 0, 0, 0 }, TICK, 0, 99, CHECKING, 0 },
    { "just before the end of an ejection", P_PASSIVE,
      { DOWN, 0, 0, 1, 0, 100 }, TICK, 0, 99, DOWN, 100 },
    { "at the end of an ejection", P_PASSIVE, { DOWN, 0, 0, 1, 0, 100 },
      TICK, 0, 100, UP, 0 },
    { "an ejection ends in a slow start", P_PASSIVE2,
      { DOWN, 0, 0, 1, 0, 100 }, TICK, 0, 100, SLOW, 10100 },
    { "checks were taken away meanwhile", P_PASSIVE,
      { CHECKING, 0, 0, 0, 0, 0 }, TICK, 0, 5, UP, 0 },
    { "just before the end of a slow start", P_SLOW,
      { SLOW, 0, 1, 0, 0, 100 }, TICK, 0, 99, SLOW, 100 },
    { "at the end of a slow start", P_SLOW, { SLOW, 0, 1, 0, 0, 100 },
      TICK, 0, 100, UP, 0 },
    /* other addresses */

    { "what moved is in again without checks", P_PASSIVE,
      { DOWN, 0, 0, 3, 0, 100 }, MOVED, 0, 5, UP, 0 },
    { "and slowly where that is set", P_PASSIVE2,
      { DOWN, 0, 0, 1, 0, 100 }, MOVED, 0, 5, SLOW, 10005 },
    { "what was never found comes in", P_PASSIVE,
      { CHECKING, 0, 0, 0, 0, 0 }, MOVED, 0, 5, UP, 0 },
    { "but with checks it waits for one", P_CHECKED,
      { DOWN, 1, 0, 0, 0, 9 }, MOVED, 0, 99, DOWN, 9 },
    { "what is up stays up", P_CHECKED, { UP, 0, 0, 0, 2, 0 },
      MOVED, 0, 5, UP, 0 },

    { "time has nothing to do with one that is up", P_PASSIVE,
      { UP, 0, 0, 0, 0, 0 }, TICK, 0, 99, UP, 0 },
    { "an ejection over the wrap of the clock, before", P_PASSIVE,
      { DOWN, 0, 0, 1, 0, 5 }, TICK, 0, (ngx_msec_t) -5, DOWN, 5 },
    { "an ejection over the wrap of the clock, after", P_PASSIVE,
      { DOWN, 0, 0, 1, 0, (ngx_msec_t) -5 }, TICK, 0, 5, UP, 0 },
    { "an ejection that begins before the wrap", P_PASSIVE,
      { UP, 0, 0, 0, 0, 0 }, ERROR, 0, (ngx_msec_t) -5, DOWN, 29995 },

    { "an ejection of a millisecond", P_ONE, { UP, 0, 0, 0, 0, 0 },
      STATUS, 0, 5, DOWN, 6 },

    { NULL, P_CHECKED, { UP, 0, 0, 0, 0, 0 }, 0, 0, 0, 0, 0 }
};


void
wag_unit_health(wag_unit_t *u)
{
    wag_unit_health_table(u);
    wag_unit_health_init(u);
    wag_unit_health_share(u);
    wag_unit_health_any(u);
    wag_unit_health_walk(u);
}


static void
wag_unit_health_table(wag_unit_t *u)
{
    ngx_uint_t               changed;
    wag_health_t             h;
    wag_unit_health_case_t  *c;

    for (c = wag_unit_health_cases; c->name; c++) {
        h = c->before;

        changed = wag_state_event(&h, &c->policy, c->event, c->last, c->now);

        wag_unit_ok(u, h.state == c->state
                                       && changed == (h.state
                                                      != c->before.state)
                                       && (c->until == 0
                                           || h.until == c->until), c->name);
    }
}


static void
wag_unit_health_init(wag_unit_t *u)
{
    wag_health_t  h;
    wag_policy_t  policy = P_CHECKED;

    ngx_memset(&h, 0xff, sizeof(wag_health_t));
    wag_state_init(&h, &policy);

    wag_unit_ok(u, h.state == UP && h.fails == 0
                                   && h.passes == 0 && h.errors == 0
                                   && h.statuses == 0,
                "a new one is up until a check fails");

    policy.mandatory = 1;
    wag_state_init(&h, &policy);
    wag_unit_ok(u, h.state == CHECKING,
                "mandatory: until a check passes it is not");

    policy.checked = 0;
    wag_state_init(&h, &policy);
    wag_unit_ok(u, h.state == UP, "mandatory means nothing without checks");
}


static void
wag_unit_health_share(wag_unit_t *u)
{
    ngx_uint_t    state, full;
    wag_health_t  h;
    wag_policy_t  policy = P_SLOW;

    wag_unit_health_ramp(u, 10000, 5);
    wag_unit_health_ramp(u, 10000, (ngx_msec_t) -4000);
    wag_unit_health_ramp(u, 9, 0);
    wag_unit_health_ramp(u, 86400000, (ngx_msec_t) -1);

    ngx_memzero(&h, sizeof(wag_health_t));
    h.until = 5000;

    full = 1;

    for (state = 0; state < WAG_STATES; state++) {
        h.state = state;

        full &= (state == SLOW)
                == (wag_state_share(&h, &policy, 0) < 10);
    }

    wag_unit_ok(u, full, "a share only in a slow start");

    h.state = SLOW;
    h.until = 1000000;
    wag_unit_ok(u, wag_state_share(&h, &policy, 0) == 1,
                "a reload made the slow start shorter: the least share");
    wag_unit_ok(u, !wag_state_is_over(&h, &policy, 999999)
                    && wag_state_is_over(&h, &policy, 1000000),
                "it ends when it would have ended");

    policy.slow_start = 0;
    wag_unit_ok(u, wag_state_share(&h, &policy, 0) == 10,
                "a reload took the slow start away: the whole share");
    wag_unit_ok(u, wag_state_is_over(&h, &policy, 0)
                    && wag_state_event(&h, &policy, TICK, 0, 0)
                    && h.state == UP, "and it is over");

    h.state = SLOW;

    policy.slow_start = 1;
    h.until = 1;
    wag_unit_ok(u, wag_state_share(&h, &policy, 0) == 1
                    && wag_state_share(&h, &policy, 1) == 10,
                "a slow start of a millisecond");
}


/* from 1 to 10, never back, each value there, 10 at the end */

static void
wag_unit_health_ramp(wag_unit_t *u, ngx_msec_t slow_start, ngx_msec_t from)
{
    char          name[128];
    ngx_uint_t    i, share, before, good, seen;
    wag_health_t  h;
    wag_policy_t  policy = P_SLOW;

    policy.slow_start = slow_start;

    ngx_memzero(&h, sizeof(wag_health_t));

    h.state = DOWN;
    (void) wag_state_event(&h, &policy, PASS, 0, from);

    before = 1;
    seen = 0;
    good = (h.state == SLOW && wag_state_share(&h, &policy, from) == 1);

    for (i = 0; i <= 1000; i++) {
        share = wag_state_share(&h, &policy, from + slow_start * i / 1000);

        good &= (share >= before && share <= 10);
        seen |= 1 << share;
        before = share;

        /* a tenth of the time more is a share of about a tenth more */

        good &= (slow_start < 1000
                 || (share >= 1 + 9 * i / 1000 - (i > 0)
                     && share <= 1 + (9 * i + 999) / 1000));
    }

    good &= (before == 10 && seen == 0x7fe);
    good &= (wag_state_share(&h, &policy, from + slow_start - 1) < 10);
    good &= (wag_state_share(&h, &policy, from + 5 * slow_start) == 10);

    (void) snprintf(name, sizeof(name), "a slow start of %lu ms from %ld",
                    (unsigned long) slow_start, (long) from);

    wag_unit_ok(u, good, name);
}


/*
 * Every state (draining is the configuration's, no instance is put into it)
 * and event, with corners of policy and counters: what must hold.
 */

static void
wag_unit_health_any(wag_unit_t *u)
{
    char          text[128];
    ngx_uint_t    n, m, from, symbol, changed, tests;
    const char   *broken;
    wag_health_t  h;
    wag_policy_t  policy;

    static ngx_uint_t  corners[] = { 0, 1, 2, 1000000000 };

    broken = NULL;
    tests = 0;

    for (n = 0; n < 4 * 4 * 4 * 4 * 2 * 2 && broken == NULL; n++) {
        policy.fails = corners[n & 3];
        policy.passes = corners[(n >> 2) & 3];
        policy.error_fails = corners[(n >> 4) & 3];
        policy.status_fails = corners[(n >> 6) & 3];
        policy.slow_start = (n & 256) ? 1000 : 0;
        policy.checked = (n & 512) ? 1 : 0;
        policy.mandatory = 0;
        policy.eject = 30000;

        for (m = 0; m < 4 * 7 * 16 * 2 && broken == NULL; m++) {
            from = m % 4;
            symbol = m / 4 % 7;

            ngx_memzero(&h, sizeof(wag_health_t));

            h.state = from;
            h.fails = (m / 28 & 1) ? (ngx_uint_t) -1 : 1;
            h.passes = (m / 28 & 2) ? (ngx_uint_t) -2 : 0;
            h.errors = (m / 28 & 4) ? 5 : 0;
            h.statuses = (m / 28 & 8) ? 5 : 0;
            h.until = (m / 448) ? 1000 : (ngx_msec_t) -1000;

            changed = wag_state_event(&h, &policy,
                                      symbol == LAST ? STATUS : symbol,
                                      symbol == LAST, 0);

            broken = wag_unit_health_broken(&policy, symbol, from, h.state,
                                            changed);
            tests++;
        }
    }

    (void) snprintf(text, sizeof(text),
                    "what must hold of any state and event: %lu tried",
                    (unsigned long) tests);

    wag_unit_is(u, broken ? broken : "", "", text);
}


static const char *
wag_unit_health_broken(wag_policy_t *policy, ngx_uint_t symbol,
    ngx_uint_t from, ngx_uint_t to, ngx_uint_t changed)
{
    ngx_uint_t  was, is;

    was = (from == UP || from == SLOW);
    is = (to == UP || to == SLOW);

    if (changed != (from != to)) {
        return "a change is told, and nothing else";
    }

    if (from == to) {
        return NULL;
    }

    if (symbol == OK || symbol == LAST) {
        return "an answer, or a status of the last one, changes nothing";
    }

    if (to == CHECKING || to == DRAINING) {
        return "no event leads to checking, nor to draining";
    }

    if (!was && is && symbol != PASS
        && (policy->checked || (symbol != TICK && symbol != MOVED)))
    {
        return "only a pass brings in, without checks time or a move";
    }

    if (was && !is && symbol != FAIL && symbol != STATUS && symbol != ERROR) {
        return "only failures take out";
    }

    if (!is && (symbol == PASS || symbol == TICK)) {
        return "a pass and time never take out";
    }

    if (was && is && (from != SLOW || to != UP || symbol != TICK)) {
        return "time ends a slow start, and nothing begins one of what is up";
    }

    if (to == SLOW && policy->slow_start == 0) {
        return "no slow start where there is none";
    }

    if ((symbol == ERROR && policy->error_fails == 0)
        || (symbol == STATUS && policy->status_fails == 0))
    {
        return "0 is never";
    }

    return NULL;
}


/* every sequence of events, against a model that knows history, no counters */

static void
wag_unit_health_walk(wag_unit_t *u)
{
    char                    text[128];
    ngx_uint_t              n;
    wag_health_t            h;
    wag_unit_health_walk_t  w;

    ngx_memzero(&w, sizeof(wag_unit_health_walk_t));

    w.unit = u;

    for (n = 0; n < 2 * 2 * 3 * 3 * 2 * 2 * 2; n++) {
        w.policy.fails = 1 + n % 2;
        w.policy.passes = 1 + n / 2 % 2;
        w.policy.error_fails = n / 4 % 3;
        w.policy.status_fails = n / 12 % 3;
        w.policy.slow_start = (n / 36 % 2) ? 2 * STEP : 0;
        w.policy.mandatory = n / 72 % 2;
        w.policy.checked = n / 144 % 2;
        w.policy.eject = 2 * STEP;

        wag_state_init(&h, &w.policy);
        w.states[0] = h.state;

        wag_unit_health_node(&w, &h, 0);
    }

    (void) snprintf(text, sizeof(text),
                    "all sequences of %d events with %lu policies: %lu steps",
                    LENGTH, (unsigned long) n, (unsigned long) w.nodes);

    wag_unit_ok(u, w.wrong == 0, text);
}


static void
wag_unit_health_node(wag_unit_health_walk_t *w, wag_health_t *h, ngx_uint_t n)
{
    ngx_uint_t    symbol, changed, state;
    const char   *broken;
    wag_health_t  next;

    for (symbol = 0; symbol < SYMBOLS; symbol++) {
        w->symbols[n] = symbol;
        w->nodes++;

        next = *h;

        changed = wag_state_event(&next, &w->policy,
                                  symbol == LAST ? STATUS : symbol,
                                  symbol == LAST, ORIGIN + n * STEP);

        w->states[n + 1] = next.state;

        broken = wag_unit_health_broken(&w->policy, symbol, h->state,
                                        next.state, changed);
        state = wag_unit_health_model(w, n);

        if (broken || state != next.state) {
            wag_unit_health_wrong(w, n, broken, state);
            continue;
        }

        if (n + 1 < LENGTH) {
            wag_unit_health_node(w, &next, n + 1);
        }
    }
}


/* the state after event n, from the events and the states before it */

static ngx_uint_t
wag_unit_health_model(wag_unit_health_walk_t *w, ngx_uint_t n)
{
    ngx_uint_t     state, up, since;
    wag_policy_t  *p;

    p = &w->policy;
    state = w->states[n];
    up = (state == UP || state == SLOW);

    for (since = n; since > 0 && w->states[since - 1] == state; since--) {
        /* void */
    }

    /* event since - 1 led here */

    switch (w->symbols[n]) {

    case PASS:
        if (up
            || wag_unit_health_run(w, n, 1 << PASS, 1 << FAIL, 0)
               < p->passes)
        {
            return state;
        }

        return p->slow_start ? SLOW : UP;

    case FAIL:
        if (state == CHECKING) {
            return DOWN;
        }

        return (up && wag_unit_health_run(w, n, 1 << FAIL,
                                           (1 << PASS)|(1 << MOVED), 1)
                      >= p->fails)
               ? DOWN : state;

    case STATUS:
        return (up && p->status_fails
                && wag_unit_health_run(w, n,
                                       (1 << STATUS)|(1 << LAST),
                                       (1 << OK)|(1 << MOVED), 1)
                   >= p->status_fails)
               ? DOWN : state;

    case ERROR:
        return (up && p->error_fails
                && wag_unit_health_run(w, n, 1 << ERROR,
                                       (1 << OK)|(1 << STATUS)|(1 << LAST)
                                       |(1 << MOVED), 1)
                   >= p->error_fails)
               ? DOWN : state;

    case TICK:
        if (state == SLOW) {
            return ((n - (since - 1)) * STEP >= p->slow_start) ? UP : SLOW;
        }

        if (up || p->checked
            || (state == DOWN && (n - (since - 1)) * STEP < p->eject))
        {
            return state;
        }

        return p->slow_start ? SLOW : UP;

    case MOVED:
        return (up || p->checked) ? state : p->slow_start ? SLOW : UP;
    }

    return state;
}


/*
 * How many of the events counted there are up to n, back to one that ends the
 * row, or to where it came up, or (up: 0) went down.
 */

static ngx_uint_t
wag_unit_health_run(wag_unit_health_walk_t *w, ngx_uint_t n,
    ngx_uint_t counted, ngx_uint_t ended, ngx_uint_t up)
{
    ngx_uint_t  run, is, was;

    run = 0;

    for ( ;; ) {

        if (ended & (1 << w->symbols[n])) {
            return run;
        }

        if (counted & (1 << w->symbols[n])) {
            run++;
        }

        if (n == 0) {
            return run;
        }

        is = (w->states[n] <= SLOW);
        was = (w->states[n - 1] <= SLOW);

        if (up ? (is && !was) : (w->states[n] == DOWN
                                 && w->states[n - 1] != DOWN))
        {
            return run;
        }

        n--;
    }
}


static void
wag_unit_health_wrong(wag_unit_health_walk_t *w, ngx_uint_t n,
    const char *what, ngx_uint_t state)
{
    ngx_uint_t     i;
    wag_policy_t  *p;

    static const char  *symbols[] = {
        "pass", "fail", "ok", "status", "error", "tick", "moved",
        "last"
    };

    if (w->wrong++ >= 3) {
        return;
    }

    p = &w->policy;

    printf("# fails=%d passes=%d error_fails=%d status_fails=%d "
           "slow_start=%d mandatory=%d checked=%d:", (int) p->fails,
           (int) p->passes, (int) p->error_fails, (int) p->status_fails,
           (int) p->slow_start, (int) p->mandatory, (int) p->checked);

    for (i = 0; i <= n; i++) {
        printf(" %d %s", (int) w->states[i], symbols[w->symbols[i]]);
    }

    printf(" %d, not %d%s%s\n", (int) w->states[n + 1], (int) state,
           what ? ": " : "", what ? what : "");
}
