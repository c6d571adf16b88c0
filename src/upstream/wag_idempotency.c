
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_answer.h"
#include "wag_conf.h"
#include "wag_fingerprint.h"
#include "wag_generic.h"
#include "wag_idempotency.h"
#include "wag_marks_zone.h"
#include "wag_repeat_key.h"
#include "wag_routing.h"


/* what of the client's own request matters here */

typedef struct {
    ngx_str_t           *value;    /* of the key; NULL: there is none */
    ngx_uint_t           nvalues;
    u_char               key[WAG_REPEAT_KEY_LEN];
    size_t               len;
} wag_idempotency_request_t;


static ngx_uint_t wag_idempotency_may_be_send(wag_ctx_t *ctx, ngx_int_t rc);
static void wag_idempotency_find(ngx_http_request_t *r,
    wag_idempotency_request_t *q);
static ngx_int_t wag_idempotency_missing(wag_ctx_t *ctx);
static ngx_int_t wag_idempotency_bad(wag_ctx_t *ctx);
static ngx_int_t wag_idempotency_found(wag_ctx_t *ctx, ngx_int_t rc,
    ngx_uint_t found);
static ngx_int_t wag_idempotency_refuse(wag_ctx_t *ctx, ngx_uint_t found);
static ngx_int_t wag_idempotency_open(wag_ctx_t *ctx);
static ngx_int_t wag_idempotency_decorate(wag_ctx_t *ctx);
static void wag_idempotency_cleanup(void *data);
static ngx_uint_t wag_idempotency_state(wag_ctx_t *ctx, ngx_uint_t whole);


static ngx_str_t  wag_idempotency_name = ngx_string("Idempotency-Key");
static ngx_str_t  wag_idempotency_lowcase = ngx_string("idempotency-key");


ngx_int_t
wag_idempotency_claim(wag_ctx_t *ctx, ngx_int_t rc)
{
    ngx_str_t                   value;
    wag_idempotent_t           *im;
    ngx_http_request_t         *r;
    wag_idempotency_request_t   q;

    r = ctx->request;

    /* a redirect after nothing was written goes on with the claim */

    if (wag_idempotency_is_open(ctx)) {
        return (rc == NGX_OK) ? wag_idempotency_decorate(ctx) : rc;
    }

    if (!wag_idempotency_may_be_send(ctx, rc)) {
        return rc;
    }

    wag_idempotency_find(r, &q);

    if (q.value == NULL) {
        return (rc == NGX_OK) ? wag_idempotency_missing(ctx) : rc;
    }

    q.len = (q.nvalues == 1) ? wag_repeat_key(q.value, q.key) : 0;

    if (q.len == 0) {
        return (rc == NGX_OK) ? wag_idempotency_bad(ctx) : rc;
    }

    if (r->request_body_no_buffering) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "wa_gateway: \"proxy_request_buffering off\" where a "
                      "send has a key");
        ctx->refusal = WAG_REFUSED_CONFIGURED;
        return NGX_DECLINED;
    }

    im = ngx_pcalloc(r->pool, sizeof(wag_idempotent_t));
    if (im == NULL) {
        return NGX_ERROR;
    }

    im->zone = ctx->upstream->idempotency->zone;
    im->keeper = ctx->upstream->idempotency->keeper;
    im->key.ttl = ctx->upstream->idempotency->ttl;

    value.data = q.key;
    value.len = q.len;

    wag_fingerprint_key(ctx, &value, &im->key);

    if (wag_fingerprint_request(ctx, &im->key) != NGX_OK) {
        return NGX_ERROR;
    }

    ctx->idempotent = im;

    return wag_idempotency_found(ctx, rc,
                                 wag_marks_zone_look(im->zone, &im->key,
                                                     rc == NGX_OK));
}


/*
 * What a repeat gets does not depend on whether its session is still there,
 * or could send now: only what the request itself is refused for goes first.
 * Without the session or the instance it is not known whose send it was: of
 * what is refused for that, all may have been one.
 */

