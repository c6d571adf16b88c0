
#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_pick.h"
#include "wag_unit.h"


#define WAG_UNIT_PICK_ROOM   16

/* texts up to this are split at every offset */

#define WAG_UNIT_PICK_SPLIT  300


typedef struct {
    const char          *name;
    ngx_str_t            items;     /* empty: the text is the item */
    ngx_str_t            paths;     /* with a comma between */
    ngx_str_t            text;
    const char          *picked;
} wag_unit_pick_case_t;


typedef struct {
    wag_pick_t           pick;
    wag_pick_value_t     values[WAG_PICK_MAX_VALUES];
    wag_json_path_t      paths[WAG_PICK_MAX_VALUES];
    wag_json_path_t      items;
    ngx_str_t            text;
    u_char              *dump;
    u_char              *p;
    ngx_uint_t           left;      /* items until it is enough */
    ngx_uint_t           own;       /* with an error of the reader's own */
} wag_unit_pick_t;


static void wag_unit_pick_case(wag_unit_t *u, wag_unit_pick_t *t,
    wag_unit_pick_case_t *c);
static void wag_unit_pick_rooms(wag_unit_t *u, wag_unit_pick_t *t);
static void wag_unit_pick_list(wag_unit_t *u, wag_unit_pick_t *t);
static void wag_unit_pick_ended(wag_unit_t *u, wag_unit_pick_t *t);
static void wag_unit_pick_keys(wag_unit_t *u, wag_unit_pick_t *t);
static void wag_unit_pick_again(wag_unit_t *u, wag_unit_pick_t *t);
static void wag_unit_pick_random(wag_unit_t *u, wag_unit_pick_t *t);
static ngx_uint_t wag_unit_pick_setup(wag_unit_t *u, wag_unit_pick_t *t,
    ngx_str_t *items, ngx_str_t *paths, u_char comma);
static char *wag_unit_pick_feed(wag_unit_pick_t *t, size_t first, size_t step,
    size_t room);
static ngx_int_t wag_unit_pick_item(wag_pick_t *p);


#define S(s)    ngx_string(s)
#define N       ngx_null_string


/*
 * Items are in brackets, of each value the type (- for none, o for others)
 * and the text, "~" if it is cut.
 */

