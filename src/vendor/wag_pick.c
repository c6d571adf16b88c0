
/*
 * Copyright (C) the wa_gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_json_tell.h"
#include "wag_pick.h"


/* the bit of "items" beside those of the values */

#define WAG_PICK_ITEMS  0x80000000
#define WAG_PICK_ALL    (WAG_PICK_ITEMS - 1)


static ngx_int_t wag_pick_event(wag_json_scan_t *s, ngx_uint_t event);
static ngx_int_t wag_pick_key(wag_pick_t *p);
static void wag_pick_open(wag_pick_t *p, ngx_uint_t array);
static void wag_pick_level(wag_pick_t *p, ngx_uint_t depth, ngx_uint_t array);
static uint64_t wag_pick_step_length(wag_json_path_t *path, ngx_uint_t n);
static void wag_pick_scalar(wag_pick_t *p, ngx_uint_t event);
static ngx_int_t wag_pick_close(wag_pick_t *p);
static void wag_pick_next(wag_pick_t *p, ngx_uint_t depth);
static void wag_pick_item(wag_pick_t *p);
static void wag_pick_step(wag_pick_t *p, ngx_uint_t depth, ngx_str_t *key);
static ngx_uint_t wag_pick_is_step(wag_json_path_t *path, ngx_uint_t n,
    ngx_str_t *key, ngx_uint_t index);
static void wag_pick_room(wag_pick_t *p, ngx_uint_t depth);
static void wag_pick_clear(wag_pick_t *p, uint32_t paths);
static ngx_int_t wag_pick_fail(wag_pick_t *p);


void
wag_pick_init(wag_pick_t *p)
{
    p->error = NULL;
    p->offset = 0;
    p->nitems = 0;
    p->base = 0;
    p->inside = 0;
    p->found = 0;

    wag_json_scan_init(&p->scan, wag_pick_event, p, WAG_JSON_SCAN_MAX_DEPTH);

    if (p->items == NULL) {
        p->inside = 1;
        p->found = 1;

        wag_pick_item(p);

    } else {
        p->paths = WAG_PICK_ITEMS;
    }

    wag_pick_room(p, 0);
}


ngx_int_t
wag_pick_parse(wag_pick_t *p, u_char *pos, u_char *last)
{
    if (wag_json_scan_parse(&p->scan, pos, last) == NGX_ERROR) {
        return wag_pick_fail(p);
    }

    return NGX_AGAIN;
}


ngx_int_t
wag_pick_end(wag_pick_t *p)
{
    if (wag_json_scan_end(&p->scan) == NGX_ERROR) {
        return wag_pick_fail(p);
    }

    return p->found ? NGX_OK : NGX_DECLINED;
}


/*
 * "paths" are those that lead to, or through, the value that comes next;
 * "ends" are those that lead to it.  An array or object keeps the others.
 */

static ngx_int_t
wag_pick_event(wag_json_scan_t *s, ngx_uint_t event)
{
    wag_pick_t  *p;

    p = s->data;

    switch (event) {

    case WAG_JSON_KEY:
        return wag_pick_key(p);

    case WAG_JSON_OBJECT:
    case WAG_JSON_ARRAY:
        wag_pick_open(p, event == WAG_JSON_ARRAY);
        return NGX_OK;

    case WAG_JSON_OBJECT_END:
    case WAG_JSON_ARRAY_END:
        return wag_pick_close(p);

    default:
        wag_pick_scalar(p, event);
        return wag_pick_close(p);
    }
}


static ngx_int_t
wag_pick_key(wag_pick_t *p)
{
    wag_json_scan_t  *s;

    s = &p->scan;

    p->paths = 0;

    if (!s->cut) {
        wag_pick_step(p, s->depth, &s->text);
    }

    if (p->paths == 0) {
        s->skip = 1;
        return NGX_OK;
    }

    if (p->paths & WAG_PICK_ITEMS) {

        if (p->nitems) {
            p->error = "items are given twice";
            return NGX_ERROR;
        }

        p->found = 0;
    }

    wag_pick_clear(p, p->paths);
    wag_pick_room(p, s->depth);

    return NGX_OK;
}


static void
wag_pick_open(wag_pick_t *p, ngx_uint_t array)
{
    ngx_uint_t  i, depth;

    depth = p->scan.depth;

    for (i = 0; i < p->nvalues; i++) {
        if (p->ends & ((uint32_t) 1 << i)) {
            p->values[i].type = WAG_PICK_OTHER;
        }
    }

    if (array && (p->ends & WAG_PICK_ITEMS)) {
        p->inside = 1;
        p->found = 1;
        p->base = depth + 1;

    } else if ((p->paths & ~p->ends) == 0) {
        p->scan.skip = 1;
        return;
    }

    wag_pick_level(p, depth, array);

    wag_pick_next(p, depth + 1);
}


static void
wag_pick_level(wag_pick_t *p, ngx_uint_t depth, ngx_uint_t array)
{
    ngx_uint_t         i;
    wag_pick_level_t  *level;

    level = &p->levels[depth];

    level->paths = p->paths & ~p->ends;
    level->array = array ? 1 : 0;
    level->index = 0;
    level->lengths = 0;

    if (array) {
        return;
    }

    if (level->paths & WAG_PICK_ITEMS) {
        level->lengths |= wag_pick_step_length(p->items, depth);
    }

    for (i = 0; i < p->nvalues; i++) {
        if (level->paths & ((uint32_t) 1 << i)) {
            level->lengths |= wag_pick_step_length(p->values[i].path,
                                                   depth - p->base);
        }
    }
}


