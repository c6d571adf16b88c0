
#include "wag_addresses.h"
#include "wag_lock.h"
#include "wag_table.h"
#include "wag_unit_zone.h"


#define WAG_UNIT_ZONE  (512 * 1024)


static ngx_int_t wag_unit_zone_memory(wag_unit_zone_t *s, wag_unit_t *u);
static ngx_int_t wag_unit_zone_upstream(wag_unit_zone_t *s, ngx_uint_t n);
static void wag_unit_zone_addr(wag_unit_zone_t *s, ngx_addr_t *addr,
    const char *text);


ngx_addr_t  wag_unit_first[2];
ngx_addr_t  wag_unit_second[2];
ngx_addr_t  wag_unit_many[3];

const char  wag_unit_guest[] = "http://guest:3000";


wag_unit_zone_t *
wag_unit_zone(wag_unit_t *u)
{
    wag_unit_zone_t  *s;

    s = ngx_pcalloc(u->pool, sizeof(wag_unit_zone_t));

    if (s == NULL
        || wag_unit_zone_memory(s, u) != NGX_OK
        || wag_unit_zone_upstream(s, 3) != NGX_OK)
    {
        wag_unit_ok(u, 0, "a zone of three instances");
        return NULL;
    }

    return s;
}


static ngx_int_t
wag_unit_zone_memory(wag_unit_zone_t *s, wag_unit_t *u)
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
wag_unit_zone_upstream(wag_unit_zone_t *s, ngx_uint_t n)
{
    u_char            *name;
    ngx_int_t          rc;
    ngx_uint_t         i;
    wag_upstream_t   **usp;

    wag_unit_zone_addr(s, &wag_unit_first[0], "127.0.0.1:3001");
    wag_unit_zone_addr(s, &wag_unit_first[1], "[::1]:3001");
    wag_unit_zone_addr(s, &wag_unit_second[0], "127.0.0.2:3001");
    wag_unit_zone_addr(s, &wag_unit_second[1], "[::1]:3001");
    wag_unit_zone_addr(s, &wag_unit_many[0], "127.0.0.1:1");
    wag_unit_zone_addr(s, &wag_unit_many[1], "127.0.0.1:2");
    wag_unit_zone_addr(s, &wag_unit_many[2], "[::1]:3");

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
wag_unit_zone_addr(wag_unit_zone_t *s, ngx_addr_t *addr, const char *text)
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


void
wag_unit_zone_newcomer(wag_newcomer_t *newcomer, const char *name)
{
    wag_slots_newcomer(newcomer);

    newcomer->name.data = (u_char *) name;
    newcomer->name.len = ngx_strlen(name);
    newcomer->addrs = wag_unit_first;
    newcomer->naddrs = 2;
    newcomer->health.state = WAG_CHECKING;
    newcomer->health.passes = 7;
}


void
wag_unit_zone_session(wag_session_name_t *name, const char *text,
    const char *label)
{
    name->name.data = (u_char *) text;
    name->name.len = ngx_strlen(text);
    name->label = name->name;
    name->secret = (label != NULL);

    if (label) {
        name->label.data = (u_char *) label;
        name->label.len = ngx_strlen(label);
    }
}


/* room in all that are free, as for instances to come */

void
wag_unit_zone_room(wag_unit_zone_t *s)
{
    ngx_uint_t  i;

    for (i = s->us.nservers; i < s->us.group->nslots; i++) {
        (void) wag_slots_room(s->zone.shpool, wag_slots_get(s->us.group, i),
                              64, wag_addresses_size(wag_unit_first, 2));
        (void) wag_slots_key_room(s->zone.shpool,
                                  wag_slots_get(s->us.group, i), 64);
    }
}


ngx_uint_t
wag_unit_zone_whole(wag_instance_t *instance, const char *name)
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


void
wag_unit_zone_renumber(wag_unit_zone_t *s)
{
    wag_addresses_t  *addresses;

    addresses = &wag_slots_get(s->us.group, 1)->identity.addresses;

    wag_lock(s->zone.shpool);

    if (wag_addresses_set(addresses, wag_unit_first, 2) == NGX_DONE) {
        (void) wag_addresses_set(addresses, wag_unit_second, 2);
    }

    wag_unlock(s->zone.shpool);
}
