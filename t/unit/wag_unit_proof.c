
#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_proof.h"
#include "wag_unit_vendor.h"


#define WAG_UNIT_PROOF_LARGE  (2 * 1024 * 1024)


typedef struct {
    const char          *name;
    const char          *vendor;
    ngx_uint_t           status;
    ngx_str_t            answer;
    const char          *proved;
} wag_unit_proof_case_t;


static void wag_unit_proof_case(wag_unit_t *u, wag_unit_proof_case_t *c);
static void wag_unit_proof_large(wag_unit_t *u);
static void wag_unit_proof_body(wag_unit_t *u);
static char *wag_unit_proof_feed(wag_unit_t *u, wag_vendor_t *vendor,
    ngx_uint_t status, ngx_str_t *answer, size_t first, size_t step);


#define S(s)  ngx_string(s)
#define N     ngx_null_string

#define SENT    "sent 200,201 id=$.id id=$.id.s id=$.list[0].id "             \
                "unless=$.fail:true,1 unless=$.ack:-1\n"
#define UNSENT  SENT                                                          \
                "unsent session 401 $.code:AUTH,-\n"                          \
                "unsent session 403-404\n"                                    \
                "unsent message 400 $.code:BAD $.known:false\n"               \
                "unsent message 400 $.message[0].exists:false\n"              \
                "unsent paced 429\n"                                          \
                "unsent session 200 $['a:b']:x:y\n"


static wag_unit_proof_case_t  wag_unit_proof_cases[] = {

    { "an id", SENT, 200, S("{\"id\":\"abc\"}"), "sent abc json" },
    { "a number", SENT, 201, S("{\"id\":12}"), "sent 12 json" },
    { "an id within an object", SENT, 200, S("{\"id\":{\"s\":\"abc\"}}"),
      "sent abc json" },
    { "an id in an array", SENT, 200, S("{\"list\":[{\"id\":\"x\"}]}"),
      "sent x json" },
    { "the first that is there", SENT, 200,
      S("{\"list\":[{\"id\":\"x\"}],\"id\":\"y\"}"), "sent y json" },
    { "an escaped one", SENT, 200, S("{\"\\u0069d\":\"a\\u0062\\\"\"}"),
      "sent ab\" json" },
    { "another status", SENT, 202, S("{\"id\":\"abc\"}"), "none json" },
    { "an error with an id", SENT, 500, S("{\"id\":\"abc\",\"success\":true}"),
      "none json" },
    { "an empty id", SENT, 200, S("{\"id\":\"\"}"), "none json" },
    { "an empty id and another", SENT, 200,
      S("{\"id\":\"\",\"list\":[{\"id\":\"x\"}]}"), "sent x json" },
    { "null", SENT, 200, S("{\"id\":null}"), "none json" },
    { "true", SENT, 200, S("{\"id\":true}"), "none json" },
    { "an array", SENT, 200, S("{\"id\":[\"abc\"]}"), "none json" },
    { "no id", SENT, 200, S("{\"success\":true}"), "none json" },
    { "no object", SENT, 200, S("\"id\""), "none json" },
    { "an empty answer", SENT, 201, N, "none" },
    { "blanks", SENT, 201, S(" \n "), "none" },
    { "no JSON", SENT, 200, S("ok"), "none" },
    { "no JSON behind the id", SENT, 200, S("{\"id\":\"abc\"}x"), "none" },
    { "cut short behind the id", SENT, 200, S("{\"id\":\"abc\","), "none" },
    { "the last of two", SENT, 200, S("{\"id\":\"a\",\"id\":null}"),
      "none json" },
    { "it failed", SENT, 200, S("{\"id\":\"abc\",\"fail\":true}"),
      "none json" },
    { "it failed, another spelling", SENT, 200,
      S("{\"fail\":1,\"id\":\"abc\"}"), "none json" },
    { "it failed, another member", SENT, 200,
      S("{\"id\":\"abc\",\"ack\":-1}"), "none json" },
    { "it did not fail", SENT, 200,
      S("{\"id\":\"abc\",\"fail\":false,\"ack\":1}"), "sent abc json" },
    { "no scalar", SENT, 200, S("{\"id\":\"abc\",\"fail\":[true]}"),
      "sent abc json" },

    { "by status alone", UNSENT, 404, S("<html>"), "session" },
    { "by status alone, JSON", UNSENT, 403, S("{}"), "session json" },
    { "by status alone, no body", UNSENT, 404, N, "session" },
    { "by status alone, cut short", UNSENT, 404, S("{\"a\":"), "session" },
    { "paced", UNSENT, 429, S("{\"id\":\"abc\"}"), "paced json" },
    { "a value", UNSENT, 401, S("{\"code\":\"AUTH\"}"), "session json" },
    { "another value", UNSENT, 401, S("{\"code\":\"AUTHS\"}"), "none json" },
    { "no value", UNSENT, 401, S("{\"status\":401}"), "session json" },
    { "plain text", UNSENT, 401, S("Unauthorized"), "session" },
    { "nothing", UNSENT, 401, N, "session" },
    { "an object where a text should be", UNSENT, 401, S("{\"code\":{}}"),
      "none json" },
    { "cut short before the value", UNSENT, 401, S("{\"a\":1,"), "none" },
    { "cut short behind the value", UNSENT, 401, S("{\"code\":\"AUTH\""),
      "none" },
    { "wrong behind the value", UNSENT, 401, S(" {\"code\":\"AUTH\"}}"),
      "none" },
    { "all of a line", UNSENT, 400, S("{\"known\":false,\"code\":\"BAD\"}"),
      "message json" },
    { "one of a line", UNSENT, 400, S("{\"known\":true,\"code\":\"BAD\"}"),
      "none json" },
    { "a text that spells it", UNSENT, 400,
      S("{\"known\":\"false\",\"code\":\"BAD\"}"), "message json" },
    { "another line", UNSENT, 400, S("{\"message\":[{\"exists\":false}]}"),
      "message json" },
    { "another status", UNSENT, 500, S("{\"message\":[{\"exists\":false}]}"),
      "none json" },
    { "a name and a value with colons", UNSENT, 200, S("{\"a:b\":\"x:y\"}"),
      "session json" },
    { "sent goes before", UNSENT, 200, S("{\"a:b\":\"x:y\",\"id\":1}"),
      "sent 1 json" },
    { "no rules", "timeout 1s\n", 200, S("{\"id\":\"abc\"}"), "none json" },

    { NULL, NULL, 0, N, NULL }
};


