
#include "fuzz.h"

#include "wag_json.h"


/*
 * A path up to the first LF, then a JSON text: both compiled and parsed, and
 * the value at the path found by a second, plainer walk.
 */

static void fuzz_json_path(wag_json_path_t *path);
static cJSON *fuzz_json_walk(cJSON *root, wag_json_path_t *path);
static void fuzz_json_depth(cJSON *json, ngx_uint_t depth);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cJSON           *json;
    u_char          *p, *copy;
    ngx_int_t        rc;
    ngx_str_t        text, body;
    ngx_pool_t      *pool;
    const char      *error;
    wag_json_path_t  path;

    p = memchr(data, LF, size);
    if (p == NULL) {
        return 0;
    }

    pool = ngx_create_pool(4096, fuzz_log());
    fuzz_assert(pool != NULL);

    text.len = p - data;
    text.data = fuzz_copy(data, text.len);

    body.len = size - text.len - 1;
    copy = malloc(body.len + 1);
    ngx_memcpy(copy, p + 1, body.len);
    copy[body.len] = '\0';
    body.data = copy;

    rc = wag_json_path(pool, &text, &path);

    fuzz_assert(rc == NGX_OK || rc == NGX_DECLINED);

    json = wag_json_parse(&body, &error);

    fuzz_assert((json == NULL) == (error != NULL));

    if (rc == NGX_OK) {
        fuzz_json_path(&path);
    }

    if (json) {
        fuzz_json_depth(json, 0);
    }

    if (json && rc == NGX_OK) {
        fuzz_assert(wag_json_find(json, &path) == fuzz_json_walk(json, &path));
    }

    cJSON_Delete(json);

    ngx_destroy_pool(pool);
    free(text.data);
    free(copy);

    return 0;
}


static void
fuzz_json_path(wag_json_path_t *path)
{
    ngx_uint_t        i;
    wag_json_step_t  *step;

    step = path->steps.elts;

    for (i = 0; i < path->steps.nelts; i++) {
        fuzz_assert((step[i].key.data != NULL) == (step[i].index == -1));

        if (step[i].key.data) {
            fuzz_assert(ngx_strlen(step[i].key.data) == step[i].key.len);
        }
    }
}


static cJSON *
fuzz_json_walk(cJSON *root, wag_json_path_t *path)
{
    int               n;
    cJSON            *json;
    ngx_uint_t        i;
    wag_json_step_t  *step;

    step = path->steps.elts;

    for (i = 0; i < path->steps.nelts; i++) {

        if (!(root->type & (step[i].key.data ? cJSON_Object : cJSON_Array))) {
            return NULL;
        }

        n = 0;

        for (json = root->child; json; json = json->next) {

            if (step[i].key.data
                ? strcmp((char *) step[i].key.data, json->string) == 0
                : n++ == step[i].index)
            {
                break;
            }
        }

        if (json == NULL) {
            return NULL;
        }

        root = json;
    }

    return root;
}


static void
fuzz_json_depth(cJSON *json, ngx_uint_t depth)
{
    if (json->type & (cJSON_Array|cJSON_Object)) {
        fuzz_assert(depth < WAG_JSON_MAX_DEPTH);
    }

    for (json = json->child; json; json = json->next) {
        fuzz_json_depth(json, depth + 1);
    }
}
