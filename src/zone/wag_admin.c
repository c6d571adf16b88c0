
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_admin.h"
#include "wag_in_flight.h"
#include "wag_lock.h"
#include "wag_sessions.h"
#include "wag_table.h"


static ngx_int_t wag_admin_again(wag_upstream_t *us, wag_instance_t *instance,
    wag_newcomer_t *newcomer);
static wag_instance_t *wag_admin_find(wag_upstream_t *us, ngx_str_t *name);
static void wag_admin_moved(wag_upstream_t *us, wag_instance_t *instance);
static void wag_admin_members(wag_upstream_t *us);
static ngx_uint_t wag_admin_waits(wag_admin_t *admin);
static void wag_admin_removed(wag_upstream_t *us, wag_instance_t *instance,
    ngx_uint_t slot);
static void wag_admin_event(wag_event_t *event, ngx_str_t *name,
    const char *reason);
static void wag_admin_tell(wag_event_t *event);


ngx_int_t
wag_admin_add(wag_upstream_t *us, wag_newcomer_t *newcomer)
{
    ngx_int_t        rc;
    ngx_uint_t       slot;
    wag_event_t      event;
    wag_group_t     *group;
    wag_instance_t  *instance;

    group = us->group;

    wag_admin_event(&event, &newcomer->name, "added");

    event.from = WAG_STATES;
    event.to = newcomer->health.state;

    wag_lock(us->zone->shpool);

    slot = wag_slots_find(group, &newcomer->name);

    instance = (slot == WAG_NO_SLOT) ? NULL : wag_slots_get(group, slot);

    if (instance && !instance->added
        && instance->config_gen < us->zone->root->config_gen)
    {
        /* of a configuration that is over: nobody but its last workers */

        wag_sessions_free_slot(group, slot);
        wag_slots_free(instance);

        instance = NULL;
    }

    if (instance) {
        rc = wag_admin_again(us, instance, newcomer);

    } else if (wag_table_added(group) >= us->capacity) {
        rc = NGX_BUSY;

    } else {
        newcomer->added = 1;
        newcomer->config_gen = us->zone->root->config_gen;

        rc = (wag_table_put(us->zone->root, group, newcomer) == WAG_NO_SLOT)
             ? NGX_BUSY : NGX_OK;
    }

    if (rc == NGX_OK) {
        wag_admin_members(us);
        wag_event_record(group, &event);
    }

    wag_unlock(us->zone->shpool);

    if (rc == NGX_OK) {
        wag_admin_tell(&event);
    }

    return rc;
}


/* one of the configuration that was removed is as it is configured again */

static ngx_int_t
wag_admin_again(wag_upstream_t *us, wag_instance_t *instance,
    wag_newcomer_t *newcomer)
{
    if (instance->added || instance->admin.state != WAG_ADMIN_REMOVED) {
        return NGX_DECLINED;
    }

    if (!newcomer->same
        && (newcomer->key.len || newcomer->vendor != instance->vendor))
    {
        return NGX_ABORT;
    }

    instance->admin.weight = newcomer->admin.weight;
    instance->admin.max_conns = newcomer->admin.max_conns;
    instance->admin.state = WAG_ADMIN_CONFIGURED;

    wag_admin_moved(us, instance);

    return NGX_OK;
}


ngx_int_t
wag_admin_change(wag_upstream_t *us, ngx_str_t *name,
    wag_admin_change_t *change, wag_admin_t *old)
{
    ngx_int_t        rc;
    wag_admin_t     *admin;
    wag_instance_t  *instance;

    rc = NGX_DECLINED;

    wag_lock(us->zone->shpool);

    instance = wag_admin_find(us, name);

    if (instance) {
        rc = NGX_OK;
        admin = &instance->admin;

        *old = *admin;

        if (change->weight_set) {
            admin->weight = change->weight;
        }

        if (change->max_conns_set) {
            admin->max_conns = change->max_conns;
        }

        if (change->state_set) {
            admin->state = change->state;
            admin->told = 0;
        }

        wag_admin_moved(us, instance);
    }

    wag_unlock(us->zone->shpool);

    return rc;
}


ngx_uint_t
wag_admin_has(wag_upstream_t *us, ngx_str_t *name)
{
    ngx_uint_t  has;

    wag_lock(us->zone->shpool);

    has = (wag_admin_find(us, name) != NULL);

    wag_unlock(us->zone->shpool);

    return has;
}


ngx_int_t
wag_admin_remove(wag_upstream_t *us, ngx_str_t *name, wag_admin_t *old)
{
    wag_admin_change_t  change;

    ngx_memzero(&change, sizeof(wag_admin_change_t));

    change.state = WAG_ADMIN_REMOVING;
    change.state_set = 1;

    return wag_admin_change(us, name, &change, old);
}


/* what is being removed is no longer there for others */