void
wag_unit_proof(wag_unit_t *u)
{
    wag_unit_proof_case_t  *c;

    for (c = wag_unit_proof_cases; c->name; c++) {
        wag_unit_proof_case(u, c);
    }

    wag_unit_proof_large(u);
    wag_unit_proof_body(u);
}


static void
wag_unit_proof_case(wag_unit_t *u, wag_unit_proof_case_t *c)
{
    char          *got, name[128];
    size_t         i;
    ngx_uint_t     pass;
    wag_vendor_t  *vendor;

    vendor = wag_unit_vendor(u, c->vendor);
    if (vendor == NULL) {
        wag_unit_ok(u, 0, c->name);
        return;
    }

    got = wag_unit_proof_feed(u, vendor, c->status, &c->answer, c->answer.len,
                              1);

    if (!wag_unit_is(u, got, c->proved, c->name)) {
        return;
    }

    got = wag_unit_proof_feed(u, vendor, c->status, &c->answer, 1, 1);
    pass = ngx_strcmp(got, c->proved) == 0;

    for (i = 1; i < c->answer.len && pass; i++) {
        got = wag_unit_proof_feed(u, vendor, c->status, &c->answer, i,
                                  c->answer.len);
        pass = ngx_strcmp(got, c->proved) == 0;
    }

    *ngx_sprintf((u_char *) name, "%s, split", c->name) = '\0';

    wag_unit_is(u, got, c->proved, name);
}


/* the message itself may come back, before and behind the id */

