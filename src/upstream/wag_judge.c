
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_allow.h"
#include "wag_body_names.h"
#include "wag_conf.h"
#include "wag_judge.h"
#include "wag_pace.h"
#include "wag_rendezvous.h"


static ngx_int_t wag_judge_route(wag_ctx_t *ctx, wag_head_t *head,
    wag_route_request_t *rr, wag_judgement_t *j);
static void wag_judge_kind(wag_ctx_t *ctx, wag_head_t *head,
    wag_route_request_t *rr, wag_judgement_t *j);
static ngx_uint_t wag_judge_has_key(wag_ctx_t *ctx, wag_head_t *head,
    wag_vendor_t *vendor, ngx_str_t *key);
static ngx_uint_t wag_judge_are_keyed(wag_ctx_t *ctx, wag_vendor_t *vendor);
static ngx_uint_t wag_judge_has_header(wag_head_t *head, ngx_array_t *headers);
static ngx_uint_t wag_judge_is_key(wag_ctx_t *ctx, wag_vendor_t *vendor,
    ngx_str_t *key);
static ngx_uint_t wag_judge_wants_to(wag_ctx_t *ctx, wag_route_request_t *rr,
    wag_judgement_t *j);
static ngx_int_t wag_judge_body(wag_ctx_t *ctx, wag_head_t *head,
    wag_route_request_t *rr, wag_judgement_t *j);
static ngx_int_t wag_judge_to(wag_ctx_t *ctx, wag_route_request_t *rr,
    wag_judgement_t *j, ngx_str_t *text);
static void wag_judge_own(wag_route_request_t *rr, wag_judgement_t *j);
static void wag_judge_name(wag_route_request_t *rr, wag_judgement_t *j);
static void wag_judge_session(wag_route_request_t *rr, wag_judgement_t *j);
static ngx_uint_t wag_judge_is_known(wag_judgement_t *j);
static void wag_judge_no_session(wag_route_request_t *rr, wag_judgement_t *j);
static void wag_judge_bad(wag_judgement_t *j, ngx_str_t *member);


#define wag_judge_same(one, two)                                              \
    ((one)->len == (two)->len                                                 \
     && ngx_memcmp((one)->data, (two)->data, (one)->len) == 0)


static ngx_str_t  wag_judge_shown = ngx_string("X-WA-Session");
static ngx_str_t  wag_judge_member = ngx_string("session");


static ngx_uint_t  wag_judge_refusals[] = {
    WAG_REFUSED_NOT,           /* WAG_CHOICE_SOME */
    WAG_REFUSED_UNKNOWN,
    WAG_REFUSED_UNLISTED,
    WAG_REFUSED_DOWN,
    WAG_REFUSED_NO_SESSION,
    WAG_REFUSED_AMBIGUOUS,
    WAG_REFUSED_FORBIDDEN,
    WAG_REFUSED_PACED
};


