
/*
 * The slots of an upstream, their addresses, and what a worker makes of them.
 */

#include "wag_addresses.h"
#include "wag_in_flight.h"
#include "wag_lock.h"
#include "wag_members.h"
#include "wag_peers.h"
#include "wag_slot_table.h"
#include "wag_table.h"
#include "wag_unit_zone.h"


static void wag_unit_slots_plain(wag_unit_zone_t *s);
static void wag_unit_slots_grown(wag_unit_zone_t *s);
static void wag_unit_slots_addresses(wag_unit_zone_t *s);
static void wag_unit_slots_at(wag_unit_zone_t *s, wag_addrs_t *list);
static void wag_unit_slots_named(wag_unit_zone_t *s);
static void wag_unit_slots_in_flight(wag_unit_zone_t *s);
static void wag_unit_slots_peers(wag_unit_zone_t *s);
static void wag_unit_slots_admin(wag_unit_zone_t *s);
static ngx_uint_t wag_unit_slots_turns(wag_unit_zone_t *s, ngx_uint_t slot);
static wag_addrs_t *wag_unit_slots_current(wag_unit_zone_t *s,
    wag_peer_t *peer);
static void wag_unit_slots_addrs(wag_unit_zone_t *s);


void
wag_unit_slots(wag_unit_t *u)
{
    wag_unit_zone_t  *s;

    s = wag_unit_zone(u);
    if (s == NULL) {
        return;
    }

    wag_unit_slots_plain(s);
    wag_unit_slots_grown(s);
    wag_unit_slots_addresses(s);
    wag_unit_slots_named(s);
    wag_unit_slots_in_flight(s);
    wag_unit_slots_peers(s);
}


static void
wag_unit_slots_plain(wag_unit_zone_t *s)
{
    char             name[400];
    ngx_str_t        text;
    wag_unit_t      *u;
    ngx_uint_t       i, slot, epoch, incarnation;
    wag_group_t     *group;
    wag_newcomer_t   newcomer;

    u = s->u;
    group = s->us.group;

    for (i = 0; i < 3 && s->us.servers[i].slot == i; i++) { /* void */ }

    wag_unit_ok(u, i == 3, "new instances have slots in their order");

    wag_unit_ok(u, group->nslots >= 3
                && group->nslots == wag_slots_fit(wag_slots_size(3)),
                "as many slots as the pages hold");

    wag_unit_ok(u, wag_slots_find(group, &s->us.servers[2].name) == 2,
                "a slot is found by name");

    wag_unit_zone_newcomer(&newcomer, wag_unit_guest);

    wag_unit_ok(u, wag_slots_find(group, &newcomer.name) == WAG_NO_SLOT,
                "and none by a name that is not there");

    wag_lock(s->zone.shpool);

    if (group->nslots == 3) {
        wag_unit_ok(u, wag_slots_grow(s->zone.shpool, group, 1) == NGX_OK,
                    "the pages may hold no more than these");
    }

    wag_unit_ok(u, wag_table_put(s->zone.root, group, &newcomer)
                   == WAG_NO_SLOT,
                "a free slot without room for the strings is not used");

    wag_unit_zone_room(s);

    epoch = group->state_epoch;
    slot = wag_table_put(s->zone.root, group, &newcomer);

    wag_unit_ok(u, slot == 3 && wag_slots_find(group, &newcomer.name) == 3,
                "with room it is");
    wag_unit_ok(u, wag_unit_zone_whole(wag_slots_get(group, 3),
                                        wag_unit_guest),
                "and has all of the newcomer");
    wag_unit_ok(u, group->state_epoch != epoch, "and the workers are told");

    incarnation = wag_slots_get(group, 3)->incarnation;

    wag_slots_free(wag_slots_get(group, 3));

    wag_unit_ok(u, wag_slots_find(group, &newcomer.name) == WAG_NO_SLOT,
                "a slot that was freed has no name");

    slot = wag_table_put(s->zone.root, group, &newcomer);

    wag_unit_ok(u, slot == 3
                && wag_slots_get(group, 3)->incarnation == incarnation + 2,
                "the same instance in the same slot is another incarnation");

    wag_slots_free(wag_slots_get(group, 3));

    ngx_memset(name, 'n', sizeof(name));

    newcomer.name.data = (u_char *) name;
    newcomer.name.len = 65;

    wag_unit_ok(u, wag_table_put(s->zone.root, group, &newcomer)
                   == WAG_NO_SLOT,
                "a name that is too long is refused");

    text = s->us.servers[0].name;

    wag_unit_ok(u, wag_slots_room(s->zone.shpool, wag_slots_get(group, 0),
                                  200, 100) == NGX_OK
                && wag_slots_find(group, &text) == 0
                && wag_addresses_get(&wag_slots_get(group, 0)->identity
                                      .addresses)[0] == 2,
                "more room keeps the name and the addresses");

    wag_unlock(s->zone.shpool);
}


