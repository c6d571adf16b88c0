
#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_http.h"
#include "wag_unit.h"


/*
 * The bounds are small here, so that every answer can be split at every
 * offset, those that exceed them too.
 */

#define WAG_UNIT_HEADER  400
#define WAG_UNIT_BODY    33
#define WAG_UNIT_DRAIN   600


typedef struct {
    const char          *name;
    ngx_str_t            text;
    const char          *fill;      /* stands for "@" */
    ngx_uint_t           times;
    ngx_uint_t           head;
    const char          *verdict;
} wag_unit_answer_t;


typedef struct {
    wag_http_t           http;
    u_char               header[WAG_UNIT_HEADER];
    u_char               body[WAG_UNIT_BODY];
    u_char               verdict[512];
} wag_unit_http_t;


static void wag_unit_answer(wag_unit_t *u, wag_unit_http_t *t,
    wag_unit_answer_t *a);
static void wag_unit_fill(wag_unit_t *u, wag_unit_answer_t *a,
    ngx_str_t *text);
static char *wag_unit_feed(wag_unit_http_t *t, ngx_str_t *text, size_t first,
    size_t step, ngx_uint_t head);
static void wag_unit_headers(wag_unit_t *u, wag_unit_http_t *t);


#define OK   "HTTP/1.1 200 OK\r\n"
#define CH   OK "Transfer-Encoding: chunked\r\n\r\n"
#define T(s) ngx_string(s), NULL, 0, 0
#define H(s) ngx_string(s), NULL, 0, 1


/*
 * A verdict: "eof" if it took the end of the connection, the status, "keep"
 * or "close", the number of headers, "cut" if the body kept is not whole,
 * the number of bytes beyond the answer, the body.
 */

