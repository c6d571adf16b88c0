
#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_body.h"
#include "wag_body_chain.h"
#include "wag_unit.h"


/* texts up to this are split at every offset */

#define WAG_UNIT_BODY_SPLIT  600

/* 63 characters */

#define NAME  "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz01234567890"


typedef struct {
    const char          *name;
    ngx_str_t            text;
    const char          *told;
} wag_unit_body_case_t;


static void wag_unit_body_case(wag_unit_t *u, ngx_str_t *member,
    ngx_uint_t nocase, wag_unit_body_case_t *c);
static void wag_unit_body_to(wag_unit_t *u, ngx_str_t *member,
    ngx_uint_t list, wag_unit_body_case_t *c);
static void wag_unit_body_lengths(wag_unit_t *u);
static void wag_unit_body_names(wag_unit_t *u);
static void wag_unit_body_large(wag_unit_t *u);
static void wag_unit_body_random(wag_unit_t *u);
static void wag_unit_body_chain(wag_unit_t *u);
static void wag_unit_body_chain_tell(wag_unit_t *u, ngx_chain_t *in,
    size_t size, const char *expected, const char *name);
static ngx_int_t wag_unit_body_piece(void *data, u_char *pos, u_char *last);
static void wag_unit_body_chain_unread(wag_unit_t *u, ngx_chain_t *in);
static void wag_unit_body_log(ngx_log_t *log, ngx_uint_t level, u_char *buf,
    size_t len);
static char *wag_unit_body_feed(ngx_str_t *member, ngx_uint_t nocase,
    ngx_str_t *text, size_t first, size_t step);
static char *wag_unit_body_tell(wag_body_t *b, ngx_int_t rc);


#define S(s)  ngx_string(s)


/* with the value in brackets; "~" behind it: it is cut */

