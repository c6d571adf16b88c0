
#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_json.h"
#include "wag_unit.h"


typedef struct {
    ngx_str_t            path;
    const char          *value;
} wag_unit_path_t;


typedef struct {
    const char          *name;
    ngx_str_t            text;
    const char          *fill;
    ngx_uint_t           times;
    const char          *error;
} wag_unit_text_t;


static void wag_unit_paths(wag_unit_t *u);
static void wag_unit_texts(wag_unit_t *u);


static ngx_str_t  wag_unit_document = ngx_string(
    "{\"state\":\"open\",\"State\":\"upper\",\"a\":{\"b\":[{\"c\":1},"
    "[[],[2,\"deep\"]]]},\"x.y\":{\"z-w\":true},\"z-w\":false,"
    "\"it's\":\"quote\",\"b\\\\s\":\"slash\",\"\":\"empty\",\"0\":\"zero\","
    "\"n\":null,\"\xd8\xad\":\"arabic\",\"d\":1,\"d\":2}");


/* what a path finds in the document above; NULL: it is invalid */

static wag_unit_path_t  wag_unit_path_cases[] =
{
    { ngx_string("$.state"), "\"open\"" },
    { ngx_string("$.State"), "\"upper\"" },
    { ngx_string("$.STATE"), "missing" },
    { ngx_string("$.stat"), "missing" },
    { ngx_string("$.state.x"), "missing" },
    { ngx_string("$.state[0]"), "missing" },
    { ngx_string("$.a.b[0].c"), "1" },
    { ngx_string("$['a']['b'][0]['c']"), "1" },
    { ngx_string("$.a.b[1][1][1]"), "\"deep\"" },
    { ngx_string("$.a.b[1][0][0]"), "missing" },
    { ngx_string("$.a.b[2]"), "missing" },
    { ngx_string("$.a.b[2147483]"), "missing" },
    { ngx_string("$.a[0]"), "missing" },
    { ngx_string("$[0]"), "missing" },
    { ngx_string("$.a.b.c"), "missing" },
    { ngx_string("$['x.y']['z-w']"), "true" },
    { ngx_string("$.x.y"), "missing" },
    { ngx_string("$.z-w"), "false" },
    { ngx_string("$['it\\'s']"), "\"quote\"" },
    { ngx_string("$['b\\\\s']"), "\"slash\"" },
    { ngx_string("$['']"), "\"empty\"" },
    { ngx_string("$.0"), "\"zero\"" },
    { ngx_string("$.n"), "null" },
    { ngx_string("$.n.m"), "missing" },
    { ngx_string("$.\xd8\xad"), "\"arabic\"" },
    { ngx_string("$.d"), "1" },

    { ngx_string(""), NULL },
    { ngx_string("state"), NULL },
    { ngx_string(".state"), NULL },
    { ngx_string("$state"), NULL },
    { ngx_string("$."), NULL },
    { ngx_string("$..a"), NULL },
    { ngx_string("$.a."), NULL },
    { ngx_string("$.a..b"), NULL },
    { ngx_string("$.a b"), NULL },
    { ngx_string("$.a]"), NULL },
    { ngx_string("$.'a'"), NULL },
    { ngx_string("$.\"a\""), NULL },
    { ngx_string("$.a\\b"), NULL },
    { ngx_string("$["), NULL },
    { ngx_string("$[]"), NULL },
    { ngx_string("$[0"), NULL },
    { ngx_string("$[-1]"), NULL },
    { ngx_string("$[01]"), NULL },
    { ngx_string("$[1:2]"), NULL },
    { ngx_string("$[*]"), NULL },
    { ngx_string("$[99999999999]"), NULL },
    { ngx_string("$[a]"), NULL },
    { ngx_string("$[\"a\"]"), NULL },
    { ngx_string("$['a"), NULL },
    { ngx_string("$['a'"), NULL },
    { ngx_string("$['a']b"), NULL },
    { ngx_string("$['a'x]"), NULL },
    { ngx_string("$['a\\"), NULL },
    { ngx_string("$['a\\n']"), NULL },
    { ngx_string("$['a\0']"), NULL },
    { ngx_string("$.a[0]b"), NULL },
    { ngx_null_string, NULL }
};


