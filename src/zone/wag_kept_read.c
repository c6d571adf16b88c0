
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_json.h"
#include "wag_kept.h"
#include "wag_kept_read.h"
#include "wag_param.h"
#include "wag_table.h"
#include "wag_url.h"
#include "wag_vendor.h"


#define WAG_KEPT_SIZE  (32 * 1024 * 1024)


static ngx_int_t wag_kept_read_load(ngx_pool_t *pool, ngx_str_t *name,
    ngx_str_t *text, ngx_err_t *err);
static const char *wag_kept_read_all(wag_upstream_t *us, ngx_pool_t *pool,
    cJSON *root);
static const char *wag_kept_read_item(wag_kept_t *kept, ngx_pool_t *pool, cJSON
    *item);
static const char *wag_kept_read_number(cJSON *item, const char *name,
    ngx_uint_t least, uint32_t *n);
static const char *wag_kept_read_string(cJSON *item, const char *name, size_t
    max, ngx_pool_t *pool, ngx_str_t *value);
static const char *wag_kept_read_addresses(wag_kept_t *kept, ngx_pool_t *pool,
    cJSON *item);
static void wag_kept_read_aside(wag_upstream_t *us, ngx_pool_t *pool, const
    char *why, ngx_err_t err);
static void wag_kept_read_put_one(wag_upstream_t *us, wag_newcomer_t
    *newcomer);


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

    switch (wag_kept_read_load(pool, &us->state_file, &text, &err)) {

    case NGX_OK:
        break;

    case NGX_DECLINED:
        return;

    default: /* NGX_ERROR */
        wag_kept_read_aside(us, pool, "it cannot be read", err);
        return;
    }

    root = wag_json_parse(&text, &why);

    if (root) {
        why = wag_kept_read_all(us, pool, root);
        cJSON_Delete(root);
    }

    ngx_explicit_memzero(text.data, text.len);

    if (why) {
        us->kept = NULL;
        wag_kept_read_aside(us, pool, why, 0);
    }
}


/* NGX_DECLINED: there is none */

static ngx_int_t
wag_kept_read_load(ngx_pool_t *pool, ngx_str_t *name, ngx_str_t *text,
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
wag_kept_read_all(wag_upstream_t *us, ngx_pool_t *pool, cJSON *root)
{
    cJSON       *list, *item;
    uint32_t     version;
    const char  *why;
    wag_kept_t  *kept;

    version = 0;
    why = wag_kept_read_number(root, "version", 1, &version);

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

        why = wag_kept_read_item(kept, pool, item);

        if (why) {
            return why;
        }
    }

    return NULL;
}


static const char *
wag_kept_read_item(wag_kept_t *kept, ngx_pool_t *pool, cJSON *item)
{
    ngx_str_t        state, vendor;
    ngx_uint_t       i;
    wag_newcomer_t  *newcomer;

    newcomer = &kept->newcomer;

    wag_slots_newcomer(newcomer);

    newcomer->admin.version = 1;
    newcomer->added = cJSON_IsTrue(
                          cJSON_GetObjectItemCaseSensitive(item, "added"));

    if (wag_kept_read_string(item, "url", WAG_NAME_LEN, pool, &newcomer->name)
        || newcomer->name.len == 0
        || !wag_param_printable(&newcomer->name))
    {
        return "a URL is wrong";
    }

    if (wag_kept_read_string(item, "key", WAG_KEY_ROOM, pool, &newcomer->key)
        || wag_kept_read_string(item, "vendor", WAG_NAME_LEN, pool, &vendor)
        || wag_kept_read_string(item, "state", WAG_NAME_LEN, pool, &state))
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

    if (wag_kept_read_number(item, "weight", 1, &newcomer->admin.weight)
        || wag_kept_read_number(item, "maxConns", 0,
                                &newcomer->admin.max_conns))
    {
        return "a number is wrong";
    }

    return newcomer->added ? wag_kept_read_addresses(kept, pool, item) : NULL;
}


/* one that is not there leaves *n as it is */

static const char *
wag_kept_read_number(cJSON *item, const char *name, ngx_uint_t least,
    uint32_t *n)
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
wag_kept_read_string(cJSON *item, const char *name, size_t max,
    ngx_pool_t *pool, ngx_str_t *value)
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
wag_kept_read_addresses(wag_kept_t *kept, ngx_pool_t *pool, cJSON *item)
{
    int              n;
    cJSON           *list, *text;
    ngx_str_t        domain;
    in_port_t        port;
    ngx_addr_t      *addr;
    wag_newcomer_t  *newcomer;

    newcomer = &kept->newcomer;

    list = cJSON_GetObjectItemCaseSensitive(item, "addresses");
    n = cJSON_GetArraySize(list);

    if (list == NULL) {
        wag_url_domain(&newcomer->name, &domain, &port);
        newcomer->named = (wag_url_name(&domain) == NULL);

        return newcomer->named ? NULL : "an instance has no addresses";
    }

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
wag_kept_read_aside(wag_upstream_t *us, ngx_pool_t *pool, const char *why,
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
wag_kept_read_put(wag_upstream_t *us)
{
    ngx_uint_t   i;
    wag_kept_t  *kept;

    if (us->kept == NULL) {
        return;
    }

    kept = us->kept->elts;

    for (i = 0; i < us->kept->nelts; i++) {
        wag_kept_read_put_one(us, &kept[i].newcomer);

        if (kept[i].newcomer.key.len) {
            ngx_explicit_memzero(kept[i].newcomer.key.data,
                                 kept[i].newcomer.key.len);
        }
    }

    us->kept = NULL;
}


/* what the configuration has no more does not come back */

static void
wag_kept_read_put_one(wag_upstream_t *us, wag_newcomer_t *newcomer)
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
