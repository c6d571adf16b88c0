
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_send.h"


static ngx_uint_t wag_send_kind(ngx_str_t *mimetype);


/* as types of media are called, RFC 6838, 4.2, but for the last */

ngx_str_t  wag_send_kind_names[WAG_SEND_KINDS] = {
    ngx_string("image"),
    ngx_string("video"),
    ngx_string("audio"),
    ngx_string("document")
};


static ngx_str_t  wag_send_kind_upper_names[WAG_SEND_KINDS] = {
    ngx_string("Image"),
    ngx_string("Video"),
    ngx_string("Audio"),
    ngx_string("Document")
};


static ngx_str_t  wag_send_true = ngx_string("true");


wag_send_template_t *
wag_send_find(wag_vendor_t *vendor, wag_send_message_t *m)
{
    ngx_uint_t            i, kind, source;
    wag_send_template_t  *t;

    kind = m->media ? (ngx_uint_t) 1 << wag_send_kind(&m->mimetype) : 0;
    source = (ngx_uint_t) 1 << (m->has_data ? WAG_SEND_DATA : WAG_SEND_URL);

    t = vendor->sends.elts;

    for (i = 0; i < vendor->sends.nelts; i++) {

        if (m->media) {
            if ((t[i].kinds & kind) && (t[i].sources & source)) {
                return &t[i];
            }

        } else if (t[i].kinds == 0) {
            return &t[i];
        }
    }

    return NULL;
}


static ngx_uint_t
wag_send_kind(ngx_str_t *mimetype)
{
    ngx_str_t   *name;
    ngx_uint_t   kind;

    for (kind = 0; kind < WAG_SEND_DOCUMENT; kind++) {
        name = &wag_send_kind_names[kind];

        if (mimetype->len > name->len && mimetype->data[name->len] == '/'
            && ngx_strncasecmp(mimetype->data, name->data, name->len) == 0)
        {
            break;
        }
    }

    return kind;
}


ngx_uint_t
wag_send_can_write(wag_vendor_t *vendor, ngx_uint_t to_type)
{
    return vendor->to[to_type].parts.nelts != 0;
}


ngx_int_t
wag_send_fill(ngx_pool_t *pool, wag_vendor_t *vendor, wag_send_template_t *t,
    wag_send_message_t *m, wag_send_filled_t *filled)
{
    ngx_str_t  to, values[WAG_TEMPLATE_VALUES];

    if (!wag_send_can_write(vendor, m->to_type)) {
        return NGX_DECLINED;
    }

    values[WAG_TEMPLATE_ID] = m->to_id;

    if (wag_template_fill(pool, &vendor->to[m->to_type], values, 0, &to)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    wag_send_values(m, &to, values);

    return wag_send_fill_values(pool, t, values, filled);
}


void
wag_send_values(wag_send_message_t *m, ngx_str_t *to, ngx_str_t *values)
{
    ngx_uint_t  kind;

    ngx_memzero(values, WAG_TEMPLATE_VALUES * sizeof(ngx_str_t));

    values[WAG_TEMPLATE_KEY] = m->key;
    values[WAG_TEMPLATE_SESSION] = m->session;
    values[WAG_TEMPLATE_TOKEN] = m->token;
    values[WAG_TEMPLATE_TO] = *to;
    values[WAG_TEMPLATE_ID] = m->id;
    values[WAG_TEMPLATE_MESSAGE] = m->text;
    values[WAG_TEMPLATE_URL] = m->url;
    values[WAG_TEMPLATE_MIMETYPE] = m->mimetype;
    values[WAG_TEMPLATE_FILENAME] = m->filename;
    values[WAG_TEMPLATE_CAPTION] = m->caption;

    if (m->has_data) {

        /* not what is spliced, but that there is something */

        values[WAG_TEMPLATE_DATA] = wag_send_true;
    }

    if (m->media) {
        kind = wag_send_kind(&m->mimetype);

        values[WAG_TEMPLATE_KIND] = wag_send_kind_names[kind];
        values[WAG_TEMPLATE_KIND_UPPER] = wag_send_kind_upper_names[kind];
    }

    if (m->to_type == WAG_VENDOR_TO_GROUP) {
        values[WAG_TEMPLATE_GROUP] = wag_send_true;
    }

    if (m->to_type == WAG_VENDOR_TO_LID) {
        values[WAG_TEMPLATE_LID] = wag_send_true;
    }
}


ngx_int_t
wag_send_fill_values(ngx_pool_t *pool, wag_send_template_t *t,
    ngx_str_t *values, wag_send_filled_t *filled)
{
    u_char     *data;
    ngx_str_t   body;

    if (wag_template_fill(pool, &t->uri, values, 1, &filled->uri) != NGX_OK
        || wag_template_fill_json(pool, &t->body, values, &body, &data)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    filled->method = t->method;
    filled->spliced = (data != NULL);

    filled->before.data = body.data;
    filled->before.len = data ? (size_t) (data - body.data) : body.len;
    filled->after.data = body.data + filled->before.len;
    filled->after.len = body.len - filled->before.len;

    return NGX_OK;
}
