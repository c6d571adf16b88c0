
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_store_claims.h"


/* what waits while a store is away: claims, and bytes of their answers */

#define WAG_STORE_CLAIMS_WAIT   20000
#define WAG_STORE_CLAIMS_BYTES  (4 * 1024 * 1024)


typedef struct {
    wag_store_call_t     call;
    ngx_queue_t          queue;
    wag_store_t         *store;
    wag_store_end_t      end;
    u_char               answer[1];
} wag_store_ending_t;


static ngx_int_t wag_store_claims_send(wag_store_ask_t *ask,
    ngx_uint_t whole);
static void wag_store_claims_answered(wag_store_call_t *call,
    wag_store_answer_t *answer);
static void wag_store_claims_found(wag_store_ask_t *ask,
    wag_store_answer_t *answer);
static ngx_uint_t wag_store_claims_is_left(wag_store_ask_t *ask);
static void wag_store_claims_give_up(wag_store_ask_t *ask);
static wag_store_ending_t *wag_store_claims_ending(wag_store_t *store,
    size_t *len);
static void wag_store_claims_free_ending(wag_store_ending_t *ending);
static void wag_store_claims_wait(wag_store_ending_t *ending);
static ngx_int_t wag_store_claims_tell(wag_store_ending_t *ending,
    ngx_uint_t whole);
static void wag_store_claims_ended(wag_store_call_t *call,
    wag_store_answer_t *answer);
static void wag_store_claims_back(wag_store_t *store);
static ngx_int_t wag_store_claims_keeper_ask(wag_keeper_t *keeper,
    wag_keeper_claim_t *claim);
static void wag_store_claims_keeper_told(wag_store_ask_t *ask);
static void wag_store_claims_keeper_cancel(wag_keeper_t *keeper,
    wag_keeper_claim_t *claim);
static void wag_store_claims_keeper_end(wag_keeper_t *keeper,
    wag_marks_key_t *key, wag_keeper_end_t *end);


/* by STORE_NONE ... */

static ngx_uint_t  wag_store_claims_marks[] = {
    WAG_MARK_NONE,
    WAG_MARK_IN_FLIGHT,
    WAG_MARK_ANSWERED,
    WAG_MARK_UNKNOWN,
    WAG_MARK_REUSED,
    WAG_MARK_NONE,
    WAG_MARK_DOWN,
    WAG_MARK_FULL
};


wag_store_ask_t *
wag_store_claims_create(wag_store_t *store)
{
    wag_store_ask_t  *ask;

    ask = ngx_calloc(sizeof(wag_store_ask_t), &store->link.log);
    if (ask == NULL) {
        return NULL;
    }

    ask->store = store;
    ask->call.done = wag_store_claims_answered;
    ask->call.data = ask;

    return ask;
}


void
wag_store_claims_free(wag_store_ask_t *ask)
{
    ngx_free(ask);
}


ngx_int_t
wag_store_claims_ask(wag_store_ask_t *ask)
{
    if (!ask->store->ready) {
        ngx_free(ask);
        return NGX_DECLINED;
    }

    /* a claim is given up no sooner */

    ask->claim.deadline = ask->store->clock + ngx_current_msec
                          + ask->store->link.timeout
                          + ask->store->link.pause;

    if (wag_store_claims_send(ask, 0) != NGX_OK) {
        ngx_free(ask);
        return NGX_DECLINED;
    }

    return NGX_OK;
}


static ngx_int_t
wag_store_claims_send(wag_store_ask_t *ask, ngx_uint_t whole)
{
    wag_store_args_claim(ask->store->args, &ask->store->names, &ask->claim);

    return wag_store_call(ask->store, &ask->call, WAG_STORE_CLAIM, whole);
}


static void
wag_store_claims_answered(wag_store_call_t *call, wag_store_answer_t *answer)
{
    wag_store_ask_t  *ask;

    ask = call->data;

    if (wag_store_answered(ask->store, call, answer)
        && wag_store_claims_send(ask, 1) == NGX_OK)
    {
        return;
    }

    wag_store_claims_found(ask, answer);

    if (wag_store_claims_is_left(ask)) {
        wag_store_claims_give_up(ask);
    }

    if (ask->data) {
        ask->told(ask);
    }

    ngx_free(ask);
}


/*
 * What nobody goes on with: where no answer came it may have been claimed all
 * the same.
 */

static ngx_uint_t
wag_store_claims_is_left(wag_store_ask_t *ask)
{
    switch (ask->found.found) {

    case WAG_STORE_NONE:
        return ask->data == NULL;

    case WAG_STORE_AWAY:
    case WAG_STORE_FULL:
        return ask->data == NULL || ask->store->on_error == WAG_STORE_REFUSE;

    default:
        return 0;
    }
}


