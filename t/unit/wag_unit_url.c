
#include <ngx_config.h>
#include <ngx_core.h>

#include <stdio.h>

#include "wag_unit.h"
#include "wag_url.h"


/*
 * What comes of a text: each URL as "scheme|host", or what is wrong with it,
 * parted by blanks.
 */

typedef struct {
    const char          *name;
    ngx_str_t            text;
    const char          *expected;
} wag_unit_url_case_t;


static void wag_unit_url_text(wag_unit_t *u, wag_unit_url_case_t *c);
static u_char *wag_unit_url_one(u_char *p, u_char *last, ngx_str_t *url);


static wag_unit_url_case_t
    wag_unit_url_cases[] =
{
    { "one", ngx_string("http://a"), "http://|a" },
    { "a port", ngx_string("http://a:3001"), "http://|a:3001" },
    { "https", ngx_string("https://a:3001"), "https://|a:3001" },
    { "any case", ngx_string("HtTpS://A"), "https://|A" },
    { "IPv6", ngx_string("http://[::1]:3001"), "http://|[::1]:3001" },
    { "commas", ngx_string("http://a,http://b"), "http://|a http://|b" },
    { "blanks and tabs", ngx_string("http://a \thttp://b"),
      "http://|a http://|b" },
    { "many separators", ngx_string(" ,,http://a,\t, http://b, "),
      "http://|a http://|b" },
    { "both schemes", ngx_string("http://a,https://b"),
      "http://|a https://|b" },
    { "an empty text", ngx_string(""), "" },
    { "separators alone", ngx_string(", \t,"), "" },
    { "a line feed is no separator", ngx_string("http://a\nb"),
      "http://|a\nb" },

    { "one slash at the end is cut off", ngx_string("http://a/,https://b/"),
      "http://|a https://|b" },
    { "two slashes are a path", ngx_string("http://a//"),
      "a path is not allowed" },
    { "a slash alone", ngx_string("http:///"), "http://|" },
    { "slashes alone", ngx_string("http:////"), "a path is not allowed" },

    { "no scheme", ngx_string("a:3001"), "no scheme" },
    { "another scheme", ngx_string("ftp://a"), "no scheme" },
    { "nothing but a scheme", ngx_string("http:// https://"),
      "no scheme no scheme" },
    { "a piece of a scheme", ngx_string("h http http: http:/ https:/"),
      "no scheme no scheme no scheme no scheme no scheme" },
    { "a scheme without its slashes", ngx_string("http:a"), "no scheme" },

    { "a path", ngx_string("http://a/b"), "a path is not allowed" },
    { "a query", ngx_string("http://a?b"), "a path is not allowed" },
    { "a fragment", ngx_string("http://a#b"), "a path is not allowed" },
    { "a user", ngx_string("http://a:b@c"),
      "user information is not allowed" },
    { "a user and a path", ngx_string("http://a@b/c"),
      "user information is not allowed" },
    { "a path and a user", ngx_string("http://a/b@c"),
      "a path is not allowed" },
    { NULL, ngx_null_string, NULL }
};


void
wag_unit_url(wag_unit_t *u)
{
    ngx_str_t             url, scheme, host;
    wag_unit_url_case_t  *c;

    for (c = wag_unit_url_cases; c->name != NULL; c++) {
        wag_unit_url_text(u, c);
    }

    ngx_str_set(&url, "http://a/");

    wag_unit_ok(u, wag_url_scheme(&url, &scheme) == NGX_OK
              && wag_url_host(&url, &scheme, &host) == NULL
              && url.len == sizeof("http://a") - 1
              && host.data == url.data + scheme.len
              && host.len == 1, "the slash is cut off the URL itself");
}


/* from a copy without a byte to spare, for who runs this under valgrind */

static void
wag_unit_url_text(wag_unit_t *u, wag_unit_url_case_t *c)
{
    u_char    *p, *copy, got[256];
    ngx_str_t  text, url;

    copy = ngx_alloc(c->text.len, u->log);
    if (copy == NULL) {
        wag_unit_ok(u, 0, c->name);
        return;
    }

    ngx_memcpy(copy, c->text.data, c->text.len);

    text.len = c->text.len;
    text.data = copy;

    p = got;

    while (wag_url_next(&text, &url)) {

        if (p != got) {
            *p++ = ' ';
        }

        p = wag_unit_url_one(p, got + sizeof(got) - 2, &url);
    }

    *p = '\0';

    wag_unit_is(u, (char *) got, c->expected, c->name);

    wag_unit_ok(u, text.len == 0
                                   && text.data == copy + c->text.len,
                "the text is used up");

    ngx_free(copy);
}


static u_char *
wag_unit_url_one(u_char *p, u_char *last, ngx_str_t *url)
{
    ngx_str_t    scheme, host;
    const char  *err;

    if (wag_url_scheme(url, &scheme) != NGX_OK) {
        return ngx_slprintf(p, last, "no scheme");
    }

    err = wag_url_host(url, &scheme, &host);

    if (err != NULL) {
        return ngx_slprintf(p, last, "%s", err);
    }

    return ngx_slprintf(p, last, "%V|%V", &scheme, &host);
}