static ngx_uint_t
wag_idempotency_may_be_send(wag_ctx_t *ctx, ngx_int_t rc)
{
    if (rc == NGX_ERROR) {
        return 0;
    }

    if (rc == NGX_OK) {
        return ctx->generic
               || ctx->routing->judgement.kind == WAG_ROUTE_SEND;
    }

    switch (ctx->refusal) {

    case WAG_REFUSED_UNKNOWN:
    case WAG_REFUSED_UNLISTED:
    case WAG_REFUSED_DOWN:
    case WAG_REFUSED_NO_SESSION:
    case WAG_REFUSED_AMBIGUOUS:
    case WAG_REFUSED_FORBIDDEN:
    case WAG_REFUSED_PACED:
        return !ctx->request->request_body_no_buffering;

    case WAG_REFUSED_BAD:
        return ctx->routing->judgement.named
               && !ctx->request->request_body_no_buffering;

    default:
        return 0;
    }
}


static void
wag_idempotency_find(ngx_http_request_t *r, wag_idempotency_request_t *q)
{
    ngx_str_t        *name;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    name = &wag_idempotency_lowcase;

    q->value = NULL;
    q->nvalues = 0;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (h[i].key.len == name->len
                && ngx_memcmp(h[i].lowcase_key, name->data, name->len) == 0)
            {
                q->value = &h[i].value;
                q->nvalues++;
            }
        }
    }
}


static ngx_int_t
wag_idempotency_missing(wag_ctx_t *ctx)
{
    if (ctx->upstream->idempotency->mode != WAG_IDEMPOTENCY_REQUIRED) {
        return NGX_OK;
    }

    ctx->refusal = WAG_REFUSED_KEYLESS;

    return NGX_DECLINED;
}


static ngx_int_t
wag_idempotency_bad(wag_ctx_t *ctx)
{
    ctx->refusal = WAG_REFUSED_BAD;
    ctx->member = wag_idempotency_name;

    return NGX_DECLINED;
}


/* of one that was refused, what was found counts only if it is its own */

static ngx_int_t
wag_idempotency_found(wag_ctx_t *ctx, ngx_int_t rc, ngx_uint_t found)
{
    wag_idempotent_t  *im;

    im = ctx->idempotent;

    switch (found) {

    case WAG_MARK_NONE:

        if (rc == NGX_OK) {
            return wag_idempotency_open(ctx);
        }

        if (im->keeper && im->keeper->shared) {
            im->looks = 1;
            im->refusal = ctx->refusal;
            ctx->refusal = WAG_REFUSED_NOT;

            return NGX_OK;
        }

        ctx->idempotent = NULL;
        return rc;

    case WAG_MARK_ANSWERED:
    case WAG_MARK_UNKNOWN:

        im->status = im->key.status;
        im->answer.len = im->key.len;

        if (im->answer.len) {
            im->answer.data = ngx_pnalloc(ctx->request->pool, im->answer.len);
            if (im->answer.data == NULL) {
                return NGX_ERROR;
            }

            ngx_memcpy(im->answer.data, im->zone->buf, im->answer.len);
        }

        break;

    case WAG_MARK_REUSED:

        if (rc != NGX_OK) {
            return NGX_DECLINED;
        }

        break;

    case WAG_MARK_FULL:
        ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                      "wa_gateway: zone \"%V\" has no room for another key, "
                      "nothing is sent", &im->zone->shm_zone->shm.name);
    }

    return wag_idempotency_refuse(ctx, found);
}


static ngx_int_t
wag_idempotency_refuse(wag_ctx_t *ctx, ngx_uint_t found)
{
    switch (found) {

    case WAG_MARK_ANSWERED:
    case WAG_MARK_UNKNOWN:
        ctx->idempotent->known = 1;
        ctx->sent = (found == WAG_MARK_ANSWERED) ? WAG_SENT_YES
                                                 : WAG_SENT_UNKNOWN;
        ctx->refusal = WAG_REFUSED_REPLAYED;
        break;

    case WAG_MARK_IN_FLIGHT:
        ctx->sent = WAG_SENT_UNKNOWN;
        ctx->refusal = WAG_REFUSED_IN_FLIGHT;
        break;

    case WAG_MARK_REUSED:
        ctx->refusal = WAG_REFUSED_REUSED;
        break;

    case WAG_MARK_FULL:
        ctx->refusal = WAG_REFUSED_STORE_FULL;
        break;

    default: /* WAG_MARK_DOWN */
        ctx->refusal = WAG_REFUSED_STORE_DOWN;
    }

    return NGX_DECLINED;
}