static wag_unit_body_case_t  wag_unit_body_cases[] =
{
    { "the member", S("{\"session\":\"main\"}"), "(main)" },
    { "between others",
      S("{\"a\":1,\"session\":\"main\",\"b\":[2]}"), "(main)" },
    { "with blanks", S(" {\r\n\t\"session\" : \"main\" } \n"), "(main)" },
    { "not there", S("{\"chatId\":\"x\"}"), "()" },
    { "no members", S("{}"), "()" },
    { "a name in escapes", S("{\"sess\\u0069on\":\"main\"}"), "(main)" },
    { "a name all in escapes",
      S("{\"\\u0073\\u0065\\u0073\\u0073\\u0069\\u006F\\u006e\":\"main\"}"),
      "(main)" },
    { "a value in escapes", S("{\"session\":\"m\\u0061in\\/\\n\\ud83d\\ude00\""
      "}"), "(main/\\0a\xf0\x9f\x98\x80)" },
    { "a value with a NUL", S("{\"session\":\"main\\u0000x\"}"),
      "(main\\00x)" },
    { "a value in UTF-8", S("{\"session\":\"\xd8\xb9\xd9\x84\xd9\x8a\"}"),
      "(\xd8\xb9\xd9\x84\xd9\x8a)" },
    { "__proto__ is a name as others",
      S("{\"__proto__\":{\"session\":\"x\"},\"session\":\"main\","
        "\"__proto__\":\"y\"}"), "(main)" },
    { "other members may be there twice",
      S("{\"a\":1,\"session\":\"main\",\"a\":2}"), "(main)" },

    { "another case", S("{\"Session\":\"x\",\"SESSION\":\"y\"}"), "()" },
    { "another case beside it",
      S("{\"Session\":\"x\",\"session\":\"main\"}"), "(main)" },
    { "a name that begins so", S("{\"sessions\":\"x\"}"), "()" },
    { "a name that ends so", S("{\"xsession\":\"x\"}"), "()" },
    { "a name with a blank", S("{\"session \":\"x\",\" session\":\"y\"}"),
      "()" },
    { "a name with a NUL", S("{\"session\\u0000\":\"x\"}"), "()" },
    { "a name with an escape within",
      S("{\"sess\\\\u0069on\":\"x\",\"sessi\\u00f6n\":\"y\"}"), "()" },
    { "the empty name", S("{\"\":\"x\"}"), "()" },

    { "deeper, before", S("{\"a\":{\"session\":\"x\"},\"session\":\"main\"}"),
      "(main)" },
    { "deeper, behind",
      S("{\"session\":\"main\",\"a\":[{\"session\":\"x\"}]}"), "(main)" },
    { "only deeper", S("{\"a\":{\"session\":\"x\",\"b\":[{\"session\":1}]}}"),
      "()" },
    { "deeper, as the second",
      S("{\"a\":{\"b\":1,\"session\":\"x\"},\"session\":\"main\"}"),
      "(main)" },
    { "deeper, as the second in an array",
      S("{\"a\":[1,{\"b\":\"\",\"session\":\"x\"},2]}"), "()" },
    { "behind what is deeper",
      S("{\"a\":[[{}],{\"b\":{}}],\"session\":\"main\"}"), "(main)" },
    { "within a string", S("{\"text\":\"{\\\"session\\\":\\\"x\\\"}\"}"),
      "()" },
    { "within a string, closing the object",
      S("{\"text\":\"\\\"},\\\"session\\\":\\\"x\\\"\"}"), "()" },
    { "as a value", S("{\"a\":\"session\",\"b\":\"x\"}"), "()" },
    { "as an element", S("{\"a\":[\"session\",\"x\"]}"), "()" },

    { "twice", S("{\"session\":\"main\",\"session\":\"x\"}"),
      "declined: the member is given twice @18" },
    { "twice, alike", S("{\"session\":\"main\",\"session\":\"main\"}"),
      "declined: the member is given twice @18" },
    { "twice, by an escape", S("{\"session\":\"main\",\"sess\\u0069on\":\"x\"}"
      ), "declined: the member is given twice @18" },
    { "twice, the escape first",
      S("{\"\\u0073ession\":\"x\",\"session\":\"main\"}"),
      "declined: the member is given twice @20" },
    { "twice, with others between",
      S("{\"session\":\"main\",\"a\":{\"b\":[1]},\"session\":2}"),
      "declined: the member is given twice @32" },
    { "three times",
      S("{\"session\":\"a\",\"session\":\"b\",\"session\":\"c\"}"),
      "declined: the member is given twice @15" },
    { "twice, an object first",
      S("{\"session\":{\"session\":\"x\"},\"session\":\"main\"}"),
      "declined: the member is no string @11" },

    { "a number", S("{\"session\":12}"),
      "declined: the member is no string @11" },
    { "null", S("{\"session\":null}"),
      "declined: the member is no string @11" },
    { "true", S("{\"session\":true,\"a\":\"x\"}"),
      "declined: the member is no string @11" },
    { "an array", S("{\"session\":[\"main\"]}"),
      "declined: the member is no string @11" },
    { "an object", S("{\"session\":{\"session\":\"main\"}}"),
      "declined: the member is no string @11" },
    { "empty", S("{\"session\":\"\"}"), "declined: the member is empty @11" },
    { "an array as the body", S("[{\"session\":\"main\"}]"),
      "declined: the body is no JSON object @0" },
    { "a string as the body", S(" \"session\""),
      "declined: the body is no JSON object @1" },
    { "a number as the body", S("12"),
      "declined: the body is no JSON object @0" },
    { "null as the body", S("null"),
      "declined: the body is no JSON object @0" },

    { "nothing", S(""), "error: invalid JSON: no value @0" },
    { "cut short", S("{\"session\":\"main\""),
      "error: invalid JSON: it is cut short @17" },
    { "more behind it", S("{\"session\":\"main\"}{}"),
      "error: invalid JSON: more than one value @18" },
    { "a comma too many", S("{\"session\":\"main\",}"),
      "error: invalid JSON: no name @18" },
    { "a comment", S("{/**/\"session\":\"main\"}"),
      "error: invalid JSON: no name @1" },
    { "other quotes", S("{'session':'main'}"),
      "error: invalid JSON: no name @1" },
    { "a byte order mark", S("\xef\xbb\xbf{\"session\":\"main\"}"),
      "error: invalid JSON: no value @0" },
    { "UTF-16", S("{\0\"\0s\0\"\0:\0001\0}\0"),
      "error: invalid JSON: no name @1" },
    { "invalid UTF-8", S("{\"session\":\"main\",\"a\":\"\xc0\xaf\"}"),
      "error: invalid JSON: invalid UTF-8 @23" },
    { "a lone surrogate", S("{\"session\":\"\\ud800\"}"),
      "error: invalid JSON: lone surrogate @18" },
    { "a form", S("session=main"), "error: invalid JSON: no value @0" },
    { "what is declined, and no JSON", S("{\"session\":1,\"session\":}"),
      "error: invalid JSON: no value @23" }
};


