
/*
 * The slots of an upstream, in shared memory as a worker has it.  Processes
 * that use and free them are killed at each instruction of that in turn, or at
 * each few where there are many: what they leave must be whole.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "wag_addresses.h"
#include "wag_in_flight.h"
#include "wag_lock.h"
#include "wag_peers.h"
#include "wag_slot_table.h"
#include "wag_slots.h"
#include "wag_table.h"
#include "wag_unit.h"


#define WAG_UNIT_ZONE      (512 * 1024)
#define WAG_UNIT_TURNS     100000   /* of using and freeing a slot */
#define WAG_UNIT_STEPS     300000   /* of processes that are killed, or so */
#define WAG_UNIT_HOLDS     50000
#define WAG_UNIT_HELD      64       /* reads of a name that is held */

#define WAG_UNIT_NONE      ((ngx_uint_t) -1)


typedef struct {
    wag_unit_t          *u;
    wag_zone_t           zone;
    wag_upstream_t       us;
    ngx_http_upstream_srv_conf_t  uscf;
    ngx_shm_zone_t       shm_zone;
    ngx_uint_t           seen[2];      /* free, used: after a kill */
    ngx_uint_t           bad;
} wag_unit_slots_t;


typedef void (*wag_unit_slots_pt)(wag_unit_slots_t *s);


static ngx_int_t wag_unit_slots_zone(wag_unit_slots_t *s, wag_unit_t *u);
static ngx_int_t wag_unit_slots_upstream(wag_unit_slots_t *s, ngx_uint_t n);
static void wag_unit_slots_addr(wag_unit_slots_t *s, ngx_addr_t *addr,
    const char *text);
static void wag_unit_slots_newcomer(wag_newcomer_t *newcomer,
    const char *name);
static void wag_unit_slots_plain(wag_unit_slots_t *s);
static void wag_unit_slots_room(wag_unit_slots_t *s);
static void wag_unit_slots_grown(wag_unit_slots_t *s);
static void wag_unit_slots_addresses(wag_unit_slots_t *s);
static void wag_unit_slots_in_flight(wag_unit_slots_t *s);
static void wag_unit_slots_peers(wag_unit_slots_t *s);
static void wag_unit_slots_admin(wag_unit_slots_t *s);
static ngx_uint_t wag_unit_slots_turns(wag_unit_slots_t *s, ngx_uint_t slot);
static wag_addrs_t *wag_unit_slots_current(wag_unit_slots_t *s,
    wag_peer_t *peer);
static void wag_unit_slots_addrs(wag_unit_slots_t *s);
static void wag_unit_slots_turn(wag_unit_slots_t *s);
static void wag_unit_slots_renumber(wag_unit_slots_t *s);
static ngx_uint_t wag_unit_slots_killed(wag_unit_slots_t *s,
    wag_unit_slots_pt work, wag_unit_slots_pt look, ngx_uint_t before,
    ngx_uint_t steps);
static void wag_unit_slots_look(wag_unit_slots_t *s);
static void wag_unit_slots_look_addresses(wag_unit_slots_t *s);
static ngx_uint_t wag_unit_slots_whole(wag_unit_slots_t *s,
    wag_instance_t *instance, const char *name);
static void wag_unit_slots_kill(wag_unit_slots_t *s);
static void wag_unit_slots_each(wag_unit_slots_t *s, wag_unit_slots_pt work,
    wag_unit_slots_pt look, const char *name);
static ngx_uint_t wag_unit_slots_done(wag_unit_slots_t *s,
    wag_unit_slots_pt look);
static void wag_unit_slots_hold(wag_unit_slots_t *s);
static void wag_unit_slots_holder(wag_unit_slots_t *s, ngx_uint_t *results);


static ngx_addr_t  wag_unit_first[2];
static ngx_addr_t  wag_unit_second[2];
static ngx_addr_t  wag_unit_many[3];

static const char  wag_unit_guest[] = "http://guest:3000";
static const char  wag_unit_other[] = "http://other:3000";


