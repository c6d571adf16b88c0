
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_addresses.h"
#include "wag_json.h"
#include "wag_json_text.h"
#include "wag_kept.h"
#include "wag_lock.h"
#include "wag_param.h"
#include "wag_peers.h"
#include "wag_slots.h"
#include "wag_table.h"
#include "wag_vendor.h"


#define WAG_KEPT_SIZE     (32 * 1024 * 1024)
#define WAG_KEPT_VERSION  1


/* an instance as the file has it */

struct wag_kept_s {
    wag_newcomer_t       newcomer;
    u_char              *set;      /* of addresses, when it is written */
};


static ngx_int_t wag_kept_load(ngx_pool_t *pool, ngx_str_t *name,
    ngx_str_t *text, ngx_err_t *err);
static const char *wag_kept_parse(wag_upstream_t *us, ngx_pool_t *pool,
    cJSON *root);
static const char *wag_kept_item(wag_kept_t *kept, ngx_pool_t *pool,
    cJSON *item);
static const char *wag_kept_number(cJSON *item, const char *name,
    ngx_uint_t least, uint32_t *n);
static const char *wag_kept_string(cJSON *item, const char *name, size_t max,
    ngx_pool_t *pool, ngx_str_t *value);
static const char *wag_kept_addresses(wag_kept_t *kept, ngx_pool_t *pool,
    cJSON *item);
static void wag_kept_aside(wag_upstream_t *us, ngx_pool_t *pool,
    const char *why, ngx_err_t err);
static void wag_kept_put_one(wag_upstream_t *us, wag_newcomer_t *newcomer);
static ngx_int_t wag_kept_collect(wag_upstream_t *us, ngx_array_t *list);
static ngx_int_t wag_kept_collect_one(wag_instance_t *instance,
    ngx_array_t *list);
static ngx_int_t wag_kept_text(wag_upstream_t *us, ngx_array_t *list,
    ngx_str_t *text);
static ngx_int_t wag_kept_json(wag_upstream_t *us, cJSON *item,
    wag_kept_t *kept);
static ngx_int_t wag_kept_json_added(wag_upstream_t *us, cJSON *item,
    wag_kept_t *kept);
static ngx_int_t wag_kept_save(ngx_pool_t *pool, ngx_str_t *name,
    ngx_str_t *text);
static ngx_int_t wag_kept_sync(ngx_pool_t *pool, ngx_str_t *name);


static ngx_str_t  wag_kept_states[] = {
    ngx_string("configured"),
    ngx_string("up"),
    ngx_string("drain"),
    ngx_string("down"),
    ngx_string("removed"),
    ngx_string("removed")
};


