
/*
 * Copyright (C) the wa_gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_json.h"


static ngx_int_t wag_json_step_name(ngx_pool_t *pool, wag_json_step_t *step,
    u_char **pos, u_char *last);
static ngx_int_t wag_json_step_key(ngx_pool_t *pool, wag_json_step_t *step,
    u_char **pos, u_char *last);
static ngx_int_t wag_json_step_index(wag_json_step_t *step, u_char **pos,
    u_char *last);
static const char *wag_json_scan(ngx_str_t *text);
static u_char *wag_json_scan_string(u_char *p, u_char *last,
    const char **error);


const char  wag_json_no_memory[] = "no memory for the JSON";


ngx_int_t
wag_json_path(ngx_pool_t *pool, ngx_str_t *text, wag_json_path_t *path)
{
    u_char           *p, *last;
    ngx_int_t         rc;
    wag_json_step_t  *step;

    path->text = *text;

    if (ngx_array_init(&path->steps, pool, 4, sizeof(wag_json_step_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    p = text->data;
    last = p + text->len;

    if (p == last || *p++ != '$') {
        return NGX_DECLINED;
    }

    while (p < last) {

        if (path->steps.nelts == WAG_JSON_MAX_STEPS) {
            return NGX_DECLINED;
        }

        step = ngx_array_push(&path->steps);
        if (step == NULL) {
            return NGX_ERROR;
        }

        ngx_str_null(&step->key);
        step->index = -1;

        if (*p == '.') {
            p++;
            rc = wag_json_step_name(pool, step, &p, last);

        } else if (*p++ != '[' || p == last) {
            rc = NGX_DECLINED;

        } else if (*p == '\'') {
            p++;
            rc = wag_json_step_key(pool, step, &p, last);

        } else {
            rc = wag_json_step_index(step, &p, last);
        }

        if (rc != NGX_OK) {
            return rc;
        }
    }

    return NGX_OK;
}


static ngx_int_t
wag_json_step_name(ngx_pool_t *pool, wag_json_step_t *step, u_char **pos,
    u_char *last)
{
    u_char  *p;

    for (p = *pos; p < last; p++) {

        if (*p == '.' || *p == '[') {
            break;
        }

        if (*p <= ' ' || *p == 0x7f || *p == ']' || *p == '\\'
            || *p == '\'' || *p == '"')
        {
            return NGX_DECLINED;
        }
    }

    if (p == *pos) {
        return NGX_DECLINED;
    }

    step->key.len = p - *pos;

    step->key.data = ngx_pnalloc(pool, step->key.len + 1);
    if (step->key.data == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_cpystrn(step->key.data, *pos, step->key.len + 1);

    *pos = p;

    return NGX_OK;
}


static ngx_int_t
wag_json_step_key(ngx_pool_t *pool, wag_json_step_t *step, u_char **pos,
    u_char *last)
{
    u_char  *p, *dst;

    p = *pos;

    dst = ngx_pnalloc(pool, last - p + 1);
    if (dst == NULL) {
        return NGX_ERROR;
    }

    step->key.data = dst;

    while (p < last && *p != '\'') {

        if (*p == '\\') {
            p++;

            if (p == last || (*p != '\'' && *p != '\\')) {
                return NGX_DECLINED;
            }
        }

        if (*p == '\0') {
            return NGX_DECLINED;
        }

        *dst++ = *p++;
    }

    if (last - p < 2 || p[1] != ']') {
        return NGX_DECLINED;
    }

    *dst = '\0';
    step->key.len = dst - step->key.data;

    *pos = p + 2;

    return NGX_OK;
}


static ngx_int_t
wag_json_step_index(wag_json_step_t *step, u_char **pos, u_char *last)
{
    u_char    *p;
    ngx_int_t  n;

    p = ngx_strlchr(*pos, last, ']');

    if (p == NULL || p - *pos > 9 || (**pos == '0' && p - *pos > 1)) {
        return NGX_DECLINED;
    }

    n = ngx_atoi(*pos, p - *pos);

    if (n == NGX_ERROR) {
        return NGX_DECLINED;
    }

    step->index = (int) n;

    *pos = p + 1;

    return NGX_OK;
}


cJSON *
wag_json_parse(ngx_str_t *text, const char **error)
{
    cJSON       *json;
    u_char      *p, *last;
    const char  *end;

    *error = wag_json_scan(text);

    if (*error != NULL) {
        return NULL;
    }

    end = NULL;

    /* cJSON does not tell why it failed, malloc() does */

    ngx_set_errno(0);

    json = cJSON_ParseWithLengthOpts((char *) text->data, text->len, &end, 0);

    if (json == NULL) {
        *error = (ngx_errno == NGX_ENOMEM) ? wag_json_no_memory
                                           : "body is no JSON";
        return NULL;
    }

    last = text->data + text->len;

    for (p = (u_char *) end; p < last; p++) {
        if (*p != ' ' && *p != '\t' && *p != CR && *p != LF) {
            cJSON_Delete(json);
            *error = "body is no JSON";
            return NULL;
        }
    }

    return json;
}


cJSON *
wag_json_find(cJSON *root, wag_json_path_t *path)
{
    cJSON            *json;
    ngx_uint_t        i;
    wag_json_step_t  *step;

    json = root;
    step = path->steps.elts;

    for (i = 0; i < path->steps.nelts && json != NULL; i++) {

        if (step[i].index < 0) {
            json = cJSON_IsObject(json)
                   ? cJSON_GetObjectItemCaseSensitive(json,
                                                     (char *) step[i].key.data)
                   : NULL;

        } else {
            json = cJSON_IsArray(json)
                   ? cJSON_GetArrayItem(json, step[i].index) : NULL;
        }
    }

    return json;
}


/* one cheap pass before cJSON, which recurses, sees the text */

static const char *
wag_json_scan(ngx_str_t *text)
{
    u_char      *p, *last;
    ngx_uint_t   depth;
    const char  *error;

    depth = 0;
    error = NULL;

    last = text->data + text->len;

    for (p = text->data; p < last && error == NULL; p++) {

        switch (*p) {

        case '"':
            p = wag_json_scan_string(p + 1, last, &error);
            break;

        case '{':
        case '[':
            if (++depth > WAG_JSON_MAX_DEPTH) {
                error = "body is nested too deep for JSON";
            }

            break;

        case '}':
        case ']':
            if (depth-- == 0) {
                error = "body is no JSON";
            }

            break;

        case '\0':
            error = "body is no JSON";
            break;
        }
    }

    return error;
}


/* returns the closing quote, or the last byte */

static u_char *
wag_json_scan_string(u_char *p, u_char *last, const char **error)
{
    for ( /* void */ ; p < last; p++) {

        if (*p == '"') {
            return p;
        }

        if (*p == '\0') {
            break;
        }

        if (*p != '\\') {
            continue;
        }

        p++;

        if (last - p >= 5 && ngx_strncmp(p, "u0000", 5) == 0) {
            *error = "body holds a NUL";
            return p;
        }
    }

    *error = "body is no JSON";

    return last - 1;
}