static void
wag_unit_slots_grown(wag_unit_zone_t *s)
{
    ngx_uint_t       n, free;
    wag_unit_t      *u;
    wag_group_t     *group;
    wag_instance_t  *first;

    u = s->u;
    group = s->us.group;

    wag_lock(s->zone.shpool);

    wag_slots_shrink(s->zone.shpool, group, 0);

    n = group->nslots;
    free = s->zone.shpool->pfree;
    first = wag_slots_get(group, 0);

    wag_unit_ok(u, wag_slots_grow(s->zone.shpool, group, 10) == NGX_OK
                && group->nslots >= n + 10
                && wag_slots_get(group, 0) == first
                && !wag_used(wag_slots_get(group, group->nslots - 1)),
                "slots are added, those that are there stay where they are");

    wag_slots_shrink(s->zone.shpool, group, n + 1);

    wag_unit_ok(u, group->nslots >= n + 10, "what workers know is kept");

    wag_slots_shrink(s->zone.shpool, group, 0);

    wag_unit_ok(u, group->nslots == n && s->zone.shpool->pfree == free
                && wag_slots_find(group, &s->us.servers[2].name) == 2,
                "else given back, but for slots in use");

    wag_unit_ok(u, wag_slots_grow(s->zone.shpool, group, 1000) == NGX_ERROR
                && group->nslots == n,
                "a zone that is full says so, and stays as it was");

    wag_unlock(s->zone.shpool);
}


static void
wag_unit_slots_addresses(wag_unit_zone_t *s)
{
    ngx_addr_t        addrs[2];
    wag_unit_t       *u;
    wag_addrs_t      *list;
    wag_addresses_t  *addresses;

    u = s->u;
    addresses = &wag_slots_get(s->us.group, 1)->identity.addresses;

    wag_unit_ok(u, addresses->version == 1, "first addresses: version 1");

    wag_unit_ok(u, wag_addresses_set(addresses, wag_unit_first, 2) == NGX_DONE
                && addresses->version == 1,
                "the same ones change nothing");

    addrs[0] = wag_unit_first[1];
    addrs[1] = wag_unit_first[0];

    wag_unit_ok(u, wag_addresses_set(addresses, addrs, 2) == NGX_DONE,
                "nor do the same in another order");

    addrs[0] = wag_unit_first[0];
    addrs[1] = wag_unit_first[0];

    wag_unit_ok(u, wag_addresses_set(addresses, addrs, 2) == NGX_OK
                && addresses->version == 2,
                "one less is another version, though there are two still");

    wag_unit_ok(u, wag_addresses_set(addresses, wag_unit_second, 2) == NGX_OK
                && addresses->version == 3,
                "another sockaddr, too");

    wag_unit_ok(u, wag_addresses_set(addresses, wag_unit_many, 3)
                   == NGX_DECLINED
                && addresses->version == 3,
                "more than there is room for are refused");

    list = wag_addresses_list(wag_addresses_get(addresses), u->log);

    if (!wag_unit_ok(u, list && list->naddrs == 2 && list->refs == 1,
                     "a list has as many"))
    {
        return;
    }

    wag_unit_ok(u, ngx_cmp_sockaddr(list->addrs[0].sockaddr,
                                    list->addrs[0].socklen,
                                    wag_unit_second[0].sockaddr,
                                    wag_unit_second[0].socklen, 1) == NGX_OK
                && list->addrs[1].name.len == sizeof("[::1]:3001") - 1
                && ngx_memcmp(list->addrs[1].name.data, "[::1]:3001",
                              sizeof("[::1]:3001") - 1) == 0,
                "the same ones, with their texts");

    wag_unit_slots_at(s, list);

    ngx_free(list);

    wag_unit_ok(u, wag_addresses_fit(addresses, wag_unit_many, 3) == 2
                && wag_addresses_fit(addresses, wag_unit_many, 2) == 2
                && wag_addresses_fit(addresses, wag_unit_many, 0) == 0,
                "as many as there is room for");

    wag_unit_ok(u, wag_addresses_set(addresses, wag_unit_first, 2) == NGX_OK,
                "and back");

    wag_unit_ok(u, wag_addresses_room(wag_unit_first, 2)
                   == wag_addresses_size(wag_unit_first, 2)
                && wag_addresses_room(NULL, 0) == WAG_ADDRESSES_ROOM,
                "there is room for what will be looked up");
}


