
#ifndef _WAG_UNIT_H_INCLUDED_
#define _WAG_UNIT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef struct {
    ngx_pool_t          *pool;
    ngx_log_t           *log;
    ngx_cycle_t         *cycle;
    ngx_str_t            cases;     /* of a file, if the .t gives one */
    ngx_uint_t           tests;
    ngx_uint_t           failed;
} wag_unit_t;


/* One TAP line; returns "pass". */
ngx_uint_t wag_unit_ok(wag_unit_t *u, ngx_uint_t pass, const char *name);

/* Passes if both texts are equal, and shows both if not. */
ngx_uint_t wag_unit_is(wag_unit_t *u, const char *got, const char *expected,
    const char *name);

/*
 * Takes the next record of "cases": a line with the lengths of its fields,
 * then these; returns 0 if there is none.
 */
ngx_uint_t wag_unit_record(wag_unit_t *u, ngx_str_t *fields, ngx_uint_t n);

/*
 * Adds a text of any bytes to a line for wag_unit_is(): control characters
 * and backslashes as \xx.  At most three times as long.
 */
u_char *wag_unit_text(u_char *p, u_char *data, size_t len);

void wag_unit_body(wag_unit_t *u);
void wag_unit_bucket(wag_unit_t *u);
void wag_unit_connect(wag_unit_t *u);
void wag_unit_expect(wag_unit_t *u);
void wag_unit_health(wag_unit_t *u);
void wag_unit_http(wag_unit_t *u);
void wag_unit_in_flight(wag_unit_t *u);
void wag_unit_journal(wag_unit_t *u);
void wag_unit_journal_batch(wag_unit_t *u);
void wag_unit_json(wag_unit_t *u);
void wag_unit_json_scan(wag_unit_t *u);
void wag_unit_keys(wag_unit_t *u);
void wag_unit_killed(wag_unit_t *u);
void wag_unit_latency(wag_unit_t *u);
void wag_unit_marks(wag_unit_t *u);
void wag_unit_message(wag_unit_t *u);
void wag_unit_names(wag_unit_t *u);
void wag_unit_pick(wag_unit_t *u);
void wag_unit_proof(wag_unit_t *u);
void wag_unit_qr(wag_unit_t *u);
void wag_unit_reason(wag_unit_t *u);
void wag_unit_recipient(wag_unit_t *u);
void wag_unit_repeat(wag_unit_t *u);
void wag_unit_rendezvous(wag_unit_t *u);
void wag_unit_request(wag_unit_t *u);
void wag_unit_route(wag_unit_t *u);
void wag_unit_schedule(wag_unit_t *u);
void wag_unit_session(wag_unit_t *u);
void wag_unit_send(wag_unit_t *u);
void wag_unit_sessions(wag_unit_t *u);
void wag_unit_slots(wag_unit_t *u);
void wag_unit_url(wag_unit_t *u);

/* the probe is run by a worker: its directive and hooks */

void *wag_unit_create_conf(ngx_cycle_t *cycle);
char *wag_unit_probe(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
ngx_int_t wag_unit_init_process(ngx_cycle_t *cycle);


extern ngx_module_t  ngx_http_wa_gateway_unit_module;


#endif /* _WAG_UNIT_H_INCLUDED_ */
