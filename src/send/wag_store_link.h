
/*
 * Copyright (C) the wa_gateway authors
 *
 * The connection of a worker to a store: made, logged in, made again; calls
 * go out as they come, many before the first is answered, and have an answer
 * in time or none.
 */


#ifndef _WAG_STORE_LINK_H_INCLUDED_
#define _WAG_STORE_LINK_H_INCLUDED_


#include "wag_store_reader.h"
#include "wag_transport.h"


typedef struct wag_store_link_s  wag_store_link_t;
typedef struct wag_store_call_s  wag_store_call_t;


/* NULL: none came; is called once, never from within the call itself */

typedef void (*wag_store_done_pt)(wag_store_call_t *call,
    wag_store_answer_t *answer);


struct wag_store_call_s {
    ngx_queue_t          queue;
    wag_store_done_pt    done;
    void                *data;        /* of whoever calls */
    ngx_msec_t           begun;
};


typedef struct {
    u_char              *data;
    size_t               len;
    size_t               size;
} wag_store_bytes_t;


/* The caller fills the first part. */

struct wag_store_link_s {
    void                *data;
    ngx_str_t            name;        /* for log lines */
    ngx_addr_t          *addrs;
    ngx_uint_t           naddrs;
    ngx_str_t            user;
    ngx_str_t            password;    /* empty: no AUTH */
    ngx_msec_t           timeout;     /* ms, of a connection and a call */
    ngx_msec_t           pause;       /* ms, before the next connection */
    ngx_log_t            log;

    /* it is logged in; it is not any more, or did not come to be */
    void               (*opened)(wag_store_link_t *link);
    void               (*lost)(wag_store_link_t *link, wag_reason_t *reason);

    /* private */

    wag_transport_t      transport;
    wag_reason_t         reason;
    wag_store_reader_t  *reader;
    wag_store_bytes_t    coming;      /* to be written next */
    wag_store_bytes_t    going;       /* is being written */
    ngx_queue_t          calls;
    wag_store_call_t     login;
    ngx_event_t          timer;       /* of the first call */
    ngx_event_t          again;       /* to the next connection */
    ngx_event_t          flush;
    ngx_uint_t           address;
    ngx_uint_t           open;        /* unsigned  open:1; */
};


/*
 * Begins to connect.  NGX_ERROR if there is no memory.
 */
ngx_int_t wag_store_link_start(wag_store_link_t *link);

/*
 * Closes it for good: calls that wait are told, lost() is not called.
 */
void wag_store_link_stop(wag_store_link_t *link);

/*
 * Writes a command.  NGX_DECLINED: it is not open, or there is no memory, and
 * done() is not called.
 */
ngx_int_t wag_store_link_call(wag_store_link_t *link, wag_store_call_t *call,
    ngx_uint_t argc, ngx_str_t *argv);

/*
 * Closes the connection, to be made again after the pause.  The second adds
 * the error that was answered to the reason.
 */
void wag_store_link_drop(wag_store_link_t *link, const char *reason);
void wag_store_link_refuse(wag_store_link_t *link, const char *reason,
    wag_store_answer_t *answer);


#endif /* _WAG_STORE_LINK_H_INCLUDED_ */
