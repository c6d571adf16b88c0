
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_arrival.h"
#include "wag_body_chain.h"
#include "wag_chat.h"
#include "wag_conf.h"
#include "wag_form.h"
#include "wag_generic.h"
#include "wag_origin.h"
#include "wag_rendezvous.h"
#include "wag_write.h"


static ngx_int_t wag_generic_request(wag_ctx_t *ctx);
static ngx_int_t wag_generic_read(wag_ctx_t *ctx);
static off_t wag_generic_length(ngx_chain_t *in);
static ngx_int_t wag_generic_json(wag_ctx_t *ctx);
static ngx_int_t wag_generic_json_piece(void *data, u_char *pos, u_char *last);
static ngx_int_t wag_generic_form(wag_ctx_t *ctx);
static ngx_int_t wag_generic_choose(wag_ctx_t *ctx);
static ngx_uint_t wag_generic_is_unable(wag_choice_t *choice,
    ngx_uint_t found);
static ngx_int_t wag_generic_names(wag_ctx_t *ctx, wag_choice_t *choice);
static ngx_int_t wag_generic_decorate(wag_ctx_t *ctx);
static ngx_http_upstream_conf_t *wag_generic_conf(wag_ctx_t *ctx,
    ngx_pool_t *pool);
static ngx_int_t wag_generic_refuse(wag_ctx_t *ctx, ngx_uint_t refusal);
static ngx_int_t wag_generic_bad(wag_ctx_t *ctx, ngx_str_t *member);


static ngx_str_t  wag_generic_session = ngx_string("session");
static ngx_str_t  wag_generic_from = ngx_string("from");


ngx_uint_t
wag_generic_is(wag_ctx_t *ctx)
{
    wag_loc_conf_t  *wlcf;

    wlcf = ngx_http_get_module_loc_conf(ctx->request,
                                        ngx_http_wa_gateway_module);

    return wlcf->send != WAG_SEND_OFF && ctx->upstream->vendors;
}


ngx_int_t
wag_generic_judge(wag_ctx_t *ctx)
{
    ngx_int_t       rc;
    wag_generic_t  *generic;

    generic = ngx_palloc(ctx->request->pool, sizeof(wag_generic_t));
    if (generic == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(generic, offsetof(wag_generic_t, own));

    generic->own.error = NULL;
    generic->message = &generic->own;

    ctx->generic = generic;

    rc = wag_routing_begin(ctx);

    if (rc == NGX_OK) {
        rc = wag_generic_request(ctx);
    }

    if (rc == NGX_OK) {
        rc = wag_generic_read(ctx);
    }

    if (rc == NGX_OK) {
        rc = wag_generic_choose(ctx);
    }

    return (rc == NGX_OK) ? wag_generic_decorate(ctx) : rc;
}


/*
 * POST of JSON; of a form only with a key, and from no other origin: any page
 * can make a browser send a form to a gateway that its user may reach.
 */

static ngx_int_t
wag_generic_request(wag_ctx_t *ctx)
{
    wag_head_t          *head;
    wag_loc_conf_t      *wlcf;
    ngx_http_request_t  *r;

    r = ctx->request;
    head = &ctx->routing->head;

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wa_gateway_module);

    ctx->generic->message->kind = (wlcf->send == WAG_SEND_TEXT)
                                  ? WAG_MESSAGE_TEXT : WAG_MESSAGE_MEDIA;
    ctx->generic->message->country = wlcf->country;

    if (r->method != NGX_HTTP_POST) {
        return wag_generic_refuse(ctx, WAG_REFUSED_METHOD);
    }

    if (r->request_body_no_buffering) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "wa_gateway: \"proxy_request_buffering off\" with "
                      "\"wa_gateway_send\"");
        return wag_generic_refuse(ctx, WAG_REFUSED_CONFIGURED);
    }

    if (wag_origin_is_foreign(r)) {
        return wag_generic_refuse(ctx, WAG_REFUSED_FOREIGN);
    }

    if (wag_head_is_json(head)) {
        return NGX_OK;
    }

    if (wag_head_is_form(head) && ctx->key && wlcf->send == WAG_SEND_TEXT) {
        ctx->generic->form = 1;
        return NGX_OK;
    }

    return wag_generic_refuse(ctx, WAG_REFUSED_TYPE);
}


