
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_store_args.h"


/* ms that a mark in flight stays longer: no send takes that long */

#define WAG_STORE_ARGS_FLIGHT  86400000


static void wag_store_args_begin(wag_store_args_t *args, ngx_uint_t nkeys);
static void wag_store_args_str(wag_store_args_t *args, u_char *data,
    size_t len);
static void wag_store_args_int(wag_store_args_t *args, int64_t n);
static void wag_store_args_hex(wag_store_args_t *args, uint64_t n);
static void wag_store_args_key(wag_store_args_t *args, ngx_str_t *prefix,
    const char *rest);
static void wag_store_args_holder(wag_store_args_t *args,
    ngx_str_t *prefix, uint64_t holder);
static void wag_store_args_mark(wag_store_args_t *args, ngx_str_t *prefix,
    u_char *id);
static void wag_store_args_budget(wag_store_args_t *args,
    ngx_str_t *prefix, ngx_str_t *scope, uint64_t number, u_char *to);
static void wag_store_args_token(wag_store_args_t *args, uint64_t self,
    uint64_t serial);
static void wag_store_args_none(wag_store_args_t *args);


void
wag_store_args_claim(wag_store_args_t *args, wag_store_names_t *names,
    wag_store_claim_t *claim)
{
    u_char             *to;
    ngx_uint_t          i;
    wag_store_rules_t  *rules;

    wag_store_args_begin(args, 2 + 2 * claim->nnumbers);

    wag_store_args_key(args, &names->prefix, "store");

    if (claim->keyed) {
        wag_store_args_mark(args, &names->prefix, claim->id);

    } else {
        wag_store_args_none(args);
    }

    rules = &claim->rules;

    to = (claim->has_to && rules->recipient.interval) ? claim->to : NULL;

    for (i = 0; i < claim->nnumbers; i++) {
        wag_store_args_budget(args, &names->prefix, &claim->scope,
                                claim->numbers[i], NULL);

        if (to) {
            wag_store_args_budget(args, &names->prefix, &claim->scope,
                                    claim->numbers[i], to);

        } else {
            wag_store_args_none(args);
        }
    }

    wag_store_args_hex(args, names->marker);
    wag_store_args_key(args, &names->prefix, "h:");
    wag_store_args_hex(args, names->holder);
    wag_store_args_token(args, names->self, claim->serial);
    wag_store_args_str(args, claim->request, WAG_SIPHASH_LEN);
    wag_store_args_int(args, claim->ttl);

    if (claim->look) {
        wag_store_args_str(args, (u_char *) "look", 4);

    } else {
        wag_store_args_str(args, (u_char *) "claim", 5);
    }

    wag_store_args_int(args, rules->wait);
    wag_store_args_int(args, rules->number.interval);
    wag_store_args_int(args, rules->number.size);
    wag_store_args_int(args, rules->recipient.interval);
    wag_store_args_int(args, rules->recipient.size);
    wag_store_args_int(args, rules->day);
    wag_store_args_int(args, rules->shift);
    wag_store_args_int(args, names->forget);
    wag_store_args_int(args, rules->jitter);
    wag_store_args_int(args, WAG_STORE_ARGS_FLIGHT);
    wag_store_args_int(args, claim->deadline);
}


void
wag_store_args_end(wag_store_args_t *args, wag_store_names_t *names,
    wag_store_end_t *end)
{
    wag_store_spent_t  *spent;
    wag_store_rules_t  *rules;

    spent = &end->spent;
    rules = &end->rules;

    wag_store_args_begin(args, 3);

    if (end->keyed) {
        wag_store_args_mark(args, &names->prefix, end->id);

    } else {
        wag_store_args_none(args);
    }

    if (spent->number) {
        wag_store_args_budget(args, &names->prefix, &end->scope,
                                spent->number, NULL);

    } else {
        wag_store_args_none(args);
    }

    if (spent->number && spent->has_to && rules->recipient.interval) {
        wag_store_args_budget(args, &names->prefix, &end->scope,
                                spent->number, spent->to);

    } else {
        wag_store_args_none(args);
    }

    wag_store_args_token(args, names->self, end->serial);
    wag_store_args_str(args, wag_store_script_words[end->state].data,
                         wag_store_script_words[end->state].len);
    wag_store_args_int(args, end->status);
    wag_store_args_str(args, end->answer.data, end->answer.len);
    wag_store_args_int(args, end->ttl);
    wag_store_args_int(args, rules->number.interval);
    wag_store_args_int(args, spent->seq);
    wag_store_args_int(args, spent->birth);
    wag_store_args_int(args, rules->day != 0);
    wag_store_args_int(args, spent->day);
    wag_store_args_int(args, rules->recipient.interval);
    wag_store_args_int(args, spent->to_seq);
    wag_store_args_int(args, spent->to_birth);
}


