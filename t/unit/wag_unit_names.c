
/*
 * Names: the hosts file, resolv.conf, what DNS may call a host.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_file.h"
#include "wag_hosts.h"
#include "wag_resolv.h"
#include "wag_unit.h"
#include "wag_url.h"


#define WAG_UNIT_LABEL                                                        \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"


typedef struct {
    const char          *name;
    const char          *text;
    const char          *word;       /* that is looked for */
    const char          *expected;
} wag_unit_names_case_t;


static void wag_unit_names_hosts(wag_unit_t *u, wag_unit_names_case_t *c);
static void wag_unit_names_resolv(wag_unit_t *u, wag_unit_names_case_t *c);
static void wag_unit_names_name(wag_unit_t *u, wag_unit_names_case_t *c);
static void wag_unit_names_domain(wag_unit_t *u, wag_unit_names_case_t *c);
static void wag_unit_names_long(wag_unit_t *u);
static void wag_unit_names_copy(wag_unit_t *u, const char *text,
    ngx_str_t *copy);
static u_char *wag_unit_names_add(u_char *p, ngx_str_t *text);


static wag_unit_names_case_t  wag_unit_names_hosts_cases[] = {
    { "a line", "127.0.0.1 a", "a", "127.0.0.1" },
    { "one of several names", "127.0.0.1\ta b  c\n", "c", "127.0.0.1" },
    { "another name", "127.0.0.1 a b", "c", "" },
    { "the start of a name is another one", "127.0.0.1 ab", "a", "" },
    { "so is more than it", "127.0.0.1 a", "ab", "" },
    { "no difference of case", "127.0.0.1 Waha", "wAHA", "127.0.0.1" },
    { "several lines", "1.1.1.1 a\n2.2.2.2 b\n::1 a\n", "a", "1.1.1.1 ::1" },
    { "a line counts once", "1.1.1.1 a a", "a", "1.1.1.1" },
    { "an address is no name", "a b\nb a", "a", "b" },
    { "a comment", "# 1.1.1.1 a\n2.2.2.2 #a\n3.3.3.3 b # a", "a", "" },
    { "a sign within a word", "1.1.1.1 b#c a", "a", "1.1.1.1" },
    { "blank lines and ends of lines", "\n \t\r\n 1.1.1.1 a\r\n\n", "a",
      "1.1.1.1" },
    { "an address without a name", "1.1.1.1\n2.2.2.2 a", "a", "2.2.2.2" },
    { "an empty file", "", "a", "" },
    { NULL, NULL, NULL, NULL }
};


/* servers, then what the name may be */

static wag_unit_names_case_t  wag_unit_names_resolv_cases[] = {
    { "a server", "nameserver 1.1.1.1\n", "a", "1.1.1.1 | a" },
    { "three of four servers",
      "nameserver 1.1.1.1\nnameserver ::2\nnameserver 3\nnameserver 4",
      "a", "1.1.1.1 ::2 3 | a" },
    { "a domain", "search one", "a", "| a.one a" },
    { "two domains", "search one two.three.", "a", "| a.one a.two.three a" },
    { "a name with a dot is itself first", "search one two", "a.b",
      "| a.b a.b.one a.b.two" },
    { "a dot at its end makes it the only one", "search one two", "a.",
      "| a" },
    { "ndots", "search one\noptions ndots:2", "a.b", "| a.b.one a.b" },
    { "with enough dots", "search one\noptions timeout:1 ndots:2 rotate",
      "a.b.c", "| a.b.c a.b.c.one" },
    { "ndots:0", "options ndots:0\nsearch one", "a", "| a a.one" },
    { "ndots beyond all", "search one\noptions ndots:99", "a.b.c.d.e.f",
      "| a.b.c.d.e.f.one a.b.c.d.e.f" },
    { "ndots that is no number", "search one\noptions ndots: ndots:x", "a.b",
      "| a.b a.b.one" },
    { "the last of search and domain counts",
      "search one two\ndomain three", "a", "| a.three a" },
    { "six domains", "search 1 2 3 4 5 6 7", "a",
      "| a.1 a.2 a.3 a.4 a.5 a.6 a" },
    { "a domain that is the root", "search . one", "a", "| a.one a" },
    { "comments", "#nameserver 1\n;nameserver 2\n; nameserver 3\n"
      "nameserver 4 # 5\nsearch one # two", "a", "4 | a.one a" },
    { "words that begin alike", "nameservers 1\nsearchx one\nname 2", "a",
      "| a" },
    { "words alone", "nameserver\nsearch\noptions", "a", "| a" },
    { "an empty file", "", "a", "| a" },
    { NULL, NULL, NULL, NULL }
};


