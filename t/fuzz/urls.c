
#include "fuzz.h"

#include "wag_url.h"


/*
 * The value of wa_gateway_instances.  Hosts go through nginx's ngx_parse_url()
 * too, as far as it comes without looking up a name.
 */

static void fuzz_urls_between(u_char *p, u_char *last);
static void fuzz_urls_one(ngx_pool_t *pool, ngx_str_t *url);
static void fuzz_urls_parse(ngx_pool_t *pool, ngx_str_t *host, in_port_t port);
static void fuzz_urls_numeric(ngx_url_t *u);
static ngx_uint_t fuzz_urls_separator(u_char ch);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char      *copy, *p, *last;
    ngx_str_t    text, url;
    ngx_pool_t  *pool;

    pool = ngx_create_pool(4096, fuzz_log());
    fuzz_assert(pool != NULL);

    copy = fuzz_copy(data, size);
    last = copy + size;

    text.len = size;
    text.data = copy;
    p = copy;

    /* what is given are the words of the text, all of them, in their order */

    while (wag_url_next(&text, &url)) {

        fuzz_assert(url.len > 0);
        fuzz_assert(url.data >= p && url.data + url.len <= last);

        fuzz_assert(p == copy || url.data > p);
        fuzz_urls_between(p, url.data);

        p = url.data + url.len;

        fuzz_assert(text.data == p);
        fuzz_assert(text.len == (size_t) (last - p));

        fuzz_urls_one(pool, &url);
    }

    fuzz_assert(url.len == 0);
    fuzz_assert(text.data == last && text.len == 0);

    fuzz_urls_between(p, last);

    fuzz_assert(ngx_memcmp(copy, data, size) == 0);

    ngx_destroy_pool(pool);
    free(copy);

    return 0;
}


static void
fuzz_urls_between(u_char *p, u_char *last)
{
    while (p < last) {
        fuzz_assert(fuzz_urls_separator(*p));
        p++;
    }
}


static void
fuzz_urls_one(ngx_pool_t *pool, ngx_str_t *url)
{
    size_t       i;
    ngx_int_t    rc;
    ngx_str_t    whole, scheme, host, again;
    const char  *err;

    for (i = 0; i < url->len; i++) {
        fuzz_assert(!fuzz_urls_separator(url->data[i]));
    }

    ngx_str_null(&scheme);
    rc = wag_url_scheme(url, &scheme);

    fuzz_assert(rc == NGX_OK || rc == NGX_DECLINED);

    if (rc == NGX_DECLINED) {
        fuzz_assert(scheme.data == NULL);
        return;
    }

    fuzz_assert(ngx_strcmp(scheme.data, "http://") == 0
                || ngx_strcmp(scheme.data, "https://") == 0);
    fuzz_assert(scheme.len == ngx_strlen(scheme.data));
    fuzz_assert(url->len > scheme.len);
    fuzz_assert(ngx_strncasecmp(url->data, scheme.data, scheme.len) == 0);

    whole = *url;
    err = wag_url_host(url, &scheme, &host);

    fuzz_assert(url->data == whole.data);
    fuzz_assert(url->len == whole.len - (whole.data[whole.len - 1] == '/'));

    fuzz_assert(host.data == url->data + scheme.len);
    fuzz_assert(host.data + host.len == url->data + url->len);

    for (i = 0; i < host.len; i++) {
        if (ngx_strchr("/?#@", host.data[i]) != NULL && host.data[i]) {
            break;
        }
    }

    fuzz_assert((err == NULL) == (i == host.len));

    if (err) {
        fuzz_assert((host.data[i] == '@')
                    == (ngx_strcmp(err, "user information is not allowed")
                        == 0));
        return;
    }

    whole = *url;

    fuzz_assert(wag_url_host(url, &scheme, &again) == NULL);
    fuzz_assert(url->len == whole.len);
    fuzz_assert(again.data == host.data && again.len == host.len);

    fuzz_urls_parse(pool, &host, scheme.len == 8 ? 443 : 80);
}


static void
fuzz_urls_parse(ngx_pool_t *pool, ngx_str_t *host, in_port_t port)
{
    ngx_url_t  u;

    ngx_memzero(&u, sizeof(ngx_url_t));

    u.url = *host;
    u.default_port = port;
    u.no_resolve = 1;

    if (ngx_parse_url(pool, &u) != NGX_OK) {
        fuzz_assert(u.err != NULL);
        return;
    }

    fuzz_assert(u.uri.len == 0);

    if (u.family != AF_UNIX) {
        fuzz_assert(host->len > 0);
        fuzz_assert(u.host.len > 0);
        fuzz_assert(u.host.data >= host->data);
        fuzz_assert(u.host.data + u.host.len <= host->data + host->len);
        fuzz_assert(u.port != 0);
        fuzz_assert(!u.no_port || u.port == port);

        fuzz_urls_numeric(&u);
    }
}


/* an address that needs no lookup is there at once, with its port */

static void
fuzz_urls_numeric(ngx_url_t *u)
{
    ngx_uint_t  i;

    if (u->family == AF_INET6) {
        fuzz_assert(u->naddrs > 0);

    } else if (ngx_inet_addr(u->host.data, u->host.len) == INADDR_NONE) {
        fuzz_assert(u->naddrs == 0);
        return;
    }

    fuzz_assert(u->naddrs > 0);

    for (i = 0; i < u->naddrs; i++) {
        fuzz_assert(u->addrs[i].sockaddr->sa_family == u->family);
        fuzz_assert(ngx_inet_get_port(u->addrs[i].sockaddr) == u->port + i);
    }
}


static ngx_uint_t
fuzz_urls_separator(u_char ch)
{
    return ch == ',' || ch == ' ' || ch == '\t';
}
