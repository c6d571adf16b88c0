
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_hold.h"
#include "wag_idempotency.h"
#include "wag_share.h"


static void wag_share_rules(wag_share_t *share, wag_pace_t *pace,
    ngx_msec_t patience);
static ngx_int_t wag_share_away(wag_ctx_t *ctx, wag_share_t *share);
static void wag_share_told(wag_store_ask_t *ask);
static ngx_int_t wag_share_key(wag_ctx_t *ctx, wag_share_t *share);
static void wag_share_view(wag_share_t *share);


ngx_inline static ngx_msec_t
wag_share_msec(uint64_t usec)
{
    return (usec + 999) / 1000;
}


wag_share_t *
wag_share_create(wag_ctx_t *ctx)
{
    wag_share_t  *share;

    share = ngx_pcalloc(ctx->request->pool, sizeof(wag_share_t));
    if (share == NULL) {
        return NULL;
    }

    share->request = ctx->request;
    share->store = ctx->upstream->store;

    return share;
}


/* one that refuses is asked also when it is away, to be refused */

ngx_uint_t
wag_share_counts(wag_share_t *share)
{
    return !share->alone
           && (share->store->on_error == WAG_STORE_REFUSE
               || wag_store_claims_ready(share->store));
}


void
wag_share_want(wag_share_t *share, uint64_t number)
{
    ngx_uint_t  i;

    for (i = 0; i < share->nnumbers; i++) {
        if (share->numbers[i] == number) {
            return;
        }
    }

    if (share->nnumbers < WAG_STORE_NUMBERS) {
        share->numbers[share->nnumbers++] = number;
    }
}


ngx_int_t
wag_share_ask(wag_ctx_t *ctx, wag_share_t *share, ngx_peer_connection_t *pc,
    wag_pace_claim_t *claim, ngx_msec_t patience)
{
    ngx_int_t         rc;
    wag_store_ask_t  *ask;

    ask = wag_store_claims_create(share->store);
    if (ask == NULL) {
        return NGX_ERROR;
    }

    wag_share_rules(share, ctx->upstream->pace, patience);

    ask->told = wag_share_told;
    ask->data = share;

    ask->claim.scope = ctx->upstream->pace->zone->shm_zone->shm.name;
    ask->claim.rules = share->rules;
    ask->claim.has_to = claim->has_to;
    ngx_memcpy(ask->claim.to, claim->to, WAG_STORE_TO_LEN);

    ask->claim.nnumbers = share->nnumbers;
    ngx_memcpy(ask->claim.numbers, share->numbers, sizeof(share->numbers));

    share->keyed = wag_idempotency_is_open(ctx) && !ctx->idempotent->kept;

    if (share->keyed) {
        wag_store_claims_key(ask, &ctx->idempotent->key);
    }

    share->ask = ask;
    share->told = 0;

    if (wag_store_claims_ask(ask) != NGX_OK) {
        return wag_share_away(ctx, share);
    }

    share->waits = 1;

    rc = wag_hold_begin(ctx, pc, share->store->keeper.patience, 0);

    if (rc != NGX_AGAIN) {
        wag_share_cancel(ctx, share);
    }

    return rc;
}


static void
wag_share_rules(wag_share_t *share, wag_pace_t *pace, ngx_msec_t patience)
{
    ngx_time_t         *tp;
    wag_store_rules_t  *rules;

    rules = &share->rules;
    tp = ngx_timeofday();

    rules->number = pace->number;
    rules->recipient = pace->recipient;
    rules->day = pace->day;
    rules->shift = tp->gmtoff * 60 - (ngx_int_t) pace->day_start;
    rules->wait = (uint64_t) patience * 1000;
    rules->jitter = pace->jitter
                    ? (uint64_t) (ngx_random() % (pace->jitter + 1)) * 1000
                    : 0;
}


static ngx_int_t
wag_share_away(wag_ctx_t *ctx, wag_share_t *share)
{
    ngx_uint_t  found;

    found = wag_store_claims_mark(share->store, WAG_STORE_AWAY);

    if (found == WAG_MARK_NONE) {
        share->alone = 1;
        return NGX_AGAIN;
    }

    share->found.found = WAG_STORE_AWAY;

    if (share->keyed) {
        return wag_share_key(ctx, share);
    }

    ctx->refusal = WAG_REFUSED_STORE_DOWN;

    return NGX_DECLINED;
}