ngx_int_t
wag_judge(wag_ctx_t *ctx, wag_head_t *head, wag_vendor_t *vendor,
    wag_judgement_t *j)
{
    ngx_int_t            rc;
    wag_route_request_t  rr;

    j->choice.vendor = vendor;

    rc = wag_judge_route(ctx, head, &rr, j);

    if (rc != NGX_OK || j->refusal != WAG_REFUSED_NOT) {
        return rc;
    }

    wag_judge_kind(ctx, head, &rr, j);

    if (j->refusal == WAG_REFUSED_NOT && (rr.body || rr.to)) {
        rc = wag_judge_body(ctx, head, &rr, j);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    if (j->refusal == WAG_REFUSED_NOT) {
        wag_judge_name(&rr, j);
    }

    if (j->refusal != WAG_REFUSED_NOT) {
        return NGX_OK;
    }

    if (j->choice.name.len || j->choice.shown.len || j->choice.number) {
        wag_judge_session(&rr, j);

    } else {
        wag_judge_no_session(&rr, j);
    }

    return NGX_OK;
}


static ngx_int_t
wag_judge_route(wag_ctx_t *ctx, wag_head_t *head, wag_route_request_t *rr,
    wag_judgement_t *j)
{
    ngx_int_t  rc;

    ngx_memzero(rr, sizeof(wag_route_request_t));

    rr->pool = ctx->request->pool;
    rr->method = head->method;
    rr->target = head->target;
    rr->headers = head->headers.elts;
    rr->nheaders = head->headers.nelts;

    rc = wag_route_judge(&j->choice.vendor->routes, rr);

    if (rc == NGX_DECLINED) {
        ngx_log_error(NGX_LOG_INFO, ctx->request->connection->log, 0,
                      "wa_gateway: %V %s", &rr->where, rr->error);

        wag_judge_bad(j, &rr->where);
        return NGX_OK;
    }

    j->kind = rr->kind;
    j->target = rr->target;
    j->dropped = rr->dropped;

    return rc;
}


/* what destroys is refused, and what tells of all but to who has the key */

static void
wag_judge_kind(wag_ctx_t *ctx, wag_head_t *head, wag_route_request_t *rr,
    wag_judgement_t *j)
{
    j->keyed = 1;

    if (rr->kind != WAG_ROUTE_BLOCKED && rr->kind != WAG_ROUTE_LIST) {
        return;
    }

    if (wag_allow_allows(ctx->request, &head->method, &head->target)) {
        return;
    }

    j->keyed = 0;

    if (rr->kind == WAG_ROUTE_BLOCKED
        || !wag_judge_has_key(ctx, head, j->choice.vendor, &rr->key))
    {
        j->refusal = WAG_REFUSED_BLOCKED;
    }
}


static ngx_uint_t
wag_judge_has_key(wag_ctx_t *ctx, wag_head_t *head, wag_vendor_t *vendor,
    ngx_str_t *key)
{
    return (wag_judge_are_keyed(ctx, vendor)
            && (wag_judge_has_header(head, &vendor->headers)
                || wag_judge_has_header(head, &vendor->list_headers)))
           || wag_judge_is_key(ctx, vendor, key);
}


/* one that has no key looks at none */

static ngx_uint_t
wag_judge_are_keyed(wag_ctx_t *ctx, wag_vendor_t *vendor)
{
    ngx_uint_t     i;
    wag_server_t  *server;

    for (i = 0; i < ctx->upstream->npeers; i++) {
        server = ctx->upstream->peers[i]->server;

        if (server->vendor == vendor && server->key.len == 0) {
            return 0;
        }
    }

    return 1;
}


static ngx_uint_t
wag_judge_has_header(wag_head_t *head, ngx_array_t *headers)
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


/* in the path: as long as it takes, whatever of it is right */

static ngx_uint_t
wag_judge_is_key(wag_ctx_t *ctx, wag_vendor_t *vendor, ngx_str_t *key)
{
    size_t           k;
    ngx_uint_t       i, found;
    wag_server_t    *server;
    volatile size_t  diff;

    found = 0;

    for (i = 0; key->len && i < ctx->upstream->npeers; i++) {
        server = ctx->upstream->peers[i]->server;

        if (server->vendor != vendor || server->key.len == 0) {
            continue;
        }

        diff = server->key.len ^ key->len;

        for (k = 0; k < key->len; k++) {
            diff |= key->data[k] ^ server->key.data[k % server->key.len];
        }

        found |= (diff == 0);
    }

    return found;
}


/* the member is looked for where it tells something only */

static ngx_uint_t
wag_judge_wants_to(wag_ctx_t *ctx, wag_route_request_t *rr, wag_judgement_t *j)
{
    wag_pace_t  *pace;

    if (rr->to == NULL) {
        return 0;
    }

    pace = ctx->upstream->pace;

    return (pace && (pace->recipient.interval || rr->to->list))
           || j->choice.sender == WAG_SENDER_CHAT
           || j->choice.sender == WAG_SENDER_CHAT_STRICT;
}


static ngx_int_t
wag_judge_body(wag_ctx_t *ctx, wag_head_t *head, wag_route_request_t *rr,
    wag_judgement_t *j)
{
    ngx_str_t          to;
    ngx_uint_t         wants;
    wag_body_names_t   names;

    wants = wag_judge_wants_to(ctx, rr, j);
    to = rr->recipient;

    if ((rr->body || (wants && rr->to->member.len))
        && wag_head_has_body(ctx->request, head))
    {
        names.to = wants ? rr->to : NULL;
        names.member = rr->member;

        if (wag_body_names_read(ctx, head, &names) != NGX_OK) {
            return NGX_ERROR;
        }

        if (names.refusal != WAG_REFUSED_NOT) {
            j->refusal = names.refusal;
            j->member = names.member;
            wag_judge_own(rr, j);
            return NGX_OK;
        }

        if (names.session.len) {

            if (rr->session.len
                && !wag_judge_same(&rr->session, &names.session))
            {
                wag_judge_bad(j, &rr->member);
                return NGX_OK;
            }

            rr->session = names.session;
        }

        if (names.recipient.len) {
            to = names.recipient;
        }
    }

    return (wants && to.len) ? wag_judge_to(ctx, rr, j, &to) : NGX_OK;
}


static ngx_int_t
wag_judge_to(wag_ctx_t *ctx, wag_route_request_t *rr, wag_judgement_t *j,
    ngx_str_t *text)
{
    ngx_int_t            rc;
    const char          *error;
    wag_loc_conf_t      *wlcf;
    ngx_http_request_t  *r;

    r = ctx->request;
    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wa_gateway_module);

    rc = wag_recipient_native(r->pool, text, &wlcf->country, &j->to, &error);

    if (rc == NGX_DECLINED) {
        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                      "wa_gateway: recipient refused: %s", error);

        wag_judge_bad(j, rr->to->member.len ? &rr->to->member
                                            : &rr->to->query);
        wag_judge_own(rr, j);
        return NGX_OK;
    }

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    j->choice.chat = wag_rendezvous_chat(j->to.type, &j->to.id);
    j->choice.chats = 1;

    return NGX_OK;
}


/* of several vendors the one that has the session tells what is wrong */

