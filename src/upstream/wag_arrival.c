
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_arrival.h"
#include "wag_conf.h"
#include "wag_vendor.h"


static ngx_int_t wag_arrival_filter(ngx_http_request_t *r, ngx_chain_t *in);
static wag_arrival_t *wag_arrival_begin(ngx_http_request_t *r);
static wag_upstream_t *wag_arrival_upstream(ngx_http_request_t *r);
static ngx_str_t *wag_arrival_name(wag_upstream_t *us);
static wag_route_to_t *wag_arrival_to(wag_upstream_t *us);
static ngx_int_t wag_arrival_look_for(wag_arrival_t *arrival,
    ngx_http_request_t *r, wag_upstream_t *us);
static ngx_int_t wag_arrival_read(wag_arrival_t *arrival,
    ngx_http_request_t *r, wag_loc_conf_t *wlcf);
static void wag_arrival_take(wag_arrival_t *arrival, ngx_buf_t *b);
static ngx_uint_t wag_arrival_is_whole(wag_ctx_t *ctx);


#define wag_arrival_same(one, two)                                            \
    ((one)->len == (two)->len                                                 \
     && ((one)->len == 0                                                      \
         || ngx_memcmp((one)->data, (two)->data, (one)->len) == 0))


static ngx_http_request_body_filter_pt  wag_arrival_next_filter;


void
wag_arrival_init(void)
{
    wag_arrival_next_filter = ngx_http_top_request_body_filter;
    ngx_http_top_request_body_filter = wag_arrival_filter;
}


static ngx_int_t
wag_arrival_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    wag_ctx_t      *ctx;
    ngx_chain_t    *cl;
    wag_arrival_t  *arrival;

    ctx = ngx_http_get_module_ctx(r, ngx_http_wa_gateway_module);

    arrival = (ctx && ctx->arrival) ? ctx->arrival : wag_arrival_begin(r);

    if (arrival) {
        for (cl = in; cl; cl = cl->next) {
            wag_arrival_take(arrival, cl->buf);
        }
    }

    return wag_arrival_next_filter(r, in);
}


/*
 * NULL: it is not to be looked at, or there is no memory, and it will be
 * looked at as if it had not been possible here.
 */

static wag_arrival_t *
wag_arrival_begin(ngx_http_request_t *r)
{
    ngx_int_t                  rc;
    wag_ctx_t                 *ctx;
    wag_arrival_t             *arrival;
    wag_upstream_t            *us;
    wag_loc_conf_t            *wlcf;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    /* of a chunked body the length grows as it comes */

    if (r->headers_in.content_length_n <= (off_t) clcf->client_body_buffer_size
        || r->headers_in.chunked
        || r->request_body_no_buffering)
    {
        return NULL;
    }

    us = wag_arrival_upstream(r);
    if (us == NULL) {
        return NULL;
    }

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wa_gateway_module);

    if (wlcf->send == WAG_SEND_OFF
        && wag_arrival_name(us) == NULL && wag_arrival_to(us) == NULL)
    {
        return NULL;
    }

    ctx = wag_ctx_get(r);
    if (ctx == NULL) {
        return NULL;
    }

    arrival = ngx_pcalloc(r->pool, sizeof(wag_arrival_t));
    if (arrival == NULL) {
        return NULL;
    }

    rc = (wlcf->send == WAG_SEND_OFF)
         ? wag_arrival_look_for(arrival, r, us)
         : wag_arrival_read(arrival, r, wlcf);

    if (rc != NGX_OK) {
        return NULL;
    }

    ngx_log_debug0(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "wa_gateway arrival: body is looked at as it comes");

    ctx->arrival = arrival;

    return arrival;
}


/* the handler of "proxy_pass" has set it before it reads the body */

static wag_upstream_t *
wag_arrival_upstream(ngx_http_request_t *r)
{
    wag_upstream_t                *us;
    ngx_http_upstream_srv_conf_t  *uscf;

    if (r != r->main || r->upstream == NULL || r->upstream->conf == NULL) {
        return NULL;
    }

    uscf = r->upstream->conf->upstream;

    if (uscf == NULL || uscf->srv_conf == NULL) {
        return NULL;
    }

    us = ngx_http_conf_upstream_srv_conf(uscf, ngx_http_wa_gateway_module);

    return (us && us->vendors) ? us : NULL;
}


/*
 * A route may name another member, or none: what it is for is not known before
 * the request of the instance is made.
 */

