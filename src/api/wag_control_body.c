
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_control_body.h"


#define WAG_CONTROL_MAX  1000000


typedef struct {
    const char          *name;
    ngx_uint_t           bit;
    ngx_uint_t           number;   /* unsigned  number:1; */
    ngx_uint_t           least;
    size_t               offset;
} wag_control_member_t;


static const char *wag_control_body_member(cJSON *item, ngx_uint_t may,
    wag_control_body_t *body);
static const char *wag_control_body_number(cJSON *item,
    wag_control_member_t *m, wag_control_body_t *body);


static wag_control_member_t  wag_control_members[] = {
    { "url", WAG_CONTROL_URL, 0, 0, offsetof(wag_control_body_t, url) },
    { "vendor", WAG_CONTROL_VENDOR, 0, 0,
      offsetof(wag_control_body_t, vendor) },
    { "key", WAG_CONTROL_KEY, 0, 0, offsetof(wag_control_body_t, key) },
    { "state", WAG_CONTROL_STATE, 0, 0, offsetof(wag_control_body_t, state) },
    { "weight", WAG_CONTROL_WEIGHT, 1, 1,
      offsetof(wag_control_body_t, weight) },
    { "maxConns", WAG_CONTROL_MAX_CONNS, 1, 0,
      offsetof(wag_control_body_t, max_conns) },
    { NULL, 0, 0, 0, 0 }
};


const char *
wag_control_body_read(cJSON *root, ngx_uint_t may, wag_control_body_t *body)
{
    cJSON       *item;
    const char  *err;

    ngx_memzero(body, sizeof(wag_control_body_t));

    if (!cJSON_IsObject(root)) {
        return "an object is expected";
    }

    cJSON_ArrayForEach(item, root) {
        err = wag_control_body_member(item, may, body);

        if (err) {
            body->member_len = ngx_min(ngx_strlen(item->string),
                                       WAG_CONTROL_MEMBER);
            ngx_memcpy(body->member, item->string, body->member_len);

            return err;
        }
    }

    return NULL;
}


static const char *
wag_control_body_member(cJSON *item, ngx_uint_t may, wag_control_body_t *body)
{
    ngx_str_t             *value;
    wag_control_member_t  *m;

    for (m = wag_control_members; m->name; m++) {
        if (ngx_strcmp(m->name, item->string) == 0) {
            break;
        }
    }

    if (m->name == NULL || (m->bit & may) == 0) {
        return "unknown member";
    }

    if (body->set & m->bit) {
        return "it is there twice";
    }

    body->set |= m->bit;

    if (m->number) {
        return wag_control_body_number(item, m, body);
    }

    if (!cJSON_IsString(item)) {
        return "a string is expected";
    }

    value = (ngx_str_t *) ((u_char *) body + m->offset);

    value->data = (u_char *) item->valuestring;
    value->len = ngx_strlen(item->valuestring);

    return value->len ? NULL : "it is empty";
}


static const char *
wag_control_body_number(cJSON *item, wag_control_member_t *m,
    wag_control_body_t *body)
{
    double  n;

    n = item->valuedouble;

    if (!cJSON_IsNumber(item)
        || !(n >= (double) m->least && n <= WAG_CONTROL_MAX)
        || n != (double) (ngx_uint_t) n)
    {
        return m->least ? "a whole number from 1 to 1000000 is expected"
                        : "a whole number from 0 to 1000000 is expected";
    }

    *(ngx_uint_t *) ((u_char *) body + m->offset) = (ngx_uint_t) n;

    return NULL;
}