static void
wag_unit_slots_at(wag_unit_zone_t *s, wag_addrs_t *list)
{
    wag_addrs_t  *other;

    list->version = 7;
    other = wag_addresses_at(list, 81, s->u->log);

    wag_unit_ok(s->u, other && other->naddrs == 2 && other->version == 7
                && ngx_inet_get_port(other->addrs[0].sockaddr) == 81
                && other->addrs[1].name.len == sizeof("[::1]:81") - 1
                && ngx_memcmp(other->addrs[1].name.data, "[::1]:81",
                              sizeof("[::1]:81") - 1) == 0
                && ngx_inet_get_port(list->addrs[1].sockaddr) == 3001,
                "a list of the same ones at another port");

    if (other) {
        ngx_free(other);
    }
}


static void
wag_unit_slots_named(wag_unit_zone_t *s)
{
    ngx_uint_t        slot;
    wag_unit_t       *u;
    wag_newcomer_t    newcomer;
    wag_instance_t   *instance;
    wag_addresses_t  *addresses;

    u = s->u;

    wag_unit_zone_newcomer(&newcomer, wag_unit_guest);

    newcomer.naddrs = 0;
    newcomer.named = 1;
    newcomer.health.state = WAG_UP;

    wag_lock(s->zone.shpool);

    wag_unit_zone_room(s);

    slot = wag_table_put(s->zone.root, s->us.group, &newcomer);
    instance = wag_slots_get(s->us.group, slot);
    addresses = &instance->identity.addresses;

    wag_unit_ok(u, instance->named == WAG_NAMED
                && wag_addresses_get(addresses)[0] == 0,
                "one whose name is to be looked up has no address");
    wag_unit_ok(u, instance->state == WAG_CHECKING
                && instance->health.state == WAG_CHECKING,
                "and is not up");
    wag_unit_ok(u, wag_addresses_set(addresses, wag_unit_first, 2) == NGX_OK
                && wag_addresses_get(addresses)[0] == 2, "until it has some");

    wag_slots_free(instance);

    wag_unlock(s->zone.shpool);
}


