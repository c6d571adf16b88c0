
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_addresses.h"
#include "wag_conf.h"
#include "wag_inherit.h"
#include "wag_lock.h"
#include "wag_peers.h"
#include "wag_sessions.h"
#include "wag_slots.h"
#include "wag_table.h"


static void wag_inherit_group(wag_group_t *group, wag_group_t *old);
static void wag_inherit_instances(wag_upstream_t *us, wag_group_t *old);
static void wag_inherit_added(wag_upstream_t *us, wag_group_t *old);
static void wag_inherit_instance(wag_instance_t *instance,
    wag_instance_t *old);
static void wag_inherit_addresses(wag_instance_t *instance,
    wag_instance_t *old, ngx_log_t *log);
static void wag_inherit_sessions(wag_group_t *group, ngx_uint_t slot,
    wag_group_t *old, ngx_uint_t from);
static wag_zone_t *wag_inherit_next(wag_zone_t *zone, ngx_uint_t *n);


void
wag_inherit_root(wag_zone_t *zone)
{
    ngx_uint_t   n;
    wag_zone_t  *old;

    n = 0;

    while ((old = wag_inherit_next(zone, &n))) {

        if (old->root->config_gen > zone->root->config_gen) {
            zone->root->id = old->root->id;
            zone->root->started = old->root->started;
            zone->root->origin = old->root->origin;
            zone->root->config_gen = old->root->config_gen;
        }
    }
}


void
wag_inherit_upstream(wag_zone_t *zone, wag_upstream_t *us)
{
    ngx_uint_t    n;
    wag_zone_t   *old;
    wag_group_t  *group;

    if (us->group->config_gen) {
        return;
    }

    n = 0;

    while ((old = wag_inherit_next(zone, &n))) {

        group = wag_table_find(old->root, &us->uscf->host);

        if (group) {
            wag_lock(old->shpool);

            wag_inherit_group(us->group, group);

            wag_inherit_instances(us, group);
            wag_inherit_added(us, group);

            wag_unlock(old->shpool);

            /* which is newer than what a file has */

            us->kept = NULL;

            return;
        }
    }
}


static void
wag_inherit_group(wag_group_t *group, wag_group_t *old)
{
    ngx_uint_t  i, tier;

    for (tier = 0; tier < WAG_TIERS; tier++) {
        group->cursor[tier] = old->cursor[tier];
    }

    group->state_epoch = old->state_epoch + 1;
    group->failovers = old->failovers;
    group->ambiguous = old->ambiguous;
    group->no_instance = old->no_instance;
    group->held = old->held;

    for (i = 0; i < WAG_PACED_REASONS; i++) {
        group->paced[i] = old->paced[i];
    }

    group->nevents = old->nevents;

    ngx_memcpy(group->events, old->events, sizeof(group->events));

    if (group->sessions.events && old->sessions.events) {
        *group->sessions.events = *old->sessions.events;
    }
}


/* no memory for the index: then nothing is taken over, as from no zone */

static void
wag_inherit_instances(wag_upstream_t *us, wag_group_t *old)
{
    ngx_uint_t          i, slot;
    wag_server_t       *server;
    wag_slots_index_t   index;

    if (wag_slots_index(&index, old, us->zone->shm_zone->shm.log) != NGX_OK) {
        return;
    }

    for (i = 0; i < us->nservers; i++) {
        server = &us->servers[i];

        slot = wag_slots_lookup(&index, &server->name);

        if (slot != WAG_NO_SLOT) {
            wag_inherit_instance(wag_slots_get(us->group, server->slot),
                                 wag_slots_get(old, slot));

            if (server->naddrs == 0) {
                wag_inherit_addresses(wag_slots_get(us->group, server->slot),
                                      wag_slots_get(old, slot),
                                      us->zone->shm_zone->shm.log);
            }

            wag_inherit_sessions(us->group, server->slot, old, slot);
        }
    }

    wag_slots_index_destroy(&index);
}


/* those that were added at run time, as many as there is room for */

