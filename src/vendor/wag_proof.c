
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_proof.h"


static ngx_int_t wag_proof_item(wag_pick_t *pick);
static ngx_uint_t wag_proof_is_sent(wag_proof_t *p, wag_proof_sent_t *sent);
static ngx_uint_t wag_proof_is_unsent(wag_proof_t *p,
    wag_proof_unsent_t *unsent);
static ngx_uint_t wag_proof_holds(wag_proof_t *p,
    wag_proof_condition_t *condition);


ngx_int_t
wag_proof_init(wag_proof_t *p, ngx_pool_t *pool, wag_vendor_t *vendor,
    ngx_uint_t status)
{
    u_char             *room;
    ngx_uint_t          i, n;
    wag_pick_value_t   *value;
    wag_json_path_t   **path;

    /* wag_pick_init() does the rest */

    ngx_memzero(p, offsetof(wag_proof_t, pick.scan));

    p->status = status;
    p->vendor = vendor;

    n = vendor->proof_paths.nelts;
    path = vendor->proof_paths.elts;

    value = ngx_palloc(pool, n * (sizeof(wag_pick_value_t)
                                  + WAG_PROOF_TEXT_LEN) + 1);
    if (value == NULL) {
        return NGX_ERROR;
    }

    room = (u_char *) &value[n];

    for (i = 0; i < n; i++) {
        value[i].path = path[i];
        value[i].data = room;
        value[i].size = WAG_PROOF_TEXT_LEN;

        room += WAG_PROOF_TEXT_LEN;
    }

    p->pick.values = value;
    p->pick.nvalues = n;
    p->pick.item = wag_proof_item;

    wag_pick_init(&p->pick);

    return NGX_OK;
}


/* values stay as they are until the end */

static ngx_int_t
wag_proof_item(wag_pick_t *pick)
{
    return NGX_OK;
}


void
wag_proof_parse(wag_proof_t *p, u_char *pos, u_char *last)
{
    u_char  *c;

    for (c = pos; c < last && !p->begun; c++) {

        if (*c != ' ' && *c != '\t' && *c != CR && *c != LF) {
            p->begun = 1;
            p->open = (*c == '{' || *c == '[');
        }
    }

    if (!p->failed && wag_pick_parse(&p->pick, pos, last) == NGX_ERROR) {
        p->failed = 1;
    }
}


ngx_uint_t
wag_proof_end(wag_proof_t *p)
{
    ngx_uint_t           i;
    wag_proof_sent_t    *sent;
    wag_proof_unsent_t  *unsent;

    p->json = !p->failed && wag_pick_end(&p->pick) == NGX_OK;

    sent = p->vendor->sent.elts;

    for (i = 0; i < p->vendor->sent.nelts; i++) {
        if (wag_proof_is_sent(p, &sent[i])) {
            return WAG_PROOF_SENT;
        }
    }

    unsent = p->vendor->unsent.elts;

    for (i = 0; i < p->vendor->unsent.nelts; i++) {
        if (wag_proof_is_unsent(p, &unsent[i])) {
            return unsent[i].outcome;
        }
    }

    return WAG_PROOF_NONE;
}


static ngx_uint_t
wag_proof_is_sent(wag_proof_t *p, wag_proof_sent_t *sent)
{
    ngx_uint_t              i, *id;
    wag_pick_value_t       *value;
    wag_proof_condition_t  *unless;

    if (!p->json || !wag_vendor_status(sent->statuses, p->status)) {
        return 0;
    }

    unless = sent->unless.elts;

    for (i = 0; i < sent->unless.nelts; i++) {
        if (wag_proof_holds(p, &unless[i])) {
            return 0;
        }
    }

    id = sent->ids.elts;

    for (i = 0; i < sent->ids.nelts; i++) {
        value = &p->pick.values[id[i]];

        if ((value->type == WAG_PICK_STRING || value->type == WAG_PICK_NUMBER)
            && value->len)
        {
            p->id.data = value->data;
            p->id.len = value->len;

            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
wag_proof_is_unsent(wag_proof_t *p, wag_proof_unsent_t *unsent)
{
    ngx_uint_t              i;
    wag_proof_condition_t  *condition;

    if (!wag_vendor_status(unsent->statuses, p->status)) {
        return 0;
    }

    condition = unsent->conditions.elts;

    for (i = 0; i < unsent->conditions.nelts; i++) {
        if (!wag_proof_holds(p, &condition[i])) {
            return 0;
        }
    }

    return 1;
}


static ngx_uint_t
wag_proof_holds(wag_proof_t *p, wag_proof_condition_t *condition)
{
    ngx_str_t         *text;
    ngx_uint_t         i, absent;
    wag_pick_value_t  *value;

    value = &p->pick.values[condition->path];

    /* JSON that is cut short or wrong proves nothing, neither does its lack */

    if (!p->json && p->open) {
        return 0;
    }

    absent = (!p->json || value->type == WAG_PICK_NONE);

    text = condition->texts.elts;

    for (i = 0; i < condition->texts.nelts; i++) {

        if (absent) {
            if (text[i].len == 1 && text[i].data[0] == WAG_PROOF_ABSENT) {
                return 1;
            }

            continue;
        }

        if (value->type != WAG_PICK_OTHER && !value->cut
            && value->len == text[i].len
            && ngx_memcmp(value->data, text[i].data, value->len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


ngx_int_t
wag_proof_needs_body(wag_vendor_t *vendor, ngx_uint_t status)
{
    ngx_uint_t           i;
    wag_proof_unsent_t  *unsent;

    unsent = vendor->unsent.elts;

    for (i = 0; i < vendor->unsent.nelts; i++) {

        if (wag_vendor_status(unsent[i].statuses, status)) {
            return unsent[i].conditions.nelts ? NGX_AGAIN : NGX_OK;
        }
    }

    return NGX_DECLINED;
}


ngx_uint_t
wag_proof_may_deny(wag_vendor_t *vendor, ngx_uint_t status)
{
    ngx_uint_t           i;
    wag_proof_unsent_t  *unsent;

    unsent = vendor->unsent.elts;

    for (i = 0; i < vendor->unsent.nelts; i++) {

        if (unsent[i].outcome == WAG_PROOF_SESSION
            && wag_vendor_status(unsent[i].statuses, status))
        {
            return 1;
        }
    }

    return 0;
}
