
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_pick.h"


#define WAG_PICK_DEPTH  32


static ngx_int_t wag_pick_handler(wag_json_scan_t *scan, ngx_uint_t event);
static ngx_int_t wag_pick_begin(wag_pick_t *pick);
static ngx_int_t wag_pick_end_value(wag_pick_t *pick);
static ngx_int_t wag_pick_items(wag_pick_t *pick, ngx_uint_t depth);
static void wag_pick_value(wag_pick_t *pick, ngx_uint_t i, ngx_uint_t depth);
static ngx_uint_t wag_pick_step(wag_pick_t *pick, wag_json_path_t *path,
    ngx_uint_t n, ngx_uint_t depth);
static void wag_pick_reset(wag_pick_t *pick);


void
wag_pick_init(wag_pick_t *pick)
{
    wag_json_scan_init(&pick->scan, WAG_PICK_DEPTH, wag_pick_handler, pick);

    pick->error = NULL;
    pick->base = pick->items ? pick->items->steps.nelts + 1 : 0;
    pick->matched = 0;
    pick->arrays = 0;
    pick->key_cut = 0;
    pick->inside = (pick->items == NULL);
    pick->found = (pick->items == NULL);

    wag_pick_reset(pick);
}


ngx_int_t
wag_pick_parse(wag_pick_t *pick, u_char *pos, u_char *last)
{
    ngx_int_t  rc;

    rc = wag_json_scan(&pick->scan, pos, last);

    if (rc == NGX_ERROR && pick->error == NULL) {
        pick->error = pick->scan.error;
    }

    return rc;
}


ngx_int_t
wag_pick_end(wag_pick_t *pick)
{
    if (wag_json_scan_end(&pick->scan) != NGX_OK) {

        if (pick->error == NULL) {
            pick->error = pick->scan.error;
        }

        return NGX_ERROR;
    }

    return pick->found ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
wag_pick_handler(wag_json_scan_t *scan, ngx_uint_t event)
{
    wag_pick_t *pick = scan->data;

    switch (event) {

    case WAG_JSON_KEY:
        pick->key_cut = scan->cut;
        return NGX_OK;

    case WAG_JSON_BEGIN:
        return wag_pick_begin(pick);

    default: /* WAG_JSON_END */
        return wag_pick_end_value(pick);
    }
}


static ngx_int_t
wag_pick_begin(wag_pick_t *pick)
{
    ngx_uint_t        i, depth;
    wag_json_scan_t  *scan;

    scan = &pick->scan;
    depth = scan->depth;

    if (depth < pick->base) {

        if (wag_pick_items(pick, depth) != NGX_OK) {
            return NGX_ERROR;
        }

    } else if (pick->inside) {

        if (depth == pick->base) {
            wag_pick_reset(pick);
        }

        for (i = 0; i < pick->nvalues; i++) {
            wag_pick_value(pick, i, depth);
        }
    }

    if (scan->type == WAG_JSON_ARRAY) {
        pick->arrays |= (uint64_t) 1 << depth;
        pick->index[depth] = 0;

    } else if (scan->type == WAG_JSON_OBJECT) {
        pick->arrays &= ~((uint64_t) 1 << depth);
    }

    return NGX_OK;
}


/* a value on the way to the array of items, or that one */

static ngx_int_t
wag_pick_items(wag_pick_t *pick, ngx_uint_t depth)
{
    if (depth > pick->matched
        || (depth && !wag_pick_step(pick, pick->items, depth - 1, depth)))
    {
        return NGX_OK;
    }

    pick->matched = depth + 1;

    if (depth + 1 < pick->base) {
        return NGX_OK;
    }

    /* what is there once more may be meant to replace the first */

    if (pick->found) {
        pick->error = "list is there twice";
        return NGX_ERROR;
    }

    if (pick->scan.type == WAG_JSON_ARRAY) {
        pick->inside = 1;
        pick->found = 1;
    }

    return NGX_OK;
}


/* a value on the way to the i-th, or that one; the last of a name counts */

static void
wag_pick_value(wag_pick_t *pick, ngx_uint_t i, ngx_uint_t depth)
{
    ngx_uint_t         n;
    wag_json_scan_t   *scan;
    wag_pick_value_t  *value;

    scan = &pick->scan;
    value = &pick->values[i];
    n = depth - pick->base;

    if (value->path == NULL
        || n > value->path->steps.nelts
        || n > pick->steps[i]
        || (n && !wag_pick_step(pick, value->path, n - 1, depth)))
    {
        return;
    }

    pick->steps[i] = n + 1;

    value->type = WAG_PICK_NONE;
    value->len = 0;
    value->cut = 0;

    if (n < value->path->steps.nelts) {
        return;
    }

    switch (scan->type) {

    case WAG_JSON_STRING:
        value->type = WAG_PICK_STRING;
        break;

    case WAG_JSON_NUMBER:
        value->type = WAG_PICK_NUMBER;
        break;

    case WAG_JSON_TRUE:
    case WAG_JSON_FALSE:
        value->type = WAG_PICK_BOOL;
        break;

    case WAG_JSON_NULL:
        value->type = WAG_PICK_NULL;
        break;

    default:
        value->type = WAG_PICK_OTHER;
        return;
    }

    scan->text = value->data;
    scan->size = value->size;
}


/* whether the value at this depth is where the n-th step of a path leads */

static ngx_uint_t
wag_pick_step(wag_pick_t *pick, wag_json_path_t *path, ngx_uint_t n,
    ngx_uint_t depth)
{
    wag_json_scan_t  *scan;
    wag_json_step_t  *step;

    scan = &pick->scan;
    step = path->steps.elts;
    step += n;

    if (pick->arrays & ((uint64_t) 1 << (depth - 1))) {
        return step->index >= 0
               && (uint32_t) step->index == pick->index[depth - 1];
    }

    return step->index < 0
           && !pick->key_cut
           && step->key.len == scan->key_len
           && ngx_memcmp(step->key.data, scan->key, scan->key_len) == 0;
}


static ngx_int_t
wag_pick_end_value(wag_pick_t *pick)
{
    ngx_uint_t         i, n, depth;
    wag_json_scan_t   *scan;
    wag_pick_value_t  *value;

    scan = &pick->scan;
    depth = scan->depth;

    if (depth && (pick->arrays & ((uint64_t) 1 << (depth - 1)))) {
        pick->index[depth - 1]++;
    }

    if (depth < pick->base) {

        if (pick->inside && depth + 1 == pick->base
            && pick->matched == pick->base)
        {
            pick->inside = 0;
        }

        pick->matched = ngx_min(pick->matched, depth);

        return NGX_OK;
    }

    if (!pick->inside) {
        return NGX_OK;
    }

    n = depth - pick->base;

    for (i = 0; i < pick->nvalues; i++) {
        value = &pick->values[i];

        if (value->path
            && n == value->path->steps.nelts
            && pick->steps[i] == n + 1
            && scan->text)
        {
            value->len = scan->len;
            value->cut = scan->cut;
        }

        pick->steps[i] = ngx_min(pick->steps[i], n);
    }

    return n ? NGX_OK : pick->item(pick);
}


static void
wag_pick_reset(wag_pick_t *pick)
{
    ngx_uint_t  i;

    for (i = 0; i < pick->nvalues; i++) {
        pick->values[i].type = WAG_PICK_NONE;
        pick->values[i].len = 0;
        pick->values[i].cut = 0;
        pick->steps[i] = 0;
    }
}
