
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_conf.h"
#include "wag_inherit.h"
#include "wag_lock.h"
#include "wag_table.h"


static void wag_inherit_group(wag_group_t *group, wag_group_t *old);
static void wag_inherit_instance(wag_instance_t *instance, wag_group_t *old);
static wag_zone_t *wag_inherit_next(wag_zone_t *zone, ngx_uint_t *n);


void
wag_inherit_root(wag_zone_t *zone)
{
    ngx_uint_t   n;
    wag_zone_t  *old;

    n = 0;

    while ((old = wag_inherit_next(zone, &n))) {

        if (old->root->config_gen > zone->root->config_gen) {
            zone->root->started = old->root->started;
            zone->root->origin = old->root->origin;
            zone->root->config_gen = old->root->config_gen;
        }
    }
}


void
wag_inherit_upstream(wag_zone_t *zone, wag_upstream_t *us)
{
    ngx_uint_t    i, n;
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

            for (i = 0; i < us->nservers; i++) {
                wag_inherit_instance(us->servers[i].instance, group);
            }

            wag_unlock(old->shpool);

            return;
        }
    }
}


static void
wag_inherit_group(wag_group_t *group, wag_group_t *old)
{
    ngx_uint_t  tier;

    for (tier = 0; tier < WAG_TIERS; tier++) {
        group->cursor[tier] = old->cursor[tier];
    }

    group->state_epoch = old->state_epoch + 1;
    group->failovers = old->failovers;
    group->ambiguous = old->ambiguous;
    group->no_instance = old->no_instance;
    group->nevents = old->nevents;

    ngx_memcpy(group->events, old->events, sizeof(group->events));
}


static void
wag_inherit_instance(wag_instance_t *instance, wag_group_t *old)
{
    ngx_queue_t     queue;
    ngx_str_node_t  node, *found;

    found = ngx_str_rbtree_lookup(&old->rbtree, &instance->node.str,
                                  instance->node.node.key);
    if (found == NULL) {
        return;
    }

    queue = instance->queue;
    node = instance->node;

    *instance = *(wag_instance_t *) found;

    instance->queue = queue;
    instance->node = node;

    instance->config_gen = 0;
    instance->in_flight = 0;
    instance->checks.pid = 0;
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