/* by the rules of Go */

static wag_unit_body_case_t  wag_unit_body_nocase[] =
{
    { "the member", S("{\"session\":\"main\"}"), "(main)" },
    { "another case", S("{\"sEssiOn\":\"Main\"}"), "(Main)" },
    { "another case, by an escape", S("{\"sess\\u0049on\":\"main\"}"),
      "(main)" },
    { "a long s, as the escape and itself",
      S("{\"\\u017fes\xc5\xbf" "ion\":\"main\"}"), "(main)" },
    { "only the letters of the name",
      S("{\"sess\xc4\xb1on\":\"x\",\"sess\xc4\xb0on\":\"y\",\"zession\":1,"
        "\"se\xe2\x84\xaasion\":2,\"session\xc5\xbf\":3,\"sessio\":4,"
        "\"\xc5\xbf\":5}"), "()" },
    { "twice, but for the case", S("{\"session\":\"main\",\"Session\":\"x\"}"),
      "declined: the member is given twice @18" },
    { "twice, but for a long s",
      S("{\"session\":\"main\",\"sess\\u0130on\":1,\"\\u017fession\":\"x\"}"),
      "declined: the member is given twice @35" },
    { "deeper", S("{\"a\":{\"SESSION\":\"x\"}}"), "()" }
};


/* a session, and "phone"; the recipient is in brackets behind */

static wag_unit_body_case_t  wag_unit_body_tos[] =
{
    { "both", S("{\"session\":\"main\",\"phone\":\"1\"}"), "(main) (1)" },
    { "the other way round", S("{\"phone\":\"1\",\"session\":\"main\"}"),
      "(main) (1)" },
    { "none", S("{\"a\":{\"phone\":\"1\"}}"), "() ()" },
    { "a recipient", S("{\"a\":[\"x\"],\"phone\":\"1\",\"b\":[\"y\"]}"),
      "() (1)" },
    { "any case, in escapes", S("{\"\\u0050Hone\":\"\\u0031\"}"), "() (1)" },
    { "twice", S("{\"phone\":\"1\",\"Phone\":\"2\"}"),
      "() the recipient is given twice @13" },
    { "twice is wrong after what is wrong",
      S("{\"phone\":1,\"Phone\":\"2\"}"),
      "() the recipient is no string @9" },
    { "null", S("{\"phone\":null}"), "() the recipient is no string @9" },
    { "an object", S("{\"phone\":{\"phone\":\"1\"}}"),
      "() the recipient is no string @9" },
    { "empty", S("{\"phone\":\"\"}"), "() the recipient is empty @9" },
    { "too long", S("{\"phone\":\"" NAME NAME NAME "\"}"),
      "() the recipient is too long @9" },
    { "the session is twice",
      S("{\"session\":\"a\",\"phone\":\"1\",\"session\":\"b\"}"),
      "declined: the member is given twice @27" },
    { "no object", S("[\"phone\",\"1\"]"),
      "declined: the body is no JSON object @0" }
};


static wag_unit_body_case_t  wag_unit_body_alone[] =
{
    { "an array", S("{\"phone\":[\"1\"]}"),
      "() the recipient is no string @9" }
};