void
wag_store_args_meet(wag_store_args_t *args, wag_store_names_t *names,
    wag_store_meet_t *meet)
{
    wag_store_args_begin(args, 2);

    wag_store_args_key(args, &names->prefix, "store");
    wag_store_args_holder(args, &names->prefix, names->holder);

    if (meet->known) {
        wag_store_args_hex(args, meet->known);

    } else {
        wag_store_args_none(args);
    }

    wag_store_args_int(args, meet->serial);
    wag_store_args_str(args, meet->run.data, meet->run.len);
    wag_store_args_hex(args, meet->proposed);
    wag_store_args_int(args, meet->settle);
    wag_store_args_int(args, meet->lease);
    wag_store_args_int(args, names->forget);
}


static void
wag_store_args_begin(wag_store_args_t *args, ngx_uint_t nkeys)
{
    args->argc = 2;
    args->last = args->buf;

    wag_store_args_int(args, nkeys);
}


static void
wag_store_args_str(wag_store_args_t *args, u_char *data, size_t len)
{
    args->argv[args->argc].data = data;
    args->argv[args->argc].len = len;

    args->argc++;
}


static void
wag_store_args_int(wag_store_args_t *args, int64_t n)
{
    u_char  *p;

    p = args->last;
    args->last = ngx_sprintf(p, "%L", n);

    wag_store_args_str(args, p, args->last - p);
}


static void
wag_store_args_hex(wag_store_args_t *args, uint64_t n)
{
    u_char  *p;

    p = args->last;
    args->last = ngx_sprintf(p, "%016xL", n);

    wag_store_args_str(args, p, args->last - p);
}


static void
wag_store_args_key(wag_store_args_t *args, ngx_str_t *prefix,
    const char *rest)
{
    u_char  *p;

    p = args->last;
    args->last = ngx_sprintf(p, "%V%s", prefix, rest);

    wag_store_args_str(args, p, args->last - p);
}


static void
wag_store_args_holder(wag_store_args_t *args, ngx_str_t *prefix,
    uint64_t holder)
{
    u_char  *p;

    p = args->last;
    args->last = ngx_sprintf(p, "%Vh:%016xL", prefix, holder);

    wag_store_args_str(args, p, args->last - p);
}


static void
wag_store_args_mark(wag_store_args_t *args, ngx_str_t *prefix, u_char *id)
{
    u_char  *p;

    p = args->last;

    args->last = ngx_sprintf(p, "%Vm:", prefix);
    args->last = ngx_hex_dump(args->last, id, WAG_DIGEST_LEN);

    wag_store_args_str(args, p, args->last - p);
}


static void
wag_store_args_budget(wag_store_args_t *args, ngx_str_t *prefix,
    ngx_str_t *scope, uint64_t number, u_char *to)
{
    u_char  *p;

    p = args->last;

    args->last = ngx_sprintf(p, "%Vb:%*s:%uL", prefix,
                             ngx_min(scope->len, WAG_STORE_SCOPE_LEN),
                             scope->data, number);

    if (to) {
        *args->last++ = ':';
        args->last = ngx_hex_dump(args->last, to, WAG_STORE_TO_LEN);
    }

    wag_store_args_str(args, p, args->last - p);
}


static void
wag_store_args_token(wag_store_args_t *args, uint64_t self, uint64_t serial)
{
    u_char  *p;

    p = args->last;
    args->last = ngx_sprintf(p, "%016xL.%uL", self, serial);

    wag_store_args_str(args, p, args->last - p);
}


static void
wag_store_args_none(wag_store_args_t *args)
{
    wag_store_args_str(args, (u_char *) "", 0);
}
