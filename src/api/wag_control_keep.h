
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

typedef struct wag_control_s  wag_control_t;


struct wag_control_s {
    ngx_http_request_t  *request;
    wag_upstream_t      *upstream;
    ngx_str_t            name;       /* ?name= */
    wag_control_body_t   body;
    wag_newcomer_t       newcomer;
    wag_admin_change_t   change;
    wag_admin_t          old;        /* what was set before it */

    /* what is to be done once it is kept, or could not be, and the answer */
    void               (*settle)(wag_control_t *control, ngx_uint_t kept);
    ngx_int_t          (*answer)(wag_control_t *control);

    ngx_event_t          timer;
    ngx_uint_t           pending;    /* unsigned  pending:1; */
};


/*
 * Keeps what there is, but for the instance of the name "without", if it is
 * not NULL; then settles it, and gives what the request is finalized with.
 * With "pending" set it does that later, calls wag_writer_end() and finalizes
 * the request itself.
 */
ngx_int_t wag_control_keep(wag_control_t *control, ngx_str_t *without);

/*
 * Answers that nothing can be kept, where nothing was done.
 */
ngx_int_t wag_control_keep_none(ngx_http_request_t *r);


#endif /* _WAG_CONTROL_KEEP_H_INCLUDED_ */