ngx_int_t
wag_idempotency_lost(wag_ctx_t *ctx)
{
    wag_idempotent_t  *im;

    im = ctx->idempotent;

    im->open = 0;
    im->status = im->claim.status;
    im->answer = im->claim.answer;

    if (!im->looks) {
        wag_marks_zone_give_up(im->zone, &im->key);
    }

    return wag_idempotency_refuse(ctx, im->claim.found);
}


void
wag_idempotency_stay_refused(wag_ctx_t *ctx)
{
    ctx->refusal = ctx->idempotent->refusal;
    ctx->idempotent = NULL;
}


static ngx_int_t
wag_idempotency_open(wag_ctx_t *ctx)
{
    wag_idempotent_t    *im;
    ngx_pool_cleanup_t  *cln;

    im = ctx->idempotent;

    cln = ngx_pool_cleanup_add(ctx->request->pool, 0);

    if (cln == NULL || wag_idempotency_decorate(ctx) != NGX_OK) {
        wag_marks_zone_give_up(im->zone, &im->key);
        return NGX_ERROR;
    }

    cln->handler = wag_idempotency_cleanup;
    cln->data = ctx;

    im->open = 1;

    return NGX_OK;
}


/* as that of a generic send, it goes on when its client leaves */

static ngx_int_t
wag_idempotency_decorate(wag_ctx_t *ctx)
{
    ngx_http_request_t        *r;
    ngx_http_upstream_conf_t  *conf;

    if (ctx->generic) {
        return NGX_OK;
    }

    r = ctx->request;

    conf = ngx_palloc(r->pool, sizeof(ngx_http_upstream_conf_t));
    if (conf == NULL) {
        return NGX_ERROR;
    }

    *conf = *r->upstream->conf;
    conf->ignore_client_abort = 1;

    r->upstream->conf = conf;

    r->read_event_handler = ngx_http_block_reading;
    r->write_event_handler = ngx_http_request_empty_handler;

    return NGX_OK;
}


/* the client did not get all of an answer, or none was made for it */

static void
wag_idempotency_cleanup(void *data)
{
    wag_ctx_t *ctx = data;

    if (wag_idempotency_is_open(ctx)) {
        wag_idempotency_end(ctx, ctx->request->header_only);
    }
}


void
wag_idempotency_end(wag_ctx_t *ctx, ngx_uint_t whole)
{
    wag_keeper_end_t   end;
    wag_idempotent_t  *im;

    im = ctx->idempotent;
    im->open = 0;

    end.state = wag_idempotency_state(ctx, whole);

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, ctx->request->connection->log, 0,
                   "wa_gateway end of claim, state: %ui, status: %ui",
                   end.state, im->status);

    end.status = im->begun ? im->status : 0;
    end.answer = im->buf;
    end.len = (im->begun && whole && !im->cut && im->buf)
              ? im->last - im->buf : 0;
    end.message = ctx->message_id;

    if (end.state == WAG_MARK_NONE) {
        wag_marks_zone_give_up(im->zone, &im->key);

    } else {
        wag_marks_zone_close(im->zone, &im->key, end.state, end.status,
                             end.answer, end.len);
    }

    if (im->kept) {
        im->keeper->end(im->keeper, &im->key, &end);
    }
}


/* MARK_NONE: it is proven that nothing was sent */

static ngx_uint_t
wag_idempotency_state(wag_ctx_t *ctx, ngx_uint_t whole)
{
    ngx_uint_t         proven;
    wag_idempotent_t  *im;

    im = ctx->idempotent;

    if (ctx->generic) {

        if (wag_answer_is_unsent(ctx)) {
            return WAG_MARK_NONE;
        }

        if (ctx->generic->judged && ctx->generic->result == WAG_PROOF_SENT) {
            return WAG_MARK_ANSWERED;
        }

    } else if (ctx->outcome == WAG_ANSWERED) {

        proven = (im->proof && whole) ? wag_proof_end(im->proof)
                                      : WAG_PROOF_NONE;

        if (proven != WAG_PROOF_NONE && proven != WAG_PROOF_SENT) {
            return WAG_MARK_NONE;
        }

        return (ctx->status < NGX_HTTP_INTERNAL_SERVER_ERROR)
               ? WAG_MARK_ANSWERED : WAG_MARK_UNKNOWN;
    }

    return (ctx->sent == WAG_SENT_NO) ? WAG_MARK_NONE : WAG_MARK_UNKNOWN;
}