static void
wag_unit_slots_in_flight(wag_unit_zone_t *s)
{
    ngx_uint_t        slot;
    wag_peer_t        peer;
    wag_unit_t       *u;
    wag_root_t       *root;
    wag_newcomer_t    newcomer;
    wag_in_flight_t  *table;

    u = s->u;
    root = s->zone.root;

    wag_unit_zone_newcomer(&newcomer, wag_unit_guest);
    ngx_memzero(&peer, sizeof(wag_peer_t));

    wag_lock(s->zone.shpool);

    if (!wag_unit_ok(u, wag_slots_grow(s->zone.shpool, s->us.group, 2)
                        == NGX_OK
                     && wag_in_flight_open(&s->zone) == NGX_OK,
                     "an in-flight table"))
    {
        wag_unlock(s->zone.shpool);
        return;
    }

    wag_unit_zone_room(s);

    table = s->zone.in_flight;

    wag_unit_ok(u, table->nslots == s->us.group->nslots
                && wag_in_flight_slots(root, s->us.group) == table->nslots,
                "it has a count for each slot");

    slot = wag_table_put(root, s->us.group, &newcomer);

    peer.instance = wag_slots_get(s->us.group, slot);
    peer.incarnation = peer.instance->incarnation;
    peer.held = &table->counts[slot];

    wag_unit_ok(u, wag_in_flight_hold(&peer) == NGX_OK
                && peer.instance->in_flight == 1
                && wag_in_flight_any(root, s->us.group, slot),
                "a slot is held");

    wag_slots_free(peer.instance);

    wag_unit_ok(u, wag_table_put(root, s->us.group, &newcomer) != slot,
                "freed meanwhile it is not used again");

    wag_slots_free(wag_slots_get(s->us.group,
                                 wag_slots_find(s->us.group,
                                                &newcomer.name)));

    wag_unit_ok(u, wag_in_flight_hold(&peer) == NGX_BUSY
                && wag_in_flight_count(table->counts[slot]) == 1,
                "nor held a second time");

    wag_in_flight_release(&peer);

    wag_unit_ok(u, wag_table_put(root, s->us.group, &newcomer) == slot
                && peer.instance->in_flight == 0,
                "let go it is");

    wag_unit_ok(u, wag_in_flight_hold(&peer) == NGX_BUSY
                && peer.instance->in_flight == 0
                && wag_in_flight_count(table->counts[slot]) == 0,
                "but not for those who knew the one before");

    peer.incarnation = peer.instance->incarnation;
    peer.max_conns = 1;

    wag_unit_ok(u, wag_in_flight_hold(&peer) == NGX_OK
                && wag_in_flight_hold(&peer) == NGX_BUSY,
                "max_conns");

    wag_in_flight_release(&peer);
    wag_slots_free(peer.instance);

    wag_unlock(s->zone.shpool);
}


static void
wag_unit_slots_peers(wag_unit_zone_t *s)
{
    ngx_uint_t   i;
    ngx_conf_t   cf;
    wag_unit_t  *u;

    u = s->u;

    ngx_memzero(&cf, sizeof(ngx_conf_t));
    cf.pool = u->pool;

    for (i = 0; i < s->us.nservers; i++) {
        s->us.servers[i].weight = 2;
        s->us.servers[i].max_conns = 5;
    }

    /* the slots of these servers in another order */

    s->us.servers[0].slot = 2;
    s->us.servers[2].slot = 0;

    if (!wag_unit_ok(u, wag_peers_create(&s->zone, &s->us) == NGX_OK
                     && wag_slot_table_create(&cf, &s->us) == NGX_OK,
                     "peers and a slot table"))
    {
        return;
    }

    wag_unit_ok(u, s->us.peers[0] == &s->us.slots[2]
                && s->us.peers[0]->slot == 2
                && s->us.peers[0]->instance == wag_slots_get(s->us.group, 2),
                "peers are in the order of servers, and by slot");

    /* as at the start: the slot table reads those that changed since */

    s->us.slots[1].addrs->version =
                   wag_slots_get(s->us.group, 1)->identity.addresses.version;

    wag_unit_slots_admin(s);
    wag_unit_slots_addrs(s);

    s->us.servers[0].slot = 0;
    s->us.servers[2].slot = 2;
}