static wag_unit_body_case_t  wag_unit_body_lists[] =
{
    { "no list", S("{\"phone\":\"1\"}"), "() (1)" },
    { "of one", S("{\"phone\":[\"1\"],\"session\":\"main\"}"),
      "(main) (1)" },
    { "of one, of some length",
      S("{\"phone\":[ \"" NAME "\" ],\"b\":[\"x\"]}"),
      "() (" NAME ")" },
    { "of none", S("{\"phone\":[],\"a\":[\"x\"]}"), "() ()" },
    { "of two", S("{\"phone\":[\"1\",\"2\"]}"),
      "() there are several recipients @14" },
    { "of the same twice", S("{\"phone\":[\"1\",\"1\"]}"),
      "() there are several recipients @14" },
    { "and another", S("{\"phone\":[\"1\"],\"PHONE\":\"2\"}"),
      "() the recipient is given twice @15" },
    { "of a list", S("{\"phone\":[[\"1\"]]}"),
      "() the recipient is no string @10" },
    { "of a list behind", S("{\"phone\":[\"1\",[\"2\"]]}"),
      "() the recipient is no string @14" },
    { "of an object", S("{\"phone\":[{\"phone\":\"1\"}]}"),
      "() the recipient is no string @10" },
    { "of numbers", S("{\"phone\":[1]}"),
      "() the recipient is no string @10" },
    { "of an empty one", S("{\"phone\":[\"\"]}"),
      "() the recipient is empty @10" },
    { "of an empty one and another", S("{\"phone\":[\"\",\"1\"]}"),
      "() the recipient is empty @10" }
};


void
wag_unit_body(wag_unit_t *u)
{
    ngx_str_t    member;
    ngx_uint_t   i, n;

    ngx_str_set(&member, "session");

    n = sizeof(wag_unit_body_cases) / sizeof(wag_unit_body_case_t);

    for (i = 0; i < n; i++) {
        wag_unit_body_case(u, &member, 0, &wag_unit_body_cases[i]);
    }

    n = sizeof(wag_unit_body_nocase) / sizeof(wag_unit_body_case_t);

    for (i = 0; i < n; i++) {
        wag_unit_body_case(u, &member, 1, &wag_unit_body_nocase[i]);
    }

    for (i = 0; i < sizeof(wag_unit_body_tos) / sizeof(*wag_unit_body_tos);
         i++)
    {
        wag_unit_body_to(u, &member, i % 2, &wag_unit_body_tos[i]);
    }

    wag_unit_body_to(u, &member, 0, wag_unit_body_alone);

    for (i = 0; i < sizeof(wag_unit_body_lists) / sizeof(*wag_unit_body_lists);
         i++)
    {
        wag_unit_body_to(u, &member, 1, &wag_unit_body_lists[i]);
    }

    wag_unit_body_lengths(u);
    wag_unit_body_names(u);
    wag_unit_body_large(u);
    wag_unit_body_random(u);
    wag_unit_body_chain(u);
}


static void
wag_unit_body_case(wag_unit_t *u, ngx_str_t *member, ngx_uint_t nocase,
    wag_unit_body_case_t *c)
{
    char        *got, name[256];
    size_t       i, step;
    ngx_uint_t   pass;

    for (step = 0; step < 2; step++) {
        *ngx_sprintf((u_char *) name, "%s%s%s", c->name,
                     nocase ? ", any case" : "",
                     step ? ", byte by byte" : "") = '\0';

        got = wag_unit_body_feed(member, nocase, &c->text,
                                 step ? 1 : c->text.len, 1);
        pass = wag_unit_is(u, got, c->told, name);
        free(got);
    }

    for (i = 1;
         i < c->text.len && c->text.len <= WAG_UNIT_BODY_SPLIT && pass;
         i++)
    {
        got = wag_unit_body_feed(member, nocase, &c->text, i, c->text.len);
        pass = ngx_strcmp(got, c->told) == 0;

        if (!pass) {
            *ngx_sprintf((u_char *) name, "%s, split at %uz", c->name, i)
                = '\0';
            wag_unit_is(u, got, c->told, name);
        }

        free(got);
    }
}