static ngx_str_t *
wag_arrival_name(wag_upstream_t *us)
{
    ngx_uint_t      i, k;
    ngx_array_t    *places;
    wag_place_t    *place;
    wag_vendor_t  **vendor;

    vendor = us->kinds.elts;

    for (i = 0; i < us->kinds.nelts; i++) {
        places = &vendor[i]->routes.places;
        place = places->elts;

        for (k = 0; k < places->nelts; k++) {
            if (place[k].type == WAG_PLACE_BODY) {
                return &place[k].name;
            }
        }
    }

    return NULL;
}


/* that of the first route that has one, if messages spend anything */

static wag_route_to_t *
wag_arrival_to(wag_upstream_t *us)
{
    ngx_uint_t      i, k;
    wag_route_t    *route;
    wag_vendor_t  **vendor;

    if (us->pace == NULL) {
        return NULL;
    }

    vendor = us->kinds.elts;

    for (i = 0; i < us->kinds.nelts; i++) {
        route = vendor[i]->routes.routes.elts;

        for (k = 0; k < vendor[i]->routes.routes.nelts; k++) {
            if (route[k].to.member.len) {
                return &route[k].to;
            }
        }
    }

    return NULL;
}


static ngx_int_t
wag_arrival_look_for(wag_arrival_t *arrival, ngx_http_request_t *r,
    wag_upstream_t *us)
{
    ngx_str_t        *name;
    wag_body_to_t    *found;
    wag_route_to_t   *to;
    static ngx_str_t  none = ngx_null_string;

    arrival->body = ngx_palloc(r->pool, sizeof(wag_body_t));
    if (arrival->body == NULL) {
        return NGX_ERROR;
    }

    name = wag_arrival_name(us);

    wag_body_init(arrival->body, name ? name : &none);

    to = wag_arrival_to(us);

    if (to) {
        found = ngx_palloc(r->pool, sizeof(wag_body_to_t));
        if (found == NULL) {
            return NGX_ERROR;
        }

        wag_body_init_to(arrival->body, found, &to->member);
        found->list = to->list;
    }

    return NGX_OK;
}


static ngx_int_t
wag_arrival_read(wag_arrival_t *arrival, ngx_http_request_t *r,
    wag_loc_conf_t *wlcf)
{
    wag_message_t  *message;

    message = ngx_palloc(r->pool, sizeof(wag_message_t));
    if (message == NULL) {
        return NGX_ERROR;
    }

    message->kind = (wlcf->send == WAG_SEND_TEXT) ? WAG_MESSAGE_TEXT
                                                  : WAG_MESSAGE_MEDIA;
    message->country = wlcf->country;
    message->length = r->headers_in.content_length_n;

    wag_message_init(message, r->pool);

    arrival->message = message;
    arrival->rc = NGX_AGAIN;

    return NGX_OK;
}


static void
wag_arrival_take(wag_arrival_t *arrival, ngx_buf_t *b)
{
    if (!ngx_buf_in_memory(b)) {
        return;
    }

    arrival->seen += b->last - b->pos;

    if (arrival->body) {
        (void) wag_body_parse(arrival->body, b->pos, b->last);

    } else if (arrival->rc == NGX_AGAIN) {
        arrival->rc = wag_message_parse(arrival->message, b->pos, b->last);
    }
}


wag_body_t *
wag_arrival_body(wag_ctx_t *ctx, ngx_str_t *name, wag_route_to_t *to)
{
    wag_body_t  *body;

    if (!wag_arrival_is_whole(ctx) || ctx->arrival->body == NULL) {
        return NULL;
    }

    body = ctx->arrival->body;

    if (to
        && (body->to == NULL
            || body->to->list != to->list
            || !wag_arrival_same(&body->to->name, &to->member)))
    {
        return NULL;
    }

    return wag_arrival_same(&body->name, name) ? body : NULL;
}


wag_message_t *
wag_arrival_message(wag_ctx_t *ctx, wag_message_t *like, ngx_int_t *rc)
{
    wag_message_t  *message;

    if (!wag_arrival_is_whole(ctx) || ctx->arrival->message == NULL) {
        return NULL;
    }

    message = ctx->arrival->message;

    if (message->kind != like->kind
        || !wag_arrival_same(&message->country, &like->country))
    {
        return NULL;
    }

    *rc = ctx->arrival->rc;

    return message;
}


/* "proxy_set_body" or a filter may have made another one of it */

static ngx_uint_t
wag_arrival_is_whole(wag_ctx_t *ctx)
{
    off_t         length;
    ngx_chain_t  *cl;

    if (ctx->arrival == NULL) {
        return 0;
    }

    length = 0;
    cl = ctx->request->upstream->request_bufs;

    for (cl = cl->next; cl; cl = cl->next) {
        length += ngx_buf_size(cl->buf);
    }

    return length == ctx->arrival->seen;
}