char *
wag_kept_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    wag_upstream_t *us = conf;

    u_char      *p;
    ngx_str_t   *value;
    ngx_path_t  *path;

    us->directive = cmd->name;

    if (us->state_file.len) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (value[1].len == 0 || value[1].data[value[1].len - 1] == '/') {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid value \"%V\"",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    us->state_file = value[1];

    if (ngx_conf_full_name(cf->cycle, &us->state_file, 0) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (ngx_test_config) {
        return NGX_CONF_OK;
    }

    /* the master makes the folder, and gives it to the workers' user */

    path = ngx_pcalloc(cf->pool, sizeof(ngx_path_t));
    if (path == NULL) {
        return NGX_CONF_ERROR;
    }

    for (p = us->state_file.data + us->state_file.len; p[-1] != '/'; p--) {
        /* void */
    }

    path->name.len = p - 1 - us->state_file.data;
    path->name.data = ngx_pnalloc(cf->pool, path->name.len + 1);
    if (path->name.data == NULL) {
        return NGX_CONF_ERROR;
    }

    (void) ngx_cpystrn(path->name.data, us->state_file.data,
                       path->name.len + 1);

    path->conf_file = cf->conf_file->file.name.data;
    path->line = cf->conf_file->line;

    return (ngx_add_path(cf, &path) == NGX_OK) ? NGX_CONF_OK : NGX_CONF_ERROR;
}


void
wag_kept_read(wag_upstream_t *us)
{
    cJSON       *root;
    ngx_err_t    err;
    ngx_str_t    text;
    ngx_pool_t  *pool;
    const char  *why;

    us->kept = NULL;

    pool = us->zone->cycle->pool;

    switch (wag_kept_load(pool, &us->state_file, &text, &err)) {

    case NGX_OK:
        break;

    case NGX_DECLINED:
        return;

    default: /* NGX_ERROR */
        wag_kept_aside(us, pool, "it cannot be read", err);
        return;
    }

    root = wag_json_parse(&text, &why);

    if (root) {
        why = wag_kept_parse(us, pool, root);
        cJSON_Delete(root);
    }

    ngx_explicit_memzero(text.data, text.len);

    if (why) {
        us->kept = NULL;
        wag_kept_aside(us, pool, why, 0);
    }
}


/* NGX_DECLINED: there is none */

static ngx_int_t
wag_kept_load(ngx_pool_t *pool, ngx_str_t *name, ngx_str_t *text,
    ngx_err_t *err)
{
    size_t           size;
    ssize_t          n;
    ngx_fd_t         fd;
    ngx_int_t        rc;
    ngx_file_info_t  fi;

    fd = ngx_open_file(name->data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        *err = ngx_errno;
        return (*err == NGX_ENOENT) ? NGX_DECLINED : NGX_ERROR;
    }

    rc = NGX_ERROR;

    if (ngx_fd_info(fd, &fi) == NGX_FILE_ERROR
        || !ngx_is_file(&fi)
        || ngx_file_size(&fi) > WAG_KEPT_SIZE)
    {
        *err = ngx_errno;
        goto done;
    }

    size = ngx_file_size(&fi);

    text->data = ngx_pnalloc(pool, size + 1);
    if (text->data == NULL) {
        *err = 0;
        goto done;
    }

    for (text->len = 0; text->len < size; text->len += n) {
        n = ngx_read_fd(fd, text->data + text->len, size - text->len);

        if (n <= 0) {
            *err = (n == -1) ? ngx_errno : 0;
            goto done;
        }
    }

    text->data[size] = '\0';
    rc = NGX_OK;

done:

    (void) ngx_close_file(fd);

    return rc;
}


/* NULL, or what is wrong */

static const char *
wag_kept_parse(wag_upstream_t *us, ngx_pool_t *pool, cJSON *root)
{
    cJSON       *list, *item;
    uint32_t     version;
    const char  *why;
    wag_kept_t  *kept;

    version = 0;
    why = wag_kept_number(root, "version", 1, &version);

    if (!cJSON_IsObject(root) || why || version != WAG_KEPT_VERSION) {
        return "its version is not known";
    }

    list = cJSON_GetObjectItemCaseSensitive(root, "instances");

    if (!cJSON_IsArray(list)) {
        return "it has no instances";
    }

    us->kept = ngx_array_create(pool, 4, sizeof(wag_kept_t));
    if (us->kept == NULL) {
        return "no memory";
    }

    cJSON_ArrayForEach(item, list) {
        kept = ngx_array_push(us->kept);
        if (kept == NULL) {
            return "no memory";
        }

        why = wag_kept_item(kept, pool, item);

        if (why) {
            return why;
        }
    }

    return NULL;
}


static const char *
wag_kept_item(wag_kept_t *kept, ngx_pool_t *pool, cJSON *item)
{
    ngx_str_t        state, vendor;
    ngx_uint_t       i;
    wag_newcomer_t  *newcomer;

    newcomer = &kept->newcomer;

    wag_slots_newcomer(newcomer);

    newcomer->admin.version = 1;
    newcomer->added = cJSON_IsTrue(
                          cJSON_GetObjectItemCaseSensitive(item, "added"));

    if (wag_kept_string(item, "url", WAG_NAME_LEN, pool, &newcomer->name)
        || newcomer->name.len == 0
        || !wag_param_printable(&newcomer->name))
    {
        return "a URL is wrong";
    }

    if (wag_kept_string(item, "key", WAG_KEY_ROOM, pool, &newcomer->key)
        || wag_kept_string(item, "vendor", WAG_NAME_LEN, pool, &vendor)
        || wag_kept_string(item, "state", WAG_NAME_LEN, pool, &state))
    {
        return "a key, a vendor or a state is wrong";
    }

    if (vendor.len) {
        newcomer->vendor = wag_vendor_hash(&vendor);
    }

    for (i = WAG_ADMIN_UP; state.len && i <= WAG_ADMIN_REMOVED; i++) {

        if (wag_kept_states[i].len == state.len
            && ngx_memcmp(wag_kept_states[i].data, state.data, state.len) == 0)
        {
            newcomer->admin.state = (i == WAG_ADMIN_REMOVING)
                                    ? WAG_ADMIN_REMOVED : i;
            break;
        }
    }

    if (i > WAG_ADMIN_REMOVED) {
        return "a state is not known";
    }

    if (wag_kept_number(item, "weight", 1, &newcomer->admin.weight)
        || wag_kept_number(item, "maxConns", 0, &newcomer->admin.max_conns))
    {
        return "a number is wrong";
    }

    return newcomer->added ? wag_kept_addresses(kept, pool, item) : NULL;
}


/* one that is not there leaves *n as it is */

static const char *
wag_kept_number(cJSON *item, const char *name, ngx_uint_t least, uint32_t *n)
{
    cJSON  *number;

    number = cJSON_GetObjectItemCaseSensitive(item, name);

    if (number == NULL) {
        return NULL;
    }

    if (!cJSON_IsNumber(number)
        || !(number->valuedouble >= (double) least
             && number->valuedouble <= 1000000))
    {
        return name;
    }

    *n = (uint32_t) number->valuedouble;

    return NULL;
}


static const char *
wag_kept_string(cJSON *item, const char *name, size_t max, ngx_pool_t *pool,
    ngx_str_t *value)
{
    cJSON      *string;
    ngx_str_t   text;

    ngx_str_null(value);

    string = cJSON_GetObjectItemCaseSensitive(item, name);

    if (string == NULL) {
        return NULL;
    }

    if (!cJSON_IsString(string)) {
        return name;
    }

    text.data = (u_char *) string->valuestring;
    text.len = ngx_strlen(string->valuestring);

    if (text.len > max) {
        return name;
    }

    value->data = ngx_pstrdup(pool, &text);
    value->len = text.len;

    return value->data ? NULL : name;
}


static const char *
wag_kept_addresses(wag_kept_t *kept, ngx_pool_t *pool, cJSON *item)
{
    int              n;
    cJSON           *list, *text;
    ngx_addr_t      *addr;
    wag_newcomer_t  *newcomer;

    newcomer = &kept->newcomer;

    list = cJSON_GetObjectItemCaseSensitive(item, "addresses");
    n = cJSON_GetArraySize(list);

    if (!cJSON_IsArray(list) || n < 1 || n > 255) {
        return "an instance has no addresses";
    }

    newcomer->addrs = ngx_pcalloc(pool, n * sizeof(ngx_addr_t));
    if (newcomer->addrs == NULL) {
        return "no memory";
    }

    cJSON_ArrayForEach(text, list) {
        addr = &newcomer->addrs[newcomer->naddrs++];

        if (!cJSON_IsString(text)
            || ngx_parse_addr_port(pool, addr, (u_char *) text->valuestring,
                                   ngx_strlen(text->valuestring))
               != NGX_OK)
        {
            return "an address is wrong";
        }
    }

    return NULL;
}


/* the start goes on without it */

static void
wag_kept_aside(wag_upstream_t *us, ngx_pool_t *pool, const char *why,
    ngx_err_t err)
{
    u_char      *name;
    const char  *done;

    name = ngx_pnalloc(pool, us->state_file.len + sizeof(".damaged"));
    if (name == NULL) {
        return;
    }

    ngx_sprintf(name, "%V.damaged%Z", &us->state_file);

    done = (ngx_rename_file(us->state_file.data, name) == NGX_FILE_ERROR)
           ? "cannot be" : "is";

    ngx_log_error(NGX_LOG_ERR, us->zone->shm_zone->shm.log, err,
                  "wa_gateway: state file \"%V\" is not used, %s; it %s set "
                  "aside as \"%s\"", &us->state_file, why, done, name);
}


void
wag_kept_put(wag_upstream_t *us)
{
    ngx_uint_t   i;
    wag_kept_t  *kept;

    if (us->kept == NULL) {
        return;
    }

    kept = us->kept->elts;

    for (i = 0; i < us->kept->nelts; i++) {
        wag_kept_put_one(us, &kept[i].newcomer);

        if (kept[i].newcomer.key.len) {
            ngx_explicit_memzero(kept[i].newcomer.key.data,
                                 kept[i].newcomer.key.len);
        }
    }

    us->kept = NULL;
}


/* what the configuration has no more does not come back */

static void
wag_kept_put_one(wag_upstream_t *us, wag_newcomer_t *newcomer)
{
    ngx_uint_t       slot;
    wag_instance_t  *instance;

    slot = wag_slots_find(us->group, &newcomer->name);

    if (slot != WAG_NO_SLOT) {
        instance = wag_slots_get(us->group, slot);

        if (!instance->added) {
            instance->admin = newcomer->admin;
        }

        return;
    }

    if (newcomer->added && wag_table_added(us->group) < us->capacity) {
        newcomer->health = us->initial;
        newcomer->config_gen = us->zone->root->config_gen;

        (void) wag_table_put(us->zone->root, us->group, newcomer);
    }
}


ngx_int_t
wag_kept_write(wag_upstream_t *us)
{
    ngx_int_t     rc;
    ngx_str_t     text;
    ngx_pool_t   *pool;
    ngx_array_t   list;

    if (us->state_file.len == 0) {
        return NGX_OK;
    }

    pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE, ngx_cycle->log);
    if (pool == NULL) {
        return NGX_ERROR;
    }

    rc = NGX_ERROR;

    if (ngx_array_init(&list, pool, us->group->nslots + 1, sizeof(wag_kept_t))
        == NGX_OK
        && wag_kept_collect(us, &list) == NGX_OK
        && wag_kept_text(us, &list, &text) == NGX_OK)
    {
        rc = wag_kept_save(pool, &us->state_file, &text);

        ngx_explicit_memzero(text.data, text.len);
    }

    ngx_destroy_pool(pool);

    return rc;
}


