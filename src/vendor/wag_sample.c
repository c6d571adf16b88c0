
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_json_scan.h"
#include "wag_sample.h"
#include "wag_template_compile.h"


/* what is optional in a message */

#define WAG_SAMPLE_MIMETYPE  0x1
#define WAG_SAMPLE_FILENAME  0x2
#define WAG_SAMPLE_CAPTION   0x4
#define WAG_SAMPLE_OPTIONS   0x8


static void wag_sample_message(wag_send_message_t *m, ngx_uint_t source,
    ngx_uint_t options, ngx_str_t *sample);
static ngx_int_t wag_sample_has(ngx_conf_t *cf, wag_send_template_t *t,
    ngx_str_t *values, ngx_uint_t place);
static ngx_int_t wag_sample_is_json(ngx_conf_t *cf, wag_send_filled_t *filled);
static ngx_int_t wag_sample_event(wag_json_scan_t *s, ngx_uint_t event);


ngx_int_t
wag_sample_fill(ngx_conf_t *cf, wag_send_template_t *t, ngx_uint_t source)
{
    ngx_str_t           sample, values[WAG_TEMPLATE_VALUES];
    ngx_uint_t          i, last;
    wag_send_filled_t   filled;
    wag_send_message_t  m;

    /* no value of JSON, and nothing that may stand behind a backslash */

    ngx_str_set(&sample, "x");

    last = (source == WAG_SEND_SOURCES) ? 1 : WAG_SAMPLE_OPTIONS;

    for (i = 0; i < last * WAG_VENDOR_TO; i++) {

        wag_sample_message(&m, source, i / WAG_VENDOR_TO, &sample);

        m.to_type = i % WAG_VENDOR_TO;

        wag_send_values(&m, &sample, values);

        if (wag_send_fill_values(cf->temp_pool, t, values, &filled) != NGX_OK
            || wag_sample_is_json(cf, &filled) != NGX_OK
            || wag_sample_has(cf, t, values, WAG_TEMPLATE_TO) != NGX_OK
            || wag_sample_has(cf, t, values,
                              !m.media ? WAG_TEMPLATE_MESSAGE
                              : m.has_data ? WAG_TEMPLATE_DATA
                                           : WAG_TEMPLATE_URL)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static void
wag_sample_message(wag_send_message_t *m, ngx_uint_t source,
    ngx_uint_t options, ngx_str_t *sample)
{
    ngx_memzero(m, sizeof(wag_send_message_t));

    m->session = *sample;
    m->text = *sample;

    if (source == WAG_SEND_SOURCES) {
        return;
    }

    m->media = 1;

    if (source == WAG_SEND_DATA) {
        m->has_data = 1;
        m->mimetype = *sample;

    } else {
        m->url = *sample;
    }

    if (options & WAG_SAMPLE_MIMETYPE) {
        m->mimetype = *sample;
    }

    if (options & WAG_SAMPLE_FILENAME) {
        m->filename = *sample;
    }

    if (options & WAG_SAMPLE_CAPTION) {
        m->caption = *sample;
    }
}


static ngx_int_t
wag_sample_has(ngx_conf_t *cf, wag_send_template_t *t, ngx_str_t *values,
    ngx_uint_t place)
{
    ngx_str_t  names;

    if (wag_template_fills(&t->body, values, place)) {
        return NGX_OK;
    }

    if (wag_template_compile_names(cf->pool, wag_template_bit(place), &names)
        == NGX_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is left out with its group for some "
                           "messages", &names);
    }

    return NGX_ERROR;
}


static ngx_int_t
wag_sample_is_json(ngx_conf_t *cf, wag_send_filled_t *filled)
{
    ngx_str_t        data;
    wag_json_scan_t  scan;

    ngx_str_set(&data, "x");

    if (!filled->spliced) {
        data.len = 0;
    }

    ngx_memzero(&scan, sizeof(wag_json_scan_t));

    wag_json_scan_init(&scan, wag_sample_event, NULL, WAG_JSON_SCAN_MAX_DEPTH);

    if (wag_json_scan_parse(&scan, filled->before.data, filled->before.data
                            + filled->before.len) != NGX_ERROR
        && wag_json_scan_parse(&scan, data.data, data.data + data.len)
           != NGX_ERROR
        && wag_json_scan_parse(&scan, filled->after.data, filled->after.data
                               + filled->after.len) != NGX_ERROR
        && wag_json_scan_end(&scan) == NGX_OK)
    {
        return NGX_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid JSON \"%V%V%V\", where \"x\" stands for "
                       "what a message has: %s at byte %i", &filled->before,
                       &data, &filled->after, scan.error,
                       (ngx_int_t) scan.offset);

    return NGX_ERROR;
}


static ngx_int_t
wag_sample_event(wag_json_scan_t *s, ngx_uint_t event)
{
    return NGX_OK;
}
