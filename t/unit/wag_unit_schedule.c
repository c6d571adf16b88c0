
#include <ngx_config.h>
#include <ngx_core.h>

#include <stdio.h>

#include "wag_schedule.h"
#include "wag_unit.h"


/* pauses after 1, 2, ... failures in a row, in ms */

typedef struct {
    ngx_msec_t           interval;
    ngx_msec_t           pauses[8];
} wag_unit_schedule_t;


static void wag_unit_schedule_recheck(wag_unit_t *u, ngx_msec_t now);
static void wag_unit_schedule_moments(wag_unit_t *u, ngx_msec_t now);


static wag_unit_schedule_t
    wag_unit_schedules[] =
{
    { 30000, { 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000 } },
    { 3000, { 500, 1000, 2000, 3000, 3000, 3000, 3000, 3000 } },
    { 500, { 500, 500, 500, 500, 500, 500, 500, 500 } },
    { 100, { 100, 100, 100, 100, 100, 100, 100, 100 } }
};


/* with a clock that wraps between now and then, too */

static ngx_msec_t  wag_unit_schedule_clocks[] = {
    0, 12345, (ngx_msec_t) -1, (ngx_msec_t) -700
};


static void
wag_unit_schedule_recheck(wag_unit_t *u, ngx_msec_t now)
{
    char                  name[128];
    ngx_uint_t            i, n, bad;
    wag_unit_schedule_t  *s;

    for (i = 0; i < 4; i++) {
        s = &wag_unit_schedules[i];
        bad = 0;

        for (n = 1; n <= 8; n++) {
            if (wag_schedule_recheck(now, s->interval, n) - now
                != s->pauses[n - 1])
            {
                bad++;
            }
        }

        /* nor does it overflow */

        if (wag_schedule_recheck(now, s->interval, (ngx_uint_t) -1) - now
            != s->interval)
        {
            bad++;
        }

        snprintf(name, sizeof(name), "the pause doubles up to %lu ms",
                 (unsigned long) s->interval);
        wag_unit_ok(u, bad == 0, name);
    }
}


static void
wag_unit_schedule_moments(wag_unit_t *u, ngx_msec_t now)
{
    ngx_uint_t  i, bad, many;
    ngx_msec_t  d;

    bad = 0;
    many = 0;

    for (i = 0; i < 5000; i++) {
        d = wag_schedule_soon(now + 30000, 30000, now, i * 7919) - now;

        if (d < 250 || d >= 500) {
            bad++;
        }

        many += (d >= 375);
    }

    wag_unit_ok(u, bad == 0 && many > 1000 && many < 4000,
                "what traffic took out: within half a second");

    wag_unit_ok(u, wag_schedule_soon(now + 100, 30000, now, 7)
              == now + 100,
                "what traffic took out: a turn that comes sooner stands");

    d = wag_schedule_soon(now - 2000, 30000, now, 7) - now;

    wag_unit_ok(u, d >= 250 && d < 500,
                "what traffic took out: a turn that waits for its jitter");

    wag_unit_ok(u, wag_schedule_soon(now - 1, 100, now, 7)
              == now + 100, "what traffic took out: within the interval");

    wag_unit_ok(u, wag_schedule_fault(now, 30000) - now == 1000
              && wag_schedule_fault(now, 200) - now == 200,
                "a fault of our own: a second, or the interval");

    wag_unit_ok(u, wag_schedule_resume(now + 700, 3000, now, 9)
              == now + 700, "resumed: the turn stands");

    wag_unit_ok(u, wag_schedule_resume(now + 9000, 3000, now, 9)
              == now + 3000, "resumed: never later than the interval of now");

    wag_unit_ok(u, wag_schedule_resume(now - 1, 3000, now, 9)
              == now + 9
              && wag_schedule_resume(now, 3000, now, 0) == now,
                "resumed: a turn that was missed comes at once");

    wag_unit_ok(u, wag_schedule_scatter(now, 3000, 64, 1234)
              == now + 3000, "after the first check of few: the interval");

    bad = 0;
    many = 0;

    for (i = 0; i < 5000; i++) {
        d = wag_schedule_scatter(now, 3000, 65, i * 7919)
            - now;

        if (d >= 3000) {
            bad++;
        }

        many += (d >= 1500);
    }

    wag_unit_ok(u, bad == 0 && many > 2000 && many < 3000,
                "after the first check of many: anywhere");
}


void
wag_unit_schedule(wag_unit_t *u)
{
    ngx_uint_t  i, bad;
    ngx_msec_t  d, last;

    for (i = 0; i < 4; i++) {
        wag_unit_schedule_recheck(u, wag_unit_schedule_clocks[i]);
        wag_unit_schedule_moments(u, wag_unit_schedule_clocks[i]);
    }

    bad = 0;

    for (i = 0; i < 64; i++) {
        if (wag_schedule_spread(i, 64) != 0) {
            bad++;
        }
    }

    wag_unit_ok(u, bad == 0, "few first checks: at once");

    last = 0;

    for (i = 0; i < 4000; i++) {
        d = wag_schedule_spread(i, 4000);

        if (d < last || d - last > 1 || d >= 1000) {
            bad++;
        }

        last = d;
    }

    wag_unit_ok(u, bad == 0 && last == 999,
                "many first checks: over a second");

    bad = 0;
    last = 0;

    for (i = 0; i < 5000; i++) {
        d = wag_schedule_jitter(3000, 10, i * 7919);

        if (d > 300) {
            bad++;
        }

        last = ngx_max(last, d);

        if (wag_schedule_jitter(3000, 0, i * 7919) != 0) {
            bad++;
        }
    }

    wag_unit_ok(u, bad == 0 && last == 300,
                "jitter: up to its share of the interval");
}