static wag_unit_pick_case_t  wag_unit_pick_cases[] =
{
    { "a member", N, S("$.a"), S("{\"a\":\"x\"}"), "(s:x) ok" },
    { "every type", N, S("$.s,$.n,$.t,$.f,$.z,$.a,$.o,$.x"),
      S("{\"s\":\"x\",\"n\":-1.5e3,\"t\":true,\"f\":false,\"z\":null,"
        "\"a\":[1],\"o\":{\"x\":1}}"),
      "(s:x n:-1.5e3 b:true b:false z:null o: o: -:) ok" },
    { "text as the item", N, S("$"), S("\"x\""), "(s:x) ok" },
    { "number as the item", N, S("$,$.a"), S(" 12"), "(n:12 -:) ok" },
    { "null as the item", N, S("$"), S("null\n"), "(z:null) ok" },
    { "object as the item", N, S("$,$.a"), S("{\"a\":1}"), "(o: n:1) ok" },
    { "empty object as the item", N, S("$,$.a,$[0]"), S("{}"),
      "(o: -: -:) ok" },
    { "array as the item", N, S("$,$[0],$[2],$[3]"), S("[1,[2],3]"),
      "(o: n:1 n:3 -:) ok" },
    { "no values", N, N, S("[1,{\"a\":2}]"), "() ok" },
    { "deep", N, S("$.a.b[1].c"), S("{\"a\":{\"x\":1,\"b\":[{\"c\":1},"
      "{\"c\":2,\"d\":[[]]},{\"c\":3}]},\"c\":4}"), "(n:2) ok" },
    { "a name is whole", N, S("$.ab"), S("{\"a\":1,\"abc\":2,\"AB\":3}"),
      "(-:) ok" },
    { "index and name are two things", N, S("$.0,$[0],$['a'][0],$.a.0"),
      S("{\"0\":1,\"a\":{\"0\":2}}"), "(n:1 -: -: n:2) ok" },
    { "names of an array's elements", N, S("$.0,$[0].a,$.a"),
      S("[{\"a\":1},2]"), "(-: n:1 -:) ok" },
    { "empty name", N, S("$['']"), S("{\"\":1}"), "(n:1) ok" },
    { "odd names", N, S("$['a.b'],$['[0]'],$['it\\'s'],$.\xd8\xad"),
      S("{\"a.b\":1,\"[0]\":2,\"it's\":3,\"\xd8\xad\":4}"),
      "(n:1 n:2 n:3 n:4) ok" },
    { "escaped names", N, S("$.state,$['a\"b'],$.\xd8\xad"),
      S("{\"\\u0073tate\":1,\"a\\\"b\":2,\"\\u062d\":3}"),
      "(n:1 n:2 n:3) ok" },
    { "a name with a NUL", N, S("$.a,$.b"), S("{\"a\\u0000\":1,\"\\u0000b\":2,"
      "\"a\\u0000b\":3}"), "(-: -:) ok" },
    { "a name within another value", N, S("$.a"), S("{\"b\":{\"a\":1}}"),
      "(-:) ok" },
    { "through a scalar", N, S("$.a.b,$.a[0]"), S("{\"a\":\"b\"}"),
      "(-: -:) ok" },
    { "a path and its beginning", N, S("$.a,$.a.b,$.a.b.c"),
      S("{\"a\":{\"b\":{\"c\":1}}}"), "(o: o: n:1) ok" },
    { "the same path twice", N, S("$.a,$.a"), S("{\"a\":\"x\"}"),
      "(s:x s:x) ok" },
    { "16 values", N, S("$.a,$.b,$.c,$.d,$.e,$.f,$.g,$.h,$.i,$.j,$.k,$.l,$.m,"
      "$.n,$.o,$.p"), S("{\"p\":16,\"a\":1,\"h\":8,\"i\":9}"),
      "(n:1 -: -: -: -: -: -: n:8 n:9 -: -: -: -: -: -: n:16) ok" },

    { "a string with escapes", N, S("$.a"), S("{\"a\":\"x\\\"\\n\\u00e9\"}"),
      "(s:x\"\\0a\xc3\xa9) ok" },
    { "a string with a NUL", N, S("$.a"), S("{\"a\":\"x\\u0000y\"}"),
      "(s:x\\00y) ok" },
    { "empty string", N, S("$.a"), S("{\"a\":\"\"}"), "(s:) ok" },
    { "a string that fits", N, S("$.a"), S("{\"a\":\"0123456789abcdef\"}"),
      "(s:0123456789abcdef) ok" },
    { "a string that is cut", N, S("$.a"), S("{\"a\":\"0123456789abcdefg\"}"),
      "(s:0123456789abcdef~) ok" },
    { "a number that is cut", N, S("$.a"), S("{\"a\":12345678901234567}"),
      "(n:1234567890123456~) ok" },
    { "whole characters", N, S("$.a"),
      S("{\"a\":\"0123456789abcde\xd9\x84\"}"),
      "(s:0123456789abcde~) ok" },

    { "twice: the last counts", N, S("$.a"), S("{\"a\":1,\"a\":\"x\"}"),
      "(s:x) ok" },
    { "twice: shorter", N, S("$.a"), S("{\"a\":\"long\",\"a\":\"\"}"),
      "(s:) ok" },
    { "twice: no longer cut", N, S("$.a"),
      S("{\"a\":\"0123456789abcdefg\",\"a\":\"x\"}"), "(s:x) ok" },
    { "twice: an object", N, S("$.a,$.a.b"),
      S("{\"a\":{\"b\":1},\"a\":{}}"), "(o: -:) ok" },
    { "twice: a scalar", N, S("$.a,$.a.b"), S("{\"a\":{\"b\":1},\"a\":2}"),
      "(n:2 -:) ok" },
    { "twice: an array", N, S("$.a[0],$.a[1]"), S("{\"a\":[1,2],\"a\":[3]}"),
      "(n:3 -:) ok" },
    { "twice: escaped", N, S("$.a"), S("{\"a\":1,\"\\u0061\":2}"),
      "(n:2) ok" },
    { "twice: another one", N, S("$.a,$.b"), S("{\"a\":1,\"b\":2,\"b\":3}"),
      "(n:1 n:3) ok" },

    { "items: strings", S("$"), S("$"), S("[\"a\",\"b\"]"),
      "(s:a)(s:b) ok" },
    { "items: every type", S("$"), S("$,$.a,$[0]"),
      S("[1,null,{\"a\":2},[3],true,\"\"]"),
      "(n:1 -: -:)(z:null -: -:)(o: n:2 -:)(o: -: n:3)(b:true -: -:)"
      "(s: -: -:) ok" },
    { "items: none", S("$"), S("$"), S("[]"), " ok" },
    { "items: of a member", S("$.result"), S("$"),
      S("{\"success\":true,\"result\":[\"a\",\"b\"],\"x\":[\"c\"]}"),
      "(s:a)(s:b) ok" },
    { "items: deep", S("$.a[1].b"), S("$.n"),
      S("{\"a\":[[],{\"c\":[1],\"b\":[{\"n\":1},{\"n\":2}]},{\"b\":[3]}]}"),
      "(n:1)(n:2) ok" },
    { "items: values are of their own item", S("$"), S("$.a,$.b"),
      S("[{\"a\":1},{\"b\":2},{},{\"a\":\"x\",\"b\":\"y\"}]"),
      "(n:1 -:)(-: n:2)(-: -:)(s:x s:y) ok" },
    { "items: with what is deep within", S("$.l"), S("$.i.n,$.t[1]"),
      S("{\"l\":[{\"i\":{\"n\":\"a\"},\"t\":[1,2,3]},"
        "{\"t\":[4],\"i\":{\"m\":{\"n\":9}}}]}"), "(s:a n:2)(-: -:) ok" },
    { "items: the same names around", S("$.a"), S("$.a"),
      S("{\"b\":{\"a\":[0]},\"a\":[{\"a\":[{\"a\":1}]},{\"a\":2}],\"c\":3}"),
      "(o:)(n:2) ok" },
    { "items: a name twice", S("$"), S("$.a"),
      S("[{\"a\":1,\"a\":2},{\"a\":3}]"), "(n:2)(n:3) ok" },
    { "items: nothing there", S("$.result"), S("$"), S("{\"x\":[1]}"),
      " declined" },
    { "items: an object", S("$.result"), S("$"), S("{\"result\":{\"a\":1}}"),
      " declined" },
    { "items: null", S("$.result"), S("$"), S("{\"result\":null}"),
      " declined" },
    { "items: the text is an object", S("$"), S("$"), S("{\"a\":[1]}"),
      " declined" },
    { "items: the text is a number", S("$"), S("$"), S("12"), " declined" },
    { "items: through a scalar", S("$.a.b"), S("$"), S("{\"a\":\"b\"}"),
      " declined" },
    { "items: twice, the first none", S("$.a"), S("$"),
      S("{\"a\":[],\"a\":[1]}"), "(n:1) ok" },
    { "items: twice, the first no array", S("$.a"), S("$"),
      S("{\"a\":{\"x\":[5]},\"a\":[1]}"), "(n:1) ok" },
    { "items: twice, the last no array", S("$.a"), S("$"),
      S("{\"a\":[],\"a\":null}"), " declined" },
    { "items: twice", S("$.a"), S("$"), S("{\"a\":[1],\"a\":[2]}"),
      "(n:1) error: items are given twice @12" },
    { "items: twice, higher up", S("$.a.b"), S("$"),
      S("{\"a\":{\"b\":[1]},\"a\":2}"),
      "(n:1) error: items are given twice @18" },
    { "items: twice, elsewhere", S("$.a.b"), S("$"),
      S("{\"b\":1,\"a\":{\"b\":[1]},\"b\":[2]}"), "(n:1) ok" },

    { "no JSON", N, S("$.a"), S("{\"a\":1"),
      " error: invalid JSON: it is cut short @6" },
    { "no JSON after the item", N, S("$.a"), S("{\"a\":1}}"),
      "(n:1) error: invalid JSON: more than one value @7" },
    { "no JSON after items", S("$"), S("$"), S("[1,2,oops]"),
      "(n:1)(n:2) error: invalid JSON: no value @5" },
    { "no JSON within an item", S("$"), S("$.a"), S("[{\"a\":1,\"b\":tru}]"),
      " error: invalid JSON: no value @15" },
    { "empty", S("$"), S("$"), S(""), " error: invalid JSON: no value @0" },
    { "HTML", N, S("$"), S("<html>"), " error: invalid JSON: no value @0" },
    { "64 deep", S("$"), S("$[0]"),
      S("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
        "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"
        "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"), "(o:) ok" },
    { "65 deep", S("$"), S("$"), S("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
      "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["),
      " error: JSON is nested too deep @64" },
    { NULL, N, N, N, NULL }
};