/* split everywhere, in pieces and byte by byte */

static void
wag_unit_body_to(wag_unit_t *u, ngx_str_t *member, ngx_uint_t list,
    wag_unit_body_case_t *c)
{
    u_char         *part, *p, name[256], told[512];
    size_t          first, i, n;
    ngx_int_t       rc;
    ngx_uint_t      pass;
    wag_body_t      b;
    wag_body_to_t   to;

    static ngx_str_t  phone = ngx_string("phone");

    pass = 1;

    for (first = 0; first <= c->text.len && pass; first++) {

        ngx_memset(&to, 0xa5, sizeof(wag_body_to_t));

        wag_body_init(&b, member);
        wag_body_init_to(&b, &to, &phone);
        to.list = list ? 1 : 0;

        for (i = 0; i < c->text.len; i += n) {
            n = first ? ((i == 0) ? first : c->text.len) : 1;
            n = ngx_min(n, c->text.len - i);

            part = malloc(n);
            ngx_memcpy(part, c->text.data + i, n);

            (void) wag_body_parse(&b, part, part + n);

            free(part);
        }

        rc = wag_body_end(&b);

        if (rc != NGX_OK) {
            p = ngx_sprintf(told, "%s: %s @%O",
                            (rc == NGX_DECLINED) ? "declined" : "error",
                            b.error, b.offset);

        } else if (to.error) {
            p = ngx_sprintf(told, "(%V) %s @%O", &b.value, to.error,
                            to.offset);

        } else {
            p = ngx_sprintf(told, "(%V) (%V)", &b.value, &to.value);
        }

        *p = '\0';

        pass = ngx_strcmp(told, c->told) == 0;
    }

    *ngx_sprintf(name, "a recipient: %s", c->name) = '\0';

    wag_unit_is(u, (char *) told, c->told, (char *) name);
}


/* a value has 128 bytes; what is longer has whole characters of them */

static void
wag_unit_body_lengths(wag_unit_t *u)
{
    u_char      *p, text[512], told[512];
    size_t       len;
    ngx_str_t    member;
    ngx_uint_t   i;

    wag_unit_body_case_t  c;

    static size_t  lengths[] = { 1, 127, 128, 129, 130, 400 };

    ngx_str_set(&member, "session");

    c.name = "a value of some length";
    c.text.data = text;
    c.told = (char *) told;

    for (i = 0; i < sizeof(lengths) / sizeof(size_t); i++) {
        p = ngx_sprintf(text, "{\"session\":\"");

        for (len = 0; len < lengths[i]; len++) {
            *p++ = (u_char) ('a' + len % 26);
        }

        p = ngx_cpymem(p, "\"}", 2);
        c.text.len = p - text;

        *ngx_sprintf(told, "(%*s)%s", (size_t) ngx_min(lengths[i], 128),
                     text + 12, lengths[i] > 128 ? "~" : "") = '\0';

        wag_unit_body_case(u, &member, 0, &c);
    }

    c.name = "a value that is cut by characters";

    p = ngx_sprintf(text, "{\"session\":\"x");

    for (len = 0; len < 64; len++) {
        p = ngx_cpymem(p, "\xd9\x84", 2);
    }

    p = ngx_cpymem(p, "\"}", 2);
    c.text.len = p - text;

    *ngx_sprintf(told, "(%*s)~", (size_t) 127, text + 12) = '\0';

    wag_unit_body_case(u, &member, 0, &c);
}


