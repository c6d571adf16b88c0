
/*
 * Copyright (C) the wa_gateway authors
 *
 * JSON paths, and what lies at them, on cJSON.  Pure.
 */


#ifndef _WAG_JSON_H_INCLUDED_
#define _WAG_JSON_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <cjson/cJSON.h>


#define WAG_JSON_MAX_DEPTH  64

/* of a path */

#define WAG_JSON_MAX_STEPS  16


typedef struct {
    ngx_str_t            key;     /* NUL-terminated */
    int                  index;   /* -1 if a key */
} wag_json_step_t;


typedef struct {
    ngx_str_t            text;
    ngx_array_t          steps;
} wag_json_path_t;


/*
 * Compiles a path: "$", then up to 16 of ".name", "[0]" and "['name']",
 * where \' and \\ are escapes.  A name after a dot holds anything but
 * blanks, quotes, dots, brackets and backslashes.  NGX_OK; NGX_DECLINED if
 * the path is invalid; NGX_ERROR if there is no memory.
 */
ngx_int_t wag_json_path(ngx_pool_t *pool, ngx_str_t *text,
    wag_json_path_t *path);

/*
 * Parses a text that must be one JSON value and nothing else, and that is
 * followed by a NUL, to be freed with cJSON_Delete().  NULL, with "error"
 * set, if it is no JSON, is nested deeper than the bound above (checked
 * before cJSON recurses), or holds a NUL, plain or as \u0000, where cJSON
 * would cut a string.
 */
cJSON *wag_json_parse(ngx_str_t *text, const char **error);

/* the error that is none of the text */

extern const char  wag_json_no_memory[];

/* The value at the path, case of keys respected; NULL if there is none. */
cJSON *wag_json_find(cJSON *root, wag_json_path_t *path);


#endif /* _WAG_JSON_H_INCLUDED_ */
