
#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_json_scan.h"
#include "wag_json_tell.h"
#include "wag_unit.h"


#define WAG_UNIT_SCAN_ROOM   32

/* texts up to this are split at every offset */

#define WAG_UNIT_SCAN_SPLIT  300


typedef struct {
    const char          *name;
    ngx_str_t            text;
    const char          *fill;      /* stands for "@" */
    ngx_uint_t           times;
    const char          *events;
} wag_unit_scan_case_t;


typedef struct {
    wag_json_scan_t      scan;
    ngx_str_t            text;
    u_char              *room;
    u_char              *dump;
    u_char              *p;
    ngx_uint_t           depth;
    ngx_uint_t           events;
    ngx_uint_t           offsets;
    const char          *wrong;
} wag_unit_scan_t;


static void wag_unit_scan_case(wag_unit_t *u, wag_unit_scan_case_t *c);
static void wag_unit_scan_limits(wag_unit_t *u);
static void wag_unit_scan_rooms(wag_unit_t *u);
static ngx_int_t wag_unit_scan_next_room(wag_json_scan_t *s,
    ngx_uint_t event);
static void wag_unit_scan_ended(wag_unit_t *u);
static ngx_int_t wag_unit_scan_end(wag_json_scan_t *s, ngx_uint_t event);
static void wag_unit_scan_whole(wag_unit_t *u);
static void wag_unit_scan_blocks(wag_unit_t *u);
static ngx_int_t wag_unit_scan_quiet(wag_json_scan_t *s, ngx_uint_t event);
static void wag_unit_scan_random(wag_unit_t *u);
static ngx_uint_t wag_unit_scan_record(wag_unit_t *u, ngx_str_t *text,
    ngx_str_t *events);
static void wag_unit_scan_fill(wag_unit_scan_case_t *c, ngx_str_t *text);
static char *wag_unit_scan_feed(ngx_str_t *text, size_t first, size_t step,
    size_t room, ngx_uint_t offsets);
static ngx_int_t wag_unit_scan_event(wag_json_scan_t *s, ngx_uint_t event);
static void wag_unit_scan_check(wag_unit_scan_t *t, ngx_uint_t event);


#define T(s)   ngx_string(s), NULL, 0
#define E(s)   "error: invalid JSON: " s

#define SHORT    E("it is cut short")
#define VALUE    E("no value")
#define NAME     E("no name")
#define COLON    E("no colon")
#define COMMA    E("no comma")
#define MORE     E("more than one value")
#define UTF8     E("invalid UTF-8")
#define CONTROL  E("control character in string")
#define ESCAPE   E("invalid escape")
#define LONE     E("lone surrogate")
#define NUMBER   E("invalid number")


/*
 * Keys are k:, strings s:, numbers n:, "~" is for cut.  Those whose names
 * begin with "offsets" have offsets too.
 */

