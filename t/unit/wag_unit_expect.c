
#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_expect.h"
#include "wag_unit.h"


#define WAG_UNIT_MAX_ARGS  10


typedef struct {
    const char          *rules;   /* separated by ";" */
    const char          *status;
    const char          *header;
    ngx_str_t            body;
    const char          *reason;  /* NULL: holds */
} wag_unit_expect_case_t;


typedef struct {
    const char          *rule;
    const char          *error;   /* NULL: valid */
} wag_unit_rule_t;


static void wag_unit_rules(wag_unit_t *u);
static void wag_unit_cases(wag_unit_t *u);
static ngx_int_t wag_unit_add(wag_unit_t *u, wag_expect_t *e,
    const char *rules, ngx_str_t *err);
static ngx_int_t wag_unit_make(wag_unit_t *u, wag_http_t *h,
    wag_unit_expect_case_t *c);


static wag_unit_rule_t  wag_unit_rule_cases[] =
{
    { "status 200", NULL },
    { "status 200 201 300-399", NULL },
    { "status 100-599", NULL },
    { "header X = a b", NULL },
    { "header X ~ ^a", NULL },
    { "body ~ .", NULL },
    { "json $.state = CONNECTED open", NULL },
    { "json $ = true", NULL },

    { "", "invalid expectation \"\"" },
    { "Status 200", "invalid expectation \"Status\"" },
    { "jsonn $ = 1", "invalid expectation \"jsonn\"" },
    { "status", "no value in expectation \"status\"" },
    { "status 20x", "invalid status \"20x\"" },
    { "status 20", "invalid status \"20\"" },
    { "status 2000", "invalid status \"2000\"" },
    { "status 099", "invalid status \"099\"" },
    { "status 600", "invalid status \"600\"" },
    { "status -200", "invalid status \"-200\"" },
    { "status 299-200", "invalid status \"299-200\"" },
    { "status 200-", "invalid status \"200-\"" },
    { "status 200-2x9", "invalid status \"200-2x9\"" },
    { "status 200:299", "invalid status \"200:299\"" },
    { "status 200 = 200", "invalid status \"=\"" },
    { "header", "no value in expectation \"header\"" },
    { "header X", "no operator after \"X\"" },
    { "header X:", "invalid header name \"X:\"" },
    { "header X == a", "invalid operator \"==\"" },
    { "header X = ", "invalid operator \"=\"" },
    { "header X ~", "no value for \"~\"" },
    { "header X ~ a b", "excess value \"b\"" },
    { "header X ~ (", "invalid regex \"(\"" },
    { "body", "no value in expectation \"body\"" },
    { "body = a", "invalid operator \"=\"" },
    { "body ~ [a", "invalid regex \"[a\"" },
    { "json", "no value in expectation \"json\"" },
    { "json $..a = 1", "invalid JSON path \"$..a\"" },
    { "json state = 1", "invalid JSON path \"state\"" },
    { "json $.a", "no value for \"$.a\"" },
    { "json $.a =", "no value for \"$.a\"" },
    { "json $.a ~ 1", "invalid operator \"~\"" },
    { "json $.a open", "invalid operator \"open\"" },
    { NULL, NULL }
};