void
wag_unit_pick(wag_unit_t *u)
{
    wag_unit_pick_t       *t;
    wag_unit_pick_case_t  *c;

    t = ngx_pcalloc(u->pool, sizeof(wag_unit_pick_t));
    if (t == NULL) {
        return;
    }

    for (c = wag_unit_pick_cases; c->name; c++) {
        wag_unit_pick_case(u, t, c);
    }

    wag_unit_pick_rooms(u, t);
    wag_unit_pick_list(u, t);
    wag_unit_pick_ended(u, t);
    wag_unit_pick_keys(u, t);
    wag_unit_pick_again(u, t);
    wag_unit_pick_random(u, t);
}


static void
wag_unit_pick_case(wag_unit_t *u, wag_unit_pick_t *t, wag_unit_pick_case_t *c)
{
    char        *got, name[128];
    size_t       i;
    ngx_uint_t   pass;

    t->text = c->text;

    if (!wag_unit_pick_setup(u, t, &c->items, &c->paths, ',')) {
        wag_unit_ok(u, 0, c->name);
        return;
    }

    got = wag_unit_pick_feed(t, c->text.len, c->text.len, WAG_UNIT_PICK_ROOM);
    pass = wag_unit_is(u, got, c->picked, c->name);
    free(got);

    if (!pass) {
        return;
    }

    *ngx_sprintf((u_char *) name, "%s, byte by byte", c->name) = '\0';

    got = wag_unit_pick_feed(t, 1, 1, WAG_UNIT_PICK_ROOM);
    pass = wag_unit_is(u, got, c->picked, name);
    free(got);

    for (i = 1; i < c->text.len && pass; i++) {
        got = wag_unit_pick_feed(t, i, c->text.len, WAG_UNIT_PICK_ROOM);
        pass = ngx_strcmp(got, c->picked) == 0;

        if (!pass) {
            *ngx_sprintf((u_char *) name, "%s, split at %uz", c->name, i)
                = '\0';
            wag_unit_is(u, got, c->picked, name);
        }

        free(got);
    }
}


