
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_client.h"
#include "wag_conf.h"
#include "wag_ctx.h"


wag_key_t *
wag_client_key(ngx_http_request_t *r)
{
    wag_ctx_t  *ctx;

    ctx = wag_ctx_find(r->main);

    return ctx ? ctx->key : NULL;
}


ngx_int_t
wag_client_set_key(ngx_http_request_t *r, wag_key_t *key)
{
    void       *now;
    wag_ctx_t  *ctx;

    now = ngx_http_get_module_ctx(r, ngx_http_wa_gateway_module);

    ctx = wag_ctx_get(r);
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    ctx->key = key;

    /* where a redirect led to it tells of an error made there */

    if (r->internal) {
        ngx_http_set_ctx(r, now, ngx_http_wa_gateway_module);
    }

    return NGX_OK;
}


ngx_int_t
wag_client_forbid(ngx_http_request_t *r)
{
    wag_ctx_t  *ctx;

    ctx = wag_ctx_get(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->refusal = WAG_REFUSED_FORBIDDEN;

    return NGX_HTTP_FORBIDDEN;
}
