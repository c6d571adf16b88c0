
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_admin.h"
#include "wag_control_answer.h"
#include "wag_control_keep.h"
#include "wag_kept_write.h"


ngx_int_t
wag_control_keep(wag_control_t *control, ngx_str_t *name, wag_admin_t *old)
{
    ngx_int_t    rc;
    wag_admin_t  none;

    rc = wag_kept_write(control->upstream);

    if (rc == NGX_OK) {
        return NGX_DECLINED;
    }

    if (old) {
        wag_admin_undo(control->upstream, name, old);

    } else {
        (void) wag_admin_remove(control->upstream, name, &none);
        wag_admin_finish_name(control->upstream, name);
    }

    if (rc == NGX_BUSY) {
        return wag_control_answer_error(control->request,
                                        NGX_HTTP_INSUFFICIENT_STORAGE,
                                        "disk_full", "It cannot be kept", NULL,
                                        "the disk of the state file is full");
    }

    return wag_control_keep_none(control->request);
}


ngx_int_t
wag_control_keep_none(ngx_http_request_t *r)
{
    return wag_control_answer_error(r, NGX_HTTP_INTERNAL_SERVER_ERROR,
                                    "not_kept", "It cannot be kept", NULL,
                                    "the state file cannot be written");
}
