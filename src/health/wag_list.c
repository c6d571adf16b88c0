
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_list.h"
#include "wag_param.h"
#include "wag_secret.h"


/* sessions of a list that are kept: a table is not larger than memory */

#define WAG_LIST_ITEMS  100000


static ngx_int_t wag_list_open(wag_list_reader_t *reader);
static ngx_int_t wag_list_item(wag_pick_t *pick);
static ngx_int_t wag_list_name(wag_list_reader_t *reader, wag_item_t *item);
static ngx_int_t wag_list_copy(ngx_pool_t *pool, ngx_str_t *dst,
    wag_pick_value_t *value);


void
wag_list_init(wag_list_reader_t *reader, wag_vendor_t *vendor, ngx_log_t *log)
{
    ngx_uint_t              i;
    wag_vendor_question_t  *list;

    list = &vendor->list;

    reader->vendor = vendor;
    reader->log = log;

    reader->values[WAG_LIST_NAME].path = list->name;
    reader->values[WAG_LIST_LABEL].path = list->label;
    reader->values[WAG_LIST_NUMBER].path = list->number;

    for (i = 0; i < list->nstates; i++) {
        reader->values[WAG_LIST_STATE + i].path = list->states[i];
    }

    reader->pick.items = list->items;
    reader->pick.values = reader->values;
    reader->pick.nvalues = WAG_LIST_STATE + list->nstates;
    reader->pick.item = wag_list_item;
    reader->pick.data = reader;
}


void
wag_list_begin(wag_list_reader_t *reader)
{
    reader->rc = NGX_AGAIN;
}


void
wag_list_read(wag_list_reader_t *reader, u_char *start, size_t len)
{
    if (reader->rc != NGX_AGAIN) {
        return;
    }

    if (reader->list.pool == NULL && wag_list_open(reader) != NGX_OK) {
        reader->rc = NGX_ERROR;
        reader->pick.error = "no memory";
        return;
    }

    reader->rc = wag_pick_parse(&reader->pick, start, start + len);
}


/* not before there is an answer: those that wait take no memory */

static ngx_int_t
wag_list_open(wag_list_reader_t *reader)
{
    u_char      *p;
    ngx_uint_t   i;

    reader->list.pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE, reader->log);
    if (reader->list.pool == NULL) {
        return NGX_ERROR;
    }

    reader->list.first = NULL;
    reader->list.last = &reader->list.first;
    reader->list.n = 0;
    reader->list.skipped = 0;

    p = ngx_pnalloc(reader->list.pool, WAG_LIST_VALUES * WAG_SESSION_TEXT_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < WAG_LIST_VALUES; i++) {
        reader->values[i].data = p + i * WAG_SESSION_TEXT_LEN;
        reader->values[i].size = WAG_SESSION_TEXT_LEN;
    }

    wag_pick_init(&reader->pick);

    return NGX_OK;
}


static ngx_int_t
wag_list_item(wag_pick_t *pick)
{
    wag_list_reader_t *reader = pick->data;

    u_char                *p;
    ngx_str_t             *state;
    wag_item_t            *item;
    wag_vendor_question_t *list;

    list = &reader->vendor->list;

    if (reader->list.n++ == WAG_LIST_ITEMS) {
        pick->error = "too many sessions";
        return NGX_ERROR;
    }

    item = ngx_pcalloc(reader->list.pool, sizeof(wag_item_t));
    if (item == NULL) {
        goto failed;
    }

    switch (wag_list_name(reader, item)) {

    case NGX_OK:
        break;

    case NGX_DECLINED:
        reader->list.skipped++;
        return NGX_OK;

    default:
        goto failed;
    }

    item->report.number =
                  wag_vendor_picked_number(&reader->values[WAG_LIST_NUMBER]);

    if (list->nstates) {
        p = ngx_pnalloc(reader->list.pool, WAG_SESSION_TEXT_LEN);
        if (p == NULL) {
            goto failed;
        }

        state = &item->report.state;

        wag_vendor_state_text(&reader->values[WAG_LIST_STATE], list->nstates,
                              p, state);

        item->report.told = wag_vendor_state(reader->vendor, state);
    }

    *reader->list.last = item;
    reader->list.last = &item->next;

    return NGX_OK;

failed:

    pick->error = "no memory";

    return NGX_ERROR;
}


/* NGX_DECLINED: it cannot be used */

static ngx_int_t
wag_list_name(wag_list_reader_t *reader, wag_item_t *item)
{
    u_char              *p;
    wag_pick_value_t    *value, *label;
    wag_session_name_t  *name;

    value = &reader->values[WAG_LIST_NAME];
    label = &reader->values[WAG_LIST_LABEL];
    name = &item->report.name;

    if ((value->type != WAG_PICK_STRING && value->type != WAG_PICK_NUMBER)
        || value->cut
        || value->len == 0
        || value->len > WAG_SESSION_NAME_LEN)
    {
        return NGX_DECLINED;
    }

    if (wag_list_copy(reader->list.pool, &name->name, value) != NGX_OK) {
        return NGX_ERROR;
    }

    if (!wag_param_printable(&name->name)) {
        return NGX_DECLINED;
    }

    name->label = name->name;
    name->secret = reader->vendor->secret;

    if (!name->secret) {
        return NGX_OK;
    }

    if (label->type == WAG_PICK_STRING
        && label->len
        && label->len <= WAG_SESSION_LABEL_LEN)
    {
        if (wag_list_copy(reader->list.pool, &name->label, label) != NGX_OK) {
            return NGX_ERROR;
        }

        if (wag_param_printable(&name->label)) {
            return NGX_OK;
        }
    }

    p = ngx_pnalloc(reader->list.pool, WAG_SECRET_NAME_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    wag_secret_name(&name->name, p);

    name->label.data = p;
    name->label.len = WAG_SECRET_NAME_LEN;

    return NGX_OK;
}


static ngx_int_t
wag_list_copy(ngx_pool_t *pool, ngx_str_t *dst, wag_pick_value_t *value)
{
    dst->data = ngx_pnalloc(pool, value->len);
    if (dst->data == NULL) {
        return NGX_ERROR;
    }

    dst->len = value->len;
    ngx_memcpy(dst->data, value->data, value->len);

    return NGX_OK;
}


/* "no items" may be how none are written; an empty answer is no JSON */

ngx_int_t
wag_list_end(wag_list_reader_t *reader, ngx_uint_t truncated, const char **err)
{
    ngx_int_t  rc;

    if (truncated) {
        *err = "it is too long";
        return NGX_ERROR;
    }

    if (reader->rc == NGX_AGAIN
        && reader->list.pool == NULL
        && wag_list_open(reader) != NGX_OK)
    {
        *err = "no memory";
        return NGX_ERROR;
    }

    rc = (reader->rc == NGX_AGAIN) ? wag_pick_end(&reader->pick) : reader->rc;

    if (rc == NGX_DECLINED) {
        *err = "no list where it should be";

        return reader->vendor->list.empty ? NGX_OK : NGX_ERROR;
    }

    *err = reader->pick.error;

    return rc;
}


void
wag_list_move(wag_list_t *to, wag_list_t *from)
{
    wag_list_drop(to);

    *to = *from;
    from->pool = NULL;
}


void
wag_list_drop(wag_list_t *list)
{
    if (list->pool) {
        ngx_destroy_pool(list->pool);
        list->pool = NULL;
    }
}