static void
wag_unit_proof_large(wag_unit_t *u)
{
    char          *got;
    u_char        *p;
    size_t         step;
    ngx_str_t      answer;
    ngx_uint_t     pass;
    wag_vendor_t  *vendor;

    vendor = wag_unit_vendor(u, UNSENT);
    answer.data = ngx_palloc(u->pool, WAG_UNIT_PROOF_LARGE + 1024);

    if (vendor == NULL || answer.data == NULL) {
        wag_unit_ok(u, 0, "a large answer");
        return;
    }

    p = ngx_cpymem(answer.data, "{\"file\":\"", 9);
    ngx_memset(p, 'A', WAG_UNIT_PROOF_LARGE / 2);
    p = ngx_cpymem(p + WAG_UNIT_PROOF_LARGE / 2, "\",\"id\":\"abc\",\"f\":\"",
                   18);
    ngx_memset(p, 'B', WAG_UNIT_PROOF_LARGE / 2);
    p = ngx_cpymem(p + WAG_UNIT_PROOF_LARGE / 2, "\"}", 2);

    answer.len = p - answer.data;
    pass = 1;

    for (step = 1; step < 2 * WAG_UNIT_PROOF_LARGE && pass; step *= 64) {
        got = wag_unit_proof_feed(u, vendor, 200, &answer, step, step);
        pass = wag_unit_is(u, got, "sent abc json", "a large answer");
    }

    answer.len--;
    got = wag_unit_proof_feed(u, vendor, 200, &answer, 4096, 4096);
    wag_unit_is(u, got, "none", "a large answer, cut short");

    /* an id of any length is one */

    p = ngx_cpymem(answer.data, "{\"id\":\"", 7);
    ngx_memset(p, 'i', 300);
    p = ngx_cpymem(p + 300, "\"}", 2);
    answer.len = p - answer.data;

    got = wag_unit_proof_feed(u, vendor, 200, &answer, answer.len, 1);
    wag_unit_ok(u, ngx_strlen(got) == sizeof("sent  json") - 1
                                      + WAG_PROOF_TEXT_LEN,
                "a long id");
}


static void
wag_unit_proof_body(wag_unit_t *u)
{
    ngx_uint_t     i, pass;
    wag_vendor_t  *vendor;

    static ngx_int_t  cases[][2] = {
        { 200, NGX_AGAIN }, { 201, NGX_DECLINED }, { 400, NGX_AGAIN },
        { 401, NGX_AGAIN }, { 402, NGX_DECLINED }, { 403, NGX_OK },
        { 404, NGX_OK }, { 405, NGX_DECLINED }, { 429, NGX_OK },
        { 500, NGX_DECLINED }
    };

    vendor = wag_unit_vendor(u, UNSENT "unsent session 401\n");
    pass = (vendor != NULL);

    for (i = 0; pass && i < sizeof(cases) / sizeof(cases[0]); i++) {
        pass = wag_proof_needs_body(vendor, cases[i][0]) == cases[i][1];
    }

    wag_unit_ok(u, pass, "which statuses need the body");

    wag_unit_ok(u, vendor && vendor->proof_paths.nelts == 9,
                "a path that is given twice is looked for once");
    wag_unit_ok(u, sizeof(wag_proof_t) < 4096, "a proof is small");
}


static char *
wag_unit_proof_feed(wag_unit_t *u, wag_vendor_t *vendor, ngx_uint_t status,
    ngx_str_t *answer, size_t first, size_t step)
{
    u_char       *p, *part;
    size_t        i, n;
    ngx_uint_t    outcome;
    ngx_pool_t   *pool;
    wag_proof_t   proof;

    static u_char       got[1024];
    static const char  *names[] = { "none", "sent ", "session", "message",
                                    "paced" };

    pool = ngx_create_pool(4096, u->log);

    if (pool == NULL
        || wag_proof_init(&proof, pool, vendor, status) != NGX_OK)
    {
        return "no memory";
    }

    n = ngx_min(first, answer->len);

    for (i = 0; i < answer->len; i += n, n = step) {
        n = ngx_min(n, answer->len - i);

        part = malloc(n);
        ngx_memcpy(part, answer->data + i, n);

        wag_proof_parse(&proof, part, part + n);

        free(part);
    }

    outcome = wag_proof_end(&proof);

    p = ngx_sprintf(got, "%s", names[outcome]);
    p = wag_unit_text(p, proof.id.data, proof.id.len);
    *ngx_sprintf(p, "%s", proof.json ? " json" : "") = '\0';

    ngx_destroy_pool(pool);

    return (char *) got;
}
