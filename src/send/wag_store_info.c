
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_store_info.h"


static void wag_store_info_line(wag_store_info_t *info, ngx_str_t *name,
    ngx_str_t *value);

#define wag_store_info_is(s, text)                                            \
    ((s)->len == sizeof(text) - 1                                             \
     && ngx_memcmp((s)->data, text, sizeof(text) - 1) == 0)


void
wag_store_info_add(wag_store_info_t *info, ngx_str_t *section)
{
    u_char     *p, *last, *end, *colon;
    ngx_str_t   name, value;

    if (section->len == 0) {
        return;
    }

    p = section->data;
    last = p + section->len;

    for ( /* void */ ; p < last; p = end + 1) {

        end = ngx_strlchr(p, last, '\n');
        if (end == NULL) {
            end = last;
        }

        colon = ngx_strlchr(p, end, ':');
        if (colon == NULL) {
            continue;
        }

        name.data = p;
        name.len = colon - p;

        value.data = colon + 1;
        value.len = end - value.data;

        if (value.len && end[-1] == '\r') {
            value.len--;
        }

        wag_store_info_line(info, &name, &value);
    }
}


static void
wag_store_info_line(wag_store_info_t *info, ngx_str_t *name, ngx_str_t *value)
{
    if (wag_store_info_is(name, "run_id")) {
        info->run_len = ngx_min(value->len, WAG_STORE_RUN_LEN);
        ngx_memcpy(info->run, value->data, info->run_len);

    } else if (wag_store_info_is(name, "redis_mode")
               || wag_store_info_is(name, "server_mode"))
    {
        info->cluster |= wag_store_info_is(value, "cluster");
        info->sentinel |= wag_store_info_is(value, "sentinel");

    } else if (wag_store_info_is(name, "cluster_enabled")) {
        info->cluster |= !wag_store_info_is(value, "0");

    } else if (wag_store_info_is(name, "role")) {
        info->replica = !wag_store_info_is(value, "master");

    } else if (wag_store_info_is(name, "maxmemory")) {
        info->limited = !wag_store_info_is(value, "0");

    } else if (wag_store_info_is(name, "maxmemory_policy")) {
        info->evicts = !wag_store_info_is(value, "noeviction");

    } else if (wag_store_info_is(name, "aof_enabled")) {
        info->unkept = wag_store_info_is(value, "0");
    }
}


const char *
wag_store_info_refuse(wag_store_info_t *info)
{
    if (info->sentinel) {
        return "it is a Sentinel, the store itself is needed";
    }

    if (info->cluster) {
        return "it is a Cluster, which is not supported";
    }

    if (info->replica) {
        return "it is a replica, the primary is needed";
    }

    if (info->limited && info->evicts) {
        return "its maxmemory-policy makes it forget keys, it has to be "
               "noeviction";
    }

    return info->run_len ? NULL : "it tells no run_id";
}
