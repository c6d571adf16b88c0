
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_addresses.h"
#include "wag_json_text.h"
#include "wag_kept.h"
#include "wag_kept_save.h"
#include "wag_kept_write.h"
#include "wag_lock.h"
#include "wag_peers.h"
#include "wag_vendor.h"


#define WAG_KEPT_LONG  60000   /* ms until it is told that it takes long */


/* a file that is being written; the worker leaves it alone meanwhile */

typedef struct {
    ngx_pool_t          *pool;
    wag_kept_file_t      file;
    ngx_int_t            rc;
    wag_kept_done_pt     done;
    void                *data;
} wag_kept_job_t;


static void wag_kept_write_free(wag_kept_job_t *job);
static ngx_int_t wag_kept_write_post(wag_upstream_t *us, wag_kept_job_t *job);
#if (NGX_THREADS)
static void wag_kept_write_thread(void *data, ngx_log_t *log);
static void wag_kept_write_event_handler(ngx_event_t *ev);
#endif
static ngx_int_t wag_kept_write_collect(wag_upstream_t *us,
    ngx_str_t *without, ngx_array_t *list);
static ngx_int_t wag_kept_write_one(wag_instance_t *instance,
    ngx_str_t *without, ngx_array_t *list);
static ngx_int_t wag_kept_write_text(wag_upstream_t *us, ngx_array_t *list,
    ngx_str_t *text);
static ngx_int_t wag_kept_write_json(wag_upstream_t *us, cJSON *item,
    wag_kept_t *kept);
static ngx_int_t wag_kept_write_added(wag_upstream_t *us, cJSON *item,
    wag_kept_t *kept);


ngx_int_t
wag_kept_write(wag_upstream_t *us, ngx_str_t *without, wag_kept_done_pt done,
    void *data)
{
    ngx_int_t        rc;
    ngx_str_t        text;
    ngx_pool_t      *pool;
    ngx_array_t      list;
    wag_kept_job_t  *job;

    if (us->state_file.len == 0) {
        return NGX_OK;
    }

    pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE, ngx_cycle->log);
    if (pool == NULL) {
        return NGX_ERROR;
    }

    job = ngx_pcalloc(pool, sizeof(wag_kept_job_t));

    if (job == NULL
        || ngx_array_init(&list, pool, us->group->nslots + 1,
                          sizeof(wag_kept_t))
           != NGX_OK
        || wag_kept_write_collect(us, without, &list) != NGX_OK
        || wag_kept_write_text(us, &list, &text) != NGX_OK
        || wag_kept_save_init(&job->file, pool, &us->state_file, &text)
           != NGX_OK)
    {
        ngx_destroy_pool(pool);
        return NGX_ERROR;
    }

    job->pool = pool;
    job->done = done;
    job->data = data;

    if (wag_kept_write_post(us, job) == NGX_OK) {
        return NGX_AGAIN;
    }

    rc = wag_kept_save(&job->file, ngx_cycle->log);

    wag_kept_write_free(job);

    return rc;
}


static void
wag_kept_write_free(wag_kept_job_t *job)
{
    ngx_explicit_memzero(job->file.text.data, job->file.text.len);
    ngx_destroy_pool(job->pool);
}


#if (NGX_THREADS)

/*
 * In a single process the threads of a configuration do not start with it at
 * a reload.
 */

static ngx_int_t
wag_kept_write_post(wag_upstream_t *us, wag_kept_job_t *job)
{
    ngx_thread_task_t  *task;

    if (ngx_process != NGX_PROCESS_WORKER) {
        return NGX_DECLINED;
    }

    task = ngx_thread_task_alloc(job->pool, 0);
    if (task == NULL) {
        return NGX_ERROR;
    }

    task->ctx = job;
    task->handler = wag_kept_write_thread;

    task->event.handler = wag_kept_write_event_handler;
    task->event.data = job;
    task->event.log = ngx_cycle->log;

    if (ngx_thread_task_post(us->threads, task) != NGX_OK) {
        return NGX_ERROR;
    }

    /* a worker that is to end waits for its timers, not for threads */

    ngx_add_timer(&task->event, WAG_KEPT_LONG);

    return NGX_OK;
}


