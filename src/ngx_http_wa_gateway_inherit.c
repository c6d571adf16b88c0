
/*
 * Copyright (C) the wa_gateway authors
 */


#include "ngx_http_wa_gateway_module.h"
#include "ngx_http_wa_gateway_inherit.h"
#include "ngx_http_wa_gateway_lock.h"
#include "ngx_http_wa_gateway_table.h"


static void ngx_http_wa_gateway_inherit_group(
    ngx_http_wa_gateway_group_t *group, ngx_http_wa_gateway_group_t *old);
static void ngx_http_wa_gateway_inherit_instance(
    ngx_http_wa_gateway_instance_t *instance,
    ngx_http_wa_gateway_group_t *old);
static ngx_http_wa_gateway_zone_t *ngx_http_wa_gateway_inherit_next(
    ngx_http_wa_gateway_zone_t *zone, ngx_uint_t *n);


void
ngx_http_wa_gateway_inherit_root(ngx_http_wa_gateway_zone_t *zone)
{
    ngx_uint_t                   n;
    ngx_http_wa_gateway_zone_t  *old;

    n = 0;

    while ((old = ngx_http_wa_gateway_inherit_next(zone, &n))) {

        if (old->root->generation > zone->root->generation) {
            zone->root->started = old->root->started;
            zone->root->origin = old->root->origin;
            zone->root->generation = old->root->generation;
        }
    }
}


void
ngx_http_wa_gateway_inherit_upstream(ngx_http_wa_gateway_zone_t *zone,
    ngx_http_wa_gateway_upstream_t *us)
{
    ngx_uint_t                    i, n;
    ngx_http_wa_gateway_zone_t   *old;
    ngx_http_wa_gateway_group_t  *group;

    if (us->group->used) {
        return;
    }

    n = 0;

    while ((old = ngx_http_wa_gateway_inherit_next(zone, &n))) {

        group = ngx_http_wa_gateway_table_find(old->root, &us->uscf->host);

        if (group) {
            ngx_http_wa_gateway_lock(old->shpool);

            ngx_http_wa_gateway_inherit_group(us->group, group);

            for (i = 0; i < us->npeers; i++) {
                ngx_http_wa_gateway_inherit_instance(us->peers[i].instance,
                                                     group);
            }

            ngx_http_wa_gateway_unlock(old->shpool);

            return;
        }
    }
}


static void
ngx_http_wa_gateway_inherit_group(ngx_http_wa_gateway_group_t *group,
    ngx_http_wa_gateway_group_t *old)
{
    ngx_uint_t  tier;

    for (tier = 0; tier < NGX_HTTP_WA_GATEWAY_TIERS; tier++) {
        group->cursor[tier] = old->cursor[tier];
    }

    group->generation = old->generation + 1;
    group->failovers = old->failovers;
    group->ambiguous = old->ambiguous;
    group->no_instance = old->no_instance;
    group->nevents = old->nevents;

    ngx_memcpy(group->events, old->events, sizeof(group->events));
}


static void
ngx_http_wa_gateway_inherit_instance(ngx_http_wa_gateway_instance_t *instance,
    ngx_http_wa_gateway_group_t *old)
{
    ngx_queue_t      queue;
    ngx_str_node_t   node, *found;

    found = ngx_str_rbtree_lookup(&old->rbtree, &instance->node.str,
                                  instance->node.node.key);
    if (found == NULL) {
        return;
    }

    queue = instance->queue;
    node = instance->node;

    *instance = *(ngx_http_wa_gateway_instance_t *) found;

    instance->queue = queue;
    instance->node = node;

    instance->generation = 0;
    instance->in_flight = 0;
    instance->checking = 0;
}


/* the zones of the module in the cycle before, but for one taken on */

static ngx_http_wa_gateway_zone_t *
ngx_http_wa_gateway_inherit_next(ngx_http_wa_gateway_zone_t *zone,
    ngx_uint_t *n)
{
    ngx_uint_t                   i;
    ngx_shm_zone_t              *shm_zone;
    ngx_list_part_t             *part;
    ngx_http_wa_gateway_zone_t  *old;

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