static wag_instance_t *
wag_admin_find(wag_upstream_t *us, ngx_str_t *name)
{
    ngx_uint_t       slot;
    wag_instance_t  *instance;

    slot = wag_slots_find(us->group, name);

    if (slot == WAG_NO_SLOT) {
        return NULL;
    }

    instance = wag_slots_get(us->group, slot);

    if (instance->admin.state == WAG_ADMIN_REMOVING
        || instance->admin.state == WAG_ADMIN_REMOVED
        || (!instance->added
            && instance->config_gen < us->zone->root->config_gen))
    {
        return NULL;
    }

    return instance;
}


void
wag_admin_undo(wag_upstream_t *us, ngx_str_t *name, wag_admin_t *old)
{
    ngx_uint_t       slot;
    wag_instance_t  *instance;

    wag_lock(us->zone->shpool);

    slot = wag_slots_find(us->group, name);

    if (slot != WAG_NO_SLOT) {
        instance = wag_slots_get(us->group, slot);

        instance->admin.state = old->state;
        instance->admin.weight = old->weight;
        instance->admin.max_conns = old->max_conns;
        instance->admin.told = old->told;

        wag_admin_moved(us, instance);
        wag_admin_members(us);
    }

    wag_unlock(us->zone->shpool);
}


/* the lock is held: who sees the version move finds the rest */

static void
wag_admin_moved(wag_upstream_t *us, wag_instance_t *instance)
{
    ngx_memory_barrier();

    (void) ngx_atomic_fetch_add(&instance->admin.version, 1);
    (void) ngx_atomic_fetch_add(&us->group->state_epoch, 1);
}


static void
wag_admin_members(wag_upstream_t *us)
{
    (void) ngx_atomic_fetch_add(&us->group->members, 1);
    (void) ngx_atomic_fetch_add(&us->group->state_epoch, 1);
}


static ngx_uint_t
wag_admin_waits(wag_admin_t *admin)
{
    return admin->state == WAG_ADMIN_REMOVING
           || (admin->state == WAG_ADMIN_DRAIN && !admin->told);
}


void
wag_admin_finish(wag_upstream_t *us, ngx_uint_t slot)
{
    ngx_str_t        name;
    ngx_uint_t       done;
    wag_event_t      event;
    wag_instance_t  *instance;

    instance = wag_slots_get(us->group, slot);

    if (!wag_used(instance) || !wag_admin_waits(&instance->admin)) {
        return;
    }

    done = 0;

    wag_lock(us->zone->shpool);

    if (wag_used(instance)
        && wag_admin_waits(&instance->admin)
        && !wag_in_flight_any(us->zone->root, us->group, slot))
    {
        name = instance->identity.name;
        done = 1;

        if (instance->admin.state == WAG_ADMIN_DRAIN) {
            wag_admin_event(&event, &name, "drained");
            event.to = WAG_DOWN;

            instance->admin.told = 1;

        } else {
            wag_admin_event(&event, &name, "removed");
            event.to = WAG_STATES;

            wag_admin_removed(us, instance, slot);
        }

        event.from = WAG_DRAINING;

        wag_event_record(us->group, &event);
    }

    wag_unlock(us->zone->shpool);

    if (done) {
        wag_admin_tell(&event);
    }
}


void
wag_admin_finish_name(wag_upstream_t *us, ngx_str_t *name)
{
    ngx_uint_t  slot;

    wag_lock(us->zone->shpool);

    slot = wag_slots_find(us->group, name);

    wag_unlock(us->zone->shpool);

    if (slot != WAG_NO_SLOT) {
        wag_admin_finish(us, slot);
    }
}


/*
 * The slot of one that is configured stays, so that a reload does not bring
 * the instance back.
 */

static void
wag_admin_removed(wag_upstream_t *us, wag_instance_t *instance,
    ngx_uint_t slot)
{
    wag_sessions_free_slot(us->group, slot);

    if (instance->added) {
        wag_slots_free(instance);

    } else {
        instance->admin.state = WAG_ADMIN_REMOVED;
        instance->listed = 0;

        wag_admin_moved(us, instance);
    }

    wag_admin_members(us);
}


static void
wag_admin_event(wag_event_t *event, ngx_str_t *name, const char *reason)
{
    event->time = wag_time();

    event->name_len = ngx_min(name->len, WAG_NAME_LEN);
    ngx_memcpy(event->name, name->data, event->name_len);

    event->reason_len = ngx_strlen(reason);
    ngx_memcpy(event->reason, reason, event->reason_len);
}


static void
wag_admin_tell(wag_event_t *event)
{
    ngx_str_t  name, reason;

    name.len = event->name_len;
    name.data = event->name;

    reason.len = event->reason_len;
    reason.data = event->reason;

    ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0, "wa_gateway: %V is %V",
                  &name, &reason);
}
