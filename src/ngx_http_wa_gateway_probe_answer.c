
/*
 * Copyright (C) the wa_gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_wa_gateway_probe.h"


static ngx_int_t ngx_http_wa_gateway_probe_answer(
    ngx_http_wa_gateway_probe_t *p);
static void ngx_http_wa_gateway_probe_invalid(ngx_http_wa_gateway_probe_t *p);


ngx_int_t
ngx_http_wa_gateway_probe_take(ngx_http_wa_gateway_probe_t *p, u_char *start,
    u_char *end)
{
    ngx_int_t  rc;

    /* not before: thousands of checks that wait take no memory */

    if (p->answer == NULL && ngx_http_wa_gateway_probe_answer(p) != NGX_OK) {
        ngx_http_wa_gateway_probe_finish(p, NGX_ERROR, "no memory");
        return NGX_DONE;
    }

    rc = ngx_http_wa_gateway_http_parse(p->answer, start, end);

    if (rc == NGX_OK) {
        ngx_http_wa_gateway_probe_finish(p, NGX_OK, "");
        return NGX_DONE;
    }

    if (rc == NGX_ERROR) {
        ngx_http_wa_gateway_probe_invalid(p);
        return NGX_DONE;
    }

    return NGX_AGAIN;
}


static ngx_int_t
ngx_http_wa_gateway_probe_answer(ngx_http_wa_gateway_probe_t *p)
{
    ngx_str_t                    header, body;
    ngx_http_wa_gateway_http_t  *h;

    p->pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE, &p->log);
    if (p->pool == NULL) {
        return NGX_ERROR;
    }

    h = ngx_palloc(p->pool, sizeof(ngx_http_wa_gateway_http_t));
    if (h == NULL) {
        return NGX_ERROR;
    }

    header.len = NGX_HTTP_WA_GATEWAY_HTTP_HEADER_SIZE;
    header.data = ngx_palloc(p->pool, header.len);

    body.len = NGX_HTTP_WA_GATEWAY_HTTP_BODY_SIZE + 1;
    body.data = ngx_palloc(p->pool, body.len);

    if (header.data == NULL || body.data == NULL) {
        return NGX_ERROR;
    }

    ngx_http_wa_gateway_http_init(h, &header, &body,
                                  NGX_HTTP_WA_GATEWAY_HTTP_DRAIN_SIZE,
                                  p->head);

    p->answer = h;

    return NGX_OK;
}


void
ngx_http_wa_gateway_probe_closed(ngx_http_wa_gateway_probe_t *p)
{
    if (p->answer == NULL) {
        ngx_http_wa_gateway_probe_broken(p, "closed before answer");
        return;
    }

    if (ngx_http_wa_gateway_http_eof(p->answer) == NGX_OK) {
        ngx_http_wa_gateway_probe_finish(p, NGX_OK, "");
        return;
    }

    ngx_http_wa_gateway_probe_invalid(p);
}


static void
ngx_http_wa_gateway_probe_invalid(ngx_http_wa_gateway_probe_t *p)
{
    p->reason.len = 0;

    ngx_http_wa_gateway_reason_add(&p->reason, "invalid answer: ");
    ngx_http_wa_gateway_reason_add(&p->reason, p->answer->error);

    ngx_http_wa_gateway_probe_finish(p, NGX_DECLINED, "");
}