static ngx_int_t
wag_kept_collect(wag_upstream_t *us, ngx_array_t *list)
{
    ngx_int_t    rc;
    ngx_uint_t   i;

    /* each in its own time: requests that mark an instance hardly wait */

    for (i = 0; i < us->group->nslots; i++) {

        wag_lock(us->zone->shpool);

        rc = wag_kept_collect_one(wag_slots_get(us->group, i), list);

        wag_unlock(us->zone->shpool);

        if (rc != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* those that are as the configuration has them need not be kept */

static ngx_int_t
wag_kept_collect_one(wag_instance_t *instance, ngx_array_t *list)
{
    wag_kept_t       *kept;
    wag_admin_t      *admin;
    wag_identity_t   *identity;
    wag_newcomer_t   *newcomer;
    wag_addresses_t  *addresses;

    admin = &instance->admin;
    identity = &instance->identity;
    addresses = &identity->addresses;

    if (!wag_used(instance)
        || (instance->added && admin->state == WAG_ADMIN_REMOVING)
        || (!instance->added
            && admin->state == WAG_ADMIN_CONFIGURED
            && admin->weight == WAG_CONFIGURED
            && admin->max_conns == WAG_CONFIGURED))
    {
        return NGX_OK;
    }

    kept = ngx_array_push(list);
    if (kept == NULL) {
        return NGX_ERROR;
    }

    newcomer = &kept->newcomer;

    wag_slots_newcomer(newcomer);

    newcomer->admin = *admin;
    newcomer->added = instance->added;
    newcomer->vendor = instance->vendor;

    newcomer->name.len = identity->name.len;
    newcomer->name.data = ngx_pstrdup(list->pool, &identity->name);

    newcomer->key.len = identity->key_len;
    newcomer->key.data = ngx_pnalloc(list->pool, identity->key_len + 1);

    kept->set = ngx_pnalloc(list->pool, addresses->room);

    if (newcomer->name.data == NULL
        || newcomer->key.data == NULL
        || kept->set == NULL)
    {
        return NGX_ERROR;
    }

    if (newcomer->key.len) {
        ngx_memcpy(newcomer->key.data, identity->key, newcomer->key.len);
    }

    ngx_memcpy(kept->set, wag_addresses_get(addresses), addresses->room);

    return NGX_OK;
}


static ngx_int_t
wag_kept_text(wag_upstream_t *us, ngx_array_t *list, ngx_str_t *text)
{
    cJSON       *root, *instances, *item;
    ngx_int_t    rc;
    ngx_uint_t   i;
    wag_kept_t  *kept;

    rc = NGX_ERROR;
    kept = list->elts;

    root = cJSON_CreateObject();

    if (cJSON_AddNumberToObject(root, "version", WAG_KEPT_VERSION) == NULL
        || (instances = cJSON_AddArrayToObject(root, "instances")) == NULL)
    {
        goto done;
    }

    for (i = 0; i < list->nelts; i++) {
        item = cJSON_CreateObject();

        if (wag_kept_json(us, item, &kept[i]) != NGX_OK
            || !cJSON_AddItemToArray(instances, item))
        {
            cJSON_Delete(item);
            goto done;
        }
    }

    rc = wag_json_text_print(list->pool, root, text);

done:

    cJSON_Delete(root);

    return rc;
}


static ngx_int_t
wag_kept_json(wag_upstream_t *us, cJSON *item, wag_kept_t *kept)
{
    wag_admin_t     *admin;
    wag_newcomer_t  *newcomer;

    newcomer = &kept->newcomer;
    admin = &newcomer->admin;

    if (wag_json_text_string(item, "url", newcomer->name.data,
                             newcomer->name.len) == NULL
        || cJSON_AddBoolToObject(item, "added", newcomer->added) == NULL
        || (admin->state != WAG_ADMIN_CONFIGURED
            && wag_json_text_or_null(item, "state",
                                     &wag_kept_states[admin->state]) == NULL)
        || (admin->weight != WAG_CONFIGURED
            && cJSON_AddNumberToObject(item, "weight", admin->weight) == NULL)
        || (admin->max_conns != WAG_CONFIGURED
            && cJSON_AddNumberToObject(item, "maxConns", admin->max_conns)
               == NULL))
    {
        return NGX_ERROR;
    }

    return newcomer->added ? wag_kept_json_added(us, item, kept) : NGX_OK;
}


static ngx_int_t
wag_kept_json_added(wag_upstream_t *us, cJSON *item, wag_kept_t *kept)
{
    cJSON           *list, *text;
    ngx_int_t        rc;
    ngx_str_t       *name;
    ngx_uint_t       i;
    wag_addrs_t     *addrs;
    wag_vendor_t   **vendor;
    wag_newcomer_t  *newcomer;
    u_char           buf[NGX_SOCKADDR_STRLEN + 1];

    newcomer = &kept->newcomer;
    vendor = us->kinds.elts;

    for (i = 0; newcomer->vendor && i < us->kinds.nelts; i++) {
        name = &vendor[i]->name;

        if (wag_vendor_hash(name) == newcomer->vendor
            && wag_json_text_string(item, "vendor", name->data, name->len)
               == NULL)
        {
            return NGX_ERROR;
        }
    }

    if (newcomer->key.len
        && wag_json_text_string(item, "key", newcomer->key.data,
                                newcomer->key.len) == NULL)
    {
        return NGX_ERROR;
    }

    list = cJSON_AddArrayToObject(item, "addresses");
    addrs = list ? wag_addresses_list(kept->set, ngx_cycle->log) : NULL;

    if (addrs == NULL) {
        return NGX_ERROR;
    }

    rc = NGX_OK;

    for (i = 0; rc == NGX_OK && i < addrs->naddrs; i++) {
        (void) ngx_cpystrn(buf, addrs->addrs[i].name.data,
                           addrs->addrs[i].name.len + 1);

        text = cJSON_CreateString((char *) buf);

        if (text == NULL || !cJSON_AddItemToArray(list, text)) {
            cJSON_Delete(text);
            rc = NGX_ERROR;
        }
    }

    wag_addrs_unref(addrs);

    return rc;
}


/* written aside, in the same folder, and named when all of it is there */

static ngx_int_t
wag_kept_save(ngx_pool_t *pool, ngx_str_t *name, ngx_str_t *text)
{
    u_char     *aside;
    size_t      len;
    ssize_t     n;
    ngx_fd_t    fd;
    ngx_err_t   err;

    aside = ngx_pnalloc(pool, name->len + sizeof(".new"));
    if (aside == NULL) {
        return NGX_ERROR;
    }

    ngx_sprintf(aside, "%V.new%Z", name);

    fd = ngx_open_file(aside, NGX_FILE_WRONLY,
                       NGX_FILE_TRUNCATE|NGX_FILE_NOFOLLOW, 0600);

    if (fd == NGX_INVALID_FILE) {
        err = ngx_errno;
        goto failed;
    }

    err = 0;

    for (len = 0; err == 0 && len < text->len; len += n) {
        n = ngx_write_fd(fd, text->data + len, text->len - len);

        if (n <= 0) {
            err = (n == -1) ? ngx_errno : NGX_ENOSPC;
        }
    }

    if (err == 0 && fsync(fd) == -1) {
        err = ngx_errno;
    }

    if (ngx_close_file(fd) == NGX_FILE_ERROR && err == 0) {
        err = ngx_errno;
    }

    if (err == 0
        && ngx_rename_file(aside, name->data) == NGX_FILE_ERROR)
    {
        err = ngx_errno;
    }

    if (err == 0) {
        return wag_kept_sync(pool, name);
    }

    (void) ngx_delete_file(aside);

failed:

    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, err,
                  "wa_gateway: state file \"%V\" could not be written", name);

    return (err == NGX_ENOSPC || err == EDQUOT) ? NGX_BUSY : NGX_ERROR;
}


/* so that the name is on the disk as well */

static ngx_int_t
wag_kept_sync(ngx_pool_t *pool, ngx_str_t *name)
{
    int      fd;
    u_char  *p, *folder;

    folder = ngx_pstrdup(pool, name);
    if (folder == NULL) {
        return NGX_ERROR;
    }

    for (p = folder + name->len; p[-1] != '/'; p--) { /* void */ }

    *p = '\0';

    if (p == folder + name->len) {
        return NGX_ERROR;
    }

    fd = open((char *) folder, O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (fd == -1 || fsync(fd) == -1) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, ngx_errno,
                      "wa_gateway: folder of state file \"%V\" could not be "
                      "synced", name);
    }

    if (fd != -1) {
        (void) close(fd);
    }

    return NGX_OK;
}