static void
wag_store_claims_found(wag_store_ask_t *ask, wag_store_answer_t *answer)
{
    ngx_str_t         *text, why;
    wag_store_t       *store;
    wag_reason_t       reason;
    static ngx_str_t   full = ngx_string("OOM");

    store = ask->store;

    if (answer
        && wag_store_result_claim(answer, &ask->claim, &ask->found) == NGX_OK)
    {
        if (ask->found.found == WAG_STORE_AWAY) {
            wag_store_doubt(store);

        } else if (ask->found.serial) {
            wag_store_zone_told(store->zone, ask->found.serial);
        }

        return;
    }

    ngx_memzero(&ask->found, sizeof(wag_store_found_t));

    ask->found.found = WAG_STORE_AWAY;

    if (answer == NULL) {
        return;
    }

    text = &answer->values[0].text;

    wag_reason_set(&reason, "");
    wag_reason_add_value(&reason, text, WAG_REASON_LEN);

    why.data = reason.data;
    why.len = reason.len;

    ngx_log_error(NGX_LOG_ERR, &store->link.log, 0,
                  "wa_gateway: store \"%V\" refused a claim: \"%V\"",
                  &store->shown, &why);

    if (answer->error && text->len >= full.len
        && ngx_memcmp(text->data, full.data, full.len) == 0)
    {
        ask->found.found = WAG_STORE_FULL;
    }
}


static void
wag_store_claims_give_up(wag_store_ask_t *ask)
{
    wag_store_end_t     end;
    wag_store_claim_t  *claim;

    claim = &ask->claim;

    if (claim->look || (!claim->keyed && ask->found.spent.number == 0)) {
        return;
    }

    ngx_memzero(&end, sizeof(wag_store_end_t));
    ngx_memcpy(end.id, claim->id, WAG_DIGEST_LEN);

    end.serial = claim->serial;
    end.state = WAG_STORE_NONE;
    end.keyed = claim->keyed;
    end.scope = claim->scope;
    end.rules = claim->rules;
    end.spent = ask->found.spent;

    wag_store_claims_end(ask->store, &end);
}


void
wag_store_claims_cancel(wag_store_ask_t *ask)
{
    ask->data = NULL;
}


void
wag_store_claims_end(wag_store_t *store, wag_store_end_t *end)
{
    size_t               len;
    wag_store_ending_t  *ending;

    len = end->answer.len;

    if (store->nbytes + len > WAG_STORE_CLAIMS_BYTES) {

        /* what came of it is told without the answer */

        len = 0;
    }

    if (store->nends == WAG_STORE_CLAIMS_WAIT) {
        wag_store_zone_count(store->zone, dropped);
        return;
    }

    ending = wag_store_claims_ending(store, &len);
    if (ending == NULL) {
        wag_store_zone_count(store->zone, dropped);
        return;
    }

    ending->store = store;
    ending->end = *end;
    ending->end.answer.data = ending->answer;
    ending->end.answer.len = len;

    if (len) {
        ngx_memcpy(ending->answer, end->answer.data, len);
    }

    ending->call.done = wag_store_claims_ended;
    ending->call.data = ending;

    store->nends++;
    store->nbytes += len;

    if (!store->met || wag_store_claims_tell(ending, 0) != NGX_OK) {
        wag_store_claims_wait(ending);
    }
}


/* an end that is lost would leave its key under way: one is kept for it */

static wag_store_ending_t *
wag_store_claims_ending(wag_store_t *store, size_t *len)
{
    wag_store_ending_t  *ending;

    ending = ngx_alloc(sizeof(wag_store_ending_t) + *len, &store->link.log);

    if (ending == NULL) {
        ending = store->spare;
        store->spare = NULL;
        *len = 0;
    }

    return ending;
}


static void
wag_store_claims_free_ending(wag_store_ending_t *ending)
{
    wag_store_t  *store;

    store = ending->store;

    store->nends--;
    store->nbytes -= ending->end.answer.len;

    if (store->spare == NULL) {
        store->spare = ending;
        return;
    }

    ngx_free(ending);
}


static ngx_int_t
wag_store_claims_tell(wag_store_ending_t *ending, ngx_uint_t whole)
{
    wag_store_t  *store;

    store = ending->store;

    wag_store_args_end(store->args, &store->names, &ending->end);

    return wag_store_call(store, &ending->call, WAG_STORE_END, whole);
}


/* a budget is not given back twice: it may have been told */

static void
wag_store_claims_wait(wag_store_ending_t *ending)
{
    wag_store_t  *store;

    store = ending->store;

    if (!ending->end.keyed || !store->started) {
        wag_store_zone_count(store->zone, dropped);
        wag_store_claims_free_ending(ending);
        return;
    }

    ending->end.spent.number = 0;

    ngx_queue_insert_tail(&store->ends, &ending->queue);
}


