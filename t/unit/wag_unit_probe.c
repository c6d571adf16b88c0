
#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include <stdio.h>

#include "wag_probe.h"
#include "wag_tls.h"
#include "wag_unit.h"


/*
 * Runs checks in a worker, one after another, and prints what became of each:
 *
 *     wa_gateway_unit_probe name=a addr=127.0.0.1:80,[::1]:80 timeout=1000
 *                           times=1 gap=0 keepalive=on ...;
 */

#define WAG_UNIT_MAX_ADDRS  8


typedef struct {
    ngx_array_t          probes;
    ngx_uint_t           current;
    ngx_log_t           *log;
} wag_unit_conf_t;


typedef struct {
    wag_probe_t          probe;
    wag_unit_conf_t     *conf;
    ngx_event_t          event;
    ngx_str_t            name;
    ngx_str_t            trusted;
    ngx_addr_t           addrs[WAG_UNIT_MAX_ADDRS];
    ngx_uint_t           n;
    ngx_uint_t           times;
    ngx_uint_t           quiet;     /* lines left out */
    ngx_uint_t           nofile;
    ngx_msec_t           gap;
    ngx_msec_t           cancel;
    unsigned             ssl:1;
    unsigned             starting:1;
} wag_unit_probe_t;


static char *wag_unit_probe_arg(ngx_conf_t *cf, wag_unit_probe_t *up,
    ngx_str_t *name, ngx_str_t *value);
static char *wag_unit_probe_addrs(ngx_conf_t *cf, wag_unit_probe_t *up,
    ngx_str_t *value);
static char *wag_unit_probe_ready(ngx_conf_t *cf, wag_unit_probe_t *up);
static void wag_unit_probe_next(wag_unit_conf_t *uc);
static void wag_unit_probe_start(ngx_event_t *ev);
static void wag_unit_probe_cancel(ngx_event_t *ev);
static void wag_unit_probe_done(wag_probe_t *p, ngx_int_t rc);
static void wag_unit_probe_go_on(wag_unit_probe_t *up);
static void wag_unit_probe_print(wag_unit_probe_t *up, ngx_int_t rc);


void *
wag_unit_create_conf(ngx_cycle_t *cycle)
{
    wag_unit_conf_t  *uc;

    uc = ngx_pcalloc(cycle->pool, sizeof(wag_unit_conf_t));
    if (uc == NULL) {
        return NULL;
    }

    if (ngx_array_init(&uc->probes, cycle->pool, 4, sizeof(wag_unit_probe_t *))
        != NGX_OK)
    {
        return NULL;
    }

    return uc;
}


char *
wag_unit_probe(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    wag_unit_conf_t *uc = conf;

    char              *rv;
    u_char            *p;
    ngx_str_t         *value, name, arg;
    ngx_uint_t         i;
    wag_unit_probe_t  *up, **upp;

    up = ngx_pcalloc(cf->pool, sizeof(wag_unit_probe_t));
    upp = ngx_array_push(&uc->probes);

    if (up == NULL || upp == NULL) {
        return NGX_CONF_ERROR;
    }

    *upp = up;

    up->conf = uc;
    up->times = 1;

    up->probe.timeout = 60000;

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        p = (u_char *) ngx_strchr(value[i].data, '=');
        if (p == NULL) {
            return "has a parameter without a value";
        }

        name.data = value[i].data;
        name.len = p - name.data;

        arg.data = p + 1;
        arg.len = value[i].len - name.len - 1;

        rv = wag_unit_probe_arg(cf, up, &name, &arg);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    return wag_unit_probe_ready(cf, up);
}


static char *
wag_unit_probe_arg(ngx_conf_t *cf, wag_unit_probe_t *up, ngx_str_t *name,
    ngx_str_t *value)
{
    ngx_uint_t  n;

#define is(s)  (name->len == sizeof(s) - 1                                    \
                && ngx_strncmp(name->data, s, sizeof(s) - 1) == 0)

    n = (value->len && value->data[0] >= '0' && value->data[0] <= '9')
        ? ngx_atoi(value->data, value->len) : (value->len > 0);

    if (is("name")) {
        up->name = *value;

    } else if (is("addr")) {
        return wag_unit_probe_addrs(cf, up, value);

    } else if (is("timeout")) {
        up->probe.timeout = n;

    } else if (is("times")) {
        up->times = n;

    } else if (is("gap")) {
        up->gap = n;

    } else if (is("quiet")) {
        up->quiet = n;

    } else if (is("cancel")) {
        up->cancel = n;

    } else if (is("nofile")) {
        up->nofile = n;

    } else if (is("keepalive")) {
        up->probe.keepalive = 1;

    } else if (is("head")) {
        up->probe.head = 1;

    } else if (is("ssl_name")) {
        up->ssl = 1;
        up->probe.transport.ssl_name = *value;

    } else if (is("trusted")) {
        up->probe.transport.ssl_verify = 1;
        up->trusted = *value;

    } else {
        return "has an unknown parameter";
    }

#undef is

    return NGX_CONF_OK;
}


