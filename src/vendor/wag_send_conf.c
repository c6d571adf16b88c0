
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_argument.h"
#include "wag_param.h"
#include "wag_sample.h"
#include "wag_send.h"
#include "wag_send_conf.h"
#include "wag_template_compile.h"


/* the places of a body and of an URI */

#define WAG_SEND_CONF_BODY   (wag_template_bit(WAG_TEMPLATE_TO)               \
                              | wag_template_bit(WAG_TEMPLATE_SESSION)        \
                              | wag_template_bit(WAG_TEMPLATE_ID)             \
                              | wag_template_bit(WAG_TEMPLATE_GROUP)          \
                              | wag_template_bit(WAG_TEMPLATE_LID))

#define WAG_SEND_CONF_MEDIA  (WAG_SEND_CONF_BODY                              \
                              | wag_template_bit(WAG_TEMPLATE_MIMETYPE)       \
                              | wag_template_bit(WAG_TEMPLATE_FILENAME)       \
                              | wag_template_bit(WAG_TEMPLATE_CAPTION)        \
                              | wag_template_bit(WAG_TEMPLATE_KIND)           \
                              | wag_template_bit(WAG_TEMPLATE_KIND_UPPER))


static wag_send_template_t *wag_send_conf_add(ngx_conf_t *cf,
    wag_vendor_t *vendor);
static ngx_int_t wag_send_conf_bits(ngx_conf_t *cf, ngx_str_t *text,
    ngx_str_t *names, ngx_uint_t nnames, const char *what, ngx_uint_t *bits);
static ngx_uint_t wag_send_conf_never(wag_vendor_t *vendor,
    wag_send_template_t *t);
static ngx_int_t wag_send_conf_body(ngx_conf_t *cf, ngx_str_t *text,
    ngx_uint_t places, wag_send_template_t *t);
static void wag_send_conf_one_line(ngx_str_t *text);
static ngx_int_t wag_send_conf_needs(ngx_conf_t *cf, ngx_str_t *text,
    wag_send_template_t *t, ngx_uint_t places);


static ngx_str_t  wag_send_conf_sources[WAG_SEND_SOURCES] = {
    ngx_string("url"),
    ngx_string("data")
};


ngx_int_t
wag_send_conf_init(ngx_pool_t *pool, wag_vendor_t *vendor)
{
    return (ngx_array_init(&vendor->sends, pool, 4,
                           sizeof(wag_send_template_t)) == NGX_OK
            && ngx_array_init(&vendor->send_headers, pool, 1,
                              sizeof(wag_vendor_header_t)) == NGX_OK)
           ? NGX_OK : NGX_ERROR;
}


