
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_argument.h"
#include "wag_segment_conf.h"
#include "wag_target.h"


static ngx_int_t wag_segment_conf(ngx_conf_t *cf, ngx_str_t *text,
    ngx_str_t *path, wag_segment_t *segment);
static ngx_int_t wag_segment_conf_texts(ngx_conf_t *cf, ngx_str_t *text,
    ngx_str_t *path, wag_segment_t *segment);


static ngx_conf_enum_t  wag_segment_conf_types[] = {
    { ngx_string("*"), WAG_SEGMENT_ANY },
    { ngx_string("<session>"), WAG_SEGMENT_SESSION },
    { ngx_string("<session:token>"), WAG_SEGMENT_TOKEN },
    { ngx_string("<key>"), WAG_SEGMENT_KEY },
    { ngx_null_string, 0 }
};


ngx_int_t
wag_segment_conf_path(ngx_conf_t *cf, ngx_str_t *path, wag_route_t *route,
    ngx_uint_t *sessions)
{
    ngx_str_t       rest, part;
    wag_segment_t  *segment;

    *sessions = 0;

    if (ngx_array_init(&route->segments, cf->pool, 4, sizeof(wag_segment_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* "/" has no segment */

    rest.data = path->data + 1;
    rest.len = path->len - 1;

    while (path->len > 1 && wag_argument_next(&rest, '/', &part)) {

        if (route->rest) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"**\" is not the last segment of \"%V\"",
                               path);
            return NGX_ERROR;
        }

        if (part.len == 2 && ngx_strncmp(part.data, "**", 2) == 0) {
            route->rest = 1;
            continue;
        }

        if (route->segments.nelts == WAG_TARGET_SEGMENTS) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "more than %d segments in \"%V\"",
                               WAG_TARGET_SEGMENTS, path);
            return NGX_ERROR;
        }

        segment = ngx_array_push(&route->segments);
        if (segment == NULL) {
            return NGX_ERROR;
        }

        if (wag_segment_conf(cf, &part, path, segment) != NGX_OK) {
            return NGX_ERROR;
        }

        if ((segment->type == WAG_SEGMENT_SESSION
             || segment->type == WAG_SEGMENT_TOKEN)
            && (*sessions)++)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "second \"%V\" in \"%V\"", &part, path);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
wag_segment_conf(ngx_conf_t *cf, ngx_str_t *text, ngx_str_t *path,
    wag_segment_t *segment)
{
    ngx_conf_enum_t  *type;

    ngx_memzero(segment, sizeof(wag_segment_t));

    for (type = wag_segment_conf_types; type->name.len; type++) {
        if (type->name.len == text->len
            && ngx_memcmp(type->name.data, text->data, text->len) == 0)
        {
            segment->type = type->value;
            return NGX_OK;
        }
    }

    if (ngx_strlchr(text->data, text->data + text->len, '<') != NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "unknown \"%V\" in \"%V\", a segment may be "
                           "<session>, <session:token> or <key>", text, path);
        return NGX_ERROR;
    }

    segment->type = WAG_SEGMENT_TEXT;

    return wag_segment_conf_texts(cf, text, path, segment);
}


/* stop|restart|send*; a text with a "%" would never fit */

static ngx_int_t
wag_segment_conf_texts(ngx_conf_t *cf, ngx_str_t *text, ngx_str_t *path,
    wag_segment_t *segment)
{
    ngx_str_t            rest, part;
    ngx_uint_t           prefix;
    wag_segment_text_t  *one;

    if (ngx_array_init(&segment->texts, cf->pool, 1,
                       sizeof(wag_segment_text_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    rest = *text;

    while (wag_argument_next(&rest, '|', &part)) {

        prefix = (part.len > 1 && part.data[part.len - 1] == '*');
        part.len -= prefix;

        if (!wag_argument_is_name(&part, "-_.~@:$!,;")
            || ngx_strncmp(part.data, ".", part.len) == 0
            || ngx_strncmp(part.data, "..", part.len) == 0)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid segment \"%V\" in \"%V\"", text, path);
            return NGX_ERROR;
        }

        one = ngx_array_push(&segment->texts);
        if (one == NULL) {
            return NGX_ERROR;
        }

        one->text = part;
        one->prefix = prefix;
    }

    return NGX_OK;
}