static char *
wag_unit_probe_addrs(ngx_conf_t *cf, wag_unit_probe_t *up, ngx_str_t *value)
{
    u_char    *p, *last, *end;
    ngx_url_t  u;

    p = value->data;
    last = p + value->len;

    while (p < last && up->probe.naddrs < WAG_UNIT_MAX_ADDRS) {

        end = ngx_strlchr(p, last, ',');
        if (end == NULL) {
            end = last;
        }

        ngx_memzero(&u, sizeof(ngx_url_t));

        u.url.data = p;
        u.url.len = end - p;
        u.no_resolve = 1;

        if (ngx_parse_url(cf->pool, &u) != NGX_OK || u.naddrs == 0) {
            return "has an invalid address";
        }

        up->addrs[up->probe.naddrs++] = u.addrs[0];

        p = end + 1;
    }

    up->probe.addrs = up->addrs;

    return NGX_CONF_OK;
}


static char *
wag_unit_probe_ready(ngx_conf_t *cf, wag_unit_probe_t *up)
{
    ngx_str_t      err;
    wag_request_t  r;

    ngx_memzero(&r, sizeof(wag_request_t));

    ngx_str_set(&r.method, "GET");

    if (up->probe.head) {
        ngx_str_set(&r.method, "HEAD");
    }

    ngx_str_set(&r.uri, "/health");
    ngx_str_set(&r.host, "example.com");
    ngx_str_set(&r.user_agent, "unit");

    r.keepalive = up->probe.keepalive;

    if (wag_request_make(cf->pool, &r, &up->probe.request, &err) != NGX_OK) {
        return "cannot make a request";
    }

    if (up->ssl
        && wag_tls_context(cf, &up->probe.transport.ssl,
                           up->probe.transport.ssl_verify, &up->trusted)
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    up->probe.data = up;
    up->probe.name = &up->name;
    up->probe.done = wag_unit_probe_done;

    return NGX_CONF_OK;
}


ngx_int_t
wag_unit_init_process(ngx_cycle_t *cycle)
{
    wag_unit_conf_t  *uc;

    uc = (wag_unit_conf_t *)
             ngx_get_conf(cycle->conf_ctx, ngx_http_wa_gateway_unit_module);

    if (uc->probes.nelts == 0 || ngx_process == NGX_PROCESS_HELPER) {
        return NGX_OK;
    }

    printf("worker %d\n", (int) ngx_getpid());
    fflush(stdout);

    uc->log = cycle->log;

    wag_unit_probe_next(uc);

    return NGX_OK;
}


static void
wag_unit_probe_next(wag_unit_conf_t *uc)
{
    wag_unit_probe_t  *up, **upp;

    if (uc->current == uc->probes.nelts) {
        printf("end\n");
        fflush(stdout);
        return;
    }

    upp = uc->probes.elts;
    up = upp[uc->current++];

    up->probe.parent = uc->log;

    up->event.data = up;
    up->event.log = uc->log;
    up->event.cancelable = 1;
    up->event.handler = wag_unit_probe_start;

    ngx_add_timer(&up->event, 1);
}


static void
wag_unit_probe_start(ngx_event_t *ev)
{
    struct rlimit      rlmt;
    wag_unit_probe_t  *up;

    up = ev->data;

    if (up->nofile) {
        rlmt.rlim_cur = up->nofile;
        rlmt.rlim_max = 1024;
        (void) setrlimit(RLIMIT_NOFILE, &rlmt);
    }

    if (up->cancel) {
        ev->handler = wag_unit_probe_cancel;
        ngx_add_timer(ev, up->cancel);
    }

    up->starting = 1;
    wag_probe_start(&up->probe);
    up->starting = 0;
}


static void
wag_unit_probe_cancel(ngx_event_t *ev)
{
    wag_unit_probe_t  *up;

    up = ev->data;

    wag_probe_cancel(&up->probe);

    printf("%.*s cancelled\n", (int) up->name.len, up->name.data);
    fflush(stdout);

    ev->handler = wag_unit_probe_start;

    wag_unit_probe_go_on(up);
}


static void
wag_unit_probe_done(wag_probe_t *p, ngx_int_t rc)
{
    wag_unit_probe_t  *up;

    up = p->data;

    if (up->starting) {
        printf("done() within start()\n");
    }

    if (rc != NGX_OK || up->quiet == 0 || up->n % up->quiet == 0) {
        wag_unit_probe_print(up, rc);
    }

    /* with "cancel" a check that is done keeps its connection till then */

    if (!ngx_exiting && !ngx_quit && !up->cancel) {
        wag_unit_probe_go_on(up);
    }
}


static void
wag_unit_probe_go_on(wag_unit_probe_t *up)
{
    if (++up->n == up->times) {
        wag_unit_probe_next(up->conf);

    } else if (up->gap) {
        ngx_add_timer(&up->event, up->gap);

    } else {
        wag_unit_probe_start(&up->event);
    }
}


static void
wag_unit_probe_print(wag_unit_probe_t *up, ngx_int_t rc)
{
    size_t        i;
    u_char        ch;
    wag_probe_t  *p;

    p = &up->probe;

    printf("%.*s %s ", (int) up->name.len, up->name.data,
           rc == NGX_OK ? "ok" : rc == NGX_DECLINED ? "declined" : "error");

    if (rc != NGX_OK) {
        printf("%.*s\n", (int) p->reason.len, p->reason.data);
        fflush(stdout);
        return;
    }

    printf("%u %s", (unsigned) p->answer->status,
           p->answer->truncated ? "cut " : "");

    for (i = 0; i < p->answer->body.len && i < 300; i++) {
        ch = p->answer->body.data[i];
        putchar(ch == LF ? '|' : ch < ' ' ? '.' : ch);
    }

    printf("\n");
    fflush(stdout);
}