static wag_unit_answer_t  wag_unit_answers[] =
{
    { "content-length", T(OK "Content-Length: 5\r\n\r\nhello"),
      "200 keep 1 [hello]" },

    { "LF alone ends lines", T("HTTP/1.1 200 OK\nContent-Length: 2\n\nhi"),
      "200 keep 1 [hi]" },

    { "zero length", T(OK "Content-Length: 0\r\n\r\n"), "200 keep 1 []" },

    { "zero length, bytes beyond", T(OK "Content-Length: 0\r\n\r\nxy"),
      "200 close 1 +2 []" },

    { "bytes beyond the body", T(OK "Content-Length: 1\r\n\r\nxHTTP"),
      "200 close 1 +4 [x]" },

    { "header names in any case", T(OK "CONTENT-LENGTH:3\r\n\r\nabc"),
      "200 keep 1 [abc]" },

    { "no reason phrase", T("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n"),
      "200 keep 1 []" },

    { "empty reason phrase", T("HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n"),
      "404 keep 1 []" },

    { "reason phrase not ASCII",
      T("HTTP/1.1 503 \xd9\x84\xd8\xa7\r\nContent-Length: 0\r\n\r\n"),
      "503 keep 1 []" },

    { "several spaces before the status",
      T("HTTP/1.1   200 OK\r\nContent-Length: 0\r\n\r\n"), "200 keep 1 []" },

    { "status 999", T("HTTP/1.1 999 Denied\r\nContent-Length: 0\r\n\r\n"),
      "999 keep 1 []" },

    { "close-delimited", T(OK "X: y\r\n\r\nhello"),
      "eof 200 close 1 [hello]" },

    { "close-delimited and empty", T(OK "\r\n"), "eof 200 close 0 []" },

    { "Connection: close", T(OK "Connection: close\r\nContent-Length: 2\r\n"
      "\r\nhi"), "200 close 2 [hi]" },

    { "Connection: a list with Close", T(OK "Connection: foo ,\tClose\r\n"
      "Content-Length: 2\r\n\r\nhi"), "200 close 2 [hi]" },

    { "close wins over keep-alive", T(OK "Connection: close\r\n"
      "Connection: keep-alive\r\nContent-Length: 2\r\n\r\nhi"),
      "200 close 3 [hi]" },

    { "closed is not close", T(OK "Connection: closed\r\n"
      "Content-Length: 2\r\n\r\nhi"), "200 keep 2 [hi]" },

    { "HTTP/1.0 closes", T("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi"),
      "200 close 1 [hi]" },

    { "HTTP/1.0 with keep-alive", T("HTTP/1.0 200 OK\r\n"
      "Connection: Keep-Alive\r\nContent-Length: 2\r\n\r\nhi"),
      "200 keep 2 [hi]" },

    { "HTTP/1.0 close-delimited", T("HTTP/1.0 200 OK\r\n\r\nhi"),
      "eof 200 close 0 [hi]" },

    { "HTTP/1.0 chunked is not reused", T("HTTP/1.0 200 OK\r\n"
      "Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n"
      "2\r\nhi\r\n0\r\n\r\n"), "200 close 2 [hi]" },

    { "204 has no body", T("HTTP/1.1 204 No Content\r\n\r\n"),
      "204 keep 0 []" },

    { "204 with a length", T("HTTP/1.1 204 No Content\r\n"
      "Content-Length: 5\r\n\r\n"), "204 keep 1 []" },

    { "304 has no body", T("HTTP/1.1 304 Not Modified\r\n"
      "Content-Length: 5\r\n\r\n"), "304 keep 1 []" },

    { "HEAD has no body", H(OK "Content-Length: 5\r\n\r\n"),
      "200 keep 1 []" },

    { "HEAD chunked", H(OK "Transfer-Encoding: chunked\r\n\r\n"),
      "200 keep 1 []" },

    { "HEAD with a body", H(OK "Content-Length: 2\r\n\r\nhi"),
      "200 close 1 +2 []" },

    { "HEAD without length", H(OK "\r\n"), "200 keep 0 []" },

    { "folded header", T(OK "X: a\r\n  b\r\n\tc\r\nContent-Length: 0\r\n\r\n"),
      "200 keep 2 []" },

    { "folded Content-Length", T(OK "Content-Length:\r\n 2\r\n\r\nhi"),
      "200 keep 1 [hi]" },

    { "folding makes a length invalid",
      T(OK "Content-Length: 2\r\n 2\r\n\r\n"),
      "error: invalid Content-Length" },

    { "fold before any header", T(OK " X: a\r\n\r\n"),
      "error: whitespace before the first header" },

    { "blank fold", T(OK "X: a\r\n \r\nContent-Length: 0\r\n\r\n"),
      "200 keep 2 []" },

    { "100 first", T("HTTP/1.1 100 Continue\r\n\r\n" OK
      "Content-Length: 2\r\n\r\nhi"), "200 keep 1 [hi]" },

    { "103 with headers first", T("HTTP/1.1 103 Early Hints\r\n"
      "Link: </a>\r\nContent-Length: 9\r\nConnection: close\r\n\r\n" OK
      "Content-Length: 2\r\n\r\nhi"), "200 keep 1 [hi]" },

    { "eight interim answers", ngx_string("@" OK
      "Content-Length: 2\r\n\r\nhi"), "HTTP/1.1 102 P\r\n\r\n", 8, 0,
      "200 keep 1 [hi]" },

    { "nine interim answers", ngx_string("@" OK
      "Content-Length: 2\r\n\r\nhi"), "HTTP/1.1 102 P\r\n\r\n", 9, 0,
      "error: too many interim answers" },

    { "only an interim answer", T("HTTP/1.1 100 Continue\r\n\r\n"),
      "eof error: closed in header" },

    { "101", T("HTTP/1.1 101 Switching Protocols\r\n"
      "Upgrade: websocket\r\n\r\n"), "error: unexpected status 101" },

    { "chunked", T(CH "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"),
      "200 keep 1 [hello world]" },

    { "chunked, LF alone", T(CH "5\nhello\n0\n\n"), "200 keep 1 [hello]" },

    { "Chunked in upper case", T(OK "TRANSFER-ENCODING: CHUNKED\r\n\r\n"
      "1\r\nx\r\n0\r\n\r\n"), "200 keep 1 [x]" },

    { "chunk sizes in hex", T(CH "a\r\n0123456789\r\nB\r\n0123456789a\r\n"
      "000\r\n\r\n"), "200 keep 1 [01234567890123456789a]" },

    { "chunk extensions", T(CH "2;a=b;c=\"d e\"\r\nhi\r\n0;x\r\n\r\n"),
      "200 keep 1 [hi]" },

    { "blanks before a chunk extension", T(CH "2 \t;a\r\nhi\r\n0 \r\n\r\n"),
      "200 keep 1 [hi]" },

    { "trailers", T(CH "2\r\nhi\r\n0\r\nX-T: 1\r\nY: 2\r\n\r\n"),
      "200 keep 1 [hi]" },

    { "trailers, LF alone", T(CH "2\r\nhi\r\n0\nX: 1\n\n"),
      "200 keep 1 [hi]" },

    { "empty chunked body", T(CH "0\r\n\r\n"), "200 keep 1 []" },

    { "bytes beyond the last chunk", T(CH "0\r\n\r\n\r\n"),
      "200 close 1 +2 []" },

    { "NUL in a trailer", T(CH "0\r\nX: \0\r\n\r\n"),
      "error: invalid trailer" },

    { "bare CR in a trailer", T(CH "0\r\nX: a\rb\r\n\r\n"),
      "error: invalid trailer" },

    { "CR CR ends no trailer", T(CH "0\r\n\r\r\n"),
      "error: invalid trailer" },

    { "too large trailer", ngx_string(CH "0\r\n@\r\n"), "X: 0123456\r\n", 34,
      0, "error: trailer is too large" },

    { "no chunk size", T(CH "\r\nhello\r\n"), "error: invalid chunk size" },

    { "chunk size not hex", T(CH "5g\r\nhello\r\n"),
      "error: invalid chunk size" },

    { "negative chunk size", T(CH "-5\r\nhello\r\n"),
      "error: invalid chunk size" },

    { "0x before a chunk size", T(CH "0x5\r\nhello\r\n"),
      "error: invalid chunk size" },

    { "text after the blank of a chunk size", T(CH "5 5\r\nhello\r\n"),
      "error: invalid chunk size" },

    { "bare CR after a chunk size", T(CH "5\rhello\r\n"),
      "error: invalid chunk size" },

    { "NUL in a chunk extension", T(CH "5;a\0\r\nhello\r\n"),
      "error: invalid chunk size" },

    { "huge chunk size", T(CH "7fffffffffffffff\r\nhi"),
      "eof error: closed in body" },

    { "chunk size overflow", T(CH "8000000000000000\r\nhi"),
      "error: chunk is too large" },

    { "chunk size overflow to zero", T(CH "10000000000000000\r\nhi"),
      "error: chunk is too large" },

    { "chunk longer than its size", T(CH "2\r\nhello\r\n"),
      "error: invalid chunk end" },

    { "chunk end without LF", T(CH "2\r\nhi\r0\r\n\r\n"),
      "error: invalid chunk end" },

    { "cut in a chunk", T(CH "5\r\nhel"), "eof error: closed in body" },

    { "cut before the last chunk", T(CH "2\r\nhi\r\n"),
      "eof error: closed in body" },

    { "cut in the last chunk", T(CH "2\r\nhi\r\n0\r\n"),
      "eof error: closed in body" },

    { "gzip, chunked", T(OK "Transfer-Encoding: gzip, chunked\r\n\r\n"),
      "error: unsupported Transfer-Encoding" },

    { "identity", T(OK "Transfer-Encoding: identity\r\n\r\nhi"),
      "error: unsupported Transfer-Encoding" },

    { "empty Transfer-Encoding", T(OK "Transfer-Encoding:\r\n\r\nhi"),
      "error: unsupported Transfer-Encoding" },

    { "chunked twice", T(OK "Transfer-Encoding: chunked\r\n"
      "Transfer-Encoding: chunked\r\n\r\n"),
      "error: repeated Transfer-Encoding" },

    { "both lengths", T(OK "Content-Length: 2\r\n"
      "Transfer-Encoding: chunked\r\n\r\n"),
      "error: both Content-Length and Transfer-Encoding" },

    { "both lengths, other order", T(OK "Transfer-Encoding: chunked\r\n"
      "Content-Length: 2\r\n\r\n"),
      "error: both Content-Length and Transfer-Encoding" },

    { "equal lengths",
      T(OK "Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi"),
      "200 keep 2 [hi]" },

    { "different lengths", T(OK "Content-Length: 2\r\nContent-Length: 3\r\n"
      "\r\nhi"), "error: different Content-Lengths" },

    { "list of lengths", T(OK "Content-Length: 2, 2\r\n\r\nhi"),
      "error: invalid Content-Length" },

    { "negative length", T(OK "Content-Length: -1\r\n\r\nhi"),
      "error: invalid Content-Length" },

    { "length with a plus", T(OK "Content-Length: +2\r\n\r\nhi"),
      "error: invalid Content-Length" },

    { "length in hex", T(OK "Content-Length: 0x2\r\n\r\nhi"),
      "error: invalid Content-Length" },

    { "empty length", T(OK "Content-Length: \r\n\r\nhi"),
      "error: invalid Content-Length" },

    { "largest length", T(OK "Content-Length: 9223372036854775807\r\n\r\nhi"),
      "eof error: closed in body" },

    { "length overflow", T(OK "Content-Length: 9223372036854775808\r\n\r\nhi"),
      "error: invalid Content-Length" },

    { "shorter than its length", T(OK "Content-Length: 5\r\n\r\nhel"),
      "eof error: closed in body" },

    { "nothing at all", T(""), "eof error: closed before answer" },

    { "one byte", T("H"), "eof error: closed in header" },

    { "cut in the status line", T("HTTP/1.1 20"),
      "eof error: closed in header" },

    { "cut in a header", T(OK "Content-Le"), "eof error: closed in header" },

    { "cut before the empty line", T(OK "Content-Length: 2\r\n"),
      "eof error: closed in header" },

    { "cut in the empty line", T(OK "Content-Length: 2\r\n\r"),
      "eof error: closed in header" },

    { "SSH", T("SSH-2.0-OpenSSH_9.2\r\n"), "error: no HTTP" },

    { "TLS alert", T("\x15\x03\x01\x00\x02\x02\x46"), "error: no HTTP" },

    { "HTTP/0.9", T("<html>hi</html>"), "error: no HTTP" },

    { "lower case protocol", T("http/1.1 200 OK\r\n\r\n"), "error: no HTTP" },

    { "empty line first", T("\r\n" OK "\r\n"), "error: no HTTP" },

    { "short line", T("HTTP/1.\r\n"), "error: no HTTP" },

    { "HTTP/2.0", T("HTTP/2.0 200 OK\r\n\r\n"),
      "error: unsupported HTTP version" },

    { "HTTP/1.x", T("HTTP/1.x 200 OK\r\n\r\n"),
      "error: unsupported HTTP version" },

    { "HTTP/1.11", T("HTTP/1.11 200 OK\r\n\r\n"),
      "error: invalid status line" },

    { "no status", T("HTTP/1.1\r\n\r\n"), "error: invalid status line" },

    { "short status", T("HTTP/1.1 20\r\n\r\n"), "error: invalid status line" },

    { "long status", T("HTTP/1.1 2000\r\n\r\n"),
      "error: invalid status line" },

    { "status with letters", T("HTTP/1.1 20x OK\r\n\r\n"),
      "error: invalid status line" },

    { "status below 100", T("HTTP/1.1 099 OK\r\n\r\n"),
      "error: invalid status line" },

    { "bare CR in the status line", T("HTTP/1.1 200 O\rK\r\n\r\n"),
      "error: bare CR in header" },

    { "bare CR in a header", T(OK "X: a\rb\r\n\r\n"),
      "error: bare CR in header" },

    { "CR CR LF", T(OK "X: a\r\r\n\r\n"), "error: bare CR in header" },

    { "NUL in the status line", T("HTTP/1.1 200 \0\r\n\r\n"),
      "error: NUL in header" },

    { "NUL in a header name", T(OK "X\0: a\r\n\r\n"),
      "error: NUL in header" },

    { "NUL in a header value", T(OK "X: \0\r\n\r\n"),
      "error: NUL in header" },

    { "space before the colon", T(OK "Content-Length : 2\r\n\r\nhi"),
      "error: invalid header name" },

    { "tab in a header name", T(OK "X\tY: 2\r\n\r\nhi"),
      "error: invalid header name" },

    { "empty header name", T(OK ": 2\r\n\r\nhi"),
      "error: empty header name" },

    { "header without colon", T(OK "garbage\r\n\r\nhi"),
      "error: header without colon" },

    { "header not UTF-8", T(OK "X: \xff\xfe\r\nContent-Length: 0\r\n\r\n"),
      "200 keep 2 []" },

    { "100 headers", ngx_string(OK "@\r\n"), "X:\n", 100, 0,
      "eof 200 close 100 []" },

    { "101 headers", ngx_string(OK "@\r\n"), "X:\n", 101, 0,
      "error: too many headers" },

    { "largest header", ngx_string(OK "X: @\r\n\r\n"), "a", 376, 0,
      "eof 200 close 1 []" },

    { "too large header", ngx_string(OK "X: @\r\n\r\n"), "a", 377, 0,
      "error: header is too large" },

    { "endless status line", ngx_string("HTTP/1.1 200 @"), "a", 400, 0,
      "error: header is too large" },

    { "endless folds", ngx_string(OK "X: a\r\n@"), " \r\n", 200, 0,
      "error: header is too large" },

    { "body that just fits", ngx_string(OK "Content-Length: 32\r\n\r\n@"),
      "a", 32, 0, "200 keep 1 [aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]" },

    { "body larger than what is kept",
      ngx_string(OK "Content-Length: 33\r\n\r\n@"), "a", 33, 0,
      "200 keep 1 cut [aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]" },

    { "chunked body larger than what is kept",
      ngx_string(CH "@0\r\n\r\n"), "2\r\nab\r\n", 17, 0,
      "200 keep 1 cut [abababababababababababababababab]" },

    { "body drained to its end",
      ngx_string(OK "Content-Length: 600\r\n\r\n@"), "a", 600, 0,
      "200 keep 1 cut [aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]" },

    { "body too large to drain",
      ngx_string(OK "Content-Length: 601\r\n\r\n@"), "a", 601, 0,
      "200 close 1 cut +1 [aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]" },

    { "close-delimited and endless", ngx_string(OK "\r\n@"), "a", 700, 0,
      "200 close 0 cut +100 [aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]" },

    { "endless chunk extension", ngx_string(CH "1;@"), "a", 400, 0,
      "error: chunk extension is too large" },

    { "many chunks with extensions", ngx_string(CH "@"), "1;a\r\nx\r\n", 100,
      0, "200 close 1 cut +200 [xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx]" },

    { "NUL in the body", T(OK "Content-Length: 3\r\n\r\na\0b"),
      "200 keep 1 [a?b]" },

    { NULL, ngx_null_string, NULL, 0, 0, NULL }
};