static wag_unit_expect_case_t
    wag_unit_expect_cases[] =
{
    { "", "200", "", ngx_string(""), NULL },
    { "", "201", "", ngx_string(""), "status 201" },
    { "", "503", "", ngx_string(""), "status 503" },
    { "status 200-299", "204", "", ngx_string(""), NULL },
    { "status 200-299", "200", "", ngx_string(""), NULL },
    { "status 200-299", "299", "", ngx_string(""), NULL },
    { "status 200-299", "300", "", ngx_string(""), "status 300" },
    { "status 200-299", "199", "", ngx_string(""), "no answer" },
    { "status 401 403", "403", "", ngx_string(""), NULL },
    { "status 401 403", "200", "", ngx_string(""), "status 200" },
    { "status 401 403", "402", "", ngx_string(""), "status 402" },
    { "status 200 201;status 201 202", "201", "", ngx_string(""), NULL },
    { "status 200 201;status 201 202", "200", "", ngx_string(""),
      "status 200" },

    { "header X-Foo = bar", "200", "x-FOO: bar\r\n", ngx_string(""), NULL },
    { "header X-Foo = bar", "200", "X-Foo: Bar\r\n", ngx_string(""),
      "header X-Foo is \"Bar\"" },
    { "header X-Foo = bar", "200", "X-Fo: bar\r\n", ngx_string(""),
      "header X-Foo is missing" },
    { "header X-Foo = bar baz", "200", "X-Foo: baz\r\n", ngx_string(""),
      NULL },
    { "header X-Foo = bar", "200", "X-Foo: a\r\nX-Foo: bar\r\n",
      ngx_string(""), NULL },
    { "header X-Foo = bar", "500", "X-Foo: bar\r\n", ngx_string(""),
      "status 500" },
    { "header X-Foo = bar", "200", "X-Foo: a\tb\xff\r\n", ngx_string(""),
      "header X-Foo is \"a?b?\"" },
    { "header X-Foo ~ ^b.r$", "200", "X-Foo: bar\r\n", ngx_string(""), NULL },
    { "header X-Foo ~ ^b.r$", "200", "X-Foo: baar\r\n", ngx_string(""),
      "header X-Foo is \"baar\"" },
    { "header X-Foo ~ ^$", "200", "X-Foo:\r\n", ngx_string(""), NULL },

    { "body ~ ^ok", "200", "", ngx_string("ok then"), NULL },
    { "body ~ ^ok", "200", "", ngx_string("not ok"), "body does not match" },
    { "body ~ ^ok", "200", "", ngx_string(""), "body does not match" },
    { "body ~ ^$", "200", "", ngx_string(""), NULL },
    { "body ~ ^ok", "404", "", ngx_string("ok"), "status 404" },
    { "body ~ a.b", "200", "", ngx_string("a\0b"), NULL },
    { "body ~ (?i)OK", "200", "", ngx_string("\xff ok"), NULL },

    { "json $.state = CONNECTED open", "200", "",
      ngx_string("{\"state\":\"open\"}"), NULL },
    { "json $.state = CONNECTED", "200", "",
      ngx_string("{\"state\":\"TIMEOUT\"}"), "json $.state is \"TIMEOUT\"" },
    { "json $.state = CONNECTED", "200", "",
      ngx_string("{\"state\":\"connected\"}"),
      "json $.state is \"connected\"" },
    { "json $.state = CONNECTED", "200", "",
      ngx_string("{\"state\":\"CONNECTED2\"}"),
      "json $.state is \"CONNECTED2\"" },
    { "json $.state = CONNECTED", "200", "",
      ngx_string("{\"State\":\"CONNECTED\"}"), "json $.state is missing" },
    { "json $.state = CONNECTED", "200", "", ngx_string("{\"state\":{}}"),
      "json $.state is an object" },
    { "json $.state = CONNECTED", "200", "", ngx_string("{\"state\":[1]}"),
      "json $.state is an array" },
    { "json $.state = CONNECTED", "200", "", ngx_string("{\"state\":null}"),
      "json $.state is null" },
    { "json $.state = CONNECTED", "200", "", ngx_string("{\"state\":12.5}"),
      "json $.state is 12.5" },
    { "json $.state = CONNECTED", "200", "", ngx_string("{\"state\":false}"),
      "json $.state is false" },
    { "json $.state = CONNECTED", "200", "",
      ngx_string("{\"state\":\"a\\nb\\\"\\u0007\"}"),
      "json $.state is \"a?b\"?\"" },
    { "json $.state = CONNECTED", "200", "",
      ngx_string("{\"state\":\"\xff\xd9\x84\"}"),
      "json $.state is \"?\xd9\x84\"" },
    { "json $.state = CONNECTED", "200", "",
      ngx_string("{\"state\":\"123456789012345678901234567890123456789012345"
      "67890\"}"), "json $.state is \"123456789012345678901234567890123456789"
      "012345...\"" },
    { "json $.state = CONNECTED", "200", "",
      ngx_string("{\"state\":\"CONNECTED\\u0000\"}"), "body holds a NUL" },
    { "json $.state = CONNECTED", "200", "", ngx_string("OK"),
      "body is no JSON" },
    { "json $.state = CONNECTED", "200", "", ngx_string(""),
      "body is no JSON" },
    { "json $.state = CONNECTED", "200", "",
      ngx_string("{\"state\":\"CONNECTED\"}{}"), "body is no JSON" },
    { "json $.state = CONNECTED", "503", "",
      ngx_string("{\"state\":\"CONNECTED\"}"), "status 503" },
    { "status 503;json $.state = CONNECTED", "503", "",
      ngx_string("{\"state\":\"CONNECTED\"}"), NULL },
    { "json $.a = 1;json $.b = 2", "200", "", ngx_string("{\"a\":1,\"b\":2}"),
      NULL },
    { "json $.a = 1;json $.b = 2", "200", "", ngx_string("{\"a\":1,\"b\":3}"),
      "json $.b is 3" },

    { "json $.n = 200", "200", "", ngx_string("{\"n\":200}"), NULL },
    { "json $.n = 200", "200", "", ngx_string("{\"n\":\"200\"}"), NULL },
    { "json $.n = 200", "200", "", ngx_string("{\"n\":2e2}"), NULL },
    { "json $.n = 200", "200", "", ngx_string("{\"n\":201}"),
      "json $.n is 201" },
    { "json $.n = 200", "200", "", ngx_string("{\"n\":\"200.0\"}"),
      "json $.n is \"200.0\"" },
    { "json $.n = -1.5", "200", "", ngx_string("{\"n\":-1.5}"), NULL },
    { "json $.n = 0x", "200", "", ngx_string("{\"n\":0}"), "json $.n is 0" },
    { "json $.n = true", "200", "", ngx_string("{\"n\":true}"), NULL },
    { "json $.n = true", "200", "", ngx_string("{\"n\":\"true\"}"), NULL },
    { "json $.n = true", "200", "", ngx_string("{\"n\":1}"), "json $.n is 1" },
    { "json $.n = true", "200", "", ngx_string("{\"n\":false}"),
      "json $.n is false" },
    { "json $.n = 1", "200", "", ngx_string("{\"n\":true}"),
      "json $.n is true" },
    { "json $.n = null", "200", "", ngx_string("{\"n\":null}"), NULL },
    { "json $.n = null", "200", "", ngx_string("{}"), "json $.n is missing" },
    { "json $ = true", "200", "", ngx_string("true"), NULL },
    { "json $ = ok", "200", "", ngx_string("\"ok\""), NULL },
    { "json $[1] = 2", "200", "", ngx_string("[1,2]"), NULL },
    { "json $['a.b-c'] = 2", "200", "", ngx_string("{\"a.b-c\":2}"), NULL },
    { NULL, NULL, NULL, ngx_null_string, NULL }
};