static wag_unit_names_case_t  wag_unit_names_name_cases[] = {
    { "a label", "waha", NULL, "good" },
    { "labels", "waha-1.a_b.Example.COM", NULL, "good" },
    { "a dot at the end", "waha.", NULL, "good" },
    { "digits but in the end", "1.2.3.a4", NULL, "good" },
    { "no ASCII", "\xd8\xb3.test", NULL, "good" },
    { "63 bytes", WAG_UNIT_LABEL, NULL, "good" },
    { "64 bytes", "a" WAG_UNIT_LABEL, NULL, "invalid host" },
    { "no label", "", NULL, "invalid host" },
    { "a dot", ".", NULL, "invalid host" },
    { "a dot before", ".a", NULL, "invalid host" },
    { "two dots", "a..b", NULL, "invalid host" },
    { "two dots at the end", "a..", NULL, "invalid host" },
    { "a number at the end", "a.4", NULL, "invalid host" },
    { "no address", "1.2.3.400", NULL, "invalid host" },
    { "a sign", "a+b", NULL, "invalid host" },
    { "a bracket", "[a]", NULL, "invalid host" },
    { "an accent", "a`b", NULL, "invalid host" },
    { "a blank", "a b", NULL, "invalid host" },
    { NULL, NULL, NULL, NULL }
};


static wag_unit_names_case_t  wag_unit_names_domain_cases[] = {
    { "a port", "http://waha:3000", NULL, "waha 3000" },
    { "none", "http://waha", NULL, "waha 80" },
    { "none of TLS", "HTTPS://waha/", NULL, "waha 443" },
    { "no URL", "waha:3000", NULL, " 0" },
    { NULL, NULL, NULL, NULL }
};


void
wag_unit_names(wag_unit_t *u)
{
    wag_unit_names_case_t  *c;

    for (c = wag_unit_names_hosts_cases; c->name; c++) {
        wag_unit_names_hosts(u, c);
    }

    for (c = wag_unit_names_resolv_cases; c->name; c++) {
        wag_unit_names_resolv(u, c);
    }

    for (c = wag_unit_names_name_cases; c->name; c++) {
        wag_unit_names_name(u, c);
    }

    for (c = wag_unit_names_domain_cases; c->name; c++) {
        wag_unit_names_domain(u, c);
    }

    wag_unit_names_long(u);
}


static void
wag_unit_names_hosts(wag_unit_t *u, wag_unit_names_case_t *c)
{
    u_char    *p, got[256];
    ngx_str_t  text, name, address;

    wag_unit_names_copy(u, c->text, &text);
    wag_unit_names_copy(u, c->word, &name);

    p = got;

    while (wag_hosts_next(&text, &name, &address)) {
        p = wag_unit_names_add(p, &address);
    }

    if (p > got) {
        p--;
    }

    *p = '\0';

    wag_unit_is(u, (char *) got, c->expected, c->name);
}


