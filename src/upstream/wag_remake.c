
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_drops.h"
#include "wag_remake.h"


static void wag_remake_values(wag_ctx_t *ctx, wag_peer_t *peer,
    ngx_str_t *values);
static ngx_int_t wag_remake_place(wag_ctx_t *ctx, wag_head_edit_t *edit);
static ngx_uint_t wag_remake_brings(wag_head_t *head, ngx_array_t *headers);


ngx_int_t
wag_remake(wag_ctx_t *ctx, wag_peer_t *peer)
{
    wag_routing_t    *routing;
    wag_head_edit_t   edit;
    wag_judgement_t  *j;

    routing = ctx->routing;
    j = &routing->judgement;

    if (!j->keyed && !j->dropped && j->header.len == 0 && !routing->own) {
        return NGX_OK;
    }

    wag_remake_begin(ctx, &edit);

    if (j->target.len) {
        edit.target = j->target;
    }

    if (j->keyed
        && peer->server->vendor
        && wag_remake_key(ctx, &edit, peer) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (j->header.len
        && routing->known
        && wag_remake_place(ctx, &edit) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return wag_head_put(ctx->request, &routing->head, &edit);
}


void
wag_remake_begin(wag_ctx_t *ctx, wag_head_edit_t *edit)
{
    ngx_memzero(edit, offsetof(wag_head_edit_t, room));

    edit->target = ctx->routing->head.target;
    edit->drop = &wag_drops_own;

    edit->add.elts = edit->room;
    edit->add.size = sizeof(ngx_keyval_t);
    edit->add.nalloc = sizeof(edit->room) / sizeof(ngx_keyval_t);
    edit->add.pool = ctx->request->pool;
}


static void
wag_remake_values(wag_ctx_t *ctx, wag_peer_t *peer, ngx_str_t *values)
{
    wag_known_t  *known;

    ngx_memzero(values, WAG_TEMPLATE_VALUES * sizeof(ngx_str_t));

    values[WAG_TEMPLATE_KEY] = peer->server->key;

    known = ctx->routing->known;

    if (known) {
        wag_known_name(known, &values[WAG_TEMPLATE_SESSION]);
        wag_known_token(known, &values[WAG_TEMPLATE_TOKEN]);
    }
}


/*
 * A key of the client's own gives way if it came in with one of the gateway's;
 * where it needs none, what it brings is its own affair.
 */

ngx_int_t
wag_remake_key(wag_ctx_t *ctx, wag_head_edit_t *edit, wag_peer_t *peer)
{
    ngx_array_t   *headers;
    wag_vendor_t  *vendor;

    vendor = peer->server->vendor;

    /* of no session, or to make one: the key of who administers */

    headers = &vendor->headers;

    if (vendor->list_headers.nelts
        && (ctx->routing->known == NULL
            || ctx->routing->judgement.kind == WAG_ROUTE_CREATE))
    {
        headers = &vendor->list_headers;
    }

    if (ctx->key == NULL && ctx->generic == NULL
        && wag_remake_brings(&ctx->routing->head, headers))
    {
        return NGX_OK;
    }

    edit->drop = &vendor->drops_keyed;

    return wag_remake_headers(ctx, edit, peer, headers);
}


ngx_int_t
wag_remake_headers(wag_ctx_t *ctx, wag_head_edit_t *edit, wag_peer_t *peer,
    ngx_array_t *headers)
{
    ngx_str_t             values[WAG_TEMPLATE_VALUES];
    ngx_uint_t            i;
    ngx_keyval_t         *kv;
    wag_vendor_header_t  *header;

    if (headers->nelts == 0) {
        return NGX_OK;
    }

    wag_remake_values(ctx, peer, values);

    header = headers->elts;

    for (i = 0; i < headers->nelts; i++) {

        if (!wag_template_has(&header[i].value, values)) {
            continue;
        }

        kv = ngx_array_push(&edit->add);
        if (kv == NULL) {
            return NGX_ERROR;
        }

        kv->key = header[i].name;

        if (wag_template_fill(ctx->request->pool, &header[i].value, values, 0,
                              &kv->value)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* unless it is the key as well, and there already */

static ngx_int_t
wag_remake_place(wag_ctx_t *ctx, wag_head_edit_t *edit)
{
    u_char           *p;
    ngx_str_t         name;
    ngx_uint_t        i;
    ngx_keyval_t     *kv;
    wag_judgement_t  *j;

    j = &ctx->routing->judgement;
    kv = edit->add.elts;

    for (i = 0; i < edit->add.nelts; i++) {
        if (kv[i].key.len == j->header.len
            && ngx_strncasecmp(kv[i].key.data, j->header.data, j->header.len)
               == 0)
        {
            return NGX_OK;
        }
    }

    kv = ngx_array_push(&edit->add);
    if (kv == NULL) {
        return NGX_ERROR;
    }

    wag_known_name(ctx->routing->known, &name);

    kv->key = j->header;
    kv->value = name;

    if (!j->encode) {
        return NGX_OK;
    }

    p = ngx_pnalloc(ctx->request->pool, 3 * name.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    kv->value.data = p;
    kv->value.len = (u_char *) ngx_escape_uri(p, name.data, name.len,
                                              NGX_ESCAPE_URI_COMPONENT)
                    - p;

    return NGX_OK;
}


static ngx_uint_t
wag_remake_brings(wag_head_t *head, ngx_array_t *headers)
{
    ngx_uint_t            i;
    wag_vendor_header_t  *header;

    header = headers->elts;

    for (i = 0; i < headers->nelts; i++) {
        if (wag_head_find(head, &header[i].name, NULL)) {
            return 1;
        }
    }

    return 0;
}
