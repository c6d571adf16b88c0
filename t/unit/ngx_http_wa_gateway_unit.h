
#ifndef _NGX_HTTP_WA_GATEWAY_UNIT_H_INCLUDED_
#define _NGX_HTTP_WA_GATEWAY_UNIT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef struct {
    ngx_pool_t                         *pool;
    ngx_log_t                          *log;
    ngx_uint_t                          tests;
    ngx_uint_t                          failed;
} ngx_http_wa_gateway_unit_t;


/* One TAP line; returns "pass". */
ngx_uint_t ngx_http_wa_gateway_unit_ok(ngx_http_wa_gateway_unit_t *u,
    ngx_uint_t pass, const char *name);

/* Passes if both texts are equal, and shows both if not. */
ngx_uint_t ngx_http_wa_gateway_unit_is(ngx_http_wa_gateway_unit_t *u,
    const char *got, const char *expected, const char *name);

void ngx_http_wa_gateway_unit_connect(ngx_http_wa_gateway_unit_t *u);
void ngx_http_wa_gateway_unit_expect(ngx_http_wa_gateway_unit_t *u);
void ngx_http_wa_gateway_unit_health(ngx_http_wa_gateway_unit_t *u);
void ngx_http_wa_gateway_unit_http(ngx_http_wa_gateway_unit_t *u);
void ngx_http_wa_gateway_unit_json(ngx_http_wa_gateway_unit_t *u);
void ngx_http_wa_gateway_unit_keys(ngx_http_wa_gateway_unit_t *u);
void ngx_http_wa_gateway_unit_latency(ngx_http_wa_gateway_unit_t *u);
void ngx_http_wa_gateway_unit_reason(ngx_http_wa_gateway_unit_t *u);
void ngx_http_wa_gateway_unit_request(ngx_http_wa_gateway_unit_t *u);
void ngx_http_wa_gateway_unit_schedule(ngx_http_wa_gateway_unit_t *u);
void ngx_http_wa_gateway_unit_url(ngx_http_wa_gateway_unit_t *u);

/* the probe is run by a worker: its directive and hooks */

void *ngx_http_wa_gateway_unit_create_conf(ngx_cycle_t *cycle);
char *ngx_http_wa_gateway_unit_probe(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
ngx_int_t ngx_http_wa_gateway_unit_init_process(ngx_cycle_t *cycle);


extern ngx_module_t  ngx_http_wa_gateway_unit_module;


#endif /* _NGX_HTTP_WA_GATEWAY_UNIT_H_INCLUDED_ */