void
wag_unit_http(wag_unit_t *u)
{
    wag_unit_http_t    *t;
    wag_unit_answer_t  *a;

    t = ngx_palloc(u->pool, sizeof(wag_unit_http_t));
    if (t == NULL) {
        return;
    }

    for (a = wag_unit_answers; a->name != NULL; a++) {
        wag_unit_answer(u, t, a);
    }

    wag_unit_headers(u, t);
}


static void
wag_unit_answer(wag_unit_t *u, wag_unit_http_t *t, wag_unit_answer_t *a)
{
    char      *got, name[256];
    size_t     i;
    ngx_str_t  text;

    wag_unit_fill(u, a, &text);

    got = wag_unit_feed(t, &text, text.len, text.len, a->head);

    if (!wag_unit_is(u, got, a->verdict, a->name)) {
        return;
    }

    *ngx_sprintf((u_char *) name, "%s, byte by byte", a->name) = '\0';

    got = wag_unit_feed(t, &text, 1, 1, a->head);

    if (!wag_unit_is(u, got, a->verdict, name)) {
        return;
    }

    for (i = 1; i < text.len; i++) {
        got = wag_unit_feed(t, &text, i, text.len, a->head);

        if (ngx_strcmp(got, a->verdict) != 0) {
            break;
        }
    }

    *ngx_sprintf((u_char *) name, "%s, split (%uz)", a->name, i) = '\0';

    wag_unit_is(u, got, a->verdict, name);
}