static ngx_int_t
wag_generic_read(wag_ctx_t *ctx)
{
    ngx_int_t       rc;
    wag_generic_t  *generic;

    generic = ctx->generic;
    generic->body = ctx->request->upstream->request_bufs->next;

    generic->message->length = wag_generic_length(generic->body);

    wag_message_init(generic->message, ctx->request->pool);

    rc = generic->form ? wag_generic_form(ctx) : wag_generic_json(ctx);

    if (rc == NGX_DECLINED) {
        ngx_log_error(NGX_LOG_INFO, ctx->request->connection->log, 0,
                      "wa_gateway: message refused: %s",
                      generic->message->error);

        return wag_generic_bad(ctx, &generic->message->member);
    }

    return rc;
}


static off_t
wag_generic_length(ngx_chain_t *in)
{
    off_t  length;

    for (length = 0; in; in = in->next) {
        length += ngx_buf_size(in->buf);
    }

    return length;
}


static ngx_int_t
wag_generic_json(wag_ctx_t *ctx)
{
    ngx_int_t       rc;
    wag_message_t  *message;

    message = wag_arrival_message(ctx, ctx->generic->message, &rc);

    if (message) {
        ctx->generic->message = message;

    } else {
        message = ctx->generic->message;

        rc = wag_body_chain(ctx->generic->body, WAG_BODY_CHAIN_PIECE,
                            ctx->request->connection->log,
                            wag_generic_json_piece, message);
    }

    return (rc == NGX_AGAIN) ? wag_message_end(message) : rc;
}


static ngx_int_t
wag_generic_json_piece(void *data, u_char *pos, u_char *last)
{
    return wag_message_parse(data, pos, last);
}


/* small, so it is put in one piece where it is not */

