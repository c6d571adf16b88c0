
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_check.h"
#include "wag_conf.h"
#include "wag_param.h"
#include "wag_pick.h"
#include "wag_question.h"
#include "wag_reach.h"


/* bytes of an answer that are read */

#define WAG_QUESTION_MAX     (1024 * 1024)

/* what is picked: the only value, or the number, then the state */

#define WAG_QUESTION_NUMBER  0
#define WAG_QUESTION_STATE   1

#define WAG_QUESTION_POOL    4096


static ngx_int_t wag_question_begin(wag_question_t *question,
    wag_vendor_question_t *wanted);
static ngx_int_t wag_question_ask(wag_question_t *question,
    wag_vendor_question_t *asked);
static ngx_int_t wag_question_prepare(wag_question_t *question);
static ngx_int_t wag_question_pick(wag_question_t *question);
static void wag_question_sink(void *data, u_char *start, size_t len);
static ngx_int_t wag_question_item(wag_pick_t *pick);
static void wag_question_answered(wag_probe_t *p, ngx_int_t rc);
static ngx_int_t wag_question_judge(wag_question_t *question,
    ngx_uint_t status);
static ngx_int_t wag_question_token(wag_question_t *question);
static ngx_int_t wag_question_told(wag_question_t *question);
static void wag_question_over(wag_question_t *question);


ngx_int_t
wag_question_start(wag_question_t *question)
{
    return wag_question_begin(question, &question->vendor->ask);
}


ngx_int_t
wag_question_number(wag_question_t *question)
{
    return wag_question_begin(question, &question->vendor->number);
}


/* with its token, which is asked for if there is none */

static ngx_int_t
wag_question_begin(wag_question_t *question, wag_vendor_question_t *wanted)
{
    wag_vendor_t  *vendor;

    vendor = question->vendor;

    question->wanted = wanted;
    question->renewed = 0;
    ngx_str_null(&question->token);

    if (vendor->token.method.len
        && wag_session_token(question->upstream, question->peer,
                             &question->item->report.name, question->room,
                             &question->token)
           != NGX_OK)
    {
        question->renewed = 1;

        return wag_question_ask(question, &vendor->token);
    }

    return wag_question_ask(question, wanted);
}


static ngx_int_t
wag_question_ask(wag_question_t *question, wag_vendor_question_t *asked)
{
    ngx_pool_t  *pool;

    question->asked = asked;

    pool = ngx_create_pool(WAG_QUESTION_POOL, ngx_cycle->log);
    if (pool == NULL) {
        return NGX_ERROR;
    }

    if (question->pool) {
        ngx_destroy_pool(question->pool);
    }

    question->pool = pool;

    if (wag_question_prepare(question) != NGX_OK
        || wag_question_pick(question) != NGX_OK)
    {
        return NGX_ERROR;
    }

    wag_probe_start(&question->probe);

    return NGX_OK;
}


static ngx_int_t
wag_question_prepare(wag_question_t *question)
{
    ngx_str_t     err;
    wag_probe_t  *p;

    p = &question->probe;

    wag_check_probe(question->upstream->check, question->peer->server, p);

    p->head = 0;
    p->data = question;
    p->parent = ngx_cycle->log;
    p->done = wag_question_answered;
    p->sink = wag_question_sink;
    p->max = WAG_QUESTION_MAX;

    wag_reach(question->upstream, question->peer, 0, p, &question->addrs);

    return wag_question_request(question->pool, question->peer->server,
                                question->asked, &question->vendor->headers,
                                &question->item->report.name.name,
                                &question->token, &p->request, &err);
}


/* the only value that is wanted is in the place of a number */

