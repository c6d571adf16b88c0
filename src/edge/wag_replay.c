
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_conf.h"
#include "wag_error.h"
#include "wag_idempotency.h"
#include "wag_json_response.h"
#include "wag_json_text.h"
#include "wag_replay.h"
#include "wag_stored.h"


static ngx_int_t wag_replay_stored(ngx_http_request_t *r, wag_ctx_t *ctx);
static ngx_int_t wag_replay_made(ngx_http_request_t *r, wag_ctx_t *ctx);
static cJSON *wag_replay_answered(ngx_http_request_t *r, ngx_uint_t status);
static void wag_replay_status(ngx_http_request_t *r, wag_ctx_t *ctx,
    ngx_uint_t status);


ngx_int_t
wag_replay_header(ngx_http_request_t *r)
{
    ngx_int_t         rc;
    wag_ctx_t        *ctx;
    static ngx_str_t  name = ngx_string("Idempotency-Replayed");
    static ngx_str_t  value = ngx_string("true");

    ctx = ngx_http_get_module_ctx(r, ngx_http_wa_gateway_module);

    if (ctx == NULL || ctx->refusal != WAG_REFUSED_REPLAYED) {
        return NGX_DECLINED;
    }

    rc = ctx->idempotent->answer.len ? wag_replay_stored(r, ctx)
                                     : wag_replay_made(r, ctx);

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_http_clear_content_length(r);
    r->headers_out.content_length_n = ctx->body.len;

    return wag_json_response_header(r, &name, &value);
}


static ngx_int_t
wag_replay_stored(ngx_http_request_t *r, wag_ctx_t *ctx)
{
    ngx_uint_t        i;
    wag_stored_t      stored;
    ngx_table_elt_t  *h;

    if (wag_stored_read(&ctx->idempotent->answer, &stored) != NGX_OK) {
        return NGX_ERROR;
    }

    wag_replay_status(r, ctx, ctx->idempotent->status);

    r->headers_out.content_type = stored.type;
    r->headers_out.content_type_len = stored.type.len;
    r->headers_out.content_type_lowcase = NULL;
    r->headers_out.charset = stored.charset;

    for (i = 0; i < stored.nheaders; i++) {

        h = ngx_list_push(&r->headers_out.headers);
        if (h == NULL) {
            return NGX_ERROR;
        }

        ngx_memzero(h, sizeof(ngx_table_elt_t));

        h->hash = 1;
        h->key = stored.headers[i].key;
        h->value = stored.headers[i].value;

        /* what is compressed is not to be compressed again */

        if (h->key.len == sizeof("Content-Encoding") - 1
            && ngx_strncasecmp(h->key.data, (u_char *) "Content-Encoding",
                               h->key.len)
               == 0)
        {
            r->headers_out.content_encoding = h;
        }
    }

    ctx->body = stored.body;

    return NGX_OK;
}


/* what is known without the answer itself */

static ngx_int_t
wag_replay_made(ngx_http_request_t *r, wag_ctx_t *ctx)
{
    cJSON       *root;
    ngx_int_t    rc;
    ngx_uint_t   status;

    status = ctx->idempotent->status;

    if (ctx->sent == WAG_SENT_YES && status) {
        root = wag_replay_answered(r, status);

    } else if (status == NGX_HTTP_GATEWAY_TIME_OUT) {
        ctx->refusal = WAG_REFUSED_NOT;
        root = wag_error_object(r, ctx, status);

    } else {
        status = NGX_HTTP_BAD_GATEWAY;

        ctx->refusal = WAG_REFUSED_UNCONFIRMED;
        root = wag_error_object(r, ctx, status);
    }

    if (root == NULL) {
        return NGX_ERROR;
    }

    rc = wag_json_text_print(r->pool, root, &ctx->body);

    cJSON_Delete(root);

    wag_replay_status(r, ctx, status);

    r->headers_out.content_type_len = sizeof("application/json") - 1;
    ngx_str_set(&r->headers_out.content_type, "application/json");
    r->headers_out.content_type_lowcase = NULL;
    ngx_str_set(&r->headers_out.charset, "utf-8");

    return rc;
}


static cJSON *
wag_replay_answered(ngx_http_request_t *r, ngx_uint_t status)
{
    char            *details;
    cJSON           *root;
    wag_loc_conf_t  *wlcf;

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wa_gateway_module);

    details = (wlcf->errors == WAG_LANG_AR)
              ? "أُجيب هذا الطلب من قبل بهذه الحالة، وجوابه غير محفوظ"
              : "The request was answered before with this status, its "
                "answer is not kept";

    root = cJSON_CreateObject();

    if (cJSON_AddBoolToObject(root, "success",
                              status < NGX_HTTP_BAD_REQUEST) == NULL
        || cJSON_AddNullToObject(root, "data") == NULL
        || cJSON_AddFalseToObject(root, "dataKept") == NULL
        || cJSON_AddStringToObject(root, "details", details) == NULL
        || cJSON_AddStringToObject(root, "sent", "yes") == NULL)
    {
        cJSON_Delete(root);
        return NULL;
    }

    return root;
}


static void
wag_replay_status(ngx_http_request_t *r, wag_ctx_t *ctx, ngx_uint_t status)
{
    r->keepalive |= ctx->keepalive;

    r->err_status = status;
    r->headers_out.status = status;
    r->headers_out.status_line.len = 0;
}