char *
wag_send_conf_text(ngx_conf_t *cf, void *conf)
{
    wag_vendor_t *vendor = conf;

    ngx_str_t            *value;
    ngx_uint_t            i;
    wag_send_template_t  *t;

    t = vendor->sends.elts;

    for (i = 0; i < vendor->sends.nelts; i++) {
        if (t[i].kinds == 0) {
            return "is duplicate";
        }
    }

    t = wag_send_conf_add(cf, vendor);
    if (t == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    t->method = value[1];

    return (wag_argument_request(cf, &value[1], "POST", "PUT",
                                 WAG_TEMPLATE_ASK, &t->uri)
            == NGX_OK
            && wag_send_conf_body(cf, &value[3], WAG_SEND_CONF_BODY
                                  | wag_template_bit(WAG_TEMPLATE_MESSAGE), t)
               == NGX_OK
            && wag_send_conf_needs(cf, &value[3], t,
                                   wag_template_bit(WAG_TEMPLATE_TO)
                                   | wag_template_bit(WAG_TEMPLATE_MESSAGE))
               == NGX_OK
            && wag_sample_fill(cf, t, WAG_SEND_SOURCES) == NGX_OK)
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


char *
wag_send_conf_media(ngx_conf_t *cf, void *conf)
{
    wag_vendor_t *vendor = conf;

    ngx_str_t            *value;
    ngx_uint_t            places, needs, source;
    wag_send_template_t  *t;

    t = wag_send_conf_add(cf, vendor);
    if (t == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    if (wag_send_conf_bits(cf, &value[1], wag_send_kind_names, WAG_SEND_KINDS,
                           "image, video, audio and document", &t->kinds)
        != NGX_OK
        || wag_send_conf_bits(cf, &value[2], wag_send_conf_sources,
                              WAG_SEND_SOURCES, "url and data", &t->sources)
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (wag_send_conf_never(vendor, t)) {
        return "is for what others before it are for";
    }

    places = WAG_SEND_CONF_MEDIA;
    needs = wag_template_bit(WAG_TEMPLATE_TO);

    if (t->sources & (1 << WAG_SEND_URL)) {
        places |= wag_template_bit(WAG_TEMPLATE_URL);
        needs |= wag_template_bit(WAG_TEMPLATE_URL);
    }

    if (t->sources & (1 << WAG_SEND_DATA)) {
        places |= wag_template_bit(WAG_TEMPLATE_DATA);
        needs |= wag_template_bit(WAG_TEMPLATE_DATA);
    }

    t->method = value[3];

    if (wag_argument_request(cf, &value[3], "POST", "PUT", WAG_TEMPLATE_ASK
                             | wag_template_bit(WAG_TEMPLATE_KIND), &t->uri)
        != NGX_OK
        || wag_send_conf_body(cf, &value[5], places, t) != NGX_OK
        || wag_send_conf_needs(cf, &value[5], t, needs) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    for (source = 0; source < WAG_SEND_SOURCES; source++) {
        if ((t->sources & ((ngx_uint_t) 1 << source))
            && wag_sample_fill(cf, t, source) != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static wag_send_template_t *
wag_send_conf_add(ngx_conf_t *cf, wag_vendor_t *vendor)
{
    wag_send_template_t  *t;

    t = ngx_array_push(&vendor->sends);

    if (t != NULL) {
        ngx_memzero(t, sizeof(wag_send_template_t));
    }

    return t;
}


/* "*", or names with "|" between them */

static ngx_int_t
wag_send_conf_bits(ngx_conf_t *cf, ngx_str_t *text, ngx_str_t *names,
    ngx_uint_t nnames, const char *what, ngx_uint_t *bits)
{
    ngx_str_t   rest, part;
    ngx_uint_t  i;

    if (ngx_strcmp(text->data, "*") == 0) {
        *bits = ((ngx_uint_t) 1 << nnames) - 1;
        return NGX_OK;
    }

    rest = *text;

    while (wag_argument_next(&rest, '|', &part)) {

        for (i = 0; i < nnames; i++) {
            if (part.len == names[i].len
                && ngx_memcmp(part.data, names[i].data, part.len) == 0)
            {
                break;
            }
        }

        if (i == nnames) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid \"%V\" in \"%V\", there are "
                               "\"*\", %s", &part, text, what);
            return NGX_ERROR;
        }

        *bits |= (ngx_uint_t) 1 << i;
    }

    return NGX_OK;
}


static ngx_uint_t
wag_send_conf_never(wag_vendor_t *vendor, wag_send_template_t *t)
{
    ngx_uint_t            i, kind, source, taken;
    wag_send_template_t  *other;

    for (kind = 1; kind <= t->kinds; kind <<= 1) {

        for (source = 1; source <= t->sources; source <<= 1) {

            if (!(t->kinds & kind) || !(t->sources & source)) {
                continue;
            }

            taken = 0;

            for (i = 0, other = vendor->sends.elts; &other[i] != t; i++) {
                if ((other[i].kinds & kind) && (other[i].sources & source)) {
                    taken = 1;
                }
            }

            if (!taken) {
                return 0;
            }
        }
    }

    return 1;
}


static ngx_int_t
wag_send_conf_body(ngx_conf_t *cf, ngx_str_t *text, ngx_uint_t places,
    wag_send_template_t *t)
{
    ngx_int_t             rc;
    ngx_str_t             bad, names;
    ngx_uint_t            i, data;
    wag_template_part_t  *part;

    wag_send_conf_one_line(text);

    rc = wag_template_compile_json(cf->pool, text, places, &t->body, &bad);

    if (rc == NGX_DECLINED && bad.data[0] != '<') {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid group \"%V\" in \"%V\", it has a place, "
                           "no group in it, and ends with \")\"", &bad,
                           text);

    } else if (rc == NGX_DECLINED
               && wag_template_compile_names(cf->pool, places, &names)
                  == NGX_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "unknown \"%V\" in \"%V\", there are %V", &bad,
                           text, &names);
    }

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    part = t->body.parts.elts;

    for (i = 0, data = 0; i < t->body.parts.nelts; i++) {
        data += (part[i].value == WAG_TEMPLATE_DATA);
    }

    if (data > 1) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"<data>\" more than once in \"%V\"", text);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* line breaks, and blanks behind them, are of the file and not of the body */

static void
wag_send_conf_one_line(ngx_str_t *text)
{
    u_char      *p, *dst, *last;
    ngx_uint_t   skip;

    skip = 0;
    dst = text->data;
    last = text->data + text->len;

    for (p = text->data; p < last; p++) {

        if (*p == LF || *p == CR) {
            skip = 1;

        } else if (!skip || (*p != ' ' && *p != '\t')) {
            skip = 0;
            *dst++ = *p;
        }
    }

    *dst = '\0';
    text->len = dst - text->data;
}


static ngx_int_t
wag_send_conf_needs(ngx_conf_t *cf, ngx_str_t *text, wag_send_template_t *t,
    ngx_uint_t places)
{
    ngx_str_t   names;
    ngx_uint_t  missing;

    missing = places & ~t->body.uses;

    if (missing == 0) {
        return NGX_OK;
    }

    if (wag_template_compile_names(cf->pool, missing, &names) == NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "no %V in \"%V\"", &names,
                           text);
    }

    return NGX_ERROR;
}


char *
wag_send_conf_timeout(ngx_conf_t *cf, void *conf)
{
    ngx_msec_t *timeout = conf;

    ngx_int_t   msec;
    ngx_str_t  *value;

    if (*timeout) {
        return "is duplicate";
    }

    value = cf->args->elts;

    msec = ngx_parse_time(&value[1], 0);

    if (msec == NGX_ERROR || msec == 0 || msec > WAG_MAX_MSEC) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid time \"%V\", it is from 1ms to 365d",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    *timeout = msec;

    return NGX_CONF_OK;
}


char *
wag_send_conf_check(wag_vendor_t *vendor)
{
    ngx_uint_t  i;

    if (vendor->sends.nelts == 0) {
        return NULL;
    }

    if (vendor->sent.nelts == 0) {
        return "\"text\" or \"media\" without \"sent\"";
    }

    for (i = 0; i < WAG_VENDOR_TO; i++) {
        if (vendor->to[i].parts.nelts) {
            return NULL;
        }
    }

    return "\"text\" or \"media\" without \"to\"";
}


ngx_uint_t
wag_send_conf_uses(wag_vendor_t *vendor, ngx_uint_t value)
{
    ngx_uint_t            i;
    wag_send_template_t  *t;

    t = vendor->sends.elts;

    for (i = 0; i < vendor->sends.nelts; i++) {
        if (wag_template_uses(&t[i].uri, value)
            || wag_template_uses(&t[i].body, value))
        {
            return 1;
        }
    }

    return 0;
}