static void
wag_kept_write_thread(void *data, ngx_log_t *log)
{
    wag_kept_job_t *job = data;

    job->rc = wag_kept_save(&job->file, log);
}


static void
wag_kept_write_event_handler(ngx_event_t *ev)
{
    wag_kept_job_t *job = ev->data;

    void              *data;
    ngx_int_t          rc;
    wag_kept_done_pt   done;

    ngx_log_debug0(NGX_LOG_DEBUG_CORE, ngx_cycle->log, 0,
                   "wa_gateway kept write event handler");

    if (ev->timedout) {
        ev->timedout = 0;

        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "wa_gateway: state file \"%V\" is not on the disk after "
                      "%d seconds", &job->file.name, WAG_KEPT_LONG / 1000);

        ngx_add_timer(ev, WAG_KEPT_LONG);
        return;
    }

    ngx_del_timer(ev);

    rc = job->rc;
    done = job->done;
    data = job->data;

    wag_kept_write_free(job);

    done(data, rc);
}

#else

static ngx_int_t
wag_kept_write_post(wag_upstream_t *us, wag_kept_job_t *job)
{
    return NGX_DECLINED;
}

#endif


static ngx_int_t
wag_kept_write_collect(wag_upstream_t *us, ngx_str_t *without,
    ngx_array_t *list)
{
    ngx_int_t    rc;
    ngx_uint_t   i;

    /* each in its own time: requests that mark an instance hardly wait */

    for (i = 0; i < us->group->nslots; i++) {

        wag_lock(us->zone->shpool);

        rc = wag_kept_write_one(wag_slots_get(us->group, i), without, list);

        wag_unlock(us->zone->shpool);

        if (rc != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* those that are as the configuration has them need not be kept */

static ngx_int_t
wag_kept_write_one(wag_instance_t *instance, ngx_str_t *without,
    ngx_array_t *list)
{
    wag_kept_t       *kept;
    wag_admin_t       admin;
    wag_identity_t   *identity;
    wag_newcomer_t   *newcomer;
    wag_addresses_t  *addresses;

    if (!wag_used(instance)) {
        return NGX_OK;
    }

    admin = instance->admin;
    identity = &instance->identity;
    addresses = &identity->addresses;

    if (without
        && identity->name.len == without->len
        && ngx_memcmp(identity->name.data, without->data, without->len) == 0)
    {
        admin.state = WAG_ADMIN_REMOVING;
    }

    if ((instance->added && admin.state == WAG_ADMIN_REMOVING)
        || (!instance->added
            && admin.state == WAG_ADMIN_CONFIGURED
            && admin.weight == WAG_CONFIGURED
            && admin.max_conns == WAG_CONFIGURED))
    {
        return NGX_OK;
    }

    kept = ngx_array_push(list);
    if (kept == NULL) {
        return NGX_ERROR;
    }

    newcomer = &kept->newcomer;

    wag_slots_newcomer(newcomer);

    newcomer->admin = admin;
    newcomer->added = instance->added;
    newcomer->named = (instance->named != 0);
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
wag_kept_write_text(wag_upstream_t *us, ngx_array_t *list, ngx_str_t *text)
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

        if (wag_kept_write_json(us, item, &kept[i]) != NGX_OK
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
wag_kept_write_json(wag_upstream_t *us, cJSON *item, wag_kept_t *kept)
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

    return newcomer->added ? wag_kept_write_added(us, item, kept) : NGX_OK;
}


static ngx_int_t
wag_kept_write_added(wag_upstream_t *us, cJSON *item, wag_kept_t *kept)
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

    /* what was looked up may be another's by then */

    if (newcomer->named) {
        return NGX_OK;
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
