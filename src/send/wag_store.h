
/*
 * Copyright (C) the wa_gateway authors
 *
 * A store that several gateways share: what a configuration and a worker have
 * of it, whether it can be used, and what the zone knows of that.
 */


#ifndef _WAG_STORE_H_INCLUDED_
#define _WAG_STORE_H_INCLUDED_


#include "wag_conf.h"
#include "wag_keeper.h"
#include "wag_store_args.h"
#include "wag_store_info.h"
#include "wag_store_link.h"
#include "wag_store_zone.h"


#define WAG_STORE_REFUSE  0
#define WAG_STORE_LOCAL   1

#define WAG_STORE_INFOS   5


struct wag_store_s {
    ngx_str_t            shown;      /* host:port/database */
    ngx_uint_t           database;
    ngx_uint_t           on_error;   /* STORE_REFUSE ... */
    wag_store_zone_t    *zone;
    ngx_cycle_t         *cycle;

    wag_keeper_t         keeper;     /* of claims without a budget */

    /* of a worker */

    wag_store_link_t     link;
    wag_store_names_t    names;
    wag_store_args_t    *args;
    u_char               sha1[WAG_STORE_SCRIPTS][WAG_STORE_SHA1_LEN];

    wag_store_info_t     info;
    size_t               run_len;    /* that it had when it was met */
    u_char               run[WAG_STORE_RUN_LEN];
    wag_store_call_t     infos[WAG_STORE_INFOS];
    wag_store_call_t     selecting;
    wag_store_call_t     meeting;
    uint64_t             clock;      /* ms of the store's, at 0 of ours */
    ngx_event_t          beat;

    ngx_uint_t           started;    /* unsigned  started:1; */
    ngx_uint_t           meets;      /* unsigned  meets:1; */
    ngx_uint_t           met;        /* unsigned  met:1; */
    ngx_uint_t           ready;      /* unsigned  ready:1; */

    ngx_queue_t          ends;       /* that wait to be told */
    void                *spare;      /* memory for one when there is none */
    ngx_uint_t           nends;
    size_t               nbytes;     /* of their answers */
    void               (*back)(wag_store_t *store);   /* it was met */
};


/*
 * Finds or adds the store of these in the configuration.  NULL after an error,
 * which is logged.
 */
wag_store_t *wag_store_add(ngx_conf_t *cf, wag_store_t *conf);

/*
 * A worker enters, and stops.  NGX_ERROR if there is no memory.
 */
ngx_int_t wag_store_attach(wag_store_t *store);
void wag_store_detach(wag_store_t *store);

/*
 * Calls the script whose arguments are in store->args; with "whole" it is sent
 * itself, since the store may not know it.  NGX_DECLINED: it is away.
 */
ngx_int_t wag_store_call(wag_store_t *store, wag_store_call_t *call,
    ngx_uint_t script, ngx_uint_t whole);

/*
 * To be told of each answer: 1 if the script has to be sent whole.  Counts it,
 * NULL being no answer.
 */
ngx_uint_t wag_store_answered(wag_store_t *store, wag_store_call_t *call,
    wag_store_answer_t *answer);

/*
 * It says that it is not to be used: it is met again at once.
 */
void wag_store_doubt(wag_store_t *store);


#endif /* _WAG_STORE_H_INCLUDED_ */
