
/*
 * Copyright (C) the wa_gateway authors
 *
 * Claims of sends in a store, with their budgets, and what came of them: one
 * call each.  What came of a claim waits here while the store is away.
 */


#ifndef _WAG_STORE_CLAIMS_H_INCLUDED_
#define _WAG_STORE_CLAIMS_H_INCLUDED_


#include "wag_store.h"
#include "wag_store_result.h"


typedef struct wag_store_ask_s  wag_store_ask_t;


/* allocated on its own: it may live longer than who asks */

struct wag_store_ask_s {
    wag_store_call_t     call;
    wag_store_t         *store;
    wag_store_claim_t    claim;
    wag_store_found_t    found;      /* while it is told */

    void               (*told)(wag_store_ask_t *ask);
    void                *data;       /* NULL: nobody waits any more */
};


/*
 * To be filled and asked, or freed.  NULL if there is no memory.
 */
wag_store_ask_t *wag_store_claims_create(wag_store_t *store);
void wag_store_claims_free(wag_store_ask_t *ask);

/*
 * NGX_OK: ask->told() is called, from the event loop, and the ask is freed
 * after it; NGX_DECLINED: the store is away, the ask is freed.
 */
ngx_int_t wag_store_claims_ask(wag_store_ask_t *ask);

/*
 * Nobody waits any more: told() is not called, what is or will be claimed is
 * given up.
 */
void wag_store_claims_cancel(wag_store_ask_t *ask);

/*
 * What came of a claim, or that budgets are given back.  It is told at once,
 * or as soon as the store is met again.
 */
void wag_store_claims_end(wag_store_t *store, wag_store_end_t *end);

/*
 * Whether sends can be claimed now.
 */
#define wag_store_claims_ready(store)  ((store)->ready)

/*
 * Asks for a key besides, which was claimed in the zone.
 */
void wag_store_claims_key(wag_store_ask_t *ask, wag_marks_key_t *key);

/*
 * What is known of a key by what was found, MARK_NONE ...; one that is sent
 * without the store, or refused for lack of it, is counted.
 */
ngx_uint_t wag_store_claims_mark(wag_store_t *store, ngx_uint_t found);

/*
 * Makes it the keeper of claims without budgets.
 */
void wag_store_claims_keep(wag_store_t *store);


#endif /* _WAG_STORE_CLAIMS_H_INCLUDED_ */
