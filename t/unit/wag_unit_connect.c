
#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_connect_error.h"
#include "wag_unit.h"


typedef struct {
    const char          *name;
    ngx_err_t            err;
    int                  family;
    ngx_uint_t           naddrs;
    ngx_uint_t           local;
    const char          *reason;
} wag_unit_connect_t;


static wag_unit_connect_t
    wag_unit_connects[] =
{
    { "refused", ECONNREFUSED, AF_INET, 1, 0, "connect ECONNREFUSED" },
    { "refused, one of two", ECONNREFUSED, AF_INET6, 2, 0,
      "connect ECONNREFUSED" },
    { "no route", EHOSTUNREACH, AF_INET, 1, 0, "connect EHOSTUNREACH" },
    { "no network", ENETUNREACH, AF_INET6, 1, 0, "connect ENETUNREACH" },
    { "no such socket", ENOENT, AF_UNIX, 1, 0, "connect ENOENT" },
    { "no permission", EACCES, AF_UNIX, 1, 0, "connect EACCES" },
    { "a firewall", EPERM, AF_INET, 1, 0, "connect EPERM" },
    { "an error without a name", EXDEV, AF_INET, 1, 0, "connect failed" },
    { "no memory", ENOMEM, AF_INET, 1, 1, NULL },
    { "no buffers", ENOBUFS, AF_INET, 2, 1, NULL },
    { "no descriptors", EMFILE, AF_INET, 1, 1, NULL },
    { "no descriptors of the system", ENFILE, AF_UNIX, 1, 1, NULL },
    { "a full backlog", EAGAIN, AF_UNIX, 1, 0, "connect EAGAIN" },
    { "no local port, EAGAIN", EAGAIN, AF_INET, 1, 1, NULL },
    { "no local port", EADDRNOTAVAIL, AF_INET, 1, 1, NULL },
    { "no local port, one of two", EADDRNOTAVAIL, AF_INET, 2, 1, NULL },
    { "the only address is of IPv6", EADDRNOTAVAIL, AF_INET6, 1, 1, NULL },
    { "no IPv6 here, one of two", EADDRNOTAVAIL, AF_INET6, 2, 0,
      "connect EADDRNOTAVAIL" },
    { NULL, 0, 0, 0, 0, NULL }
};


void
wag_unit_connect(wag_unit_t *u)
{
    ngx_uint_t           local;
    struct sockaddr      sa;
    wag_unit_connect_t  *c;

    for (c = wag_unit_connects; c->name; c++) {
        ngx_memzero(&sa, sizeof(struct sockaddr));
        sa.sa_family = c->family;

        local = wag_connect_error_is_local(c->err, &sa, c->naddrs);

        (void) wag_unit_ok(u, local == c->local, c->name);

        if (c->reason) {
            (void) wag_unit_is(u, wag_connect_error_reason(c->err), c->reason,
                               c->name);
        }
    }
}
