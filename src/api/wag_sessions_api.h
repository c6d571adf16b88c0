
/*
 * Copyright (C) the wa_gateway authors
 */


#ifndef _WAG_SESSIONS_API_H_INCLUDED_
#define _WAG_SESSIONS_API_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/*
 * wa_gateway_sessions: what is known of the sessions of an upstream, which
 * "session", "number", "instance" and "state" of the query choose from,
 * "limit" at most from "offset" on; of these what the client's key allows.
 */
char *wag_sessions_api_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);


#endif /* _WAG_SESSIONS_API_H_INCLUDED_ */
