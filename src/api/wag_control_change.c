
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_admin.h"
#include "wag_control_answer.h"
#include "wag_control_change.h"
#include "wag_control_keep.h"
#include "wag_snapshot.h"


static void wag_control_change_settle(wag_control_t *control,
    ngx_uint_t kept);
static ngx_int_t wag_control_change_answer(wag_control_t *control);
static void wag_control_remove_settle(wag_control_t *control,
    ngx_uint_t kept);
static ngx_int_t wag_control_remove_answer(wag_control_t *control);


ngx_int_t
wag_control_change(wag_control_t *control)
{
    ngx_str_t            *state;
    wag_admin_change_t   *change;
    wag_control_body_t   *body;

    body = &control->body;
    change = &control->change;
    state = &body->state;

    if (body->set == 0) {
        return wag_control_answer_error(control->request, NGX_HTTP_BAD_REQUEST,
                                        "bad_request", "Bad request", NULL,
                                        "nothing to change");
    }

    if (body->set & WAG_CONTROL_STATE) {

        for (change->state = WAG_ADMIN_UP;
             change->state <= WAG_ADMIN_DOWN;
             change->state++)
        {
            if (wag_snapshot_admins[change->state].len == state->len
                && ngx_memcmp(wag_snapshot_admins[change->state].data,
                              state->data, state->len)
                   == 0)
            {
                break;
            }
        }

        if (change->state > WAG_ADMIN_DOWN) {
            return wag_control_answer_bad(control->request, "state",
                                          "one of up, drain, down is "
                                          "expected");
        }

        change->state_set = 1;
    }

    change->weight = body->weight;
    change->weight_set = (body->set & WAG_CONTROL_WEIGHT) != 0;

    change->max_conns = body->max_conns;
    change->max_conns_set = (body->set & WAG_CONTROL_MAX_CONNS) != 0;

    if (wag_admin_change(control->upstream, &control->name, change,
                         &control->old)
        != NGX_OK)
    {
        return wag_control_answer_unknown(control->request);
    }

    control->settle = wag_control_change_settle;
    control->answer = wag_control_change_answer;

    return wag_control_keep(control, NULL);
}


static void
wag_control_change_settle(wag_control_t *control, ngx_uint_t kept)
{
    if (!kept) {
        wag_admin_undo(control->upstream, &control->name, &control->old);
    }
}


static ngx_int_t
wag_control_change_answer(wag_control_t *control)
{
    return wag_control_answer_one(control->request, control->upstream,
                                  NGX_HTTP_OK, &control->name);
}


/*
 * First on the disk, then in the records, for what was removed may be gone
 * before it could be undone.
 */

ngx_int_t
wag_control_remove(wag_control_t *control)
{
    if (!wag_admin_has(control->upstream, &control->name)) {
        return wag_control_answer_unknown(control->request);
    }

    control->settle = wag_control_remove_settle;
    control->answer = wag_control_remove_answer;

    return wag_control_keep(control, &control->name);
}


/* with nothing in flight it is over at once */

static void
wag_control_remove_settle(wag_control_t *control, ngx_uint_t kept)
{
    if (kept
        && wag_admin_remove(control->upstream, &control->name, &control->old)
           == NGX_OK)
    {
        wag_admin_finish_name(control->upstream, &control->name);
    }
}


static ngx_int_t
wag_control_remove_answer(wag_control_t *control)
{
    return wag_control_answer_empty(control->request);
}