static void
wag_unit_body_names(wag_unit_t *u)
{
    u_char      *p, text[512];
    ngx_str_t    member;
    ngx_uint_t   i;

    wag_unit_body_case_t  c;

    static ngx_str_t  empty = ngx_string("");
    static ngx_str_t  proto = ngx_string("__proto__");
    static ngx_str_t  longest = ngx_string(NAME "z");
    static ngx_str_t  longer = ngx_string(NAME "zz");

    static wag_unit_body_case_t  none = {
        "the empty name", S("{\"\":\"main\",\"a\":\"x\"}"), "(main)"
    };

    static wag_unit_body_case_t  special = {
        "a name as others", S("{\"session\":1,\"__proto__\":\"main\"}"),
        "(main)"
    };

    static wag_unit_body_case_t  long_name = {
        "a name of 64 bytes",
        S("{\"" NAME "z\":\"main\",\"" NAME "\":1,\"" NAME "zz\":2}"), "(main)"
    };

    static wag_unit_body_case_t  too_long = {
        "a name of 65 bytes", S("{\"" NAME "zz\":\"main\"}"),
        "error: the member's name is too long @0"
    };

    wag_unit_body_case(u, &empty, 0, &none);
    wag_unit_body_case(u, &proto, 0, &special);
    wag_unit_body_case(u, &longest, 0, &long_name);
    wag_unit_body_case(u, &longest, 1, &long_name);
    wag_unit_body_case(u, &longer, 0, &too_long);

    /* each letter is one of three bytes */

    c.name = "64 Kelvin signs";
    c.told = "(main)";

    p = ngx_cpymem(text, "{\"", 2);

    for (i = 0; i < 64; i++) {
        p = ngx_cpymem(p, "\xe2\x84\xaa", 3);
    }

    p = ngx_cpymem(p, "\":\"main\"}", 9);

    c.text.data = text;
    c.text.len = p - text;

    ngx_str_set(&member, "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"
                         "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk");

    wag_unit_body_case(u, &member, 1, &c);
}


/* 1 MB before it, by pieces of several sizes; more of the object behind it */

static void
wag_unit_body_large(wag_unit_t *u)
{
    char       *got;
    u_char     *p;
    size_t      step;
    ngx_str_t   text, member;

    ngx_str_set(&member, "session");

    text.data = ngx_palloc(u->pool, 1048576 + 256);

    p = ngx_sprintf(text.data, "{\"file\":{\"session\":\"x\",\"data\":\"");
    ngx_memset(p, 'A', 1048576);
    p = ngx_sprintf(p + 1048576, "\"},\"session\":\"main\"");

    text.len = ngx_sprintf(p, ",\"a\":1}") - text.data;

    for (step = 7; step < 3000000; step = step * 31 + 1) {
        got = wag_unit_body_feed(&member, 0, &text, step, step);
        wag_unit_is(u, got, "(main)", "a large body");
        free(got);
    }

    text.len = ngx_sprintf(p, ",\"session\":\"x\"}") - text.data;

    got = wag_unit_body_feed(&member, 0, &text, 16384, 16384);
    wag_unit_is(u, got, "declined: the member is given twice @1048627",
                "a large body, twice");
    free(got);

    wag_unit_ok(u, sizeof(wag_body_t) < 1024, "the reader is small");
}


/* "+": it is JSON, "-": it is not */

static void
wag_unit_body_random(wag_unit_t *u)
{
    char        *got, *whole, name[64];
    size_t       step;
    ngx_str_t    fields[4], member, text, told;
    ngx_uint_t   n, pass, nocase, error;

    for (n = 0; wag_unit_record(u, fields, 4); n++) {
        nocase = fields[0].data[0] == '1';
        member = fields[1];
        text = fields[2];
        told = fields[3];

        whole = wag_unit_body_feed(&member, nocase, &text, text.len, 1);

        if (told.len == 1) {
            error = ngx_strncmp(whole, "error", 5) == 0;
            pass = (told.data[0] == '-') == error;

        } else {
            pass = ngx_strlen(whole) >= told.len
                   && ngx_strncmp(whole, told.data, told.len) == 0;
        }

        for (step = 1; step < 40 && pass; step += 12) {
            got = wag_unit_body_feed(&member, nocase, &text, step, step);
            pass = ngx_strcmp(got, whole) == 0;
            free(got);
        }

        if (!pass) {
            *ngx_sprintf((u_char *) name, "random body %ui", n) = '\0';
            wag_unit_ok(u, 0, name);
            printf("# body: %.*s\n# told: %.*s\n# got: %s\n", (int) text.len,
                   text.data, (int) told.len, told.data, whole);
        }

        free(whole);
    }

    wag_unit_ok(u, n > 1000, "random bodies are read as they were made");
}


