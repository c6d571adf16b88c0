
#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_probe.h"
#include "wag_unit.h"


typedef struct {
    const char          *name;
    ngx_str_t            method;
    ngx_str_t            uri;
    ngx_str_t            host;
    ngx_uint_t           keepalive;
    ngx_keyval_t         headers[2];
    const char          *text;
} wag_unit_request_t;


#define NONE  { { ngx_null_string, ngx_null_string },                         \
                { ngx_null_string, ngx_null_string } }
#define ONE(key, value)                                                       \
              { { ngx_string(key), ngx_string(value) },                       \
                { ngx_null_string, ngx_null_string } }
#define GET   ngx_string("GET"), ngx_string("/h"), ngx_string("a:80"), 1


static wag_unit_request_t
    wag_unit_requests[] =
{
    { "keep-alive", GET, NONE,
      "GET /h HTTP/1.1\r\nHost: a:80\r\nUser-Agent: u/1\r\nAccept: */*\r\n"
      "Connection: keep-alive\r\n\r\n" },

    { "close", ngx_string("HEAD"), ngx_string("/h?a=b"), ngx_string(""), 0,
      NONE,
      "HEAD /h?a=b HTTP/1.1\r\nHost: \r\nUser-Agent: u/1\r\nAccept: */*\r\n"
      "Connection: close\r\n\r\n" },

    { "headers", GET, { { ngx_string("X-Api-Key"), ngx_string("s t") },
                        { ngx_string("X-Y"), ngx_string("") } },
      "GET /h HTTP/1.1\r\nHost: a:80\r\nUser-Agent: u/1\r\nAccept: */*\r\n"
      "Connection: keep-alive\r\nX-Api-Key: s t\r\nX-Y: \r\n\r\n" },

    { "headers that replace", GET,
      { { ngx_string("host"), ngx_string("b") },
        { ngx_string("ACCEPT"), ngx_string("text/plain") } },
      "GET /h HTTP/1.1\r\nUser-Agent: u/1\r\nConnection: keep-alive\r\n"
      "host: b\r\nACCEPT: text/plain\r\n\r\n" },

    { "User-Agent of its own", GET, ONE("User-Agent", "x"),
      "GET /h HTTP/1.1\r\nHost: a:80\r\nAccept: */*\r\n"
      "Connection: keep-alive\r\nUser-Agent: x\r\n\r\n" },

    { "method with a blank", ngx_string("G T"), ngx_string("/"),
      ngx_string("a"), 1, NONE, "invalid method \"G T\"" },

    { "no method", ngx_string(""), ngx_string("/"), ngx_string("a"), 1, NONE,
      "invalid method \"\"" },

    { "no uri", ngx_string("GET"), ngx_string(""), ngx_string("a"), 1, NONE,
      "invalid uri \"\"" },

    { "relative uri", ngx_string("GET"), ngx_string("h"), ngx_string("a"), 1,
      NONE, "invalid uri \"h\"" },

    { "uri with a blank", ngx_string("GET"), ngx_string("/a b"),
      ngx_string("a"), 1, NONE, "invalid uri \"/a b\"" },

    { "uri with a fragment", ngx_string("GET"), ngx_string("/a#b"),
      ngx_string("a"), 1, NONE, "invalid uri \"/a#b\"" },

    { "host with LF", ngx_string("GET"), ngx_string("/"), ngx_string("a\nb"),
      1, NONE, "invalid host \"a\nb\"" },

    { "header name with a colon", GET, ONE("X:", "a"),
      "invalid header name \"X:\"" },

    { "empty header name", GET, ONE("", "a"), "invalid header name \"\"" },

    { "header value with LF", GET, ONE("X", "a\nY: b"),
      "invalid value of header \"X\"" },

    { "Content-Length", GET, ONE("content-length", "1"),
      "header is not allowed \"content-length\"" },

    { "Connection", GET, ONE("Connection", "close"),
      "header is not allowed \"Connection\"" },

    { NULL, ngx_null_string, ngx_null_string, ngx_null_string, 0, NONE, NULL }
};


void
wag_unit_request(wag_unit_t *u)
{
    char                 text[1024];
    ngx_int_t            rc;
    ngx_str_t            request, err;
    ngx_array_t          headers;
    wag_request_t        r;
    wag_unit_request_t  *c;

    for (c = wag_unit_requests; c->name != NULL; c++) {

        ngx_memzero(&r, sizeof(wag_request_t));

        r.method = c->method;
        r.uri = c->uri;
        r.host = c->host;
        r.keepalive = c->keepalive ? 1 : 0;

        ngx_str_set(&r.user_agent, "u/1");

        headers.elts = c->headers;
        headers.nelts = (c->headers[0].key.data != NULL)
                        + (c->headers[1].key.data != NULL);

        r.headers = headers.nelts ? &headers : NULL;

        rc = wag_request_make(u->pool, &r, &request, &err);

        *ngx_slprintf((u_char *) text, (u_char *) text + 1023, "%V",
                      rc == NGX_OK ? &request : &err) = '\0';

        wag_unit_is(u, text, c->text, c->name);
    }

    ngx_memzero(&r, sizeof(wag_request_t));

    ngx_str_set(&r.method, "POST");
    ngx_str_set(&r.uri, "/start");
    ngx_str_set(&r.host, "a");
    ngx_str_set(&r.user_agent, "u/1");
    ngx_str_set(&r.body, "{\"Immediate\":true}");

    rc = wag_request_make(u->pool, &r, &request, &err);

    *ngx_slprintf((u_char *) text, (u_char *) text + 1023, "%V",
                  rc == NGX_OK ? &request : &err) = '\0';

    wag_unit_is(u, text,
                "POST /start HTTP/1.1" CRLF "Host: a" CRLF "User-Agent: u/1"
                CRLF "Accept: */*" CRLF "Connection: close" CRLF
                "Content-Type: application/json" CRLF "Content-Length: 18"
                CRLF CRLF "{\"Immediate\":true}",
                "a body of JSON");
}