/* each value's room is its own, also where two have the same path */

static void
wag_unit_pick_rooms(wag_unit_t *u, wag_unit_pick_t *t)
{
    u_char      *p, buf[32];
    ngx_uint_t   i;

    static ngx_str_t   items = ngx_null_string;
    static ngx_str_t   paths = ngx_string("$.a,$.a,$.a,$.a,$.b,$.c");
    static ngx_str_t   text = ngx_string("{\"a\":\"abcd\xe2\x82\xac" "f\","
                                         "\"b\":123,\"c\":\"\"}");
    static size_t      sizes[] = { 5, 9, 3, 0, 2, 0 };
    static char        picked[] = "abcd..abcd\xe2\x82\xac" "f..abc..12..";

    (void) wag_unit_pick_setup(u, t, &items, &paths, ',');

    ngx_memset(buf, '.', sizeof(buf));

    for (i = 0, p = buf; i < 6; i++) {
        t->values[i].data = p;
        t->values[i].size = sizes[i];
        p += sizes[i] + 1;
    }

    t->dump = malloc(128);
    t->p = t->dump;
    t->left = 0;

    wag_pick_init(&t->pick);
    (void) wag_pick_parse(&t->pick, text.data, text.data + text.len);
    (void) wag_pick_end(&t->pick);

    *t->p = '\0';

    wag_unit_is(u, (char *) t->dump, "(s:abcd~ s:abcd\xe2\x82\xac" "f s:abc~ "
                "s:~ n:12~ s:)", "a room for each");

    *p = '\0';

    wag_unit_is(u, (char *) buf, picked, "no byte beyond a room");

    free(t->dump);
}


