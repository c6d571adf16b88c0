
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_json_text.h"


cJSON *
wag_json_text_string(cJSON *object, const char *name, u_char *data, size_t len)
{
    char     buf[WAG_JSON_STRING_LEN + 1];
    u_char  *last;

    last = ngx_cpymem(buf, data, ngx_min(len, WAG_JSON_STRING_LEN));
    *last = '\0';

    return cJSON_AddStringToObject(object, name, buf);
}


cJSON *
wag_json_text_or_null(cJSON *object, const char *name, ngx_str_t *text)
{
    return text->len
           ? wag_json_text_string(object, name, text->data, text->len)
           : cJSON_AddNullToObject(object, name);
}


cJSON *
wag_json_text_time(cJSON *object, const char *name, uint64_t msec)
{
    ngx_tm_t  tm;
    u_char    buf[WAG_JSON_TIME_LEN + 1];

    if (msec == 0) {
        return cJSON_AddNullToObject(object, name);
    }

    ngx_gmtime(msec / 1000, &tm);

    ngx_sprintf(buf, "%4d-%02d-%02dT%02d:%02d:%02d.%03dZ%Z", tm.ngx_tm_year,
                tm.ngx_tm_mon, tm.ngx_tm_mday, tm.ngx_tm_hour, tm.ngx_tm_min,
                tm.ngx_tm_sec, (int) (msec % 1000));

    return cJSON_AddStringToObject(object, name, (char *) buf);
}


ngx_int_t
wag_json_text_print(ngx_pool_t *pool, cJSON *value, ngx_str_t *text)
{
    char  *s;

    s = cJSON_PrintUnformatted(value);
    if (s == NULL) {
        return NGX_ERROR;
    }

    text->len = ngx_strlen(s);
    text->data = ngx_pnalloc(pool, text->len);

    if (text->data) {
        ngx_memcpy(text->data, s, text->len);
    }

    cJSON_free(s);

    return text->data ? NGX_OK : NGX_ERROR;
}
