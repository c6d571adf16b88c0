
/*
 * Copyright (C) the wa_gateway authors
 *
 * The configuration of "http" and of a location.
 */


#ifndef _WAG_CONF_H_INCLUDED_
#define _WAG_CONF_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "wag_upstream.h"


#define WAG_VERSION   "0.2.0"

/* wa_gateway_send */

#define WAG_SEND_OFF    0
#define WAG_SEND_TEXT   1
#define WAG_SEND_MEDIA  2

#define WAG_LANG_OFF  0
#define WAG_LANG_AR  1
#define WAG_LANG_EN  2


typedef struct {
    ngx_array_t          upstreams;   /* upstream_t * */
    ngx_array_t          zones;       /* zone_t * */
    ngx_array_t          vendors;     /* vendor_t * */
    ngx_array_t          marks_zones; /* marks_zone_t * */
    ngx_array_t          stores;      /* store_t * */
    wag_store_t         *store;       /* of all upstreams; NULL: none */
    ngx_array_t          journals;    /* journal_t * */
} wag_main_conf_t;


typedef struct {
    ngx_uint_t           errors;   /* LANG_OFF, _AR, _EN */
    ngx_flag_t           envelope;
    ngx_array_t         *keys;     /* key_t, NULL: none */
    ngx_array_t         *admin_keys;   /* ditto */
    ngx_uint_t           control;  /* the admin key alone opens it */
    ngx_uint_t           login;    /* that is wa_gateway_login */
    ngx_uint_t           sender;   /* SENDER_ANY ...; UNSET: upstream's */
    ngx_uint_t           send;     /* SEND_OFF ... */
    ngx_str_t            country;  /* of numbers without one */

    /* made by a worker with its first message: how "proxied" sends "to" */

    ngx_http_upstream_conf_t  *proxied;
    ngx_http_upstream_conf_t  *sending;
    wag_upstream_t            *to;

    struct wag_allow_s  *allow;    /* what vendors refuse; NULL: nothing */

    ngx_str_t            name;   /* of the upstream shown */
    u_char              *file_name;
    ngx_uint_t           line;
    wag_upstream_t      *upstream;
} wag_loc_conf_t;


/*
 * The callbacks of the module's context, see ngx_http_module_t.
 */
void *wag_conf_create_main(ngx_conf_t *cf);
void *wag_conf_create_upstream(ngx_conf_t *cf);
void *wag_conf_create_location(ngx_conf_t *cf);
char *wag_conf_merge_location(ngx_conf_t *cf, void *parent, void *child);

/*
 * For a directive that shows the upstream it names: takes the name, and sets
 * the handler of the location.
 */
char *wag_conf_show(ngx_conf_t *cf, void *conf, ngx_http_handler_pt handler);


extern ngx_module_t  ngx_http_wa_gateway_module;


#endif /* _WAG_CONF_H_INCLUDED_ */