/* "{"session":"main"," in memory, the rest in a file, between other bytes */

static void
wag_unit_body_chain(wag_unit_t *u)
{
    ngx_buf_t    bufs[3];
    ngx_fd_t     fd;
    ngx_str_t    name;
    ngx_uint_t   i;
    ngx_file_t   file;
    ngx_chain_t  in[3];

    static char  head[] = "{\"session\":\"main\",";
    static char  rest[] = "#####\"text\":\"hello, world\"}#####";

    ngx_memzero(&file, sizeof(ngx_file_t));
    ngx_memzero(bufs, sizeof(bufs));

    ngx_str_set(&name, "body");

    fd = fileno(tmpfile());

    file.fd = fd;
    file.name = name;
    file.log = u->log;
    file.offset = 77;

    wag_unit_ok(u, pwrite(fd, rest, sizeof(rest) - 1, 0)
                   == (ssize_t) sizeof(rest) - 1, "a body in a file");

    for (i = 0; i < 3; i++) {
        in[i].buf = &bufs[i];
        in[i].next = (i < 2) ? &in[i + 1] : NULL;
    }

    bufs[0].pos = (u_char *) head;
    bufs[0].last = bufs[0].pos + sizeof(head) - 1;
    bufs[0].memory = 1;

    bufs[1].file = &file;
    bufs[1].file_pos = 5;
    bufs[1].file_last = sizeof(rest) - 6;
    bufs[1].in_file = 1;

    bufs[2].last_buf = 1;

    wag_unit_body_chain_tell(u, in, 65536, "(main)", "memory and a file");
    wag_unit_body_chain_tell(u, in, 22, "(main)", "a file in one piece");
    wag_unit_body_chain_tell(u, in, 7, "(main)", "a file in pieces");
    wag_unit_body_chain_tell(u, in, 1, "(main)", "a file byte by byte");

    wag_unit_ok(u, bufs[0].pos == (u_char *) head
                   && bufs[0].last == bufs[0].pos + sizeof(head) - 1
                   && bufs[1].file_pos == 5
                   && bufs[1].file_last == sizeof(rest) - 6
                   && file.offset == 77,
                "the buffers and the file stay as they are");

    bufs[1].file_last++;

    wag_unit_body_chain_tell(u, in, 7,
                             "error: invalid JSON: more than one value @40",
                             "what is wrong, in a file");

    bufs[1].file_last--;

    wag_unit_body_chain_unread(u, in);

    /* a file with a copy in memory, which is nearer */

    file.fd = NGX_INVALID_FILE;

    bufs[1].pos = (u_char *) rest + 5;
    bufs[1].last = (u_char *) rest + sizeof(rest) - 6;
    bufs[1].temporary = 1;

    wag_unit_body_chain_tell(u, in, 7, "(main)", "in memory and in a file");

    wag_unit_body_chain_tell(u, NULL, 7, "error: invalid JSON: no value @0",
                             "no body");
}


static void
wag_unit_body_chain_tell(wag_unit_t *u, ngx_chain_t *in, size_t size,
    const char *expected, const char *name)
{
    char        *got;
    ngx_int_t    rc;
    ngx_str_t    member;
    wag_body_t   b;

    ngx_str_set(&member, "session");

    wag_body_init(&b, &member);

    rc = wag_body_chain(in, size, u->log, wag_unit_body_piece, &b);

    wag_unit_ok(u, rc == (b.error ? NGX_DECLINED : NGX_AGAIN), name);

    got = wag_unit_body_tell(&b, wag_body_end(&b));
    wag_unit_is(u, got, expected, name);

    free(got);
}