void
wag_unit_slots(wag_unit_t *u)
{
    ngx_uint_t         level;
    wag_unit_slots_t  *s;

    s = ngx_pcalloc(u->pool, sizeof(wag_unit_slots_t));

    if (s == NULL
        || wag_unit_slots_zone(s, u) != NGX_OK
        || wag_unit_slots_upstream(s, 3) != NGX_OK)
    {
        wag_unit_ok(u, 0, "a zone of three instances");
        return;
    }

    /* each lock that is taken from the dead is a line of the log */

    level = ngx_cycle->log->log_level;
    ngx_cycle->log->log_level = NGX_LOG_ERR;

    wag_unit_slots_plain(s);
    wag_unit_slots_grown(s);
    wag_unit_slots_addresses(s);
    wag_unit_slots_in_flight(s);
    wag_unit_slots_peers(s);
    wag_unit_slots_kill(s);
    wag_unit_slots_hold(s);

    ngx_cycle->log->log_level = level;
}


static ngx_int_t
wag_unit_slots_zone(wag_unit_slots_t *s, wag_unit_t *u)
{
    wag_root_t       *root;
    ngx_slab_pool_t  *shpool;

    shpool = mmap(NULL, WAG_UNIT_ZONE, PROT_READ|PROT_WRITE,
                  MAP_ANON|MAP_SHARED, -1, 0);
    if (shpool == MAP_FAILED) {
        return NGX_ERROR;
    }

    shpool->end = (u_char *) shpool + WAG_UNIT_ZONE;
    shpool->min_shift = 3;
    shpool->addr = shpool;

    if (ngx_shmtx_create(&shpool->mutex, &shpool->lock, NULL) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_slab_init(shpool);
    shpool->log_nomem = 0;

    root = ngx_slab_calloc(shpool, sizeof(wag_root_t));
    if (root == NULL) {
        return NGX_ERROR;
    }

    ngx_queue_init(&root->groups);
    ngx_queue_init(&root->in_flight_tables);

    s->u = u;

    s->shm_zone.shm.log = u->log;

    s->zone.shm_zone = &s->shm_zone;
    s->zone.shpool = shpool;
    s->zone.root = root;
    s->zone.cycle = u->cycle;

    return ngx_array_init(&s->zone.upstreams, u->pool, 1,
                          sizeof(wag_upstream_t *));
}


static ngx_int_t
wag_unit_slots_upstream(wag_unit_slots_t *s, ngx_uint_t n)
{
    u_char            *name;
    ngx_int_t          rc;
    ngx_uint_t         i;
    wag_upstream_t   **usp;

    wag_unit_slots_addr(s, &wag_unit_first[0], "127.0.0.1:3001");
    wag_unit_slots_addr(s, &wag_unit_first[1], "[::1]:3001");
    wag_unit_slots_addr(s, &wag_unit_second[0], "127.0.0.2:3001");
    wag_unit_slots_addr(s, &wag_unit_second[1], "[::1]:3001");
    wag_unit_slots_addr(s, &wag_unit_many[0], "127.0.0.1:1");
    wag_unit_slots_addr(s, &wag_unit_many[1], "127.0.0.1:2");
    wag_unit_slots_addr(s, &wag_unit_many[2], "[::1]:3");

    usp = ngx_array_push(&s->zone.upstreams);
    if (usp == NULL) {
        return NGX_ERROR;
    }

    *usp = &s->us;

    ngx_str_set(&s->uscf.host, "whatsapp");

    s->us.uscf = &s->uscf;
    s->us.zone = &s->zone;
    s->us.nservers = n;

    s->us.servers = ngx_pcalloc(s->u->pool, n * sizeof(wag_server_t));
    if (s->us.servers == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {
        name = ngx_pnalloc(s->u->pool, 32);
        if (name == NULL) {
            return NGX_ERROR;
        }

        s->us.servers[i].name.data = name;
        s->us.servers[i].name.len = ngx_sprintf(name, "http://host-%ui:3001",
                                                i)
                                    - name;
        s->us.servers[i].addrs = wag_unit_first;
        s->us.servers[i].naddrs = 2;
    }

    wag_lock(s->zone.shpool);

    rc = wag_table_add(&s->zone, &s->us);

    wag_unlock(s->zone.shpool);

    return rc;
}


static void
wag_unit_slots_addr(wag_unit_slots_t *s, ngx_addr_t *addr, const char *text)
{
    ngx_url_t  url;

    ngx_memzero(&url, sizeof(ngx_url_t));

    url.url.data = (u_char *) text;
    url.url.len = ngx_strlen(text);
    url.no_resolve = 1;

    if (ngx_parse_url(s->u->pool, &url) == NGX_OK) {
        *addr = url.addrs[0];
    }
}


static void
wag_unit_slots_newcomer(wag_newcomer_t *newcomer, const char *name)
{
    ngx_memzero(newcomer, sizeof(wag_newcomer_t));

    newcomer->name.data = (u_char *) name;
    newcomer->name.len = ngx_strlen(name);
    newcomer->addrs = wag_unit_first;
    newcomer->naddrs = 2;
    newcomer->health.state = WAG_CHECKING;
    newcomer->health.passes = 7;
}


static void
wag_unit_slots_plain(wag_unit_slots_t *s)
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

    wag_unit_slots_newcomer(&newcomer, wag_unit_guest);

    wag_unit_ok(u, wag_slots_find(group, &newcomer.name) == WAG_NO_SLOT,
                "and none by a name that is not there");

    wag_lock(s->zone.shpool);

    wag_unit_ok(u, wag_table_put(s->zone.root, group, &newcomer)
                   == WAG_NO_SLOT,
                "a free slot without room for the strings is not used");

    wag_unit_slots_room(s);

    epoch = group->state_epoch;
    slot = wag_table_put(s->zone.root, group, &newcomer);

    wag_unit_ok(u, slot == 3 && wag_slots_find(group, &newcomer.name) == 3,
                "with room it is");
    wag_unit_ok(u, wag_unit_slots_whole(s, wag_slots_get(group, 3),
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


/* room in all that are free, as for instances to come */

static void
wag_unit_slots_room(wag_unit_slots_t *s)
{
    ngx_uint_t  i;

    for (i = s->us.nservers; i < s->us.group->nslots; i++) {
        (void) wag_slots_room(s->zone.shpool, wag_slots_get(s->us.group, i),
                              64, wag_addresses_size(wag_unit_first, 2));
    }
}


static void
wag_unit_slots_grown(wag_unit_slots_t *s)
{
    ngx_uint_t       n, free;
    wag_unit_t      *u;
    wag_group_t     *group;
    wag_instance_t  *first;

    u = s->u;
    group = s->us.group;

    n = group->nslots;
    free = s->zone.shpool->pfree;
    first = wag_slots_get(group, 0);

    wag_lock(s->zone.shpool);

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
wag_unit_slots_addresses(wag_unit_slots_t *s)
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

    wag_unit_ok(u, wag_addresses_set(addresses, addrs, 1) == NGX_OK
                && addresses->version == 2,
                "one less is another version");

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

    ngx_free(list);

    wag_unit_ok(u, wag_addresses_set(addresses, wag_unit_first, 2) == NGX_OK,
                "and back");
}


static void
wag_unit_slots_in_flight(wag_unit_slots_t *s)
{
    ngx_uint_t        slot;
    wag_peer_t        peer;
    wag_unit_t       *u;
    wag_root_t       *root;
    wag_newcomer_t    newcomer;
    wag_in_flight_t  *table;

    u = s->u;
    root = s->zone.root;

    wag_unit_slots_newcomer(&newcomer, wag_unit_guest);
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

    wag_unit_slots_room(s);

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
                && table->counts[slot] == 1,
                "nor held a second time");

    wag_in_flight_release(&peer);

    wag_unit_ok(u, wag_table_put(root, s->us.group, &newcomer) == slot
                && peer.instance->in_flight == 0,
                "let go it is");

    wag_unit_ok(u, wag_in_flight_hold(&peer) == NGX_BUSY
                && peer.instance->in_flight == 0 && table->counts[slot] == 0,
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
wag_unit_slots_peers(wag_unit_slots_t *s)
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

    wag_unit_slots_admin(s);
    wag_unit_slots_addrs(s);

    s->us.servers[0].slot = 0;
    s->us.servers[2].slot = 2;
}


static void
wag_unit_slots_admin(wag_unit_slots_t *s)
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
wag_unit_slots_turns(wag_unit_slots_t *s, ngx_uint_t slot)
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
wag_unit_slots_current(wag_unit_slots_t *s, wag_peer_t *peer)
{
    wag_peers_refresh_addrs(&s->us, peer);

    return wag_addrs_ref(peer->addrs);
}


static void
wag_unit_slots_addrs(wag_unit_slots_t *s)
{
    wag_peer_t   *peer;
    wag_unit_t   *u;
    wag_addrs_t  *first, *second, *third;

    u = s->u;
    peer = &s->us.slots[1];

    peer->addrs->version = peer->instance->identity.addresses.version;
    peer->address = 1;

    first = wag_unit_slots_current(s, peer);

    wag_unit_ok(u, first->addrs == s->us.servers[1].addrs && first->refs == 0,
                "addresses of the configuration, which has them for ever");

    wag_unit_slots_renumber(s);

    second = wag_unit_slots_current(s, peer);

    wag_unit_ok(u, second != first && second->refs == 2 && peer->address == 0
                && ngx_cmp_sockaddr(second->addrs[0].sockaddr,
                                    second->addrs[0].socklen,
                                    wag_unit_second[0].sockaddr,
                                    wag_unit_second[0].socklen, 1) == NGX_OK,
                "another process has found others");

    wag_unit_slots_renumber(s);

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


/* what a worker does that adds an instance, or removes it if it is there */

static void
wag_unit_slots_turn(wag_unit_slots_t *s)
{
    ngx_uint_t      slot;
    wag_newcomer_t  newcomer;

    wag_unit_slots_newcomer(&newcomer, wag_unit_guest);

    wag_lock(s->zone.shpool);

    slot = wag_slots_find(s->us.group, &newcomer.name);

    if (slot == WAG_NO_SLOT) {
        (void) wag_table_put(s->zone.root, s->us.group, &newcomer);

    } else {
        wag_slots_free(wag_slots_get(s->us.group, slot));
    }

    wag_unlock(s->zone.shpool);
}


/* and one that finds that the name of an instance has other addresses now */

static void
wag_unit_slots_renumber(wag_unit_slots_t *s)
{
    wag_addresses_t  *addresses;

    addresses = &wag_slots_get(s->us.group, 1)->identity.addresses;

    wag_lock(s->zone.shpool);

    if (wag_addresses_set(addresses, wag_unit_first, 2) == NGX_DONE) {
        (void) wag_addresses_set(addresses, wag_unit_second, 2);
    }

    wag_unlock(s->zone.shpool);
}


/*
 * A process does its work "before" times, and once more, of which it lives to
 * see "steps" instructions.  Returns how many there were, WAG_UNIT_NONE if
 * the system lets nobody count them.
 */

static ngx_uint_t
wag_unit_slots_killed(wag_unit_slots_t *s, wag_unit_slots_pt work,
    wag_unit_slots_pt look, ngx_uint_t before, ngx_uint_t steps)
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
wag_unit_slots_look(wag_unit_slots_t *s)
{
    ngx_str_t        name;
    ngx_uint_t       i, slot, used;
    wag_group_t     *group;

    group = s->us.group;

    name.data = (u_char *) wag_unit_guest;
    name.len = sizeof(wag_unit_guest) - 1;

    wag_lock(s->zone.shpool);

    slot = wag_slots_find(group, &name);

    for (i = 0, used = 0; i < group->nslots; i++) {
        used += wag_used(wag_slots_get(group, i));
    }

    s->seen[slot != WAG_NO_SLOT]++;

    if (used != s->us.nservers + (slot != WAG_NO_SLOT)
        || (slot != WAG_NO_SLOT
            && !wag_unit_slots_whole(s, wag_slots_get(group, slot),
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
wag_unit_slots_look_addresses(wag_unit_slots_t *s)
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


static ngx_uint_t
wag_unit_slots_whole(wag_unit_slots_t *s, wag_instance_t *instance,
    const char *name)
{
    wag_identity_t   *identity;
    wag_addresses_t   addresses;

    identity = &instance->identity;
    addresses = identity->addresses;
    addresses.room = 0;

    return identity->name.len == ngx_strlen(name)
           && ngx_memcmp(identity->name.data, name, identity->name.len) == 0
           && identity->hash == ngx_crc32_short((u_char *) name,
                                                ngx_strlen(name))
           && wag_addresses_set(&addresses, wag_unit_first, 2) == NGX_DONE
           && instance->state == WAG_CHECKING
           && instance->health.state == WAG_CHECKING
           && instance->health.passes == 7
           && instance->in_flight == 0
           && instance->counters.requests == 0
           && instance->checks.response_time == -1
           && instance->admin.weight == WAG_CONFIGURED;
}


static void
wag_unit_slots_kill(wag_unit_slots_t *s)
{
    wag_unit_slots_each(s, wag_unit_slots_turn, wag_unit_slots_look, "slots");
    wag_unit_slots_each(s, wag_unit_slots_renumber,
                        wag_unit_slots_look_addresses, "addresses");
}


/* both ways in turn: what one turn did the next one undoes */

static void
wag_unit_slots_each(wag_unit_slots_t *s, wag_unit_slots_pt work,
    wag_unit_slots_pt look, const char *name)
{
    char         title[128];
    ngx_uint_t   way, n, all, got, steps, stride, before;
    wag_unit_t  *u;

    u = s->u;
    n = 0;

    s->seen[0] = s->seen[1] = s->bad = 0;

    for (way = 0; way < 2; way++) {

        if (wag_unit_slots_done(s, look) == way) {
            work(s);
        }

        all = wag_unit_slots_killed(s, work, look, 0, WAG_UNIT_NONE - 1);

        if (all == WAG_UNIT_NONE) {
            wag_unit_ok(u, 0, "the system lets a process be traced");
            return;
        }

        stride = all * all / 2 / WAG_UNIT_STEPS + 1;
        before = WAG_UNIT_TURNS / 2 / (all / stride + 1) / 2 * 2 + 2;

        for (steps = 0; steps < all; steps += stride) {

            if (wag_unit_slots_done(s, look) == way) {
                work(s);
            }

            got = wag_unit_slots_killed(s, work, look, before, steps);

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
    wag_unit_ok(u, s->seen[0] > 100 && s->seen[1] > 100, title);

    (void) snprintf(title, sizeof(title), "%s: either, and whole", name);
    wag_unit_ok(u, s->bad == 0, title);
}


/* how it stands, which is looked at as after a kill */

static ngx_uint_t
wag_unit_slots_done(wag_unit_slots_t *s, wag_unit_slots_pt look)
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
wag_unit_slots_hold(wag_unit_slots_t *s)
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
        wag_unit_slots_holder(s, results);
        _exit(0);
    }

    for (turns = 0; waitpid(pid, NULL, WNOHANG) == 0; turns++) {

        wag_unit_slots_newcomer(&newcomer, (turns & 1) ? wag_unit_other
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

    wag_unit_ok(u, results[0] + results[1] == WAG_UNIT_HOLDS,
                "a slot was to be held 50,000 times");
    wag_unit_ok(u, results[0] && results[1], "it was, and it came too late");
    wag_unit_ok(u, results[2] == 0,
                "what is held is the same instance until it is let go");

    (void) munmap(results, ngx_pagesize);
}


static void
wag_unit_slots_holder(wag_unit_slots_t *s, ngx_uint_t *results)
{
    u_char         first;
    ngx_uint_t     i, n, slot;
    wag_peer_t     peer;
    wag_group_t   *group;

    group = s->us.group;
    ngx_memzero(&peer, sizeof(wag_peer_t));

    for (n = 0; n < WAG_UNIT_HOLDS; /* void */) {

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
