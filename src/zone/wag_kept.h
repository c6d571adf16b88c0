
/*
 * Copyright (C) the wa_gateway authors
 *
 * The file that keeps what was set at run time: which instances were added,
 * changed and removed since the configuration.  The master reads it when an
 * upstream gets its zone; a worker writes it with each change.
 */


#ifndef _WAG_KEPT_H_INCLUDED_
#define _WAG_KEPT_H_INCLUDED_


#include "wag_slots.h"
#include "wag_upstream.h"


#define WAG_KEPT_VERSION  1


/* an instance as the file has it */

struct wag_kept_s {
    wag_newcomer_t       newcomer;
    u_char              *set;      /* of addresses, when it is written */
};


/*
 * The handler of "wa_gateway_state".
 */
char *wag_kept_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);


/* what the file calls WAG_ADMIN_CONFIGURED ... */

extern ngx_str_t  wag_kept_states[];


#endif /* _WAG_KEPT_H_INCLUDED_ */