static wag_unit_scan_case_t  wag_unit_scan_cases[] =
{
    { "object", T("{}"), "{ } ok" },
    { "array", T("[]"), "[ ] ok" },
    { "string alone", T("\"a\""), "s:a ok" },
    { "empty string", T("\"\""), "s: ok" },
    { "number alone", T("42"), "n:42 ok" },
    { "number alone and blanks", T(" 42\n"), "n:42 ok" },
    { "true alone", T("true"), "true ok" },
    { "false alone", T("false"), "false ok" },
    { "null alone", T("null"), "null ok" },
    { "blanks everywhere",
      T(" \r\n\t{ \"a\"\n:\t[ 1 ,\r2 ] , \"b\" : { } } \t\r\n"),
      "{ k:a [ n:1 n:2 ] k:b { } } ok" },
    { "members", T("{\"a\":1,\"b\":\"x\",\"c\":null,\"d\":true,\"e\":false}"),
      "{ k:a n:1 k:b s:x k:c null k:d true k:e false } ok" },
    { "elements", T("[1,\"x\",null,true,false,[],{}]"),
      "[ n:1 s:x null true false [ ] { } ] ok" },
    { "nested", T("[[{\"a\":[{\"b\":{}}]}],[]]"),
      "[ [ { k:a [ { k:b { } } ] } ] [ ] ] ok" },
    { "empty key", T("{\"\":0}"), "{ k: n:0 } ok" },
    { "the same key twice", T("{\"a\":1,\"a\":2}"),
      "{ k:a n:1 k:a n:2 } ok" },
    { "brackets in strings", T("[\"]\",\"}\",\"[{\",\",:\"]"),
      "[ s:] s:} s:[{ s:,: ] ok" },
    { "slash and DEL", T("\"/\x7f\""), "s:/\x7f ok" },

    { "offsets of a scalar", T("  true "), "true@0:2-6 ok" },
    { "offsets of a number at the end", T(" 12"), "n:12@0:1-3 ok" },
    { "offsets in an object",
      T("{\"a\" : \"x\\ny\" ,\"b\":[ 1,-2.5] }"),
      "{@0:0-1 k:a@1:1-4 s:x\\0ay@1:7-13 k:b@1:15-18 [@1:19-20 n:1@2:21-22 "
      "n:-2.5@2:23-27 ]@1:27-28 }@0:29-30 ok" },
    { "offsets of an escaped key", T("[{\"\\u0061\":{}}]"),
      "[@0:0-1 {@1:1-2 k:a@2:2-10 {@2:11-12 }@2:12-13 }@1:13-14 ]@0:14-15 "
      "ok" },
    { "offsets of 100,000 bytes", ngx_string("[\"@\",1]"), "abcdefghij", 10000,
      "[@0:0-1 s:abcdefghijabcdefghijabcdefghijab~@1:1-100003 "
      "n:1@1:100004-100005 ]@0:100005-100006 ok" },

    { "all short escapes", T("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""),
      "s:\"\\5c/\\08\\0c\\0a\\0d\\09 ok" },
    { "escaped slash and slash", T("\"\\//\""), "s:// ok" },
    { "\\u of ASCII", T("\"\\u0041\\u005c\\u0022\""), "s:A\\5c\" ok" },
    { "\\u of NUL", T("\"a\\u0000b\""), "s:a\\00b ok" },
    { "\\u of control characters", T("\"\\u001f\\u007F\""),
      "s:\\1f\x7f ok" },
    { "\\u of two bytes", T("\"\\u0080\\u07ff\\u0644\""),
      "s:\xc2\x80\xdf\xbf\xd9\x84 ok" },
    { "\\u of three bytes", T("\"\\u0800\\uFFFF\\u20AC\""),
      "s:\xe0\xa0\x80\xef\xbf\xbf\xe2\x82\xac ok" },
    { "\\u below and above surrogates", T("\"\\ud7ff\\ue000\""),
      "s:\xed\x9f\xbf\xee\x80\x80 ok" },
    { "\\u of a pair", T("\"\\ud83d\\ude00\""), "s:\xf0\x9f\x98\x80 ok" },
    { "\\u of the first and last pair",
      T("\"\\uD800\\uDC00\\uDBFF\\uDFFF\""),
      "s:\xf0\x90\x80\x80\xf4\x8f\xbf\xbf ok" },
    { "two pairs", T("\"\\ud83d\\ude00\\ud83d\\ude01\""),
      "s:\xf0\x9f\x98\x80\xf0\x9f\x98\x81 ok" },
    { "\\u with letters of both cases", T("\"\\uaBcD\\uAbCd\""),
      "s:\xea\xaf\x8d\xea\xaf\x8d ok" },
    { "escaped backslash before u", T("\"\\\\u0041\""), "s:\\5cu0041 ok" },
    { "escapes in a key", T("{\"\\u0061\\n\\ud83d\\ude00\":1}"),
      "{ k:a\\0a\xf0\x9f\x98\x80 n:1 } ok" },
    { "escaped quote at the end", T("[\"\\\"\"]"), "[ s:\" ] ok" },
    { "noncharacters", T("\"\xef\xbf\xbf\xf4\x8f\xbf\xbf\\uFDD0\""),
      "s:\xef\xbf\xbf\xf4\x8f\xbf\xbf\xef\xb7\x90 ok" },
    { "line separators", T("\"\xe2\x80\xa8\xe2\x80\xa9\""),
      "s:\xe2\x80\xa8\xe2\x80\xa9 ok" },

    { "UTF-8", T("\"\xd9\x85\xd8\xb1\xd8\xad\xd8\xa8\xd8\xa7 \xe2\x82\xac\""),
      "s:\xd9\x85\xd8\xb1\xd8\xad\xd8\xa8\xd8\xa7 \xe2\x82\xac ok" },
    { "UTF-8, bounds of two bytes", T("\"\xc2\x80\xdf\xbf\""),
      "s:\xc2\x80\xdf\xbf ok" },
    { "UTF-8, bounds of three bytes",
      T("\"\xe0\xa0\x80\xec\xbf\xbf\xed\x9f\xbf\xee\x80\x80\""),
      "s:\xe0\xa0\x80\xec\xbf\xbf\xed\x9f\xbf\xee\x80\x80 ok" },
    { "UTF-8, bounds of four bytes",
      T("\"\xf0\x90\x80\x80\xf1\x80\x80\x80\xf4\x8f\xbf\xbf\""),
      "s:\xf0\x90\x80\x80\xf1\x80\x80\x80\xf4\x8f\xbf\xbf ok" },

    { "UTF-8, tail alone", T("\"a\x80\""), UTF8 " @2" },
    { "UTF-8, tail too many", T("\"\xc2\x80\x80\""), UTF8 " @3" },
    { "UTF-8, no tail", T("\"\xc2\""), UTF8 " @2" },
    { "UTF-8, tail is missing", T("\"\xe2\x82z\""), UTF8 " @3" },
    { "UTF-8, tail is an escape", T("\"\xc2\\n\""), UTF8 " @2" },
    { "UTF-8, overlong slash", T("\"\xc0\xaf\""), UTF8 " @1" },
    { "UTF-8, overlong c1", T("\"\xc1\xbf\""), UTF8 " @1" },
    { "UTF-8, overlong e0", T("\"\xe0\x9f\xbf\""), UTF8 " @2" },
    { "UTF-8, overlong f0", T("\"\xf0\x8f\xbf\xbf\""), UTF8 " @2" },
    { "UTF-8, surrogate", T("\"\xed\xa0\x80\""), UTF8 " @2" },
    { "UTF-8, pair of surrogates", T("\"\xed\xa0\xbd\xed\xb8\x80\""),
      UTF8 " @2" },
    { "UTF-8, beyond 10ffff", T("\"\xf4\x90\x80\x80\""), UTF8 " @2" },
    { "UTF-8, f5", T("\"\xf5\x80\x80\x80\""), UTF8 " @1" },
    { "UTF-8, five bytes", T("\"\xf8\x88\x80\x80\x80\""), UTF8 " @1" },
    { "UTF-8, fe and ff", T("\"\xfe\xff\""), UTF8 " @1" },
    { "Latin-1", T("[\"\xe9\"]"), "[ " UTF8 " @3" },
    { "invalid UTF-8 in a key", T("{\"\xff\":1}"), "{ " UTF8 " @2" },
    { "byte order mark", T("\xef\xbb\xbf{}"), VALUE " @0" },
    { "UTF-16", T("\xff\xfe[\0]\0"), VALUE " @0" },
    { "UTF-16 without a mark", T("[\0]\0"), "[ " VALUE " @1" },
    { "UTF-8 outside of strings", T("[\xc3\xa9]"), "[ " VALUE " @1" },

    { "zero", T("[0,-0,0.0,-0.0,0e0,0E+0,0e-0]"),
      "[ n:0 n:-0 n:0.0 n:-0.0 n:0e0 n:0E+0 n:0e-0 ] ok" },
    { "numbers", T("[1,-1,10,1.5,-1.25e10,1E5,1e+05,1e-05,9.00]"),
      "[ n:1 n:-1 n:10 n:1.5 n:-1.25e10 n:1E5 n:1e+05 n:1e-05 n:9.00 ] ok" },
    { "huge number", T("[1e9999,12345678901234567890123456789012345]"),
      "[ n:1e9999 n:12345678901234567890123456789012~ ] ok" },
    { "leading zero", T("[01]"), "[ " NUMBER " @2" },
    { "leading zeros", T("[00]"), "[ " NUMBER " @2" },
    { "leading zero after minus", T("[-01]"), "[ " NUMBER " @3" },
    { "leading zero alone", T("012"), NUMBER " @1" },
    { "minus alone", T("[-]"), "[ " NUMBER " @2" },
    { "minus and nothing", T("-"), SHORT " @1" },
    { "two minuses", T("[--1]"), "[ " NUMBER " @2" },
    { "minus after a number", T("[1-2]"), "[ " NUMBER " @2" },
    { "minus and a blank", T("[- 1]"), "[ " NUMBER " @2" },
    { "plus", T("[+1]"), "[ " VALUE " @1" },
    { "dot first", T("[.5]"), "[ " VALUE " @1" },
    { "minus and a dot", T("[-.5]"), "[ " NUMBER " @2" },
    { "dot last", T("[1.]"), "[ " NUMBER " @3" },
    { "dot last, alone", T("1."), SHORT " @2" },
    { "two dots", T("[1.2.3]"), "[ " NUMBER " @4" },
    { "dot and e", T("[1.e5]"), "[ " NUMBER " @3" },
    { "e alone", T("[1e]"), "[ " NUMBER " @3" },
    { "e last, alone", T("1e"), SHORT " @2" },
    { "e and a sign", T("[1e+]"), "[ " NUMBER " @4" },
    { "e and two signs", T("[1e+-1]"), "[ " NUMBER " @4" },
    { "two e", T("[1e1e1]"), "[ " NUMBER " @4" },
    { "e and a fraction", T("[1e1.5]"), "[ " NUMBER " @4" },
    { "e first", T("[e1]"), "[ " VALUE " @1" },
    { "hexadecimal", T("[0x1]"), "[ n:0 " COMMA " @2" },
    { "number and letters", T("[1a]"), "[ n:1 " COMMA " @2" },
    { "number and a quote", T("[1\"a\"]"), "[ n:1 " COMMA " @2" },
    { "grouped digits", T("[1 000]"), "[ n:1 " COMMA " @3" },
    { "full-width digit", T("[\xef\xbc\x91]"), "[ " VALUE " @1" },
    { "NaN", T("[NaN]"), "[ " VALUE " @1" },
    { "Infinity", T("[Infinity]"), "[ " VALUE " @1" },
    { "minus Infinity", T("[-Infinity]"), "[ " NUMBER " @2" },

    { "True", T("[True]"), "[ " VALUE " @1" },
    { "truth", T("[truth]"), "[ " VALUE " @4" },
    { "cut true", T("[tru]"), "[ " VALUE " @4" },
    { "true, more", T("[truee]"), "[ true " COMMA " @5" },
    { "true, cut alone", T("tru"), SHORT " @3" },
    { "nul", T("nul"), SHORT " @3" },
    { "nullnull", T("nullnull"), "null " MORE " @4" },
    { "NUL in a word", T("[nu\0l]"), "[ " VALUE " @3" },
    { "undefined", T("undefined"), VALUE " @0" },

    { "empty", T(""), VALUE " @0" },
    { "blank", T(" \n"), VALUE " @2" },
    { "text", T("OK"), VALUE " @0" },
    { "HTML", T("<html></html>"), VALUE " @0" },
    { "comma alone", T(","), VALUE " @0" },
    { "colon alone", T(":"), VALUE " @0" },
    { "quote alone", T("\""), SHORT " @1" },
    { "NUL alone", T("\0"), VALUE " @0" },
    { "two values", T("{} {}"), "{ } " MORE " @3" },
    { "two numbers", T("1 2"), "n:1 " MORE " @2" },
    { "text after", T("{}x"), "{ } " MORE " @2" },
    { "NUL after", T("[]\0"), "[ ] " MORE " @2" },
    { "comma after", T("[],"), "[ ] " MORE " @2" },
    { "closed twice", T("[]]"), "[ ] " MORE " @2" },
    { "closed first", T("]"), VALUE " @0" },
    { "string after a string", T("\"a\"\"b\""), "s:a " MORE " @3" },

    { "array, comma last", T("[1,]"), "[ n:1 " VALUE " @3" },
    { "array, comma first", T("[,1]"), "[ " VALUE " @1" },
    { "array, comma only", T("[,]"), "[ " VALUE " @1" },
    { "array, two commas", T("[1,,2]"), "[ n:1 " VALUE " @3" },
    { "array, no comma", T("[1 2]"), "[ n:1 " COMMA " @3" },
    { "array, no comma between strings", T("[\"a\" \"b\"]"),
      "[ s:a " COMMA " @5" },
    { "array, no comma between arrays", T("[[][]]"), "[ [ ] " COMMA " @3" },
    { "array, a colon", T("[1:2]"), "[ n:1 " COMMA " @2" },
    { "array, wrong end", T("[1}"), "[ n:1 " COMMA " @2" },
    { "array, wrong end at once", T("[}"), "[ " VALUE " @1" },
    { "array, no end", T("[1"), "[ " SHORT " @2" },
    { "array, no end after a comma", T("[1,"), "[ n:1 " SHORT " @3" },
    { "array, no end at once", T("["), "[ " SHORT " @1" },
    { "array, spread", T("[...a]"), "[ " VALUE " @1" },

    { "object, comma last", T("{\"a\":1,}"), "{ k:a n:1 " NAME " @7" },
    { "object, comma first", T("{,\"a\":1}"), "{ " NAME " @1" },
    { "object, comma only", T("{,}"), "{ " NAME " @1" },
    { "object, two commas", T("{\"a\":1,,\"b\":2}"),
      "{ k:a n:1 " NAME " @7" },
    { "object, no comma", T("{\"a\":1 \"b\":2}"),
      "{ k:a n:1 " COMMA " @7" },
    { "object, no colon", T("{\"a\" 1}"), "{ k:a " COLON " @5" },
    { "object, two colons", T("{\"a\"::1}"), "{ k:a " VALUE " @5" },
    { "object, a comma for a colon", T("{\"a\",1}"), "{ k:a " COLON " @4" },
    { "object, name only", T("{\"a\"}"), "{ k:a " COLON " @4" },
    { "object, no value", T("{\"a\":}"), "{ k:a " VALUE " @5" },
    { "object, no name", T("{:1}"), "{ " NAME " @1" },
    { "object, name without quotes", T("{a:1}"), "{ " NAME " @1" },
    { "object, name in single quotes", T("{'a':1}"), "{ " NAME " @1" },
    { "object, a number for a name", T("{1:1}"), "{ " NAME " @1" },
    { "object, null for a name", T("{null:1}"), "{ " NAME " @1" },
    { "object, an array for a name", T("{[]:1}"), "{ " NAME " @1" },
    { "object, wrong end", T("{\"a\":1]"), "{ k:a n:1 " COMMA " @6" },
    { "object, wrong end at once", T("{]"), "{ " NAME " @1" },
    { "object, no end", T("{\"a\":1"), "{ k:a " SHORT " @6" },
    { "object, no end after a name", T("{\"a\""), "{ k:a " SHORT " @4" },
    { "object, no end in a name", T("{\"a"), "{ " SHORT " @3" },
    { "object, no end at once", T("{"), "{ " SHORT " @1" },

    { "comment", T("[1/* x */]"), "[ n:1 " COMMA " @2" },
    { "comment first", T("//x\n[]"), VALUE " @0" },
    { "comment last", T("[]#x"), "[ ] " MORE " @2" },
    { "form feed is no blank", T("[\f]"), "[ " VALUE " @1" },
    { "vertical tab is no blank", T("[\v]"), "[ " VALUE " @1" },
    { "no-break space is no blank", T("[\xc2\xa0]"), "[ " VALUE " @1" },
    { "NUL is no blank", T("{\0}"), "{ " NAME " @1" },
    { "DEL is no blank", T("[\x7f]"), "[ " VALUE " @1" },

    { "single quotes", T("['a']"), "[ " VALUE " @1" },
    { "no closing quote", T("[\"a"), "[ " SHORT " @3" },
    { "no closing quote after an escape", T("[\"a\\\""), "[ " SHORT " @5" },
    { "string cut in an escape", T("\"\\"), SHORT " @2" },
    { "string cut in \\u", T("\"\\u00"), SHORT " @5" },
    { "string cut in a character", T("\"\xc2"), SHORT " @2" },
    { "string cut in a pair", T("\"\\ud83d"), SHORT " @7" },
    { "LF in a string", T("\"a\nb\""), CONTROL " @2" },
    { "tab in a string", T("\"\t\""), CONTROL " @1" },
    { "NUL in a string", T("\"a\0b\""), CONTROL " @2" },
    { "1f in a string", T("\"\x1f\""), CONTROL " @1" },
    { "LF in a key", T("{\"\n\":1}"), "{ " CONTROL " @2" },
    { "escape x", T("\"\\x41\""), ESCAPE " @2" },
    { "escape 0", T("\"\\0\""), ESCAPE " @2" },
    { "escape '", T("\"\\'\""), ESCAPE " @2" },
    { "escape a", T("\"\\a\""), ESCAPE " @2" },
    { "escape v", T("\"\\v\""), ESCAPE " @2" },
    { "escape U", T("\"\\U0041\""), ESCAPE " @2" },
    { "escape of an LF", T("\"\\\n\""), ESCAPE " @2" },
    { "escape of a NUL", T("\"\\\0\""), ESCAPE " @2" },
    { "escape of UTF-8", T("\"\\\xc3\xa9\""), ESCAPE " @2" },
    { "escape outside of a string", T("[\\n]"), "[ " VALUE " @1" },
    { "\\u without digits", T("\"\\u\""), ESCAPE " @3" },
    { "\\u of three digits", T("\"\\u004\""), ESCAPE " @6" },
    { "\\u with g", T("\"\\u00g0\""), ESCAPE " @5" },
    { "\\u with @", T("\"\\u00\x40" "0\""), ESCAPE " @5" },
    { "\\u with a sign", T("\"\\u+041\""), ESCAPE " @3" },
    { "\\u with a control character", T("\"\\u\x10" "041\""), ESCAPE " @3" },
    { "\\u with a brace", T("\"\\u{41}\""), ESCAPE " @3" },
    { "high surrogate alone", T("\"\\ud800\""), LONE " @7" },
    { "high surrogate and text", T("\"\\ud800abc\""), LONE " @7" },
    { "high surrogate and an escape", T("\"\\ud800\\n\""), LONE " @8" },
    { "high surrogate and a \\u", T("\"\\ud800\\u0041\""), LONE " @12" },
    { "high surrogate twice", T("\"\\ud800\\ud800\\udc00\""), LONE " @12" },
    { "high surrogate and an invalid \\u", T("\"\\ud800\\u00g\""),
      ESCAPE " @11" },
    { "low surrogate alone", T("\"\\udc00\""), LONE " @6" },
    { "last low surrogate alone", T("\"\\uDFFF\""), LONE " @6" },
    { "pair the wrong way round", T("\"\\udc00\\ud800\""), LONE " @6" },
    { "low surrogate after a pair", T("\"\\ud83d\\ude00\\ude00\""),
      LONE " @18" },

    { "text that just fits", ngx_string("[\"@\"]"), "a", 32,
      "[ s:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa ] ok" },
    { "text cut by one", ngx_string("[\"@\",\"b\"]"), "a", 33,
      "[ s:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa~ s:b ] ok" },
    { "key cut", ngx_string("{\"@\":1}"), "a", 40,
      "{ k:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa~ n:1 } ok" },
    { "cut after an escape", ngx_string("\"@\\n\\n\""), "a", 31,
      "s:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\\0a~ ok" },
    { "cut within a character of two bytes",
      ngx_string("\"@\xd9\x84\""), "a", 31,
      "s:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa~ ok" },
    { "cut within a character of three bytes",
      ngx_string("\"@\xe2\x82\xac\""), "a", 30,
      "s:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa~ ok" },
    { "cut within a character of four bytes",
      ngx_string("\"@\\ud83d\\ude00\""), "a", 29,
      "s:aaaaaaaaaaaaaaaaaaaaaaaaaaaaa~ ok" },
    { "cut before a character of four bytes",
      ngx_string("\"@\xf0\x9f\x98\x80\""), "a", 32,
      "s:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa~ ok" },
    { "character that just fits", ngx_string("\"@\xe2\x82\xac\""), "a", 29,
      "s:aaaaaaaaaaaaaaaaaaaaaaaaaaaaa\xe2\x82\xac ok" },
    { "invalid beyond the cut", ngx_string("\"@\xff\""), "a", 50,
      UTF8 " @51" },

    { "64 deep", ngx_string("@"), "[", 64, NULL },
    { "64 deep and closed", ngx_string("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
      "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"
      "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"), NULL, 0,
      "[ [ [ [ [ [ [ [ [ [ [ [ [ [ [ [ [ [ [ [ [ [ [ [ [ [ [ [ [ [ [ [ "
      "[ [ [ [ [ [ [ [ [ [ [ [ [ [ [ [ [ [ [ [ [ [ [ [ [ [ [ [ [ [ [ [ n:1 "
      "] ] ] ] ] ] ] ] ] ] ] ] ] ] ] ] ] ] ] ] ] ] ] ] ] ] ] ] ] ] ] ] "
      "] ] ] ] ] ] ] ] ] ] ] ] ] ] ] ] ] ] ] ] ] ] ] ] ] ] ] ] ] ] ] ] ok" },
    { "65 deep", ngx_string("@"), "[", 65, NULL },
    { "65 deep, objects", ngx_string("@"), "{\"a\":", 65, NULL },
    { "100,000 brackets", ngx_string("@"), "[", 100000, NULL },
    { "100,000 arrays side by side", ngx_string("[@1]"), "[],", 100000, NULL },

    { NULL, ngx_null_string, NULL, 0, NULL }
};


void
wag_unit_json_scan(wag_unit_t *u)
{
    wag_unit_scan_case_t  *c;

    for (c = wag_unit_scan_cases; c->name; c++) {
        if (c->events) {
            wag_unit_scan_case(u, c);
        }
    }

    wag_unit_scan_limits(u);
    wag_unit_scan_rooms(u);
    wag_unit_scan_ended(u);
    wag_unit_scan_whole(u);
    wag_unit_scan_blocks(u);
    wag_unit_scan_random(u);
}


static void
wag_unit_scan_case(wag_unit_t *u, wag_unit_scan_case_t *c)
{
    char        *got, name[128];
    size_t       i;
    ngx_str_t    text;
    ngx_uint_t   pass, offsets;

    offsets = ngx_strncmp(c->name, "offsets", 7) == 0;

    wag_unit_scan_fill(c, &text);

    got = wag_unit_scan_feed(&text, text.len, text.len, WAG_UNIT_SCAN_ROOM,
                             offsets);
    pass = wag_unit_is(u, got, c->events, c->name);
    free(got);

    if (!pass) {
        goto done;
    }

    *ngx_sprintf((u_char *) name, "%s, byte by byte", c->name) = '\0';

    got = wag_unit_scan_feed(&text, 1, 1, WAG_UNIT_SCAN_ROOM, offsets);
    pass = wag_unit_is(u, got, c->events, name);
    free(got);

    if (!pass || text.len > WAG_UNIT_SCAN_SPLIT) {
        goto done;
    }

    for (i = 1; i < text.len; i++) {
        got = wag_unit_scan_feed(&text, i, text.len, WAG_UNIT_SCAN_ROOM,
                                 offsets);
        pass = ngx_strcmp(got, c->events) == 0;

        if (!pass) {
            *ngx_sprintf((u_char *) name, "%s, split at %uz", c->name, i)
                = '\0';
            wag_unit_is(u, got, c->events, name);
            free(got);
            break;
        }

        free(got);
    }

done:

    free(text.data);
}


/* the depth, other than 64 too; only how it ends is looked at */

static void
wag_unit_scan_limits(wag_unit_t *u)
{
    char                  *got;
    u_char                 deep[64];
    ngx_int_t              rc;
    ngx_str_t              text;
    ngx_uint_t             i;
    wag_unit_scan_t        t;
    wag_unit_scan_case_t  *c;

    static const char  *ends[] = {
        "invalid JSON: it is cut short @64",
        "JSON is nested too deep @64",
        "JSON is nested too deep @320",
        "JSON is nested too deep @64",
        "] n:1 ] ok"
    };

    i = 0;

    for (c = wag_unit_scan_cases; c->name; c++) {

        if (c->events) {
            continue;
        }

        wag_unit_scan_fill(c, &text);

        got = wag_unit_scan_feed(&text, text.len, text.len,
                                 WAG_UNIT_SCAN_ROOM, 0);
        wag_unit_is(u, got + ngx_max(ngx_strlen(got), ngx_strlen(ends[i]))
                       - ngx_strlen(ends[i]), ends[i], c->name);
        free(got);

        got = wag_unit_scan_feed(&text, 1, 1, WAG_UNIT_SCAN_ROOM, 0);
        wag_unit_is(u, got + ngx_max(ngx_strlen(got), ngx_strlen(ends[i]))
                       - ngx_strlen(ends[i]), ends[i], c->name);
        free(got);

        free(text.data);
        i++;
    }

    wag_unit_ok(u, i == 5, "five texts that are deep");

    ngx_memset(deep, '[', sizeof(deep));

    for (i = 0; i < 64; i++) {
        ngx_memzero(&t, sizeof(wag_unit_scan_t));
        t.dump = malloc(1024);
        t.p = t.dump;
        t.text.data = deep;
        t.text.len = sizeof(deep);

        wag_json_scan_init(&t.scan, wag_unit_scan_event, &t, i);
        rc = wag_json_scan_parse(&t.scan, deep, deep + sizeof(deep));

        free(t.dump);

        if (rc != NGX_ERROR || t.scan.offset != (off_t) i
            || ngx_strcmp(t.scan.error, "JSON is nested too deep") != 0)
        {
            break;
        }
    }

    wag_unit_ok(u, i == 64, "every limit of depth");
    wag_unit_ok(u, sizeof(wag_json_scan_t) < 1024, "the scanner is small");
}


/* a room for each text, and none */

static void
wag_unit_scan_rooms(wag_unit_t *u)
{
    u_char          *p;
    size_t           step;
    wag_unit_scan_t  t;
    u_char           got[128], rooms[16];

    static ngx_str_t  text = ngx_string("{\"skipped\":\"abcd\",\"x\":[123,45,"
                                        "true],\"yy\":\"\"}");

    for (step = 1; step <= text.len; step += text.len - 1) {
        ngx_memzero(&t, sizeof(wag_unit_scan_t));
        ngx_memset(rooms, '.', sizeof(rooms));

        t.dump = got;
        t.p = got;
        t.room = rooms;

        wag_json_scan_init(&t.scan, wag_unit_scan_next_room, &t, 64);

        for (p = text.data; p < text.data + text.len; p += step) {
            wag_json_scan_parse(&t.scan, p, p + step);
        }

        (void) wag_json_scan_end(&t.scan);

        *t.p = '\0';
        rooms[15] = '\0';

        wag_unit_is(u, (char *) got, "~ ab~ x  12~ 4~ t~  yy  ", "rooms");
        wag_unit_is(u, (char *) rooms, (step == 1) ? "abx124tyy......"
                                                   : "ab.124t........",
                    "bytes of rooms, a key that comes whole stays there");
    }
}


static ngx_int_t
wag_unit_scan_next_room(wag_json_scan_t *s, ngx_uint_t event)
{
    wag_unit_scan_t  *t;

    /* for what comes after each event */

    static const size_t  size[] = { 0, 2, 1, 0, 2, 1, 1, 0, 2, 2, 0, 0 };

    t = s->data;

    if (event >= WAG_JSON_KEY) {
        t->p = wag_unit_text(t->p, s->text.data, s->text.len);
    }

    if (event >= WAG_JSON_KEY || event == WAG_JSON_ARRAY
        || event == WAG_JSON_ARRAY_END)
    {
        t->p = ngx_sprintf(t->p, "%s ", s->cut ? "~" : "");
        t->room += s->text.len;
    }

    s->room.data = t->room;
    s->room.len = size[t->events++];

    return NGX_OK;
}


static void
wag_unit_scan_ended(wag_unit_t *u)
{
    u_char           *last;
    ngx_uint_t        stop;
    wag_json_scan_t   s;

    static ngx_str_t  text = ngx_string("[1,22");

    last = text.data + text.len;

    stop = WAG_JSON_NUMBER;
    wag_json_scan_init(&s, wag_unit_scan_end, &stop, 64);

    wag_unit_ok(u, wag_json_scan_parse(&s, text.data, last) == NGX_ERROR
                   && s.offset == 2, "ended by an event");
    wag_unit_is(u, s.error, "the reader ended it", "its error");
    wag_unit_ok(u, wag_json_scan_parse(&s, last, last) == NGX_ERROR
                   && wag_json_scan_end(&s) == NGX_ERROR && stop == 100,
                "it stays ended");

    stop = WAG_JSON_ARRAY;
    wag_json_scan_init(&s, wag_unit_scan_end, &stop, 64);

    wag_unit_ok(u, wag_json_scan_parse(&s, text.data, last) == NGX_ERROR
                   && s.offset == 1, "ended by a bracket");

    stop = WAG_JSON_NUMBER;
    wag_json_scan_init(&s, wag_unit_scan_end, &stop, 64);

    wag_unit_ok(u, wag_json_scan_parse(&s, last - 2, last) == NGX_AGAIN
                   && wag_json_scan_end(&s) == NGX_ERROR
                   && s.offset == 2, "ended by a number at the end");
    wag_unit_ok(u, wag_json_scan_end(&s) == NGX_ERROR, "ended twice");

    stop = WAG_JSON_KEY;
    wag_json_scan_init(&s, wag_unit_scan_end, &stop, 64);

    wag_unit_ok(u, wag_json_scan_parse(&s, NULL, NULL) == NGX_AGAIN
                   && wag_json_scan_parse(&s, last - 2, last) == NGX_AGAIN
                   && wag_json_scan_parse(&s, NULL, NULL) == NGX_AGAIN
                   && wag_json_scan_end(&s) == NGX_OK
                   && wag_json_scan_end(&s) == NGX_OK,
                "nothing in a piece; the end twice");
}


static ngx_int_t
wag_unit_scan_end(wag_json_scan_t *s, ngx_uint_t event)
{
    ngx_uint_t  *stop;

    stop = s->data;

    if (event == *stop) {
        *stop = 100;
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
wag_unit_scan_whole(wag_unit_t *u)
{
    size_t  i;

    static u_char  text[] = "a\xd9\x84\xe2\x82\xac\xf0\x9f\x98\x80z";
    static size_t  whole[] = { 0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11 };

    for (i = 0; i < sizeof(text); i++) {
        if (wag_json_tell_whole(text, i) != whole[i]) {
            break;
        }
    }

    wag_unit_ok(u, i == 12, "whole characters");
}


/* any byte anywhere in a long string; byte by byte there are no blocks */

static void
wag_unit_scan_blocks(wag_unit_t *u)
{
    u_char           *p;
    size_t            at;
    ngx_int_t         whole_rc, bytes_rc;
    ngx_uint_t        ch, wrong;
    wag_json_scan_t   whole, bytes;

    static u_char  text[3 + 200];

    wrong = 0;

    for (at = 1; at < 199; at++) {

        for (ch = 0; ch < 256; ch++) {
            ngx_memset(text, 'A' + at % 26, sizeof(text));

            text[0] = '"';
            text[at] = (u_char) ch;
            text[200] = '"';
            text[201] = ' ';
            text[202] = ' ';

            wag_json_scan_init(&whole, wag_unit_scan_quiet, NULL, 1);
            whole_rc = wag_json_scan_parse(&whole, text, text + sizeof(text));

            wag_json_scan_init(&bytes, wag_unit_scan_quiet, NULL, 1);
            bytes_rc = NGX_AGAIN;

            for (p = text; p < text + sizeof(text); p++) {
                bytes_rc = wag_json_scan_parse(&bytes, p, p + 1);

                if (bytes_rc == NGX_ERROR) {
                    break;
                }
            }

            if (whole_rc != bytes_rc || whole.error != bytes.error
                || whole.offset != bytes.offset || whole.end != bytes.end
                || (whole_rc == NGX_AGAIN)
                   != (ch >= 0x20 && ch < 0x80 && ch != '"' && ch != '\\'))
            {
                wrong++;
            }
        }
    }

    wag_unit_ok(u, wrong == 0, "each byte anywhere in a long string");
}


static ngx_int_t
wag_unit_scan_quiet(wag_json_scan_t *s, ngx_uint_t event)
{
    return NGX_OK;
}


/*
 * The texts of the .t, with what they hold, or "+" or "-" if they are just
 * JSON or no JSON.  Cut anywhere they are no JSON, unless it was a number.
 */

static void
wag_unit_scan_random(wag_unit_t *u)
{
    ngx_str_t   fields[2];
    ngx_uint_t  n, valid;

    n = 0;
    valid = 0;

    while (wag_unit_record(u, fields, 2)) {
        n++;

        if (!wag_unit_scan_record(u, &fields[0], &fields[1])) {
            return;
        }

        if (fields[1].data[0] != '-') {
            valid++;
        }
    }

    wag_unit_ok(u, n >= 1000 && valid >= 500 && n - valid >= 300,
                "random texts");
}


static ngx_uint_t
wag_unit_scan_record(wag_unit_t *u, ngx_str_t *text, ngx_str_t *events)
{
    char        *whole, *split;
    size_t       i, n;
    ngx_str_t    cut;
    ngx_uint_t   pass, ok;

    whole = wag_unit_scan_feed(text, text->len, text->len, 4096, 0);
    n = ngx_strlen(whole);
    ok = n >= 2 && ngx_strcmp(whole + n - 2, "ok") == 0;

    if (events->len == 1) {
        pass = (events->data[0] == '+') == ok;

    } else {
        pass = n == events->len && ngx_strncmp(whole, events->data, n) == 0;
    }

    if (!pass) {
        printf("# text: %.*s\n# expected: %.*s\n# got: %s\n", (int) text->len,
               text->data, (int) events->len, events->data, whole);
    }

    for (i = 1; i <= text->len && pass; i *= 3) {
        split = wag_unit_scan_feed(text, i, i, 4096, 0);
        pass = ngx_strcmp(split, whole) == 0;
        free(split);
    }

    for (n = text->len; n && text->data[n - 1] <= ' '; n--) { /* void */ }

    cut.data = text->data;

    for (i = 0; i < 20 && ok && pass; i++) {
        cut.len = (i < 4) ? n - ngx_min(n, i + 1) : (size_t) random() % n;

        split = wag_unit_scan_feed(&cut, cut.len, cut.len, 4096, 0);
        pass = ngx_strstr(split, "error: ") != NULL
               || (text->data[n - 1] >= '0' && text->data[n - 1] <= '9');
        free(split);
    }

    free(whole);

    return pass || wag_unit_ok(u, 0, "a random text");
}


static void
wag_unit_scan_fill(wag_unit_scan_case_t *c, ngx_str_t *text)
{
    u_char      *p;
    size_t       i, len;
    ngx_uint_t   n;

    len = c->fill ? ngx_strlen(c->fill) : 0;

    p = malloc(c->text.len + len * c->times + 1);
    if (p == NULL) {
        abort();
    }

    text->data = p;

    for (i = 0; i < c->text.len; i++) {

        if (len == 0 || c->text.data[i] != '@') {
            *p++ = c->text.data[i];
            continue;
        }

        for (n = 0; n < c->times; n++) {
            p = ngx_cpymem(p, c->fill, len);
        }
    }

    text->len = p - text->data;
}


/*
 * Each part is fed from a block of its own size, to let a sanitizer see what
 * is read beyond it.
 */

static char *
wag_unit_scan_feed(ngx_str_t *text, size_t first, size_t step, size_t room,
    ngx_uint_t offsets)
{
    u_char           *part;
    size_t            i, n;
    ngx_int_t         rc;
    wag_unit_scan_t   t;

    ngx_memzero(&t, sizeof(wag_unit_scan_t));

    t.text = *text;
    t.room = malloc(room);
    t.dump = malloc(text->len * 8 + 1024);

    if (t.room == NULL || t.dump == NULL) {
        abort();
    }

    t.p = t.dump;
    t.offsets = offsets;

    wag_json_scan_init(&t.scan, wag_unit_scan_event, &t, 64);
    t.scan.room.data = t.room;
    t.scan.room.len = room;

    rc = NGX_AGAIN;
    n = ngx_min(first, text->len);

    for (i = 0; i < text->len && rc == NGX_AGAIN; i += n, n = step) {
        n = ngx_min(n, text->len - i);

        part = malloc(n);
        if (part == NULL) {
            abort();
        }

        ngx_memcpy(part, text->data + i, n);

        rc = wag_json_scan_parse(&t.scan, part, part + n);

        free(part);
    }

    if (rc == NGX_AGAIN) {
        rc = wag_json_scan_end(&t.scan);
    }

    if (rc == NGX_OK) {
        t.p = ngx_sprintf(t.p, "%s", t.wrong ? t.wrong : "ok");

    } else {
        t.p = ngx_sprintf(t.p, "error: %s @%O", t.scan.error, t.scan.offset);
    }

    *t.p = '\0';

    free(t.room);

    return (char *) t.dump;
}


static ngx_int_t
wag_unit_scan_event(wag_json_scan_t *s, ngx_uint_t event)
{
    wag_unit_scan_t  *t;

    static const char  *names[] = { "{", "}", "[", "]", "k:", "s:", "n:" };

    t = s->data;

    if (event <= WAG_JSON_NUMBER) {
        t->p = ngx_sprintf(t->p, "%s", names[event]);
    }

    if (event >= WAG_JSON_KEY) {
        t->p = wag_unit_text(t->p, s->text.data, s->text.len);
    }

    if (s->cut) {
        *t->p++ = '~';
    }

    if (t->offsets) {
        t->p = ngx_sprintf(t->p, "@%ui:%O-%O", s->depth, s->start, s->end);
    }

    *t->p++ = ' ';

    wag_unit_scan_check(t, event);

    return NGX_OK;
}


/* depth and offsets, by the text itself */

static void
wag_unit_scan_check(wag_unit_scan_t *t, ngx_uint_t event)
{
    u_char           *p;
    size_t            len;
    wag_json_scan_t  *s;

    static u_char  brackets[] = "{}[]";

    s = &t->scan;
    p = t->text.data + s->start;
    len = s->end - s->start;

    if (event == WAG_JSON_OBJECT_END || event == WAG_JSON_ARRAY_END) {
        t->depth--;
    }

    if (s->depth != t->depth) {
        t->wrong = "wrong depth";
    }

    if (event == WAG_JSON_OBJECT || event == WAG_JSON_ARRAY) {
        t->depth++;
    }

    if (s->start < 0 || s->end <= s->start
        || s->end > (off_t) t->text.len)
    {
        t->wrong = "wrong offsets";
        return;
    }

    if (event <= WAG_JSON_ARRAY_END) {

        if (len != 1 || *p != brackets[event]) {
            t->wrong = "no bracket there";
        }

    } else if (event <= WAG_JSON_STRING) {

        if (len < 2 || p[0] != '"' || p[len - 1] != '"') {
            t->wrong = "no string there";
        }

    } else if (s->cut ? s->text.len >= len
                      : s->text.len != len
                        || ngx_memcmp(p, s->text.data, len) != 0)
    {
        t->wrong = "another scalar there";
    }
}
