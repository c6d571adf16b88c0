
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_json_escape.h"
#include "wag_json_text.h"


static u_char *wag_json_text_moment(u_char *p, uint64_t msec);
static u_char *wag_json_text_digits(u_char *p, ngx_uint_t n, ngx_uint_t len,
    u_char end);


cJSON *
wag_json_text_string(cJSON *object, const char *name, u_char *data, size_t len)
{
    char  buf[WAG_JSON_STRING_LEN + 1];

    len = ngx_min(len, WAG_JSON_STRING_LEN);

    if (len) {
        ngx_memcpy(buf, data, len);
    }

    buf[len] = '\0';

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
    u_char  buf[WAG_JSON_TIME_LEN + 1];

    if (msec == 0) {
        return cJSON_AddNullToObject(object, name);
    }

    *wag_json_text_moment(buf, msec) = '\0';

    return cJSON_AddStringToObject(object, name, (char *) buf);
}


u_char *
wag_json_text_write(u_char *p, ngx_str_t *text)
{
    *p++ = '"';
    p = wag_json_escape(p, text);
    *p++ = '"';

    return p;
}


u_char *
wag_json_text_write_number(u_char *p, uint64_t n)
{
    u_char    *end, *last;
    uint64_t   tens, power;

    tens = n / 10;
    end = p + 1;

    for (power = 1; tens >= power; power *= 10) {
        end++;
    }

    for (last = end; last > p; n /= 10) {
        *--last = (u_char) ('0' + n % 10);
    }

    return end;
}


u_char *
wag_json_text_write_time(u_char *p, uint64_t msec)
{
    *p++ = '"';
    p = wag_json_text_moment(p, msec);
    *p++ = '"';

    return p;
}


static u_char *
wag_json_text_moment(u_char *p, uint64_t msec)
{
    ngx_tm_t  tm;

    ngx_gmtime(msec / 1000, &tm);

    p = wag_json_text_digits(p, tm.ngx_tm_year, 4, '-');
    p = wag_json_text_digits(p, tm.ngx_tm_mon, 2, '-');
    p = wag_json_text_digits(p, tm.ngx_tm_mday, 2, 'T');
    p = wag_json_text_digits(p, tm.ngx_tm_hour, 2, ':');
    p = wag_json_text_digits(p, tm.ngx_tm_min, 2, ':');
    p = wag_json_text_digits(p, tm.ngx_tm_sec, 2, '.');

    return wag_json_text_digits(p, msec % 1000, 3, 'Z');
}


static u_char *
wag_json_text_digits(u_char *p, ngx_uint_t n, ngx_uint_t len, u_char end)
{
    ngx_uint_t  i;

    for (i = len; i > 0; i--) {
        p[i - 1] = (u_char) ('0' + n % 10);
        n /= 10;
    }

    p[len] = end;

    return p + len + 1;
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