static ngx_int_t
wag_generic_form(wag_ctx_t *ctx)
{
    u_char       *p;
    size_t        size;
    ssize_t       n;
    ngx_buf_t    *b;
    ngx_str_t     text;
    ngx_chain_t  *cl;

    size = ctx->generic->message->length;

    if (size > WAG_FORM_MAX_LEN) {
        ctx->generic->message->error = "a form longer than 256 KB";
        return NGX_DECLINED;
    }

    p = ngx_pnalloc(ctx->request->pool, size + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    text.data = p;

    for (cl = ctx->generic->body; cl; cl = cl->next) {
        b = cl->buf;

        if (ngx_buf_in_memory(b)) {
            p = ngx_cpymem(p, b->pos, b->last - b->pos);
            continue;
        }

        if (!b->in_file) {
            continue;
        }

        n = ngx_read_file(b->file, p, b->file_last - b->file_pos, b->file_pos);

        if (n != b->file_last - b->file_pos) {
            return NGX_ERROR;
        }

        p += n;
    }

    text.len = p - text.data;

    return wag_form_read(ctx->generic->message, &text);
}


/* among the sessions whose servers can be sent such a message */

static ngx_int_t
wag_generic_choose(wag_ctx_t *ctx)
{
    ngx_int_t         rc;
    ngx_uint_t        found;
    wag_judgement_t  *j;
    wag_recipient_t  *to;

    j = &ctx->routing->judgement;

    rc = wag_generic_names(ctx, &j->choice);
    if (rc != NGX_OK) {
        return rc;
    }

    j->choice.unable = wag_write_unable(ctx);
    j->choice.send = 1;

    j->choice.chats = 1;

    if (wag_chat_chooses(&j->choice)) {
        to = &ctx->generic->message->to;
        j->choice.chat = wag_rendezvous_chat(to->type, &to->id);
    }

    if (j->choice.unable == ((uint32_t) 1 << ctx->upstream->kinds.nelts) - 1) {
        return wag_generic_bad(ctx, wag_write_member(ctx));
    }

    j->by = WAG_BY_SESSION;
    j->kind = WAG_ROUTE_SEND;
    j->keyed = 1;

    found = wag_choice_look(&j->choice);

    if (found == WAG_CHOICE_SOME) {
        return NGX_OK;
    }

    if (wag_generic_is_unable(&j->choice, found)) {
        j->named = 1;
        return wag_generic_bad(ctx, wag_write_member(ctx));
    }

    return wag_generic_refuse(ctx, wag_judge_refusal(found));
}


/* the session that is named is there, but not of a server that can send it */

static ngx_uint_t
wag_generic_is_unable(wag_choice_t *choice, ngx_uint_t found)
{
    if (choice->unable == 0
        || (found != WAG_CHOICE_UNKNOWN && found != WAG_CHOICE_FORBIDDEN))
    {
        return 0;
    }

    choice->unable = 0;

    found = wag_choice_look(choice);

    return found != WAG_CHOICE_UNKNOWN && found != WAG_CHOICE_UNLISTED
           && found != WAG_CHOICE_FORBIDDEN;
}


/* by a header, or by a member, or by both if they tell the same */

static ngx_int_t
wag_generic_names(wag_ctx_t *ctx, wag_choice_t *choice)
{
    wag_message_t  *message;

    message = ctx->generic->message;

    if (message->session.len) {

        if (choice->shown.len
            && (choice->shown.len != message->session.len
                || ngx_memcmp(choice->shown.data, message->session.data,
                              choice->shown.len)
                   != 0))
        {
            return wag_generic_bad(ctx, &wag_generic_session);
        }

        choice->shown = message->session;
    }

    if (message->from) {

        if (choice->number && choice->number != message->from) {
            return wag_generic_bad(ctx, &wag_generic_from);
        }

        choice->number = message->from;
    }

    return NGX_OK;
}


/*
 * A send goes on when its client leaves, may take as long as the vendor's file
 * says, and what proves that nothing was sent is tried elsewhere where a
 * failed connection would be.
 */

static ngx_int_t
wag_generic_decorate(wag_ctx_t *ctx)
{
    wag_loc_conf_t            *wlcf;
    ngx_http_request_t        *r;
    ngx_http_upstream_conf_t  *conf;

    r = ctx->request;

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wa_gateway_module);

    if (wlcf->to == NULL) {
        conf = wag_generic_conf(ctx, ctx->upstream->zone->cycle->pool);

        wlcf->proxied = r->upstream->conf;
        wlcf->sending = conf;
        wlcf->to = conf ? ctx->upstream : NULL;

    } else if (wlcf->to == ctx->upstream
               && wlcf->proxied == r->upstream->conf)
    {
        conf = wlcf->sending;

    } else {
        conf = wag_generic_conf(ctx, r->pool);
    }

    if (conf == NULL) {
        return NGX_ERROR;
    }

    r->upstream->conf = conf;

    /* ngx_http_upstream_init_request() has set those that look for a client */

    r->read_event_handler = ngx_http_block_reading;
    r->write_event_handler = ngx_http_request_empty_handler;

    return NGX_OK;
}


/* the location's own stays as it is; a variable may name several upstreams */

static ngx_http_upstream_conf_t *
wag_generic_conf(wag_ctx_t *ctx, ngx_pool_t *pool)
{
    ngx_uint_t                 i;
    wag_vendor_t             **vendor;
    ngx_http_upstream_conf_t  *conf;

    conf = ngx_palloc(pool, sizeof(ngx_http_upstream_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    *conf = *ctx->request->upstream->conf;

    conf->ignore_client_abort = 1;
    conf->intercept_errors = 0;

    if (conf->next_upstream & NGX_HTTP_UPSTREAM_FT_ERROR) {
        conf->next_upstream |= NGX_HTTP_UPSTREAM_FT_INVALID_HEADER;
    }

    vendor = ctx->upstream->kinds.elts;

    for (i = 0; i < ctx->upstream->kinds.nelts; i++) {
        conf->read_timeout = ngx_max(conf->read_timeout,
                                     vendor[i]->send_timeout);
    }

    return conf;
}


static ngx_int_t
wag_generic_refuse(wag_ctx_t *ctx, ngx_uint_t refusal)
{
    ctx->refusal = refusal;

    return NGX_DECLINED;
}


static ngx_int_t
wag_generic_bad(wag_ctx_t *ctx, ngx_str_t *member)
{
    ctx->member = *member;

    return wag_generic_refuse(ctx, WAG_REFUSED_BAD);
}