static ngx_int_t
wag_question_pick(wag_question_t *question)
{
    u_char                 *p;
    ngx_uint_t              i, n;
    wag_pick_t             *pick;
    wag_pick_value_t       *value;
    wag_vendor_question_t  *asked;

    asked = question->asked;
    n = WAG_QUESTION_STATE + asked->nstates;

    pick = ngx_pcalloc(question->pool, sizeof(wag_pick_t));
    value = ngx_pcalloc(question->pool, n * sizeof(wag_pick_value_t));
    p = ngx_pnalloc(question->pool, n * WAG_SESSION_TEXT_LEN);

    if (pick == NULL || value == NULL || p == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {
        value[i].data = p + i * WAG_SESSION_TEXT_LEN;
        value[i].size = WAG_SESSION_TEXT_LEN;
    }

    value[WAG_QUESTION_NUMBER].path = asked->value ? asked->value
                                                   : asked->number;

    for (i = 0; i < asked->nstates; i++) {
        value[WAG_QUESTION_STATE + i].path = asked->states[i];
    }

    pick->values = value;
    pick->nvalues = n;
    pick->item = wag_question_item;

    wag_pick_init(pick);

    question->pick = pick;
    question->rc = NGX_AGAIN;

    return NGX_OK;
}


static void
wag_question_sink(void *data, u_char *start, size_t len)
{
    wag_question_t *question = data;

    if (question->rc == NGX_AGAIN) {
        question->rc = wag_pick_parse(question->pick, start, start + len);
    }
}


/* there is one, and it stays as it is until the text ends */

static ngx_int_t
wag_question_item(wag_pick_t *pick)
{
    return NGX_OK;
}


static void
wag_question_answered(wag_probe_t *p, ngx_int_t rc)
{
    wag_question_t *question = p->data;

    wag_vendor_t  *vendor;

    vendor = question->vendor;

    if (rc == NGX_OK) {
        rc = wag_question_judge(question, p->answer->status);

        if (rc == NGX_OK && question->asked == &vendor->token) {
            rc = wag_question_token(question);

        } else if (rc == NGX_OK) {
            rc = wag_question_told(question);
        }
    }

    if (rc == NGX_AGAIN) {
        return;
    }

    /* nobody who told its state is silent because its number is not told */

    if (rc == NGX_DECLINED
        && question->wanted == &vendor->ask
        && question->asked != &vendor->number)
    {
        wag_session_unanswered(question->upstream, question->peer,
                               &question->item->report);

    } else if (rc == NGX_ERROR) {

        /* a local error tells nothing of it */

        wag_session_listed(question->upstream, question->peer,
                           &question->item->report);
    }

    wag_question_over(question);
}


/*
 * NGX_OK: the values are there; NGX_DONE: it is not here, which is told;
 * NGX_AGAIN: it is asked once more, with a new token; NGX_DECLINED.
 */

static ngx_int_t
wag_question_judge(wag_question_t *question, ngx_uint_t status)
{
    wag_vendor_t           *vendor;
    wag_session_report_t   *report;
    wag_vendor_question_t  *asked;

    vendor = question->vendor;
    asked = question->asked;
    report = &question->item->report;

    if (asked->absent && wag_vendor_status(asked->absent, status)) {
        report->told = WAG_SESSION_ABSENT;

        (void) wag_session_seen(question->upstream, question->peer, report);

        return NGX_DONE;
    }

    if ((status == NGX_HTTP_UNAUTHORIZED || status == NGX_HTTP_FORBIDDEN)
        && question->token.len
        && !question->renewed)
    {
        /* the server has another secret now: a token of before is void */

        question->renewed = 1;
        ngx_str_null(&question->token);

        return (wag_question_ask(question, &vendor->token) == NGX_OK)
               ? NGX_AGAIN : NGX_ERROR;
    }

    if (!wag_vendor_status(asked->statuses, status)) {
        return NGX_DECLINED;
    }

    if (question->rc == NGX_AGAIN) {
        question->rc = wag_pick_end(question->pick);
    }

    return (question->rc == NGX_OK) ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
wag_question_token(wag_question_t *question)
{
    wag_pick_value_t  *value;

    value = question->pick->values;

    if (value->type != WAG_PICK_STRING || value->cut || value->len == 0) {
        return NGX_DECLINED;
    }

    ngx_memcpy(question->room, value->data, value->len);

    question->token.data = question->room;
    question->token.len = value->len;

    wag_session_set_token(question->upstream, question->peer,
                          &question->item->report.name, &question->token);

    return (wag_question_ask(question, question->wanted) == NGX_OK)
           ? NGX_AGAIN : NGX_ERROR;
}


/* the state or the number; NGX_AGAIN if the number is asked for after that */

static ngx_int_t
wag_question_told(wag_question_t *question)
{
    ngx_int_t              rc;
    wag_vendor_t          *vendor;
    wag_pick_value_t      *value;
    wag_session_report_t  *report;

    vendor = question->vendor;
    value = question->pick->values;
    report = &question->item->report;

    if (question->asked == &vendor->ask) {
        wag_vendor_state_text(value + WAG_QUESTION_STATE, vendor->ask.nstates,
                              question->word, &report->state);

        report->told = wag_vendor_state(vendor, &report->state);
    }

    if (value[WAG_QUESTION_NUMBER].type != WAG_PICK_NONE) {
        report->number = wag_vendor_picked_number(&value[WAG_QUESTION_NUMBER]);
    }

    rc = wag_session_seen(question->upstream, question->peer, report);

    if (question->renewed) {
        wag_session_set_token(question->upstream, question->peer,
                              &report->name, &question->token);
    }

    if (rc == NGX_AGAIN
        && question->asked == &vendor->ask
        && vendor->number.method.len)
    {
        return (wag_question_ask(question, &vendor->number) == NGX_OK)
               ? NGX_AGAIN : NGX_OK;
    }

    return NGX_OK;
}


static void
wag_question_over(wag_question_t *question)
{
    ngx_destroy_pool(question->pool);

    question->pool = NULL;
    question->pick = NULL;

    question->done(question);
}


void
wag_question_cancel(wag_question_t *question)
{
    wag_probe_cancel(&question->probe);
    wag_reach_free(&question->addrs);

    if (question->pool) {
        ngx_destroy_pool(question->pool);
        question->pool = NULL;
    }
}


ngx_int_t
wag_question_request(ngx_pool_t *pool, wag_server_t *server,
    wag_vendor_question_t *asked, ngx_array_t *headers, ngx_str_t *session,
    ngx_str_t *token, ngx_str_t *request, ngx_str_t *err)
{
    ngx_str_t             values[WAG_TEMPLATE_VALUES];
    ngx_uint_t            i;
    ngx_array_t           filled;
    ngx_keyval_t         *kv;
    wag_request_t         r;
    wag_vendor_header_t  *header;

    ngx_memzero(values, sizeof(values));
    ngx_memzero(&r, sizeof(wag_request_t));

    values[WAG_TEMPLATE_KEY] = server->key;
    values[WAG_TEMPLATE_SESSION] = *session;
    values[WAG_TEMPLATE_TOKEN] = *token;

    if (ngx_array_init(&filled, pool, 2, sizeof(ngx_keyval_t)) != NGX_OK) {
        return NGX_ERROR;
    }

    header = headers->elts;

    for (i = 0; i < headers->nelts; i++) {

        /* a header for a key that there is none of is left out */

        if (!wag_template_has(&header[i].value, values)) {
            continue;
        }

        kv = ngx_array_push(&filled);
        if (kv == NULL) {
            return NGX_ERROR;
        }

        kv->key = header[i].name;

        if (wag_template_fill(pool, &header[i].value, values, 0, &kv->value)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (wag_template_fill(pool, &asked->uri, values, 1, &r.uri) != NGX_OK) {
        return NGX_ERROR;
    }

    r.method = asked->method;
    r.body = asked->body;
    r.host = server->host;
    r.headers = &filled;
    r.keepalive = 1;
    ngx_str_set(&r.user_agent, "wa_gateway/" WAG_VERSION);

    return wag_request_make(pool, &r, request, err);
}