void
wag_unit_expect(wag_unit_t *u)
{
    wag_unit_rules(u);
    wag_unit_cases(u);
}


static void
wag_unit_rules(wag_unit_t *u)
{
    char              got[256];
    ngx_int_t         rc;
    ngx_str_t         err;
    wag_expect_t      e;
    wag_unit_rule_t  *c;

    for (c = wag_unit_rule_cases; c->rule; c++) {

        if (wag_expect_init(&e, u->pool) != NGX_OK) {
            return;
        }

        ngx_str_null(&err);

        if (*c->rule) {
            rc = wag_unit_add(u, &e, c->rule, &err);

        } else {
            rc = wag_expect_add(&e, NULL, 0, &err);
        }

        *ngx_sprintf((u_char *) got, "%i %V", rc, &err) = '\0';

        if (c->error == NULL) {
            wag_unit_is(u, got, "0 ", c->rule);
            continue;
        }

        wag_unit_is(u, got + sizeof("-5 ") - 1, c->error, c->rule);
    }
}


static void
wag_unit_cases(wag_unit_t *u)
{
    char                     got[256], name[256];
    ngx_int_t                rc;
    ngx_str_t                err;
    wag_http_t              *h;
    wag_expect_t             e;
    wag_reason_t             reason;
    wag_unit_expect_case_t  *c;

    h = ngx_palloc(u->pool, sizeof(wag_http_t));
    if (h == NULL) {
        return;
    }

    for (c = wag_unit_expect_cases; c->rules; c++) {
        *ngx_snprintf((u_char *) name, 255, "[%s]: %s %s%V", c->rules,
                      c->status, c->header, &c->body) = '\0';
        for (rc = 0; name[rc]; rc++) {
            if (name[rc] < ' ' || name[rc] == '#') {
                name[rc] = '.';
            }
        }

        if (wag_expect_init(&e, u->pool) != NGX_OK
            || wag_unit_add(u, &e, c->rules, &err) != NGX_OK)
        {
            wag_unit_ok(u, 0, name);
            continue;
        }

        if (wag_unit_make(u, h, c) != NGX_OK) {
            wag_unit_is(u, "no answer", c->reason ? c->reason : "holds", name);
            continue;
        }

        rc = wag_expect_check(&e, h, &reason);

        *ngx_cpymem(got, reason.data, reason.len) = '\0';

        wag_unit_is(u, rc == NGX_OK ? "holds" : got,
                    c->reason ? c->reason : "holds", name);
    }

    *ngx_cpymem(got, "json $ = 1", 10) = '\0';

    if (wag_expect_init(&e, u->pool) != NGX_OK
        || wag_unit_add(u, &e, got, &err) != NGX_OK)
    {
        return;
    }

    h->status = 200;
    h->truncated = 1;

    rc = wag_expect_check(&e, h, &reason);

    *ngx_cpymem(got, reason.data, reason.len) = '\0';
    wag_unit_is(u, got, "body is too large for JSON",
                "a body that was not kept whole");
}