static void
wag_unit_names_resolv(wag_unit_t *u, wag_unit_names_case_t *c)
{
    u_char        *p, got[256], buf[WAG_RESOLV_NAME + 1];
    ngx_int_t      rc;
    ngx_str_t      text, name, candidate;
    ngx_uint_t     i;
    wag_resolv_t   conf;

    wag_unit_names_copy(u, c->text, &text);
    wag_unit_names_copy(u, c->word, &name);

    wag_resolv_read(&conf, &text);

    p = got;

    for (i = 0; i < conf.nservers; i++) {
        p = wag_unit_names_add(p, &conf.servers[i]);
    }

    *p++ = '|';
    *p++ = ' ';

    for (i = 0; ; i++) {
        rc = wag_resolv_candidate(&conf, &name, i, buf, &candidate);

        if (rc != NGX_OK) {
            break;
        }

        p = wag_unit_names_add(p, &candidate);
    }

    *--p = '\0';

    wag_unit_is(u, (char *) got, c->expected, c->name);
    wag_unit_ok(u, rc == NGX_DONE, "these are all");
}


static void
wag_unit_names_name(wag_unit_t *u, wag_unit_names_case_t *c)
{
    ngx_str_t    name;
    const char  *error;

    wag_unit_names_copy(u, c->text, &name);

    error = wag_url_name(&name);

    wag_unit_is(u, error ? error : "good", c->expected, c->name);
}


static void
wag_unit_names_domain(wag_unit_t *u, wag_unit_names_case_t *c)
{
    u_char      got[256];
    ngx_str_t   url, domain;
    in_port_t   port;

    wag_unit_names_copy(u, c->text, &url);

    wag_url_domain(&url, &domain, &port);

    ngx_sprintf(got, "%V %ui%Z", &domain, (ngx_uint_t) port);

    wag_unit_is(u, (char *) got, c->expected, c->name);
}


/* 253 bytes are the most, with a domain as well */

static void
wag_unit_names_long(wag_unit_t *u)
{
    u_char        *p, buf[WAG_RESOLV_NAME + 1], name[WAG_RESOLV_NAME + 2];
    ngx_str_t      text, candidate;
    wag_resolv_t   conf;

    ngx_memset(name, 'a', sizeof(name));

    for (p = name + 50; p < name + sizeof(name); p += 51) {
        *p = '.';
    }

    ngx_memzero(&conf, sizeof(wag_resolv_t));

    text.data = name;
    text.len = WAG_RESOLV_NAME;

    wag_unit_ok(u, wag_url_name(&text) == NULL, "253 bytes are a name");
    wag_unit_ok(u, wag_resolv_candidate(&conf, &text, 0, buf, &candidate)
                   == NGX_OK
                && candidate.len == WAG_RESOLV_NAME
                && ngx_memcmp(candidate.data, name, candidate.len) == 0,
                "which is looked up");

    conf.nsearch = 1;
    conf.ndots = 15;
    ngx_str_set(&conf.search[0], "b");

    wag_unit_ok(u, wag_resolv_candidate(&conf, &text, 0, buf, &candidate)
                   == NGX_DECLINED
                && wag_resolv_candidate(&conf, &text, 1, buf, &candidate)
                   == NGX_OK,
                "but not in a domain");

    text.len = WAG_RESOLV_NAME - 2;

    wag_unit_ok(u, wag_resolv_candidate(&conf, &text, 0, buf, &candidate)
                   == NGX_OK
                && candidate.len == WAG_RESOLV_NAME,
                "251 are, in one of a letter");

    text.len = WAG_RESOLV_NAME + 1;
    conf.nsearch = 0;

    wag_unit_ok(u, wag_url_name(&text) != NULL
                && wag_resolv_candidate(&conf, &text, 0, buf, &candidate)
                   == NGX_DECLINED
                && wag_resolv_candidate(&conf, &text, 1, buf, &candidate)
                   == NGX_DONE,
                "254 bytes are none");
}


/* a copy without a byte to spare, for who runs this under valgrind */

static void
wag_unit_names_copy(wag_unit_t *u, const char *text, ngx_str_t *copy)
{
    copy->len = ngx_strlen(text);
    copy->data = ngx_pnalloc(u->pool, ngx_max(copy->len, 1));

    if (copy->data == NULL) {
        copy->len = 0;
        return;
    }

    ngx_memcpy(copy->data, text, copy->len);
}


static u_char *
wag_unit_names_add(u_char *p, ngx_str_t *text)
{
    p = ngx_cpymem(p, text->data, text->len);
    *p++ = ' ';

    return p;
}