static void
wag_unit_pick_list(wag_unit_t *u, wag_unit_pick_t *t)
{
    char        *got;
    u_char      *p, *want;
    size_t       step;
    ngx_str_t    text;
    ngx_uint_t   i;

    static ngx_str_t  items = ngx_string("$.sessions");
    static ngx_str_t  paths = ngx_string("$.name,$.me.id,$.n");

    (void) wag_unit_pick_setup(u, t, &items, &paths, ',');

    text.data = ngx_palloc(u->pool, 200000);
    want = ngx_palloc(u->pool, 100000);

    p = ngx_sprintf(text.data, "{\"total\":1000,\"sessions\":[");

    for (i = 0; i < 1000; i++) {
        p = ngx_sprintf(p, "%s{\"name\":\"s%ui\",\"config\":{\"name\":\"x\","
                        "\"n\":[1,{}]},\"n\":%ui,\"me\":%s}", i ? "," : "",
                        i, i * i, (i % 3) ? "{\"id\":\"966\"}" : "null");
    }

    p = ngx_sprintf(p, "],\"name\":\"none\"}");
    text.len = p - text.data;

    for (i = 0, p = want; i < 1000; i++) {
        p = ngx_sprintf(p, "(s:s%ui %s n:%ui)", i, (i % 3) ? "s:966" : "-:",
                        i * i);
    }

    *ngx_cpymem(p, " ok", 3) = '\0';

    t->text = text;

    for (step = 1; step <= 65536; step *= 8) {
        got = wag_unit_pick_feed(t, step, step, WAG_UNIT_PICK_ROOM);
        wag_unit_ok(u, ngx_strcmp(got, want) == 0, "a list of 1,000 items");
        free(got);
    }

    wag_unit_ok(u, t->pick.nvalues == 3 && sizeof(wag_pick_t) < 4096,
                "the picker is small");
}


static void
wag_unit_pick_ended(wag_unit_t *u, wag_unit_pick_t *t)
{
    char  *got;

    static ngx_str_t  none = ngx_null_string;
    static ngx_str_t  self = ngx_string("$");
    static ngx_str_t  list = ngx_string("[1,2,3]");
    static ngx_str_t  number = ngx_string("123");

    (void) wag_unit_pick_setup(u, t, &self, &self, ',');

    t->text = list;
    t->left = 2;

    got = wag_unit_pick_feed(t, 7, 7, WAG_UNIT_PICK_ROOM);
    wag_unit_is(u, got, "(n:1)(n:2) error: the reader ended it @4", "ended");
    free(got);

    wag_unit_ok(u, wag_pick_parse(&t->pick, list.data, list.data) == NGX_ERROR
                   && wag_pick_end(&t->pick) == NGX_ERROR, "it stays ended");

    t->own = 1;
    t->left = 2;

    got = wag_unit_pick_feed(t, 1, 1, WAG_UNIT_PICK_ROOM);
    wag_unit_is(u, got, "(n:1)(n:2) error: enough @4", "ended, with a word");
    free(got);

    (void) wag_unit_pick_setup(u, t, &none, &self, ',');

    t->text = number;
    t->left = 1;

    got = wag_unit_pick_feed(t, 1, 1, WAG_UNIT_PICK_ROOM);
    wag_unit_is(u, got, "(n:123) error: enough @3", "ended at the end");
    free(got);

    t->own = 0;
    t->left = 0;
}