/* splits at blanks and semicolons, as nginx's own parser does */

static ngx_int_t
wag_unit_add(wag_unit_t *u, wag_expect_t *e, const char *rules, ngx_str_t *err)
{
    u_char     *p;
    ngx_int_t   rc;
    ngx_str_t   args[WAG_UNIT_MAX_ARGS];
    ngx_uint_t  n;

    p = (u_char *) rules;

    while (*p) {

        for (n = 0; *p && *p != ';'; n++) {
            args[n].data = p;

            while (*p && *p != ' ' && *p != ';') {
                p++;
            }

            args[n].len = p - args[n].data;

            while (*p == ' ') {
                p++;
            }
        }

        if (*p == ';') {
            p++;
        }

        rc = wag_expect_add(e, args, n, err);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    return NGX_OK;
}


static ngx_int_t
wag_unit_make(wag_unit_t *u, wag_http_t *h, wag_unit_expect_case_t *c)
{
    u_char    *p, text[2048];
    ngx_str_t  header, body;

    header.len = 1024;
    header.data = ngx_palloc(u->pool, header.len);
    body.len = 1024;
    body.data = ngx_palloc(u->pool, body.len);

    if (header.data == NULL || body.data == NULL) {
        return NGX_ERROR;
    }

    wag_http_init(h, &header, &body, 4096, 0);

    p = ngx_sprintf(text, "HTTP/1.1 %s OK\r\n%sContent-Length: %uz\r\n\r\n%V",
                    c->status, c->header, c->body.len, &c->body);

    return wag_http_parse(h, text, p);
}
