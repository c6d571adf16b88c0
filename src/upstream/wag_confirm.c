
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_confirm.h"
#include "wag_hold.h"


static void wag_confirm_told(wag_keeper_claim_t *claim);
static ngx_int_t wag_confirm_found(wag_ctx_t *ctx);


ngx_int_t
wag_confirm_begin(wag_ctx_t *ctx, ngx_peer_connection_t *pc)
{
    ngx_int_t            rc;
    wag_keeper_t        *keeper;
    wag_idempotent_t    *im;
    wag_keeper_claim_t  *claim;

    im = ctx->idempotent;
    keeper = im->keeper;

    if (keeper == NULL || im->kept) {
        return NGX_OK;
    }

    claim = &im->claim;

    ngx_memzero(claim, sizeof(wag_keeper_claim_t));

    claim->key = &im->key;
    claim->look = im->looks;
    claim->log = ctx->request->connection->log;
    claim->told = wag_confirm_told;

    im->request = ctx->request;
    im->told = 0;

    rc = keeper->ask(keeper, claim);

    if (rc == NGX_ERROR) {
        claim->found = WAG_MARK_DOWN;
    }

    if (rc != NGX_AGAIN) {
        return wag_confirm_found(ctx);
    }

    im->waits = 1;

    rc = wag_hold_begin(ctx, pc, keeper->patience, 0);

    if (rc != NGX_AGAIN) {
        wag_confirm_cancel(ctx);
    }

    return rc;
}


/* in a callback of whatever the keeper waits for: the request runs later */

static void
wag_confirm_told(wag_keeper_claim_t *claim)
{
    u_char              *p;
    wag_idempotent_t    *im;
    ngx_http_request_t  *r;

    im = (wag_idempotent_t *) ((u_char *) claim
                               - offsetof(wag_idempotent_t, claim));
    r = im->request;

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, claim->log, 0,
                   "wa_gateway claim was told, found: %ui", claim->found);

    im->told = 1;

    if (claim->answer.len) {
        p = ngx_pnalloc(r->pool, claim->answer.len);

        if (p == NULL) {
            claim->answer.len = 0;

        } else {
            ngx_memcpy(p, claim->answer.data, claim->answer.len);
            claim->answer.data = p;
        }
    }

    wag_hold_wake(wag_ctx_find(r));
}


/* not told: the time is over, or the worker closes all connections */

ngx_int_t
wag_confirm_resume(wag_ctx_t *ctx, ngx_peer_connection_t *pc)
{
    wag_idempotent_t  *im;

    im = ctx->idempotent;

    (void) wag_hold_end(ctx, pc);

    if (!im->told) {
        wag_confirm_cancel(ctx);
        im->claim.found = WAG_MARK_DOWN;
    }

    im->waits = 0;

    return wag_confirm_found(ctx);
}


static ngx_int_t
wag_confirm_found(wag_ctx_t *ctx)
{
    wag_idempotent_t  *im;

    im = ctx->idempotent;

    if (im->claim.found != WAG_MARK_NONE) {
        return wag_idempotency_lost(ctx);
    }

    if (im->looks) {
        wag_idempotency_stay_refused(ctx);
        return NGX_DECLINED;
    }

    im->kept = 1;

    return NGX_OK;
}


void
wag_confirm_cancel(wag_ctx_t *ctx)
{
    wag_idempotent_t  *im;

    im = ctx->idempotent;

    if (!im->waits) {
        return;
    }

    im->waits = 0;

    if (!im->told) {
        im->keeper->cancel(im->keeper, &im->claim);

    } else if (im->claim.found == WAG_MARK_NONE && !im->looks) {

        /* whoever ends the claim gives it up there, too */

        im->kept = 1;
    }
}