static ngx_int_t
wag_unit_body_piece(void *data, u_char *pos, u_char *last)
{
    return (wag_body_parse(data, pos, last) == NGX_ERROR) ? NGX_DECLINED
                                                          : NGX_AGAIN;
}


static void
wag_unit_body_chain_unread(wag_unit_t *u, ngx_chain_t *in)
{
    u_char       text[512];
    off_t        last;
    ngx_fd_t     fd;
    ngx_log_t    log;
    ngx_str_t    member, logged;
    wag_body_t   b;
    ngx_file_t  *file;

    ngx_memzero(&log, sizeof(ngx_log_t));

    logged.data = text;

    log.log_level = NGX_LOG_CRIT;
    log.writer = wag_unit_body_log;
    log.wdata = &logged;

    ngx_str_set(&member, "session");

    file = in->next->buf->file;
    file->log = &log;

    last = in->next->buf->file_last;
    in->next->buf->file_last = last + 40;

    wag_body_init(&b, &member);

    logged.len = 0;

    /* the text is whole, so that nothing but the end of the file ends it */

    wag_unit_ok(u, pwrite(file->fd, "     ", 5, last) == 5
                   && wag_body_chain(in, 64, u->log, wag_unit_body_piece, &b)
                      == NGX_ERROR
                   && b.error == NULL,
                "a file that ends early");

    text[logged.len] = '\0';
    wag_unit_ok(u, ngx_strstr(text, "wa_gateway: request body in \"body\" "
                              "ends at 32, not at 67") != NULL,
                "that is logged");

    in->next->buf->file_last = last;

    fd = file->fd;
    file->fd = NGX_INVALID_FILE;

    wag_body_init(&b, &member);

    logged.len = 0;

    wag_unit_ok(u, wag_body_chain(in, 64, u->log, wag_unit_body_piece, &b)
                   == NGX_ERROR
                   && b.error == NULL,
                "a file that cannot be read");

    text[logged.len] = '\0';
    wag_unit_ok(u, ngx_strstr(text, "\"body\" failed") != NULL,
                "that is logged too");

    file->fd = fd;
    file->log = u->log;
}


static void
wag_unit_body_log(ngx_log_t *log, ngx_uint_t level, u_char *buf, size_t len)
{
    ngx_str_t  *logged;

    logged = log->wdata;

    logged->len = ngx_min(len, 511);
    ngx_memcpy(logged->data, buf, logged->len);
}


static char *
wag_unit_body_feed(ngx_str_t *member, ngx_uint_t nocase, ngx_str_t *text,
    size_t first, size_t step)
{
    u_char      *part;
    size_t       i, n;
    ngx_int_t    rc;
    wag_body_t   b;

    wag_body_init(&b, member);
    b.nocase = nocase ? 1 : 0;

    rc = NGX_AGAIN;
    n = first;

    for (i = 0; i < text->len && rc == NGX_AGAIN; i += n, n = step) {
        n = ngx_min(n, text->len - i);

        part = malloc(n);
        ngx_memcpy(part, text->data + i, n);

        rc = wag_body_parse(&b, part, part + n);

        free(part);
    }

    if (rc == NGX_ERROR && (b.error == NULL || b.value.len)) {
        return strdup("an error without a word, or with a value");
    }

    /* what is wrong stays wrong */

    return wag_unit_body_tell(&b, wag_body_end(&b));
}


static char *
wag_unit_body_tell(wag_body_t *b, ngx_int_t rc)
{
    u_char  *p, *told;

    told = malloc(1024);

    if (rc == NGX_OK) {
        *told = '(';
        p = wag_unit_text(told + 1, b->value.data, b->value.len);
        p = ngx_sprintf(p, ")%s", b->cut ? "~" : "");

    } else {
        p = ngx_sprintf(told, "%s: %s @%O%s",
                        (rc == NGX_DECLINED) ? "declined" : "error",
                        b->error, b->offset,
                        b->value.len ? " with a value" : "");
    }

    *p = '\0';

    return (char *) told;
}