static void
wag_unit_slots_admin(wag_unit_zone_t *s)
{
    wag_unit_t   *u;
    wag_admin_t  *admin;

    u = s->u;
    admin = &wag_slots_get(s->us.group, 1)->admin;

    wag_unit_ok(u, wag_unit_slots_turns(s, 1) == 1
                && s->us.slots[1].max_conns == 5,
                "weight and max_conns as configured");

    admin->weight = 6;
    admin->max_conns = 0;

    wag_unit_ok(u, wag_unit_slots_turns(s, 1) == 3
                && wag_unit_slots_turns(s, 0) == 1
                && s->us.slots[1].max_conns == 0
                && s->us.slots[0].max_conns == 5,
                "what was set at run time goes before");

    admin->state = WAG_ADMIN_DRAIN;

    wag_unit_ok(u, wag_unit_slots_turns(s, 1) == 0, "a drained one is out");

    s->us.servers[1].down = 1;

    admin->state = WAG_ADMIN_UP;

    wag_unit_ok(u, wag_unit_slots_turns(s, 1) == 3,
                "one that is down in the configuration may be set up");

    admin->state = WAG_ADMIN_CONFIGURED;
    admin->weight = WAG_CONFIGURED;
    admin->max_conns = WAG_CONFIGURED;

    wag_unit_ok(u, wag_unit_slots_turns(s, 1) == 0, "and is down otherwise");

    s->us.servers[1].down = 0;

    wag_unit_ok(u, wag_unit_slots_turns(s, 1) == 1
                && s->us.slots[1].max_conns == 5, "as configured again");
}


/* how many turns of a round a slot has once the workers are told */

static ngx_uint_t
wag_unit_slots_turns(wag_unit_zone_t *s, ngx_uint_t slot)
{
    ngx_uint_t         i, n;
    wag_slot_table_t  *table;

    wag_slots_get(s->us.group, 1)->admin.version++;
    s->us.group->state_epoch++;

    wag_slot_table_refresh(&s->us);

    table = &s->us.slot_tables[WAG_PRIMARY];

    for (i = 0, n = 0; i < table->nturns; i++) {
        n += (table->turns[i] == slot);
    }

    return n;
}


/* as a request takes them */

static wag_addrs_t *
wag_unit_slots_current(wag_unit_zone_t *s, wag_peer_t *peer)
{
    wag_peers_refresh_addrs(&s->us, peer);

    return wag_addrs_ref(peer->addrs);
}


static void
wag_unit_slots_addrs(wag_unit_zone_t *s)
{
    wag_peer_t   *peer;
    wag_unit_t   *u;
    wag_addrs_t  *first, *second, *third;

    u = s->u;
    peer = &s->us.slots[1];

    peer->address = 1;

    first = wag_unit_slots_current(s, peer);

    wag_unit_ok(u, first->addrs == s->us.servers[1].addrs && first->refs == 0,
                "addresses of the configuration, which has them for ever");

    wag_unit_zone_renumber(s);

    second = wag_unit_slots_current(s, peer);

    wag_unit_ok(u, second != first && second->refs == 2 && peer->address == 0
                && ngx_cmp_sockaddr(second->addrs[0].sockaddr,
                                    second->addrs[0].socklen,
                                    wag_unit_second[0].sockaddr,
                                    wag_unit_second[0].socklen, 1) == NGX_OK,
                "another process has found others");

    wag_unit_zone_renumber(s);

    third = wag_unit_slots_current(s, peer);

    wag_unit_ok(u, third != second && second->refs == 1
                && second->addrs[1].name.len == sizeof("[::1]:3001") - 1,
                "those that a request has stay until it is done");

    wag_addrs_unref(second);
    wag_addrs_unref(third);

    wag_unit_ok(u, wag_unit_slots_current(s, peer) == third
                && third->refs == 2,
                "the same as long as nothing moves");
}


/* nobody is added here: the room itself knows checks and vendors */

void
wag_members_take(wag_upstream_t *us)
{
    us->members = us->group->members;
}