/* in a callback of the store's connection: the request runs later */

static void
wag_share_told(wag_store_ask_t *ask)
{
    u_char       *p;
    ngx_str_t    *answer;
    wag_share_t  *share;

    share = ask->data;

    share->found = ask->found;
    share->told = 1;

    answer = &share->found.answer;

    if (answer->len) {
        p = ngx_pnalloc(share->request->pool, answer->len);

        if (p == NULL) {
            answer->len = 0;

        } else {
            ngx_memcpy(p, answer->data, answer->len);
            answer->data = p;
        }
    }

    if (share->found.spent.number) {
        wag_share_view(share);
    }

    wag_hold_wake(wag_ctx_find(share->request));
}


ngx_int_t
wag_share_resume(wag_ctx_t *ctx, wag_share_t *share)
{
    if (!share->told) {
        wag_store_claims_cancel(share->ask);
        share->found.found = WAG_STORE_AWAY;
    }

    share->waits = 0;

    switch (share->found.found) {

    case WAG_STORE_NONE:
        share->spent = share->found.spent;

        if (share->keyed) {
            ctx->idempotent->kept = 1;
        }

        return NGX_OK;

    case WAG_STORE_PACED:
        return NGX_BUSY;

    case WAG_STORE_AWAY:
        return wag_share_away(ctx, share);

    case WAG_STORE_FULL:

        if (!share->keyed) {
            ctx->refusal = WAG_REFUSED_STORE_FULL;
            return NGX_DECLINED;
        }

        /* fall through */

    default:
        return wag_share_key(ctx, share);
    }
}


/* another one has the key, or it cannot be kept */

static ngx_int_t
wag_share_key(wag_ctx_t *ctx, wag_share_t *share)
{
    wag_keeper_claim_t  *claim;

    claim = &ctx->idempotent->claim;

    claim->found = (share->found.found == WAG_STORE_AWAY)
                   ? WAG_MARK_DOWN
                   : wag_store_claims_mark(share->store, share->found.found);

    claim->status = share->found.status;
    claim->answer = share->found.answer;

    return wag_idempotency_lost(ctx);
}


void
wag_share_cancel(wag_ctx_t *ctx, wag_share_t *share)
{
    if (!share->waits) {
        return;
    }

    share->waits = 0;

    if (!share->told) {
        wag_store_claims_cancel(share->ask);

    } else if (share->found.found == WAG_STORE_NONE) {
        share->spent = share->found.spent;

        wag_share_return(ctx, share);

        if (share->keyed) {

            /* whoever ends the claim gives it up there, too */

            ctx->idempotent->kept = 1;
        }
    }
}


void
wag_share_return(wag_ctx_t *ctx, wag_share_t *share)
{
    wag_store_end_t  end;

    ngx_memzero(&end, sizeof(wag_store_end_t));

    end.scope = ctx->upstream->pace->zone->shm_zone->shm.name;
    end.rules = share->rules;
    end.spent = share->spent;

    wag_store_claims_end(share->store, &end);

    share->spent.number = 0;
}


static void
wag_share_view(wag_share_t *share)
{
    ngx_uint_t          used;
    wag_pace_view_t    *view;
    wag_store_found_t  *found;
    wag_store_rules_t  *rules;

    view = &share->view;
    found = &share->found;
    rules = &share->rules;

    ngx_memzero(view, sizeof(wag_pace_view_t));

    if (rules->number.interval) {
        used = (found->full + rules->number.interval - 1)
               / rules->number.interval;

        view->left = rules->number.size - ngx_min(used, rules->number.size);
        view->waiting = used - ngx_min(used, rules->number.size);
        view->full = wag_share_msec(found->full);
    }

    if (rules->recipient.interval) {
        used = (found->to_full + rules->recipient.interval - 1)
               / rules->recipient.interval;

        view->to_left = rules->recipient.size
                        - ngx_min(used, rules->recipient.size);
        view->to_full = wag_share_msec(found->to_full);
    }

    if (rules->day) {
        view->day_left = rules->day - ngx_min(found->day_used, rules->day);
        view->day_next = wag_share_msec(found->day_next);
    }
}