static void
wag_store_claims_ended(wag_store_call_t *call, wag_store_answer_t *answer)
{
    wag_store_t         *store;
    wag_store_ending_t  *ending;

    ending = call->data;
    store = ending->store;

    if (wag_store_answered(store, call, answer)
        && wag_store_claims_tell(ending, 1) == NGX_OK)
    {
        return;
    }

    if (answer == NULL || answer->error) {
        wag_store_claims_wait(ending);
        return;
    }

    wag_store_claims_free_ending(ending);
}


/* it was met, which it is each second */

static void
wag_store_claims_back(wag_store_t *store)
{
    ngx_queue_t          ends, *q;
    wag_store_ending_t  *ending;

    if (ngx_queue_empty(&store->ends)) {
        return;
    }

    ngx_queue_init(&ends);
    ngx_queue_add(&ends, &store->ends);
    ngx_queue_init(&store->ends);

    while (!ngx_queue_empty(&ends)) {
        q = ngx_queue_head(&ends);
        ending = ngx_queue_data(q, wag_store_ending_t, queue);

        ngx_queue_remove(q);

        if (wag_store_claims_tell(ending, 0) != NGX_OK) {
            wag_store_claims_wait(ending);
        }
    }
}


void
wag_store_claims_key(wag_store_ask_t *ask, wag_marks_key_t *key)
{
    wag_store_claim_t  *claim;

    claim = &ask->claim;

    ngx_memcpy(claim->id, key->id, WAG_DIGEST_LEN);
    ngx_memcpy(claim->request, key->request, WAG_SIPHASH_LEN);

    claim->serial = key->serial;
    claim->ttl = key->ttl;
    claim->keyed = 1;
}


ngx_uint_t
wag_store_claims_mark(wag_store_t *store, ngx_uint_t found)
{
    if (found != WAG_STORE_AWAY) {
        return wag_store_claims_marks[found];
    }

    if (store->on_error == WAG_STORE_LOCAL) {
        wag_store_zone_count(store->zone, alone);
        return WAG_MARK_NONE;
    }

    wag_store_zone_count(store->zone, refused);

    return WAG_MARK_DOWN;
}


void
wag_store_claims_keep(wag_store_t *store)
{
    store->back = wag_store_claims_back;

    store->keeper.ask = wag_store_claims_keeper_ask;
    store->keeper.cancel = wag_store_claims_keeper_cancel;
    store->keeper.end = wag_store_claims_keeper_end;
    store->keeper.patience = 2 * store->link.timeout;
    store->keeper.shared = 1;
    store->keeper.data = store;
}


static ngx_int_t
wag_store_claims_keeper_ask(wag_keeper_t *keeper, wag_keeper_claim_t *claim)
{
    wag_store_t      *store;
    wag_store_ask_t  *ask;

    store = keeper->data;

    if (store->spare == NULL) {
        store->spare = ngx_alloc(sizeof(wag_store_ending_t),
                                 &store->link.log);
    }

    ask = wag_store_claims_create(store);
    if (ask == NULL) {
        return NGX_ERROR;
    }

    ask->told = wag_store_claims_keeper_told;
    ask->data = claim;

    wag_store_claims_key(ask, claim->key);

    ask->claim.look = claim->look;

    claim->asked = ask;

    if (wag_store_claims_ask(ask) == NGX_OK) {
        return NGX_AGAIN;
    }

    claim->found = wag_store_claims_mark(store, WAG_STORE_AWAY);

    return NGX_OK;
}


static void
wag_store_claims_keeper_told(wag_store_ask_t *ask)
{
    wag_store_t         *store;
    wag_keeper_claim_t  *claim;

    store = ask->store;
    claim = ask->data;

    claim->found = wag_store_claims_mark(store, ask->found.found);
    claim->status = ask->found.status;
    claim->answer = ask->found.answer;

    claim->told(claim);
}


static void
wag_store_claims_keeper_cancel(wag_keeper_t *keeper,
    wag_keeper_claim_t *claim)
{
    wag_store_claims_cancel(claim->asked);
}


/* by the marks of these */

static void
wag_store_claims_keeper_end(wag_keeper_t *keeper, wag_marks_key_t *key,
    wag_keeper_end_t *kept)
{
    wag_store_end_t  end;

    ngx_memzero(&end, sizeof(wag_store_end_t));
    ngx_memcpy(end.id, key->id, WAG_DIGEST_LEN);

    end.serial = key->serial;
    end.ttl = key->ttl;
    end.keyed = 1;

    switch (kept->state) {

    case WAG_MARK_NONE:
        end.state = WAG_STORE_NONE;
        break;

    case WAG_MARK_ANSWERED:
        end.state = WAG_STORE_ANSWERED;
        break;

    default: /* WAG_MARK_UNKNOWN */
        end.state = WAG_STORE_UNKNOWN;
    }

    if (end.state != WAG_STORE_NONE) {
        end.status = kept->status;
        end.answer.data = kept->answer;
        end.answer.len = kept->len;
    }

    wag_store_claims_end(keeper->data, &end);
}
