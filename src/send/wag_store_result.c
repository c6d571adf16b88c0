
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_store_result.h"


/* values of answers */

#define WAG_STORE_RESULT_SPENT   14
#define WAG_STORE_RESULT_MET     4


static ngx_int_t wag_store_result_word(wag_store_value_t *value,
    ngx_str_t *words, ngx_uint_t *n);
static ngx_int_t wag_store_result_numbers(wag_store_answer_t *answer,
    ngx_uint_t from, ngx_uint_t to);


static ngx_str_t  wag_store_result_states[] = {
    ngx_string("ready"),
    ngx_string("settling"),
    ngx_string("lost"),
    ngx_null_string
};


ngx_int_t
wag_store_result_claim(wag_store_answer_t *answer, wag_store_claim_t *claim,
    wag_store_found_t *found)
{
    wag_store_value_t  *value;

    ngx_memzero(found, sizeof(wag_store_found_t));

    value = answer->values;

    if (answer->error || answer->nvalues == 0
        || wag_store_result_word(&value[0], wag_store_script_words,
                                 &found->found)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    switch (found->found) {

    case WAG_STORE_ANSWERED:
    case WAG_STORE_UNKNOWN:

        if (answer->nvalues != 3
            || value[1].text.data || value[2].text.data == NULL
            || value[1].number < 0 || value[1].number > 999)
        {
            return NGX_ERROR;
        }

        found->status = value[1].number;
        found->answer = value[2].text;

        return NGX_OK;

    case WAG_STORE_NONE:
    case WAG_STORE_PACED:

        if (claim->look) {
            return (found->found == WAG_STORE_NONE) ? NGX_OK : NGX_ERROR;
        }

        if (wag_store_result_numbers(answer, 1,
                                     claim->nnumbers ? WAG_STORE_RESULT_SPENT
                                                     : 2)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        found->serial = value[1].number;

        if (claim->nnumbers == 0) {
            return (found->found == WAG_STORE_NONE) ? NGX_OK : NGX_ERROR;
        }

        if (value[2].number < 1
            || (uint64_t) value[2].number > claim->nnumbers
            || value[4].number > 2)
        {
            return NGX_ERROR;
        }

        found->spent.number = claim->numbers[value[2].number - 1];
        found->spent.has_to = claim->has_to;
        ngx_memcpy(found->spent.to, claim->to, WAG_STORE_TO_LEN);

        found->wait = value[3].number;
        found->reason = value[4].number;

        found->spent.seq = value[5].number;
        found->spent.birth = value[6].number;
        found->spent.day = value[7].number;
        found->spent.to_seq = value[8].number;
        found->spent.to_birth = value[9].number;

        found->full = value[10].number;
        found->to_full = value[11].number;
        found->day_used = value[12].number;
        found->day_next = value[13].number;

        return NGX_OK;

    default:
        return NGX_OK;
    }
}


/* none of them is negative */

static ngx_int_t
wag_store_result_numbers(wag_store_answer_t *answer, ngx_uint_t from,
    ngx_uint_t to)
{
    ngx_uint_t  i;

    if (answer->nvalues != to) {
        return NGX_ERROR;
    }

    for (i = from; i < to; i++) {
        if (answer->values[i].text.data || answer->values[i].number < 0) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
wag_store_result_word(wag_store_value_t *value, ngx_str_t *words,
    ngx_uint_t *n)
{
    ngx_uint_t  i;

    for (i = 0; words[i].len; i++) {

        if (value->text.data
            && value->text.len == words[i].len
            && ngx_memcmp(value->text.data, words[i].data, words[i].len) == 0)
        {
            *n = i;
            return NGX_OK;
        }
    }

    return NGX_ERROR;
}


ngx_int_t
wag_store_result_meet(wag_store_answer_t *answer, wag_store_met_t *met)
{
    u_char             *p, *last;
    ngx_int_t           n;
    wag_store_value_t  *value;

    value = answer->values;

    if (answer->error
        || answer->nvalues != WAG_STORE_RESULT_MET
        || wag_store_result_word(&value[0], wag_store_result_states,
                                 &met->state)
           != NGX_OK
        || value[1].text.len != 16
        || value[2].text.data || value[2].number < 0
        || value[3].text.data || value[3].number < 0)
    {
        return NGX_ERROR;
    }

    met->marker = 0;
    met->serial = value[2].number;
    met->now = value[3].number;

    last = value[1].text.data + 16;

    for (p = value[1].text.data; p < last; p++) {

        n = ngx_hextoi(p, 1);

        if (n == NGX_ERROR) {
            return NGX_ERROR;
        }

        met->marker = met->marker << 4 | (uint64_t) n;
    }

    return met->marker ? NGX_OK : NGX_ERROR;
}
