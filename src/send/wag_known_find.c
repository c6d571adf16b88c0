
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_known_find.h"
#include "wag_secret.h"


#define wag_known_find_same(one, two)                                         \
    ((one)->len == (two)->len                                                 \
     && ngx_memcmp((one)->data, (two)->data, (one)->len) == 0)


static wag_known_t *wag_known_find_chain(wag_knowns_t *knowns, ngx_uint_t key,
    uint32_t hash, wag_known_t *prev);
static ngx_uint_t wag_known_find_key(wag_known_t *known, uint32_t hash);
static ngx_uint_t wag_known_find_is_first(wag_upstream_t *us,
    wag_known_t *known, wag_known_number_t *number);
static ngx_uint_t wag_known_find_label_is_unique(wag_knowns_t *knowns,
    wag_known_t *known);


static wag_known_t *
wag_known_find_chain(wag_knowns_t *knowns, ngx_uint_t key, uint32_t hash,
    wag_known_t *prev)
{
    uint32_t      n;
    wag_known_t  *known;

    n = prev ? prev->next[key] : knowns->buckets[key][hash & knowns->mask];

    while (n) {
        known = &knowns->entries[n - 1];

        if (known->hash[key] == hash) {
            return known;
        }

        n = known->next[key];
    }

    return NULL;
}


wag_known_t *
wag_known_find_name(wag_upstream_t *us, ngx_str_t *name, wag_known_t *prev)
{
    uint32_t   hash;
    ngx_str_t  text;

    hash = prev ? prev->hash[WAG_KNOWN_NAME] : wag_known_crc(name);

    while ((prev = wag_known_find_chain(us->knowns, WAG_KNOWN_NAME, hash,
                                        prev)))
    {
        wag_known_name(prev, &text);

        if (wag_known_find_same(&text, name)) {
            return prev;
        }
    }

    return NULL;
}


/* those that are no secret come first, then by label, then by digits */

wag_known_t *
wag_known_find_shown(wag_upstream_t *us, ngx_str_t *shown, wag_known_t *prev)
{
    uint32_t      hash;
    ngx_uint_t    key;
    wag_known_t  *known;

    hash = wag_known_crc(shown);
    known = prev;

    /* from where the last one was found */

    for (key = prev ? wag_known_find_key(prev, hash) : WAG_KNOWN_NAME;
         key <= WAG_KNOWN_HASH;
         key++)
    {
        while ((known = wag_known_find_chain(us->knowns, key, hash, known))) {
            if (wag_known_find_key(known, hash) == key
                && wag_known_is_shown_as(us, known, shown))
            {
                return known;
            }
        }
    }

    return NULL;
}


/*
 * The key of what is shown with this hash: one of several that may have it, as
 * a label may be the digits, or the name.
 */

static ngx_uint_t
wag_known_find_key(wag_known_t *known, uint32_t hash)
{
    if (!known->secret) {
        return WAG_KNOWN_NAME;
    }

    return (known->hash[WAG_KNOWN_LABEL] == hash) ? WAG_KNOWN_LABEL
                                                  : WAG_KNOWN_HASH;
}


wag_known_t *
wag_known_find_number(wag_upstream_t *us, uint64_t number, wag_known_t *prev)
{
    while ((prev = wag_known_find_chain(us->knowns, WAG_KNOWN_NUMBER,
                                        wag_known_crc_number(number), prev)))
    {
        if (prev->number == number) {
            return prev;
        }
    }

    return NULL;
}


wag_known_number_t *
wag_known_find_numbers(wag_upstream_t *us, ngx_uint_t *n)
{
    ngx_uint_t           i;
    wag_known_t         *known;
    wag_knowns_t        *knowns;
    wag_known_number_t  *number;

    knowns = us->knowns;

    if (!knowns->numbered) {
        knowns->nnumbers = 0;

        for (i = 0; i < knowns->n; i++) {
            known = &knowns->entries[i];
            number = &knowns->numbers[knowns->nnumbers];

            if (wag_used(known)
                && known->number
                && wag_known_find_is_first(us, known, number))
            {
                knowns->nnumbers++;
            }
        }

        knowns->numbered = 1;
    }

    *n = knowns->nnumbers;

    return knowns->numbers;
}


/* of those with its number; its weight is the greatest of their instances' */

static ngx_uint_t
wag_known_find_is_first(wag_upstream_t *us, wag_known_t *known,
    wag_known_number_t *number)
{
    wag_known_t  *other;

    number->number = known->number;
    number->weight = 0;

    other = NULL;

    while ((other = wag_known_find_number(us, known->number, other))) {

        if (other < known) {
            return 0;
        }

        number->weight = ngx_max(number->weight,
                                 us->slots[other->slot].weight);
    }

    return 1;
}


size_t
wag_known_shown(wag_upstream_t *us, wag_known_t *known, u_char *buf)
{
    ngx_str_t  name;

    wag_known_name(known, &name);

    if (!known->secret) {
        ngx_memcpy(buf, name.data, name.len);
        return name.len;
    }

    if (!wag_known_find_label_is_unique(us->knowns, known)) {
        wag_secret_name(&name, buf);
        return WAG_SECRET_NAME_LEN;
    }

    ngx_memcpy(buf, known->text + known->name_len, known->second_len);

    return known->second_len;
}


ngx_uint_t
wag_known_is_shown_as(wag_upstream_t *us, wag_known_t *known, ngx_str_t *shown)
{
    u_char     buf[WAG_SESSION_NAME_LEN];
    ngx_str_t  text;

    text.data = buf;
    text.len = wag_known_shown(us, known, buf);

    return wag_known_find_same(&text, shown);
}


static ngx_uint_t
wag_known_find_label_is_unique(wag_knowns_t *knowns, wag_known_t *known)
{
    uint32_t      hash;
    ngx_str_t     name, label, other;
    wag_known_t  *found;

    wag_known_name(known, &name);

    label.data = known->text + known->name_len;
    label.len = known->second_len;

    hash = known->hash[WAG_KNOWN_LABEL];
    found = NULL;

    while ((found = wag_known_find_chain(knowns, WAG_KNOWN_LABEL, hash,
                                         found)))
    {
        other.data = found->text + found->name_len;
        other.len = found->second_len;

        if (!wag_known_find_same(&other, &label)) {
            continue;
        }

        wag_known_name(found, &other);

        if (!wag_known_find_same(&other, &name)) {
            return 0;
        }
    }

    /* nor has one that is no secret */

    hash = wag_known_crc(&label);

    while ((found = wag_known_find_chain(knowns, WAG_KNOWN_NAME, hash,
                                         found)))
    {
        wag_known_name(found, &other);

        if (!found->secret && wag_known_find_same(&other, &label)) {
            return 0;
        }
    }

    return 1;
}


ngx_uint_t
wag_known_is_copy(wag_upstream_t *us, wag_known_t *known)
{
    ngx_str_t      name;
    wag_known_t   *other;
    wag_server_t  *server, *s;

    if (known->told != WAG_SESSION_STOPPED) {
        return 0;
    }

    server = us->slots[known->slot].server;
    other = NULL;

    wag_known_name(known, &name);

    while ((other = wag_known_find_name(us, &name, other))) {
        s = us->slots[other->slot].server;

        if (other->told != WAG_SESSION_STOPPED && s->vendor == server->vendor)
        {
            return 1;
        }
    }

    return 0;
}
