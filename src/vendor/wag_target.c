
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_target.h"


static ngx_int_t wag_target_segment(ngx_pool_t *pool, ngx_str_t *text,
    wag_target_path_t *path, const char **error);
static const char *wag_target_check_segment(ngx_str_t *segment);
static u_char wag_target_byte(u_char **pos, u_char *last);


static const char  wag_target_bad_byte[] =
    "has a blank, \"#\" or control character";
static const char  wag_target_bad_escape[] = "has a bad escape";
static const char  wag_target_dot_segment[] = "has a dot segment";
static const char  wag_target_slash[] = "has a slash within a segment";


const char *
wag_target_check(u_char *p, u_char *last)
{
    for ( /* void */ ; p < last; p++) {

        /* a "#" ends a target for those that read it as a URL */

        if (*p <= ' ' || *p == 0x7f || *p == '#') {
            return wag_target_bad_byte;
        }
    }

    return NULL;
}


ngx_int_t
wag_target_path(ngx_pool_t *pool, u_char *p, u_char *last,
    wag_target_path_t *path, const char **error)
{
    u_char     *end;
    ngx_int_t   rc;
    ngx_str_t   text;

    path->encoded = 0;
    path->n = 0;

    if (p == last || *p != '/') {
        *error = "does not begin with \"/\"";
        return NGX_DECLINED;
    }

    for (p++; p < last; p = end + 1) {

        end = wag_target_find(p, last, '/');

        text.data = p;
        text.len = end - p;

        rc = wag_target_segment(pool, &text, path, error);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    return NGX_OK;
}


static ngx_int_t
wag_target_segment(ngx_pool_t *pool, ngx_str_t *text, wag_target_path_t *path,
    const char **error)
{
    ngx_int_t   rc;
    ngx_str_t   segment;

    if (text->len == 0) {
        *error = "has an empty segment";
        return NGX_DECLINED;
    }

    rc = wag_target_decode(pool, text, 0, &segment, error);
    if (rc != NGX_OK) {
        return rc;
    }

    *error = wag_target_check_segment(&segment);

    if (*error != NULL) {
        return NGX_DECLINED;
    }

    if (path->n < WAG_TARGET_SEGMENTS) {
        path->segments[path->n] = segment;

        if (segment.len != text->len) {
            path->encoded |= (uint32_t) 1 << path->n;
        }
    }

    path->n++;

    return NGX_OK;
}


static const char *
wag_target_check_segment(ngx_str_t *segment)
{
    u_char  *p;
    size_t   i;

    p = segment->data;

    if (p[0] == '.'
        && (segment->len == 1 || (segment->len == 2 && p[1] == '.')))
    {
        return wag_target_dot_segment;
    }

    for (i = 0; i < segment->len; i++) {
        if (p[i] == '/' || p[i] == '\\') {
            return wag_target_slash;
        }
    }

    return NULL;
}


ngx_int_t
wag_target_decode(ngx_pool_t *pool, ngx_str_t *text, ngx_uint_t plus,
    ngx_str_t *value, const char **error)
{
    u_char  *p, *last, *dst;
    size_t   i;

    *value = *text;

    p = text->data;
    last = p + text->len;

    *error = wag_target_escapes(p, last);

    if (*error != NULL) {
        return NGX_DECLINED;
    }

    if (wag_target_find(p, last, '%') < last
        || (plus && wag_target_find(p, last, '+') < last))
    {
        value->data = ngx_pnalloc(pool, text->len);
        if (value->data == NULL) {
            return NGX_ERROR;
        }

        for (dst = value->data; p < last; dst++) {

            if (plus && *p == '+') {
                *dst = ' ';
                p++;
                continue;
            }

            *dst = wag_target_byte(&p, last);
        }

        value->len = dst - value->data;
    }

    for (i = 0; i < value->len; i++) {
        if (value->data[i] < ' ' || value->data[i] == 0x7f) {
            *error = "has a control character";
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}


const char *
wag_target_escapes(u_char *p, u_char *last)
{
    for ( ;; ) {
        p = wag_target_find(p, last, '%');

        if (p == last) {
            return NULL;
        }

        if (last - p < 3 || ngx_hextoi(p + 1, 2) == NGX_ERROR) {
            return wag_target_bad_escape;
        }

        p += 3;
    }
}


/*
 * Parsers of nested names take name[], name[x], [name] and, if told to, name.x
 * for the name.
 */

ngx_uint_t
wag_target_query_name(u_char *p, u_char *last, ngx_str_t *name)
{
    u_char      ch, *next;
    size_t      i;
    ngx_uint_t  bracket;

    next = p;
    bracket = (p < last && wag_target_byte(&next, last) == '[');

    if (bracket) {
        p = next;
    }

    for (i = 0; i < name->len; i++) {
        if (p == last || wag_target_byte(&p, last) != name->data[i]) {
            return WAG_TARGET_OTHER;
        }
    }

    if (p == last) {
        return bracket ? WAG_TARGET_OTHER : WAG_TARGET_EQUAL;
    }

    ch = wag_target_byte(&p, last);

    if (bracket) {
        return (ch == ']') ? WAG_TARGET_WITHIN : WAG_TARGET_OTHER;
    }

    return (ch == '[' || ch == '.') ? WAG_TARGET_WITHIN : WAG_TARGET_OTHER;
}


u_char *
wag_target_find(u_char *p, u_char *last, u_char ch)
{
    u_char  *found;

    found = (p < last) ? memchr(p, ch, last - p) : NULL;

    return found ? found : last;
}


/* the next byte that is meant, of valid escapes; moves beyond it */

static u_char
wag_target_byte(u_char **pos, u_char *last)
{
    u_char  *p;

    p = *pos;

    if (*p == '%' && last - p >= 3) {
        *pos = p + 3;
        return (u_char) ngx_hextoi(p + 1, 2);
    }

    *pos = p + 1;

    return *p;
}