static void
wag_unit_fill(wag_unit_t *u, wag_unit_answer_t *a, ngx_str_t *text)
{
    u_char     *p, *at;
    size_t      len;
    ngx_uint_t  i;

    *text = a->text;

    if (a->fill == NULL) {
        return;
    }

    len = ngx_strlen(a->fill);

    p = ngx_palloc(u->pool, a->text.len + len * a->times);
    if (p == NULL) {
        return;
    }

    at = (u_char *) ngx_strchr(a->text.data, '@');

    text->data = p;
    p = ngx_cpymem(p, a->text.data, at - a->text.data);

    for (i = 0; i < a->times; i++) {
        p = ngx_cpymem(p, a->fill, len);
    }

    at++;
    p = ngx_cpymem(p, at, a->text.data + a->text.len - at);

    text->len = p - text->data;
}


/*
 * Each part is fed from a block of its own size, to let a sanitizer see what
 * is read beyond it.
 */

static char *
wag_unit_feed(wag_unit_http_t *t, ngx_str_t *text, size_t first, size_t step,
    ngx_uint_t head)
{
    u_char      *p, *part, *last;
    size_t       i, n;
    ngx_int_t    rc;
    ngx_str_t    header, body;
    wag_http_t  *h;

    h = &t->http;

    header.data = t->header;
    header.len = WAG_UNIT_HEADER;
    body.data = t->body;
    body.len = WAG_UNIT_BODY;

    wag_http_init(h, &header, &body, WAG_UNIT_DRAIN, head);

    rc = NGX_AGAIN;
    n = ngx_min(first, text->len);

    for (i = 0; i < text->len && rc != NGX_ERROR; i += n, n = step) {
        n = ngx_min(n, text->len - i);

        part = malloc(n);
        if (part == NULL) {
            return "no memory";
        }

        ngx_memcpy(part, text->data + i, n);

        rc = wag_http_parse(h, part, part + n);

        free(part);
    }

    p = t->verdict;
    last = p + sizeof(t->verdict) - 1;

    if (rc == NGX_AGAIN) {
        rc = wag_http_eof(h);
        p = ngx_slprintf(p, last, "eof ");
    }

    if (rc != NGX_OK) {
        *ngx_slprintf(p, last, "error: %s", h->error) = '\0';
        return (char *) t->verdict;
    }

    if (h->body.data[h->body.len] != '\0') {
        return "body without NUL";
    }

    p = ngx_slprintf(p, last, "%ui %s %ui %s", h->status,
                     h->keepalive ? "keep" : "close", h->nheaders,
                     h->truncated ? "cut " : "");

    if (h->extra) {
        p = ngx_slprintf(p, last, "+%uz ", h->extra);
    }

    for (i = 0; i < h->body.len; i++) {
        if (h->body.data[i] == '\0') {
            h->body.data[i] = '?';
        }
    }

    *ngx_slprintf(p, last, "[%V]", &h->body) = '\0';

    return (char *) t->verdict;
}


