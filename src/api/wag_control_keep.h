
/*
 * Copyright (C) the wa_gateway authors
 *
 * A change of instances is kept in the state file, or undone.
 */


#ifndef _WAG_CONTROL_KEEP_H_INCLUDED_
#define _WAG_CONTROL_KEEP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "wag_admin.h"
#include "wag_control_body.h"


/* a change that is on its way */

typedef struct {
    ngx_http_request_t  *request;
    wag_upstream_t      *upstream;
    ngx_str_t            name;       /* ?name= */
    wag_control_body_t   body;
    wag_newcomer_t       newcomer;
    wag_admin_change_t   change;
    ngx_event_t          timer;
} wag_control_t;


/*
 * Keeps what was done to the instance of this name; "old" is what was set
 * before, NULL if it was added.  NGX_DECLINED: it is on the disk, or what came
 * of the answer that it could not be kept and is undone.
 */
ngx_int_t wag_control_keep(wag_control_t *control, ngx_str_t *name,
    wag_admin_t *old);

/*
 * Answers that nothing can be kept, where nothing was done.
 */
ngx_int_t wag_control_keep_none(ngx_http_request_t *r);


#endif /* _WAG_CONTROL_KEEP_H_INCLUDED_ */
