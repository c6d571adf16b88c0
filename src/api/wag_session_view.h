
/*
 * Copyright (C) the wa_gateway authors
 *
 * Copies of what is known of sessions, to be told.
 */


#ifndef _WAG_SESSION_VIEW_H_INCLUDED_
#define _WAG_SESSION_VIEW_H_INCLUDED_


#include "wag_keys.h"
#include "wag_upstream.h"


/* a session as it was at one moment */

typedef struct {
    ngx_str_t            instance;
    struct wag_vendor_s *vendor;
    ngx_uint_t           state;
    const char          *reason;    /* NULL: none */
    uint64_t             number;    /* 0: not known */
    uint64_t             since;     /* ms since the Epoch */
    uint64_t             seen;
    uint64_t             last_sent;
    ngx_uint_t           sent;
    ngx_uint_t           failed;
    ngx_uint_t           unknown;
    ngx_str_t            name;      /* as it is shown */
    ngx_str_t            word;      /* the vendor's own */
} wag_session_view_t;


/* how many of an instance, or of all */

typedef struct {
    ngx_uint_t           total;
    ngx_uint_t           states[WAG_SESSION_STATES];
} wag_session_count_t;


/*
 * Counts the sessions of a peer that are shown to whoever has this key.
 */
void wag_session_view_count(wag_upstream_t *us, wag_peer_t *peer,
    wag_key_t *key, wag_session_count_t *count);

/*
 * Copies these to an array of wag_session_view_t, from its pool, by name, and
 * says how many sessions were looked at.  NGX_ERROR if there is no memory.
 */
ngx_int_t wag_session_view_take(wag_upstream_t *us, wag_peer_t *peer,
    wag_key_t *key, ngx_array_t *views, ngx_uint_t *looked);


#endif /* _WAG_SESSION_VIEW_H_INCLUDED_ */