static void
wag_unit_pick_keys(wag_unit_t *u, wag_unit_pick_t *t)
{
    char       *got;
    u_char     *p;
    ngx_str_t   path, text;
    ngx_uint_t  len;

    static ngx_str_t  none = ngx_null_string;

    path.data = ngx_palloc(u->pool, 512);
    text.data = ngx_palloc(u->pool, 1024);

    for (len = 255; len < 258; len++) {

        p = ngx_cpymem(path.data, "$.", 2);
        ngx_memset(p, 'k', len);
        path.len = len + 2;

        /* longer ones, of which it is the beginning, are others */

        p = ngx_cpymem(text.data, "{\"", 2);
        ngx_memset(p, 'k', len);
        p = ngx_cpymem(p + len, "\":1,\"", 5);
        ngx_memset(p, 'k', len + 1);
        p = ngx_cpymem(p + len + 1, "\":2}", 4);
        text.len = p - text.data;

        (void) wag_unit_pick_setup(u, t, &none, &path, ',');
        t->text = text;

        got = wag_unit_pick_feed(t, 100, 100, WAG_UNIT_PICK_ROOM);
        wag_unit_is(u, got, (len <= WAG_PICK_KEY_SIZE) ? "(n:1) ok"
                                                       : "(-:) ok",
                    "a long name");
        free(got);
    }
}


static void
wag_unit_pick_again(wag_unit_t *u, wag_unit_pick_t *t)
{
    char  *got;

    static ngx_str_t  items = ngx_string("$.a");
    static ngx_str_t  paths = ngx_string("$.b");
    static ngx_str_t  first = ngx_string("{\"a\":[{\"b\":1},{\"b\":{\"c\":[");
    static ngx_str_t  second = ngx_string("{\"a\":[{},{\"b\":2}]}");
    static ngx_str_t  third = ngx_string("{\"b\":[{},{\"b\":2}]}");
    static ngx_str_t  fourth = ngx_string("{\"a\":1,\"b\":3}");

    (void) wag_unit_pick_setup(u, t, &items, &paths, ',');

    t->text = first;
    got = wag_unit_pick_feed(t, 1, 1, WAG_UNIT_PICK_ROOM);
    wag_unit_is(u, got, "(n:1) error: invalid JSON: it is cut short @25",
                "a text");
    free(got);

    t->text = second;
    got = wag_unit_pick_feed(t, 1, 1, WAG_UNIT_PICK_ROOM);
    wag_unit_is(u, got, "(-:)(n:2) ok", "another one with the same picker");
    free(got);

    t->text = third;
    got = wag_unit_pick_feed(t, 1, 1, WAG_UNIT_PICK_ROOM);
    wag_unit_is(u, got, " declined", "a third one");
    free(got);

    /* from within the items on */

    t->text = first;
    got = wag_unit_pick_feed(t, 1, 1, WAG_UNIT_PICK_ROOM);
    free(got);

    t->pick.items = NULL;
    t->text = fourth;
    got = wag_unit_pick_feed(t, 1, 1, WAG_UNIT_PICK_ROOM);
    wag_unit_is(u, got, "(n:3) ok", "a fourth one, without items");
    free(got);
}


/* the texts of the .t: items, paths with LF between, text, what is picked */