static void
wag_judge_own(wag_route_request_t *rr, wag_judgement_t *j)
{
    if (rr->session.len) {
        j->choice.name = rr->session;
        j->named = wag_judge_is_known(j);
    }
}


/* the gateway's own header and the vendor's place tell of the same one */

static void
wag_judge_name(wag_route_request_t *rr, wag_judgement_t *j)
{
    wag_choice_t  *choice;

    choice = &j->choice;
    choice->name = rr->session;

    if (rr->session.len) {

        if (choice->shown.len
            && !choice->vendor->secret
            && !wag_judge_same(&rr->session, &choice->shown))
        {
            wag_judge_bad(j, &wag_judge_shown);
            j->named = wag_judge_is_known(j);
        }

        return;
    }

    if (choice->shown.len == 0 && choice->number == 0) {
        return;
    }

    if (rr->header.len) {
        j->header = rr->header;
        j->encode = rr->encode;

    } else if (rr->places && rr->kind != WAG_ROUTE_CREATE) {

        /* the server would take another one, as it has a default */

        wag_judge_bad(j, rr->member.len ? &rr->member : &wag_judge_member);
    }
}


static void
wag_judge_session(wag_route_request_t *rr, wag_judgement_t *j)
{
    ngx_uint_t  found;

    j->by = WAG_BY_SESSION;
    j->choice.send = (rr->kind == WAG_ROUTE_SEND);

    found = wag_choice_look(&j->choice);

    if (found == WAG_CHOICE_UNKNOWN && j->choice.name.len) {

        j->named = wag_judge_is_known(j);

        if (j->named && j->choice.shown.len) {
            wag_judge_bad(j, &wag_judge_shown);
            return;
        }
    }

    if (rr->kind == WAG_ROUTE_CREATE
        && (found == WAG_CHOICE_UNKNOWN || found == WAG_CHOICE_UNLISTED))
    {
        j->by = WAG_BY_PLACE;
        return;
    }

    j->refusal = wag_judge_refusal(found);
}


ngx_uint_t
wag_judge_refusal(ngx_uint_t found)
{
    return wag_judge_refusals[found];
}


/*
 * Without what the gateway's own headers tell.  A name that is a secret is not
 * compared with the one that is shown: it is known alone, and is not together
 * with the other.
 */

static ngx_uint_t
wag_judge_is_known(wag_judgement_t *j)
{
    ngx_uint_t    found;
    wag_choice_t  choice;

    choice = j->choice;
    choice.number = 0;
    ngx_str_null(&choice.shown);

    found = wag_choice_look(&choice);

    return found != WAG_CHOICE_UNKNOWN
           && found != WAG_CHOICE_UNLISTED
           && found != WAG_CHOICE_FORBIDDEN;
}


static void
wag_judge_no_session(wag_route_request_t *rr, wag_judgement_t *j)
{
    if (rr->kind == WAG_ROUTE_SEND && rr->header.len) {

        /* it would be the server's choice, and is the gateway's */

        j->header = rr->header;
        j->encode = rr->encode;

        wag_judge_session(rr, j);
        return;
    }

    if (wag_keys_is_limited(j->choice.key)) {
        j->refusal = WAG_REFUSED_FORBIDDEN;
        return;
    }

    switch (rr->kind) {

    case WAG_ROUTE_CREATE:
        j->by = WAG_BY_PLACE;
        break;

    case WAG_ROUTE_NATIVE:
    case WAG_ROUTE_SEND:
        j->keyed = 0;
        break;

    default:
        break;
    }
}


static void
wag_judge_bad(wag_judgement_t *j, ngx_str_t *member)
{
    j->refusal = WAG_REFUSED_BAD;
    j->member = *member;
}


/*
 * Who finds the session in its own place before who knows it by a header
 * alone; of these who has such a route before who has not; then who can be
 * asked before who cannot now, who has no such session, who is asked wrongly.
 */

ngx_uint_t
wag_judge_score(wag_judgement_t *j)
{
    ngx_uint_t  native;

    if (j->named) {
        return (j->refusal == WAG_REFUSED_BAD) ? WAG_JUDGE_FOUND : 8;
    }

    native = (j->kind == WAG_ROUTE_NATIVE);

    switch (j->refusal) {

    case WAG_REFUSED_NOT:

        if (j->by != WAG_BY_SESSION) {
            return native ? WAG_JUDGE_ANY : 7;
        }

        if (j->choice.name.len) {
            return WAG_JUDGE_FOUND;
        }

        return native ? 5 : 7;

    case WAG_REFUSED_DOWN:
    case WAG_REFUSED_NO_SESSION:
    case WAG_REFUSED_AMBIGUOUS:
    case WAG_REFUSED_PACED:

        if (j->choice.name.len) {
            return 8;
        }

        return native ? 4 : 6;

    case WAG_REFUSED_UNKNOWN:
    case WAG_REFUSED_UNLISTED:
    case WAG_REFUSED_FORBIDDEN:
        return 3;

    case WAG_REFUSED_BAD:
    case WAG_REFUSED_TYPE:
        return 2;

    default:
        return 8;
    }
}