static uint64_t
wag_pick_step_length(wag_json_path_t *path, ngx_uint_t n)
{
    wag_json_step_t  *step;

    step = path->steps.elts;

    return wag_json_scan_length(step[n].key.len);
}


static void
wag_pick_scalar(wag_pick_t *p, ngx_uint_t event)
{
    ngx_uint_t         i;
    wag_json_scan_t   *s;
    wag_pick_value_t  *v;

    s = &p->scan;

    for (i = 0; p->ends && i < p->nvalues; i++) {

        if (!(p->ends & ((uint32_t) 1 << i))) {
            continue;
        }

        v = &p->values[i];

        switch (event) {

        case WAG_JSON_STRING:
            v->type = WAG_PICK_STRING;
            break;

        case WAG_JSON_NUMBER:
            v->type = WAG_PICK_NUMBER;
            break;

        case WAG_JSON_NULL:
            v->type = WAG_PICK_NULL;
            break;

        default: /* WAG_JSON_TRUE, WAG_JSON_FALSE */
            v->type = WAG_PICK_BOOL;
        }

        v->len = s->text.len;
        v->cut = s->cut;

        if (v->len > v->size) {
            v->len = wag_json_tell_whole(s->text.data, v->size);
            v->cut = 1;
        }

        /* two values may have the same path, the larger room was filled */

        if (v->len && v->data != s->text.data) {
            ngx_memcpy(v->data, s->text.data, v->len);
        }
    }
}


static ngx_int_t
wag_pick_close(wag_pick_t *p)
{
    ngx_uint_t  depth;

    depth = p->scan.depth;

    if (p->inside && depth == p->base) {
        p->nitems++;

        if (p->item(p) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (p->inside && depth < p->base) {
        p->inside = 0;
    }

    wag_pick_next(p, depth);

    return NGX_OK;
}


static void
wag_pick_next(wag_pick_t *p, ngx_uint_t depth)
{
    wag_pick_level_t  *level;

    p->paths = 0;

    if (depth == 0) {
        return;
    }

    level = &p->levels[depth - 1];

    if (!level->array) {
        p->ends = 0;
        p->scan.room.data = p->key;
        p->scan.room.len = WAG_PICK_KEY_SIZE;
        p->scan.lengths = level->lengths;
        return;
    }

    if (p->inside && depth == p->base) {
        wag_pick_item(p);

    } else {
        wag_pick_step(p, depth, NULL);
    }

    wag_pick_room(p, depth);
}


static void
wag_pick_item(wag_pick_t *p)
{
    ngx_uint_t  i;

    wag_pick_clear(p, WAG_PICK_ALL);

    p->paths = 0;

    for (i = 0; i < p->nvalues; i++) {
        if (p->values[i].path) {
            p->paths |= (uint32_t) 1 << i;
        }
    }
}


/* which paths of an array or object go on with its next member */

static void
wag_pick_step(wag_pick_t *p, ngx_uint_t depth, ngx_str_t *key)
{
    ngx_uint_t         i, n;
    wag_pick_level_t  *level;

    level = &p->levels[depth - 1];

    if (level->paths == 0) {
        return;
    }

    if (level->paths & WAG_PICK_ITEMS) {
        if (wag_pick_is_step(p->items, depth - 1, key, level->index)) {
            p->paths |= WAG_PICK_ITEMS;
        }
    }

    n = depth - 1 - p->base;

    for (i = 0; i < p->nvalues; i++) {

        if (!(level->paths & ((uint32_t) 1 << i))) {
            continue;
        }

        if (wag_pick_is_step(p->values[i].path, n, key, level->index)) {
            p->paths |= (uint32_t) 1 << i;
        }
    }

    level->index++;
}


static ngx_uint_t
wag_pick_is_step(wag_json_path_t *path, ngx_uint_t n, ngx_str_t *key,
    ngx_uint_t index)
{
    wag_json_step_t  *step;

    step = path->steps.elts;
    step += n;

    if (key == NULL) {
        return step->index >= 0 && (ngx_uint_t) step->index == index;
    }

    return step->index < 0 && step->key.len == key->len
           && ngx_memcmp(step->key.data, key->data, key->len) == 0;
}


/* where the text of what comes next goes: the largest room for it */

static void
wag_pick_room(wag_pick_t *p, ngx_uint_t depth)
{
    ngx_str_t         *room;
    ngx_uint_t         i;
    wag_pick_value_t  *v;

    room = &p->scan.room;
    room->len = 0;

    p->ends = 0;

    if ((p->paths & WAG_PICK_ITEMS) && p->items->steps.nelts == depth) {
        p->ends |= WAG_PICK_ITEMS;
    }

    for (i = 0; i < p->nvalues; i++) {
        v = &p->values[i];

        if (!(p->paths & ((uint32_t) 1 << i))
            || v->path->steps.nelts != depth - p->base)
        {
            continue;
        }

        p->ends |= (uint32_t) 1 << i;

        if (v->size > room->len) {
            room->data = v->data;
            room->len = v->size;
        }
    }
}


static void
wag_pick_clear(wag_pick_t *p, uint32_t paths)
{
    ngx_uint_t  i;

    for (i = 0; i < p->nvalues; i++) {

        if (paths & ((uint32_t) 1 << i)) {
            p->values[i].type = WAG_PICK_NONE;
            p->values[i].len = 0;
            p->values[i].cut = 0;
        }
    }
}


static ngx_int_t
wag_pick_fail(wag_pick_t *p)
{
    if (p->error == NULL) {
        p->error = p->scan.error;
    }

    p->offset = p->scan.offset;

    return NGX_ERROR;
}