static wag_unit_text_t  wag_unit_text_cases[] =
{
    { "object", ngx_string("{}"), NULL, 0, NULL },
    { "blanks around", ngx_string(" \r\n\t[1] \r\n"), NULL, 0, NULL },
    { "scalar", ngx_string("true"), NULL, 0, NULL },
    { "brackets in a string", ngx_string("\"[[[]\\\"{\""), NULL, 0, NULL },
    { "escaped backslash before u0000", ngx_string("\"\\\\u0000\""), NULL, 0,
      NULL },
    { "UTF-8", ngx_string("\"\xd9\x84\""), NULL, 0, NULL },
    { "invalid UTF-8 is left alone", ngx_string("\"\xff\xc0\xaf\""), NULL, 0,
      NULL },
    { "64 deep", ngx_string("@"), "[", 64, "body is no JSON" },
    { "64 deep and closed", ngx_string("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
      "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"
      "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"), NULL, 0, NULL },
    { "65 deep", ngx_string("@"), "[", 65,
      "body is nested too deep for JSON" },
    { "100,000 brackets", ngx_string("@"), "[", 100000,
      "body is nested too deep for JSON" },
    { "100,000 objects", ngx_string("@"), "{\"a\":", 100000,
      "body is nested too deep for JSON" },
    { "100,000 arrays side by side", ngx_string("[@[]]"), "[],", 100000,
      NULL },
    { "empty", ngx_string(""), NULL, 0, "body is no JSON" },
    { "blank", ngx_string(" \n"), NULL, 0, "body is no JSON" },
    { "text", ngx_string("OK"), NULL, 0, "body is no JSON" },
    { "HTML", ngx_string("<html></html>"), NULL, 0, "body is no JSON" },
    { "trailing garbage", ngx_string("{}x"), NULL, 0, "body is no JSON" },
    { "two values", ngx_string("{} {}"), NULL, 0, "body is no JSON" },
    { "trailing NUL", ngx_string("{}\0"), NULL, 0, "body is no JSON" },
    { "NUL between", ngx_string("{\0}"), NULL, 0, "body is no JSON" },
    { "NUL in a string", ngx_string("\"a\0b\""), NULL, 0, "body is no JSON" },
    { "\\u0000 in a string", ngx_string("\"a\\u0000b\""), NULL, 0,
      "body holds a NUL" },
    { "unclosed string", ngx_string("\"abc"), NULL, 0, "body is no JSON" },
    { "unclosed escape", ngx_string("\"abc\\"), NULL, 0, "body is no JSON" },
    { "quote alone", ngx_string("\""), NULL, 0, "body is no JSON" },
    { "unclosed object", ngx_string("{\"a\":1,"), NULL, 0, "body is no JSON" },
    { "closed twice", ngx_string("[]]"), NULL, 0, "body is no JSON" },
    { "closed first", ngx_string("]"), NULL, 0, "body is no JSON" },
    { "wrong bracket", ngx_string("[}"), NULL, 0, "body is no JSON" },
    { NULL, ngx_null_string, NULL, 0, NULL }
};


void
wag_unit_json(wag_unit_t *u)
{
    wag_unit_paths(u);
    wag_unit_texts(u);
}


static void
wag_unit_paths(wag_unit_t *u)
{
    char              name[128], found[128];
    cJSON            *json, *root;
    ngx_int_t         rc;
    const char       *error;
    wag_json_path_t   path;
    wag_unit_path_t  *c;

    root = wag_json_parse(&wag_unit_document, &error);

    wag_unit_ok(u, root != NULL, "the document");

    for (c = wag_unit_path_cases; c->path.data; c++) {
        *ngx_sprintf((u_char *) name, "path %V", &c->path) = '\0';

        rc = wag_json_path(u->pool, &c->path, &path);

        if (c->value == NULL || rc != NGX_OK) {
            wag_unit_ok(u, c->value == NULL && rc == NGX_DECLINED, name);
            continue;
        }

        json = wag_json_find(root, &path);

        *ngx_cpymem(found, "missing", 7) = '\0';

        if (json != NULL) {
            cJSON_PrintPreallocated(json, found, sizeof(found), 0);
        }

        wag_unit_is(u, found, c->value, name);
    }

    cJSON_Delete(root);
}


static void
wag_unit_texts(wag_unit_t *u)
{
    cJSON            *json;
    u_char           *p;
    size_t            len;
    ngx_str_t         text;
    ngx_uint_t        i;
    const char       *error;
    wag_unit_text_t  *c;

    for (c = wag_unit_text_cases; c->name; c++) {
        len = c->fill ? ngx_strlen(c->fill) : 0;

        p = malloc(c->text.len + len * c->times + 1);
        if (p == NULL) {
            return;
        }

        text.data = p;

        for (i = 0; i < c->text.len; i++) {

            if (len == 0 || c->text.data[i] != '@') {
                *p++ = c->text.data[i];
                continue;
            }

            while (p < text.data + i + len * c->times) {
                p = ngx_cpymem(p, c->fill, len);
            }
        }

        *p = '\0';
        text.len = p - text.data;

        json = wag_json_parse(&text, &error);

        wag_unit_is(u, json ? "(JSON)" : error, c->error ? c->error : "(JSON)",
                    c->name);

        cJSON_Delete(json);
        free(text.data);
    }
}
