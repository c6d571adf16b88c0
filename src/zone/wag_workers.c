
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_in_flight.h"
#include "wag_slots.h"
#include "wag_workers.h"


static void wag_workers_tell(wag_in_flight_t *table);
static ngx_uint_t wag_workers_alive(ngx_pid_t pid);
static void wag_workers_close(wag_zone_t *zone, wag_in_flight_t *table,
    ngx_uint_t worker);
static void wag_workers_give_back(wag_root_t *root, wag_instance_t *instance,
    ngx_atomic_t *held);
static void wag_workers_recount(wag_root_t *root);
static ngx_int_t wag_workers_recount_slot(wag_root_t *root,
    wag_group_t *group, ngx_uint_t slot);


void
wag_workers_enter(wag_zone_t *zone)
{
    ngx_uint_t        i, j, worker;
    ngx_atomic_t     *held;
    wag_upstream_t  **usp;
    wag_in_flight_t  *table;

    table = zone->in_flight;
    worker = (ngx_process == NGX_PROCESS_SINGLE) ? 0 : ngx_worker;

    wag_workers_close(zone, table, worker);
    wag_workers_recount(zone->root);
    wag_workers_tell(table);

    table->pids[worker] = ngx_pid;

    held = wag_in_flight_row(table, worker);
    usp = zone->upstreams.elts;

    for (i = 0; i < zone->upstreams.nelts; i++) {
        for (j = 0; j < usp[i]->nslots; j++) {
            usp[i]->slots[j].held = held++;
        }
    }
}


/* a worker that was killed may have changed what it told nobody of */

static void
wag_workers_tell(wag_in_flight_t *table)
{
    ngx_uint_t    i;
    wag_group_t  *group;

    for (i = 0; i < table->nparts; i++) {
        group = table->parts[i].group;

        (void) ngx_atomic_fetch_add(&group->members, 1);
        (void) ngx_atomic_fetch_add(&group->state_epoch, 1);

        /* more than can be told one by one: any session may have changed */

        (void) ngx_atomic_fetch_add(&group->sessions.epoch,
                                    WAG_SESSION_CHANGES + 1);
    }
}


void
wag_workers_leave(wag_zone_t *zone)
{
    ngx_uint_t  worker;

    worker = (ngx_process == NGX_PROCESS_SINGLE) ? 0 : ngx_worker;

    wag_workers_close(zone, zone->in_flight, worker);
}


void
wag_workers_reclaim(wag_zone_t *zone)
{
    ngx_uint_t        i;
    ngx_queue_t      *q;
    wag_in_flight_t  *table;

    for (q = ngx_queue_head(&zone->root->in_flight_tables);
         q != ngx_queue_sentinel(&zone->root->in_flight_tables);
         q = ngx_queue_next(q))
    {
        table = ngx_queue_data(q, wag_in_flight_t, queue);

        for (i = 0; i < table->nworkers; i++) {

            if (!wag_workers_alive(table->pids[i])) {
                wag_workers_close(zone, table, i);
                wag_workers_tell(table);
            }
        }
    }

    wag_workers_recount(zone->root);
}


static ngx_uint_t
wag_workers_alive(ngx_pid_t pid)
{
    if (pid == 0 || pid == NGX_INVALID_PID) {
        return 1;
    }

    return kill(pid, 0) == 0 || ngx_errno != ESRCH;
}


static void
wag_workers_close(wag_zone_t *zone, wag_in_flight_t *table,
    ngx_uint_t worker)
{
    ngx_uint_t     i, slot;
    ngx_atomic_t  *held;

    held = wag_in_flight_row(table, worker);

    for (i = 0; i < table->nparts; i++) {

        for (slot = 0; slot < table->parts[i].nslots; slot++, held++) {

            if (*held) {
                wag_workers_give_back(zone->root,
                                      wag_slots_get(table->parts[i].group,
                                                    slot),
                                      held);
            }
        }
    }

    table->pids[worker] = 0;
}


/*
 * Who was killed between two steps may have counted here and not yet for all,
 * and so may who is killed while it gives that back: it is counted again then.
 */

static void
wag_workers_give_back(wag_root_t *root, wag_instance_t *instance,
    ngx_atomic_t *held)
{
    uint32_t          recount;
    ngx_atomic_int_t  n;

    n = wag_in_flight_count(*held);
    recount = (instance->recount || wag_in_flight_moves(*held));

    root->recount = 1;
    instance->recount = 1;

    ngx_memory_barrier();

    *held = 0;
    (void) ngx_atomic_fetch_add(&instance->in_flight, -n);

    instance->recount = recount;
}


static void
wag_workers_recount(wag_root_t *root)
{
    ngx_uint_t    slot, left;
    ngx_queue_t  *q;
    wag_group_t  *group;

    if (!root->recount) {
        return;
    }

    left = 0;

    for (q = ngx_queue_head(&root->groups);
         q != ngx_queue_sentinel(&root->groups);
         q = ngx_queue_next(q))
    {
        group = ngx_queue_data(q, wag_group_t, queue);

        for (slot = 0; slot < group->nslots; slot++) {

            if (wag_slots_get(group, slot)->recount
                && wag_workers_recount_slot(root, group, slot) != NGX_OK)
            {
                left = 1;
            }
        }
    }

    root->recount = left;
}


/*
 * What is in flight is the sum of what the workers count, in a moment in which
 * none of them does so; NGX_BUSY if there was no such moment.  None did where
 * all have taken as many steps before and after.
 */

static ngx_int_t
wag_workers_recount_slot(wag_root_t *root, wag_group_t *group,
    ngx_uint_t slot)
{
    wag_instance_t       *instance;
    ngx_atomic_int_t      off;
    wag_in_flight_sum_t   before, after;

    instance = wag_slots_get(group, slot);

    wag_in_flight_sum(root, group, slot, &before);

    ngx_memory_barrier();

    off = instance->in_flight - before.n;

    ngx_memory_barrier();

    wag_in_flight_sum(root, group, slot, &after);

    if (before.moves || after.steps != before.steps) {
        return NGX_BUSY;
    }

    (void) ngx_atomic_fetch_add(&instance->in_flight, -off);

    instance->recount = 0;

    return NGX_OK;
}