static void
wag_inherit_added(wag_upstream_t *us, wag_group_t *old)
{
    u_char          *set;
    ngx_uint_t       i, slot;
    wag_addrs_t     *addrs;
    wag_instance_t  *instance;
    wag_newcomer_t   newcomer;

    for (i = 0; i < old->nslots; i++) {
        instance = wag_slots_get(old, i);

        if (!wag_used(instance)
            || !instance->added
            || wag_table_added(us->group) >= us->capacity
            || wag_slots_find(us->group, &instance->identity.name)
               != WAG_NO_SLOT)
        {
            continue;
        }

        set = wag_addresses_get(&instance->identity.addresses);

        addrs = wag_addresses_list(set, us->zone->shm_zone->shm.log);
        if (addrs == NULL) {
            return;
        }

        wag_slots_newcomer(&newcomer);

        newcomer.name = instance->identity.name;
        newcomer.key.len = instance->identity.key_len;
        newcomer.key.data = instance->identity.key;
        newcomer.addrs = addrs->addrs;
        newcomer.naddrs = addrs->naddrs;
        newcomer.named = (instance->named != 0);
        newcomer.health = instance->health;
        newcomer.vendor = instance->vendor;
        newcomer.admin = instance->admin;
        newcomer.added = 1;
        newcomer.config_gen = us->zone->root->config_gen;

        slot = wag_table_put(us->zone->root, us->group, &newcomer);

        wag_addrs_unref(addrs);

        if (slot == WAG_NO_SLOT) {
            return;
        }

        wag_inherit_instance(wag_slots_get(us->group, slot), instance);
        wag_inherit_sessions(us->group, slot, old, i);
    }
}


/* but for what it is, which is there, and what is in flight */

static void
wag_inherit_instance(wag_instance_t *instance, wag_instance_t *old)
{
    instance->state = old->state;
    instance->counters = old->counters;
    instance->admin = old->admin;

    /* on its way out and configured now: it stays, see wag_zone_commit() */

    if (!instance->added && old->added
        && old->admin.state == WAG_ADMIN_REMOVING)
    {
        instance->admin.state = WAG_ADMIN_CONFIGURED;
        instance->admin.version++;
    }

    instance->health = old->health;
    instance->since = old->since;
    instance->moved = old->moved;
    instance->reason_len = old->reason_len;

    ngx_memcpy(instance->reason, old->reason, WAG_REASON_LEN);

    instance->checks = old->checks;
    instance->checks.pid = 0;

    instance->vendor = old->vendor;
    instance->asked = old->asked;
    instance->list = old->list;
    instance->listed = old->listed;
}


/*
 * What was looked up, as much as there is room for.  An instance that has
 * none is in a state that needs none.
 */

static void
wag_inherit_addresses(wag_instance_t *instance, wag_instance_t *old,
    ngx_log_t *log)
{
    ngx_uint_t        n;
    wag_addrs_t      *addrs;
    wag_addresses_t  *addresses;

    addresses = &instance->identity.addresses;
    addrs = wag_addresses_list(wag_addresses_get(&old->identity.addresses),
                               log);
    n = 0;

    if (addrs) {
        n = wag_addresses_fit(addresses, addrs->addrs, addrs->naddrs);

        (void) wag_addresses_set(addresses, addrs->addrs, n);

        wag_addrs_unref(addrs);
    }

    if (n == 0 && wag_available(instance)) {
        instance->health.state = WAG_CHECKING;
        instance->state = WAG_CHECKING;
    }
}


/* as many as there is room for */

static void
wag_inherit_sessions(wag_group_t *group, ngx_uint_t slot, wag_group_t *old,
    ngx_uint_t from)
{
    wag_session_t  *session;

    session = NULL;

    while ((session = wag_sessions_of_slot(old, from, session))) {
        if (wag_sessions_copy(group, slot, session) == NULL) {
            return;
        }
    }
}


/* the zones of the module in the cycle before, but for one taken on */

static wag_zone_t *
wag_inherit_next(wag_zone_t *zone, ngx_uint_t *n)
{
    ngx_uint_t        i;
    wag_zone_t       *old;
    ngx_shm_zone_t   *shm_zone;
    ngx_list_part_t  *part;

    part = &zone->cycle->old_cycle->shared_memory.part;

    for (i = *n; part; part = part->next) {

        if (i >= part->nelts) {
            i -= part->nelts;
            continue;
        }

        shm_zone = part->elts;

        for ( /* void */ ; i < part->nelts; i++) {

            (*n)++;

            if (shm_zone[i].tag != &ngx_http_wa_gateway_module) {
                continue;
            }

            old = shm_zone[i].data;

            if (old && old->root && old->root != zone->root) {
                return old;
            }
        }

        i = 0;
    }

    return NULL;
}