static void
wag_unit_headers(wag_unit_t *u, wag_unit_http_t *t)
{
    wag_http_t         *h;
    wag_http_header_t  *hdr;

    static ngx_str_t  name = ngx_string("x-foo");
    static ngx_str_t  none = ngx_string("x-fo");
    static ngx_str_t  text = ngx_string(OK
                                        "X-Fold: a\r\n \t b \r\n  \r\n\tc\r\n"
                                        "X-FOO:\t one \t\r\nX-Foo:\r\n two\r\n"
                                        "Content-Length: 0\r\n\r\n");

    h = &t->http;

    (void) wag_unit_feed(t, &text, 1, 1, 0);

    wag_unit_ok(u, h->nheaders == 4, "four headers");

    hdr = &h->headers[0];

    wag_unit_ok(u, hdr->value.len == 5
                && ngx_strncmp(hdr->value.data, "a b c", 5)
                                   == 0, "folded value");

    hdr = wag_http_find(h, &name, NULL);

    wag_unit_ok(u, hdr && hdr->value.len == 3
                && ngx_strncmp(hdr->value.data, "one", 3) == 0,
                "first header of a name, trimmed");

    hdr = hdr ? wag_http_find(h, &name, hdr) : NULL;

    wag_unit_ok(u, hdr && hdr->value.len == 3
                && ngx_strncmp(hdr->value.data, "two", 3) == 0,
                "second header of a name");

    hdr = hdr ? wag_http_find(h, &name, hdr) : NULL;

    wag_unit_ok(u, hdr == NULL, "no third header of a name");

    wag_unit_ok(u, wag_http_find(h, &none, NULL) == NULL,
                "no header by a part of its name");
}
