
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_known.h"


static wag_known_t *wag_known_ready_in(wag_knowns_t *knowns, ngx_uint_t from,
    ngx_uint_t to);


wag_known_t *
wag_known_next(wag_upstream_t *us, wag_known_t *prev)
{
    ngx_uint_t     i;
    wag_knowns_t  *knowns;

    knowns = us->knowns;

    for (i = prev ? wag_known_index(knowns, prev) + 1 : 0;
         i < knowns->n;
         i++)
    {
        if (wag_used(&knowns->entries[i])) {
            return &knowns->entries[i];
        }
    }

    return NULL;
}


ngx_uint_t
wag_known_ready(wag_upstream_t *us)
{
    return us->knowns->nready;
}


ngx_uint_t
wag_known_is_ready(wag_upstream_t *us, wag_known_t *known)
{
    ngx_uint_t  n;

    n = wag_known_index(us->knowns, known);

    return (us->knowns->ready[wag_known_word(n)] & wag_known_bit(n)) != 0;
}


ngx_msec_t
wag_known_rest(wag_known_t *known)
{
    ngx_msec_t  rest;

    rest = known->record->rest;

    return (rest && (ngx_msec_int_t) (rest - ngx_current_msec) > 0)
           ? rest - ngx_current_msec : 0;
}


wag_known_t *
wag_known_ready_from(wag_upstream_t *us, ngx_uint_t n)
{
    uintptr_t      word;
    ngx_uint_t     i, count;
    wag_knowns_t  *knowns;

    knowns = us->knowns;

    if (knowns->nready == 0) {
        return NULL;
    }

    n %= knowns->nready;

    for (i = 0; /* void */ ; i++) {
        count = __builtin_popcountl(knowns->ready[i]);

        if (n < count) {
            break;
        }

        n -= count;
    }

    for (word = knowns->ready[i]; n; n--) {
        word &= word - 1;
    }

    return &knowns->entries[i * WAG_KNOWN_BITS + __builtin_ctzl(word)];
}


wag_known_t *
wag_known_ready_after(wag_upstream_t *us, wag_known_t *known)
{
    ngx_uint_t     n;
    wag_known_t   *next;
    wag_knowns_t  *knowns;

    knowns = us->knowns;
    n = wag_known_index(knowns, known) + 1;

    next = wag_known_ready_in(knowns, n, knowns->n);

    return next ? next : wag_known_ready_in(knowns, 0, n);
}


static wag_known_t *
wag_known_ready_in(wag_knowns_t *knowns, ngx_uint_t from, ngx_uint_t to)
{
    uintptr_t   word;
    ngx_uint_t  n;

    for (n = from; n < to; /* void */ ) {

        word = knowns->ready[wag_known_word(n)] >> (n % WAG_KNOWN_BITS);

        if (word) {
            n += __builtin_ctzl(word);

            return (n < to) ? &knowns->entries[n] : NULL;
        }

        n += WAG_KNOWN_BITS - n % WAG_KNOWN_BITS;
    }

    return NULL;
}


ngx_uint_t
wag_known_of_slot(wag_upstream_t *us, ngx_uint_t slot)
{
    return us->knowns->counts[slot];
}


void
wag_known_token(wag_known_t *known, ngx_str_t *token)
{
    token->data = known->text + known->name_len;
    token->len = known->secret ? 0 : known->second_len;
}
