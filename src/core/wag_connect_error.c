
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_connect_error.h"


typedef struct {
    ngx_err_t            err;
    char                *reason;
} wag_connect_error_error_t;


static wag_connect_error_error_t
    wag_connect_error_errors[] =
{
    { NGX_ECONNREFUSED, "connect ECONNREFUSED" },
    { NGX_ECONNRESET, "connect ECONNRESET" },
    { NGX_ECONNABORTED, "connect ECONNABORTED" },
    { NGX_ETIMEDOUT, "connect ETIMEDOUT" },
    { NGX_EHOSTUNREACH, "connect EHOSTUNREACH" },
    { NGX_EHOSTDOWN, "connect EHOSTDOWN" },
    { NGX_ENETUNREACH, "connect ENETUNREACH" },
    { NGX_ENETDOWN, "connect ENETDOWN" },
    { NGX_ENOENT, "connect ENOENT" },
    { NGX_EACCES, "connect EACCES" },
    { NGX_EPERM, "connect EPERM" },
    { NGX_EINVAL, "connect EINVAL" },
    { NGX_EAGAIN, "connect EAGAIN" },
    { EADDRNOTAVAIL, "connect EADDRNOTAVAIL" },
    { EAFNOSUPPORT, "connect EAFNOSUPPORT" },
    { EPROTOTYPE, "connect EPROTOTYPE" },
    { 0, "connect failed" }
};


ngx_uint_t
wag_connect_error_is_local(ngx_err_t err, struct sockaddr *sockaddr,
    ngx_uint_t naddrs)
{
    switch (err) {

    case NGX_ENOMEM:
    case NGX_EMFILE:
    case NGX_ENFILE:
    case ENOBUFS:
        return 1;

    case NGX_EAGAIN:

        /* a full backlog of a unix socket, else no local port is left */

        return sockaddr->sa_family != AF_UNIX;

    case EADDRNOTAVAIL:

        /*
         * No local port is left; but a host without IPv6 says the same to
         * each IPv6 address of a name, where it must not hide that its
         * other addresses refuse.
         */

        return sockaddr->sa_family != AF_INET6 || naddrs == 1;

    default:
        return 0;
    }
}


char *
wag_connect_error_reason(ngx_err_t err)
{
    wag_connect_error_error_t  *e;

    for (e = wag_connect_error_errors; e->err; e++) {
        if (e->err == err) {
            break;
        }
    }

    return e->reason;
}