static void
wag_unit_pick_random(wag_unit_t *u, wag_unit_pick_t *t)
{
    char        *got;
    size_t       step;
    ngx_str_t    f[4];
    ngx_uint_t   n, pass;

    for (n = 0; wag_unit_record(u, f, 4); n++) {

        pass = wag_unit_pick_setup(u, t, &f[0], &f[1], LF);
        t->text = f[2];

        for (step = 1; pass; step *= 5) {
            got = wag_unit_pick_feed(t, step, step, 4096);
            pass = ngx_strlen(got) == f[3].len
                   && ngx_strncmp(got, f[3].data, f[3].len) == 0;

            if (!pass) {
                printf("# items: %.*s\n# text: %.*s\n# expected: %.*s\n"
                       "# got: %s\n", (int) f[0].len, f[0].data,
                       (int) f[2].len, f[2].data, (int) f[3].len, f[3].data,
                       got);
            }

            free(got);

            if (step > f[2].len) {
                break;
            }
        }

        if (!pass) {
            wag_unit_ok(u, 0, "a random text");
            return;
        }
    }

    wag_unit_ok(u, n >= 500, "random texts");
}


static ngx_uint_t
wag_unit_pick_setup(wag_unit_t *u, wag_unit_pick_t *t, ngx_str_t *items,
    ngx_str_t *paths, u_char comma)
{
    u_char      *p, *end, *last;
    ngx_str_t    path;
    ngx_uint_t   n;

    ngx_memzero(&t->pick, sizeof(wag_pick_t));

    t->pick.item = wag_unit_pick_item;
    t->pick.data = t;
    t->pick.values = t->values;

    if (items->len) {
        t->pick.items = &t->items;

        if (wag_json_path(u->pool, items, &t->items) != NGX_OK) {
            return 0;
        }
    }

    last = paths->data + paths->len;

    for (n = 0, p = paths->data; p < last; n++, p = end + 1) {
        end = ngx_strlchr(p, last, comma);
        end = end ? end : last;

        path.data = p;
        path.len = end - p;

        if (n == WAG_PICK_MAX_VALUES
            || wag_json_path(u->pool, &path, &t->paths[n]) != NGX_OK)
        {
            return 0;
        }

        t->values[n].path = &t->paths[n];
    }

    t->pick.nvalues = n;

    return 1;
}


static char *
wag_unit_pick_feed(wag_unit_pick_t *t, size_t first, size_t step, size_t room)
{
    u_char      *part;
    size_t       i, n;
    ngx_int_t    rc;
    ngx_uint_t   v;
    wag_pick_t  *pick;

    pick = &t->pick;

    for (v = 0; v < pick->nvalues; v++) {
        t->values[v].size = room;
        t->values[v].data = malloc(room);
    }

    t->dump = malloc(t->text.len * 64 + 1024);
    t->p = t->dump;

    wag_pick_init(pick);

    rc = NGX_AGAIN;
    n = ngx_min(first, t->text.len);

    for (i = 0; i < t->text.len && rc == NGX_AGAIN; i += n, n = step) {
        n = ngx_min(n, t->text.len - i);

        part = malloc(n);
        ngx_memcpy(part, t->text.data + i, n);

        rc = wag_pick_parse(pick, part, part + n);

        free(part);
    }

    if (rc == NGX_AGAIN) {
        rc = wag_pick_end(pick);
    }

    if (rc == NGX_ERROR) {
        t->p = ngx_sprintf(t->p, " error: %s @%O", pick->error, pick->offset);

    } else {
        t->p = ngx_sprintf(t->p, rc == NGX_OK ? " ok" : " declined");
    }

    *t->p = '\0';

    for (v = 0; v < pick->nvalues; v++) {
        free(t->values[v].data);
    }

    return (char *) t->dump;
}


static ngx_int_t
wag_unit_pick_item(wag_pick_t *p)
{
    ngx_uint_t         i;
    wag_unit_pick_t   *t;
    wag_pick_value_t  *v;

    static const char  types[] = "-snbzo";

    t = p->data;

    *t->p++ = '(';

    for (i = 0; i < p->nvalues; i++) {
        v = &p->values[i];

        t->p = ngx_sprintf(t->p, "%s%c:", i ? " " : "", types[v->type]);
        t->p = wag_unit_text(t->p, v->data, v->len);

        if (v->cut) {
            *t->p++ = '~';
        }
    }

    *t->p++ = ')';

    if (t->left && --t->left == 0) {
        p->error = t->own ? "enough" : NULL;
        return NGX_ERROR;
    }

    return NGX_OK;
}
