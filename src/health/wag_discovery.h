
/*
 * Copyright (C) the wa_gateway authors
 *
 * Asks an instance for its sessions: a list, taken apart while it comes; then,
 * where the list does not tell, the token, the state and the number of each,
 * some at once.  What comes of it goes to "session".
 */


#ifndef _WAG_DISCOVERY_H_INCLUDED_
#define _WAG_DISCOVERY_H_INCLUDED_


#include "wag_check.h"
#include "wag_probe.h"
#include "wag_upstream.h"


typedef struct wag_discovery_s  wag_discovery_t;

/*
 * What came of the request for a list, as with a probe; NGX_OK is an answer
 * of any status.
 */
typedef void (*wag_discovery_pt)(void *data, wag_probe_t *p, ngx_int_t rc);


/*
 * Completes what the vendors of an upstream need: who has which, and the
 * requests for lists.  Errors are logged.
 */
ngx_int_t wag_discovery_finish(ngx_conf_t *cf, wag_upstream_t *us);

/*
 * The same for one server that has a vendor and a name, from pool.
 * NGX_DECLINED: "err" tells what is wrong.
 */
ngx_int_t wag_discovery_server(ngx_pool_t *pool, wag_server_t *server,
    ngx_str_t *err);

/*
 * For an instance that has a vendor; NULL if there is no memory.  To be
 * destroyed before the cycle ends, and not from within what it calls.
 */
wag_discovery_t *wag_discovery_create(ngx_log_t *log, wag_upstream_t *us,
    wag_peer_t *peer, wag_discovery_pt listed, void *data);

/*
 * Asks for the list, of which listed() tells; then for the rest, while checks
 * may go on.  A list that comes before all of the one before was asked for
 * waits until then.
 */
void wag_discovery_start(wag_discovery_t *d);

/*
 * Whether a list was asked for that is not there yet.
 */
ngx_uint_t wag_discovery_asks(wag_discovery_t *d);

void wag_discovery_destroy(wag_discovery_t *d);


#endif /* _WAG_DISCOVERY_H_INCLUDED_ */
