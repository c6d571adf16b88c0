
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_control_answer.h"
#include "wag_control_keep.h"
#include "wag_kept_write.h"
#include "wag_writer.h"


static void wag_control_keep_done(void *data, ngx_int_t rc);
static ngx_int_t wag_control_keep_answer(wag_control_t *control, ngx_int_t rc);


ngx_int_t
wag_control_keep(wag_control_t *control, ngx_str_t *without)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = control->request;

    rc = wag_kept_write(control->upstream, without, wag_control_keep_done,
                        control);

    if (rc == NGX_AGAIN) {
        control->pending = 1;

        r->main->blocked++;
        r->write_event_handler = ngx_http_request_empty_handler;

        return NGX_DONE;
    }

    control->settle(control, rc == NGX_OK);

    return wag_control_keep_answer(control, rc);
}


/* the request may have been terminated meanwhile: then it ends now */

static void
wag_control_keep_done(void *data, ngx_int_t rc)
{
    wag_control_t *control = data;

    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = control->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, c->log, 0,
                   "wa_gateway control kept: %i", rc);

    control->settle(control, rc == NGX_OK);
    wag_writer_end(control->upstream);

    r->main->blocked--;

    ngx_http_finalize_request(r, c->error ? NGX_ERROR
                                          : wag_control_keep_answer(control,
                                                                    rc));
    ngx_http_run_posted_requests(c);
}


static ngx_int_t
wag_control_keep_answer(wag_control_t *control, ngx_int_t rc)
{
    if (rc == NGX_OK) {
        return control->answer(control);
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
